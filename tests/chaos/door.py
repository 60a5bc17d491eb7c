"""Where a side takes deliveries, as fast as Python can, in whatever mood it was told to be in."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from random import Random

    from tests.chaos.witness import Witness

HOST = "127.0.0.1"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_GARBAGE = (
    b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n<html>ok?!</",
    b"\x00\xff\xfe this is not HTTP\r\n\r\n",
    b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\nand then nothing",
)


@dataclass(eq=False)
class Door:
    """One side's inbox. ``mood`` holds until ``until`` (monotonic)."""

    desk: Witness
    port: int
    chance: Random
    mood: str = "well"
    until: float = 0.0
    _lines: set[Line] = field(default_factory=set)
    _held: list[tuple[Line, bytes]] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Line(self), HOST, self.port, backlog=1024)

    async def be(self, mood: str, seconds: float) -> None:
        """Be in a mood for some seconds; a later one takes its place."""
        self.mood, self.until = mood, time.monotonic() + seconds
        if mood == "refuse" and self._server is not None:
            self._server.close()
            self._server = None
            self._cut()
        asyncio.get_running_loop().call_later(seconds + 0.01, self._over)

    def _over(self) -> None:
        if time.monotonic() < self.until:
            return
        hung, self.mood = self.mood == "hang", "well"
        if self._server is None:
            asyncio.get_running_loop().create_task(self.open())
        if hung:
            self._cut()
        self._let_go()

    def _cut(self) -> None:
        for line in tuple(self._lines):
            line.transport.abort()

    def take(self, line: Line, request: bytes, end: int) -> None:
        """One whole request."""
        mood = self.mood
        if mood == "hang":
            return
        if mood in {"e5xx", "busy"}:
            line.say(_BUSY if mood == "busy" else _AWAY)
            return
        if mood == "garbage" and self.chance.random() < 0.5:
            line.say(self.chance.choice(_GARBAGE))
            return
        self._answer(line, mood, _http(*self._taken(request, end)))

    def _taken(self, request: bytes, end: int) -> tuple[int, bytes, str]:
        head, *rest = request[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
        kind = head.split(" ")[1].rsplit("/", 1)[1]
        status, answer = self.desk.deliver(kind, headers, request[end + 4 :])
        return status, answer, self.desk.content_type

    def _answer(self, line: Line, mood: str, answer: bytes) -> None:
        loop = asyncio.get_running_loop()
        if mood == "drop":
            line.transport.abort()
        elif mood == "garbage":
            line.say(self.chance.choice(_GARBAGE))
        elif mood == "late":
            # some within the time a call may take, some after it
            loop.call_later(self.chance.uniform(0.2, 3.5), line.say, answer)
        elif mood == "reorder":
            self._held.append((line, answer))
            if len(self._held) >= 8:
                self._let_go()
            else:
                loop.call_later(0.3, self._let_go)
        elif mood == "twice":
            line.say(answer)
            loop.call_later(self.chance.choice((0.0, 0.001, 0.01)), line.say, answer)
        else:
            line.say(answer)

    def _let_go(self) -> None:
        held, self._held = self._held, []
        self.chance.shuffle(held)
        for line, answer in held:
            line.say(answer)


@dataclass(eq=False)
class Line(asyncio.Protocol):
    """One connection: HTTP/1.1 with content-length, as the gateway speaks it."""

    door: Door
    transport: Any = None
    left: bytes = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.door._lines.add(self)

    def connection_lost(self, _error: Exception | None) -> None:
        self.door._lines.discard(self)

    def data_received(self, data: bytes) -> None:
        self.left += data
        while (end := self.left.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self.left, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self.left) < whole:
                return
            request, self.left = self.left[:whole], self.left[whole:]
            self.door.take(self, request, end)

    def say(self, answer: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer)


def _http(status: int, body: bytes, content_type: str) -> bytes:
    head = f"HTTP/1.1 {status} X\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


_AWAY = b"HTTP/1.1 503 Away\r\ncontent-length: 0\r\n\r\n"
_BUSY = b"HTTP/1.1 429 Busy\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n"
