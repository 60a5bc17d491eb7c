"""A side as one small process that takes everything, checks no proof, and notes when what arrived.

python -m bench.peer PORT
``GET /seen`` answers and forgets: case number → time of the monotonic clock, shared by all processes here; ``again``
counts the messages that came a second time since ``GET /new``, which forgets everything: two gateways between the
same sides give the same numbers.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time

import uvloop

TAKEN = {
    b"sc": b'{"recode":"1","message":"","aaz002":"SC1"}',
    b"cq": b'<?xml version="1.0" encoding="GB18030"?><PACKET><BODY><FH><FHM>0000</FHM></FH></BODY></PACKET>',
}
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_CASE = re.compile(rb"CYTB\d{22}")

seen: dict[str, float] = {}
ever: set[bytes] = set()
again = 0


class Peer(asyncio.Protocol):
    """One connection: HTTP/1.1 with content-length, as the gateway speaks it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.left = transport, b""

    def data_received(self, data: bytes) -> None:
        self.left += data
        while (end := self.left.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self.left, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self.left) < whole:
                return
            request, self.left = self.left[:whole], self.left[whole:]
            self.transport.write(_answer(request, end))  # type: ignore[attr-defined]


def _answer(request: bytes, end: int) -> bytes:
    global again  # noqa: PLW0603 - the process is the peer
    if request.startswith(b"GET /new"):
        ever.clear()
        again = 0
    if request.startswith(b"GET"):
        body = json.dumps({"seen": seen, "again": again}).encode()
        seen.clear()
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    _note(request, end)
    body = TAKEN[request[request.index(b"/gw/") + 4 :][:2]]
    return b"HTTP/1.1 202 Accepted\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


def _note(request: bytes, end: int) -> None:
    global again  # noqa: PLW0603 - the process is the peer
    case = _CASE.search(request, end)
    if case is None:
        return
    if case[0] in ever:
        again += 1
        return
    ever.add(case[0])
    seen[case[0].decode()] = time.monotonic()


async def main(port: str) -> None:
    """Listen until killed."""
    await asyncio.get_running_loop().create_server(Peer, "127.0.0.1", int(port), backlog=1024)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
