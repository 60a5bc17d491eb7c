"""Both sides as one process far away: every answer takes its time, and each message is counted by its key.

python -m bench.far_peer PORT PORT
``GET /told`` tells what came in (`Told.answer`); ``GET /forget?0.2`` starts anew with answers after so many seconds.
A worker is known by the first part of the path it calls (``/w3/gw/…``), which its own configuration gives it.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter

import uvloop

from bench.peer import TAKEN

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
#: The message id of either format: the same in every attempt at a message.
_KEY = re.compile(rb'"aaz002": *"([^"]+)"|<LSH>([^<]+)</LSH>')
_OWNER = re.compile(rb"POST /(w\d+)/gw/(sc|cq)")


class Told:
    """What came in since `begin`."""

    def __init__(self) -> None:
        self.begin(0.2)

    def begin(self, latency_s: float) -> None:
        self.latency_s = latency_s
        self.keys: Counter[bytes] = Counter()
        self.at: list[float] = []
        self.flying: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.most_of_all = self.connections = 0

    def arrives(self, owner: str, key: bytes) -> None:
        self.at.append(time.monotonic())
        self.keys[key] += 1
        self.flying[owner] += 1
        self.most[owner] = max(self.most[owner], self.flying[owner])
        self.most_of_all = max(self.most_of_all, self.flying.total())

    def answer(self) -> dict[str, object]:
        """Units: moments of the monotonic clock all processes here share; calls in flight as seen here."""
        return {
            "messages": len(self.at),
            "keys": len(self.keys),
            "twice": sum(count > 1 for count in self.keys.values()),
            "most": dict(self.most),
            "most_of_all": self.most_of_all,
            "connections": self.connections,
            "at": self.at,
        }


TOLD = Told()
_open: set[Peer] = set()


class Peer(asyncio.Protocol):
    """One connection: HTTP/1.1 with content-length, as the gateway speaks it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.left = transport, b""
        _open.add(self)
        TOLD.connections = max(TOLD.connections, len(_open))

    def connection_lost(self, _error: Exception | None) -> None:
        _open.discard(self)

    def data_received(self, data: bytes) -> None:
        self.left += data
        while (end := self.left.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self.left, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self.left) < whole:
                return
            request, self.left = self.left[:whole], self.left[whole:]
            if request.startswith(b"GET"):
                self._tell(request)
            else:
                self._take(request, end)

    def _tell(self, request: bytes) -> None:
        body = json.dumps(TOLD.answer()).encode()
        if request.startswith(b"GET /forget?"):
            TOLD.begin(float(request.split()[1].partition(b"?")[2]))
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))  # type: ignore[attr-defined]

    def _take(self, request: bytes, end: int) -> None:
        key, who = _KEY.search(request, end), _OWNER.match(request)
        assert key is not None, request[:200]
        assert who is not None, request[:200]
        owner = who[1].decode()
        TOLD.arrives(owner, key[1] or key[2])
        body = TAKEN[who[2]]
        answer = b"HTTP/1.1 202 Accepted\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        asyncio.get_running_loop().call_later(TOLD.latency_s, self._answer, owner, answer)

    def _answer(self, owner: str, answer: bytes) -> None:
        TOLD.flying[owner] -= 1
        self.transport.write(answer)  # type: ignore[attr-defined]


async def main(ports: list[str]) -> None:
    """Listen until killed."""
    loop = asyncio.get_running_loop()
    for port in ports:
        await loop.create_server(Peer, "127.0.0.1", int(port), backlog=4096)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
