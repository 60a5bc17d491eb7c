# One command each; continuous integration calls the same ones. `make` alone lists them.

# Linux on x86-64: for Python 3.11 and 3.12 the embedded Redis comes ready built; newer ones build it (C compiler).
PYTHON ?= $(shell for p in python3 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$p && exit; done; echo python3)
CONFIG ?= gateway.toml
UV_VERSION := 0.13.9

BIN := .venv/bin
READY := .venv/.ready
LOCKING := $(BIN)/uv pip compile --quiet pyproject.toml --generate-hashes --universal --python-version 3.11 \
	--no-emit-index-url --no-header --no-annotate

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup run demo test lint types contracts bench bench-full chaos check fuzz vectors docs lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

setup: $(READY) ## the environment in .venv, from hashed requirements; skipped when nothing changed

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo \
		"Python 3.11 or newer is needed; '$(PYTHON)' is not. Install python3.11 or say: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo \
		"'$(PYTHON)' cannot make environments. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@echo "installing requirements"
	@PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 sh -c '\
		$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock && \
		$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .'
	@touch $@

run: $(READY) ## the gateway, configured by CONFIG=gateway.toml
	@$(BIN)/tongban serve --config $(CONFIG)

demo: $(READY) ## the gateway with two simulated regions: live on a terminal, else 40 cases and a summary
	@if [ -t 1 ]; then $(BIN)/tongban demo; else $(BIN)/tongban demo --cases 40 --exit; fi

test: $(READY) ## all tests, on real PostgreSQL and Redis, in two lanes (tests/conftest.py)
	@$(BIN)/pytest -n 2 --dist loadscope

lint: $(READY) ## style and spelling
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/codespell

types: $(READY) ## mypy, strict
	@$(BIN)/mypy

contracts: $(READY) ## who may import whom
	@$(BIN)/lint-imports

bench: $(READY) ## how fast it is here, beside the textbook: the whole way, a dead side, a million cases stored
	@$(BIN)/python -m bench --json bench.json

bench-full: $(READY) ## the same with every round, and the page docs/reference/benchmark.md; about an hour
	@$(BIN)/python -m bench --full --json bench.json --write docs/reference/benchmark.md

CHAOS_SEED ?=
chaos: $(READY) ## break everything on purpose: 1,000 faults over 20,000 cases; CHAOS_SEED= repeats a plan
	@CHAOS_SEED=$(CHAOS_SEED) $(BIN)/python -m tests.chaos $(if $(PAGE),--write $(PAGE))

check: $(READY) ## every region of the tree against the laws
	@for region in $(notdir $(patsubst %/wire.py,%,$(wildcard adapters/*/wire.py))); do \
		$(BIN)/tongban check region $$region || exit 1; done

fuzz: $(READY) ## the API under schemathesis, N examples an operation (500)
	@$(BIN)/python -m tests.fuzz --max-examples $(or $(N),500)

vectors: $(READY) ## make the published vectors anew
	@$(BIN)/python -m tests.vectors

docs: $(READY) ## the documents as a site in site/, and their checks: commands run, links, settings, both languages
	@$(BIN)/python -m docs.site
	@$(BIN)/pytest -q tests/contract/test_docs.py tests/contract/test_compose.py tests/documents

lock: $(READY) ## renew requirements.lock and deploy/requirements.lock from pyproject.toml
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(LOCKING) --extra dev --output-file requirements.lock
	@$(LOCKING) --constraint requirements.lock --output-file deploy/requirements.lock

clean: ## remove the environment, caches and build results; data/ stays
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist site .pages
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
