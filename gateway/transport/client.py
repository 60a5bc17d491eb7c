"""The only HTTP call to a peer: one pooled client per destination; every failure becomes a `PeerFailure`."""

from __future__ import annotations

import asyncio
import functools
import ssl
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from gateway.errors import PeerFailure
from gateway.transport.replies import Answered

if TYPE_CHECKING:
    from gateway.region import SignedRequest

#: A receipt is a few hundred bytes; with 100 findings some tens of KB.
BODY_LIMIT = 1 << 20

# Shorter than the 5 s many servers keep an idle connection, so that we rarely write into one being closed.
_KEEPALIVE_S = 4.0

_HEADERS = {"user-agent": "tongban", "accept": "*/*", "accept-encoding": "identity"}


@functools.cache
def tls() -> ssl.SSLContext:
    """The one TLS context of the process: making one costs 20 ms of CPU."""
    return ssl.create_default_context()


class PeerClient:
    """Calls one destination.

    Units: ``timeout_s`` is for the whole call, from looking for a connection to the last byte of the answer.
    ``connections``: at least the calls in flight. ``transport`` replaces the network in tests.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout_s: float = 30.0,
        connections: int = 64,
        body_limit: int = BODY_LIMIT,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._timeout_s = timeout_s
        self._body_limit = body_limit
        self._base = httpx.URL(base_url)
        self._urls: dict[str, httpx.URL] = {}
        # The transport alone: no redirect may be followed, no cookie kept, no proxy taken from the environment, and
        # what httpx.AsyncClient does to offer these cost more than the call. httpx' own engine falls to 200 calls/s
        # with 100 in flight (architecture §2).
        self._http = transport or _network(connections)

    async def send(self, request: SignedRequest) -> Answered:
        """One attempt.

        Errors: `PeerFailure` with cause ``connect`` (nobody there, or the line broke), ``timeout`` or
        ``unreadable`` (no HTTP, encoded, or larger than the limit). An answer of any status is returned.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._exchange(request)
        except (TimeoutError, httpx.TimeoutException) as error:
            # The aiohttp engine reports a line broken by the peer as a connect *timeout*: told apart by its cause.
            if isinstance(error.__cause__, aiohttp.ClientConnectionError) and not _timed_out(error.__cause__):
                raise PeerFailure("connect", type(error.__cause__).__name__) from error
            raise PeerFailure("timeout", f"no answer within {self._timeout_s:g} s") from error
        except aiohttp.ClientResponseError as error:
            raise PeerFailure("unreadable", "the answer is not HTTP") from error
        except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
            raise PeerFailure("connect", type(error).__name__) from error

    async def _exchange(self, request: SignedRequest) -> Answered:
        response = await self._http.handle_async_request(self._request(request))
        # Read once: each look into httpx' headers goes through all of them.
        headers = {
            name.lower().decode("latin-1"): value.decode("latin-1") for name, value in response.headers.raw
        }
        stream = response.stream
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - of an async transport
        try:
            encoding = headers.get("content-encoding", "identity").strip().lower()
            if encoding not in {"", "identity"}:
                raise PeerFailure("unreadable", "the answer is encoded", http_status=response.status_code)
            body = bytearray()
            async for chunk in stream:
                body += chunk
                if len(body) > self._body_limit:
                    raise PeerFailure(
                        "unreadable", "the answer is too large", http_status=response.status_code
                    )
            return Answered(response.status_code, headers, bytes(body))
        finally:
            await stream.aclose()

    def _request(self, request: SignedRequest) -> httpx.Request:
        # By hand, with addresses parsed once: what the client does to merge its own defaults into each request
        # takes more time than all of the proof by HMAC.
        url = self._urls.get(request.path)
        if url is None:
            path = self._base.raw_path.rstrip(b"/") + request.path.encode()
            url = self._urls[request.path] = self._base.copy_with(raw_path=path)
        return httpx.Request("POST", url, headers={**_HEADERS, **request.headers}, content=request.body)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


class _CleanLines(aiohttp.TCPConnector):
    """Never uses a line again on which something came that nobody asked for.

    aiohttp keeps such bytes and gives them out as the answer to the next request: a receipt sent twice would
    acknowledge a message that was never taken in.
    """

    async def _get(self, *args: Any, **options: Any) -> Any:
        while True:
            line = await super()._get(*args, **options)
            if line is None or line.protocol is None or not line.protocol.should_close:
                return line
            line.close()


def _network(connections: int) -> AiohttpTransport:
    def session() -> aiohttp.ClientSession:
        lines = _CleanLines(limit=connections, keepalive_timeout=_KEEPALIVE_S, ssl=tls())
        return aiohttp.ClientSession(connector=lines, cookie_jar=aiohttp.DummyCookieJar())

    return AiohttpTransport(verify=tls(), trust_env=False, client=session)


def _timed_out(error: BaseException) -> bool:
    return isinstance(error, (TimeoutError, aiohttp.ServerTimeoutError))
