"""``/metrics``, ``/healthz`` and ``/readyz`` of a process that is no web server, answered on its own loop.

An answer shows that the loop turns: a probe of another thread would call a worker alive whose loop hangs.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from gateway import metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    _Greet = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

_PATIENCE_S = 5.0
_LONGEST_HEAD = 8192

_TEXT = "text/plain; charset=utf-8"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen; ``port`` 0 is any free one."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Probes:
    """What is asked: does it live, has it begun its work."""

    alive: Callable[[], bool]
    ready: Callable[[], bool]

    def answer(self, target: str) -> tuple[int, bytes, str]:
        """Status, body, content type for a path."""
        match target.partition("?")[0]:
            case "/metrics":
                return 200, metrics.render(), metrics.CONTENT_TYPE
            case "/healthz":
                return (200, b"ok\n", _TEXT) if self.alive() else (503, b"not turning\n", _TEXT)
            case "/readyz":
                return (200, b"ready\n", _TEXT) if self.ready() else (503, b"waiting for the store\n", _TEXT)
            case _:
                return 404, b"/metrics /healthz /readyz\n", _TEXT


@asynccontextmanager
async def shown(place: Place | None, probes: Probes) -> AsyncIterator[None]:
    """Answer on ``place`` until left; nowhere without one.

    A port that is taken is told and does not keep the process from its work.
    """
    if place is None:
        yield
        return

    callers: set[asyncio.StreamWriter] = set()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        callers.add(writer)
        with suppress(TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(_PATIENCE_S):
                await _serve(reader, writer, probes)
        callers.discard(writer)
        writer.close()

    server = await _listen(place, greet)
    try:
        yield
    finally:
        if server is not None:
            server.close()
        for writer in callers:
            writer.close()
        await asyncio.sleep(0)  # the lines are closed at the next turn


async def _listen(place: Place, greet: _Greet) -> asyncio.Server | None:
    try:
        server = await asyncio.start_server(greet, place.host, place.port, limit=_LONGEST_HEAD)
    except OSError as error:
        _log.error("metrics_not_shown", host=place.host, port=place.port, cause=error.strerror)
        return None
    _log.info("metrics_shown", port=server.sockets[0].getsockname()[1])
    return server


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, probes: Probes) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    method, _, rest = head.partition(b" ")
    if method in {b"GET", b"HEAD"}:
        status, body, kind = probes.answer(rest.partition(b" ")[0].decode("latin-1"))
    else:
        status, body, kind = 405, b"GET\n", _TEXT
    writer.write(
        f"HTTP/1.1 {status} .\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n"
        "connection: close\r\n\r\n".encode()
    )
    if method != b"HEAD":
        writer.write(body)
    await writer.drain()
