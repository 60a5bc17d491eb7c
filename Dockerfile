# One image for every process of the gateway; docker-compose.yml says which command each of them runs.

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
# Requirements first: these layers are kept while only our own code changes.
COPY requirements.lock ./locks/build.lock
COPY deploy/requirements.lock ./locks/run.lock
RUN python -m venv /opt/build && /opt/build/bin/pip install --require-hashes -r locks/build.lock
RUN python -m venv /opt/tongban && /opt/tongban/bin/pip install --require-hashes -r locks/run.lock
COPY pyproject.toml README.md LICENSE ./
COPY gateway ./gateway
COPY adapters ./adapters
COPY mappings ./mappings
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/tongban/bin/pip install --no-deps dist/*.whl

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/tongban tongban
COPY --from=build /opt/tongban /opt/tongban
ENV PATH=/opt/tongban/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /var/lib/tongban
USER tongban
EXPOSE 8080
CMD ["tongban", "--help"]
