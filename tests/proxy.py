"""A TCP proxy that stands for a network: it delays, goes silent, refuses and cuts, in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import uvloop

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


@dataclass(eq=False)
class _Pipe(asyncio.Protocol):
    """One direction of one connection: what comes in goes to ``other`` after the delay, in order."""

    proxy: Proxy
    other: _Pipe | None = None
    transport: Any = None
    waiting: bytearray = field(default_factory=bytearray)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.proxy._pipes.add(self)
        if self.other is None:
            asyncio.get_running_loop().create_task(self._dial())

    async def _dial(self) -> None:
        far = _Pipe(self.proxy, self)
        try:
            await self.proxy._connect(lambda: far)
        except OSError:
            self.transport.abort()
            return
        self.other = far
        self._pass(b"")

    def data_received(self, data: bytes) -> None:
        if self.proxy.delay_s:
            asyncio.get_running_loop().call_later(self.proxy.delay_s, self._pass, data)
        else:
            self._pass(data)

    def _pass(self, data: bytes) -> None:
        self.waiting += data
        if self.proxy.silent or self.other is None or self.other.transport is None:
            return
        if self.waiting and not self.other.transport.is_closing():
            self.other.transport.write(bytes(self.waiting))
        self.waiting.clear()

    def connection_lost(self, _error: Exception | None) -> None:
        self.proxy._pipes.discard(self)
        if self.other is not None and self.other.transport is not None:
            asyncio.get_running_loop().call_later(self.proxy.delay_s, self.other.transport.close)


class Proxy:
    """Listens on ``port`` (0: a free one) of the loopback and passes on to ``target``: (host, port) or a socket path.

    ``delay_s`` counts each way. `silence` holds everything back and keeps the connections (a partition),
    `refuse` closes them and takes no new ones, `mend` ends both. Thread-safe.
    """

    def __init__(self, target: tuple[str, int] | str, *, delay_s: float = 0.0, port: int = 0) -> None:
        self.target, self.delay_s, self.port = target, delay_s, port
        self.silent = self.refusing = False
        self._pipes: set[_Pipe] = set()
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._do(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def silence(self) -> None:
        """Nothing passes any more; connections stay."""
        self.silent = True

    def refuse(self) -> None:
        """Cut what is connected; nobody can connect."""
        self.refusing = True
        self._do(self._cut())

    def mend(self) -> None:
        """Let everything pass again, what was held back first."""
        self.silent = self.refusing = False
        self._do(self._flush())

    def cut(self) -> None:
        """Break every connection once; new ones pass."""
        self._do(self._cut())

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(self._greet, "127.0.0.1", self.port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    def _greet(self) -> asyncio.Protocol:
        return _Closed() if self.refusing else _Pipe(self)

    async def _connect(self, protocol: Callable[[], _Pipe]) -> None:
        if isinstance(self.target, str):
            await self._loop.create_unix_connection(protocol, self.target)
        else:
            await self._loop.create_connection(protocol, *self.target)

    async def _cut(self) -> None:
        for pipe in tuple(self._pipes):
            pipe.transport.abort()

    async def _flush(self) -> None:
        for pipe in tuple(self._pipes):
            pipe._pass(b"")

    async def _close(self) -> None:
        self._server.close()
        await self._cut()


class _Closed(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.abort()  # type: ignore[attr-defined]
