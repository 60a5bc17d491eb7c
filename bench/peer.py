"""Both sides as one small process that takes everything, checks no proof, and notes when what arrived.

python -m bench.peer PORT PORT
``GET /seen`` answers and forgets: case number → time of the monotonic clock, shared by all processes here.
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
    if request.startswith(b"GET"):
        body = json.dumps(seen).encode()
        seen.clear()
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    case = _CASE.search(request, end)
    if case:
        seen.setdefault(case[0].decode(), time.monotonic())
    body = TAKEN[request[request.index(b"/gw/") + 4 :][:2]]
    return b"HTTP/1.1 202 Accepted\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


async def main(ports: list[str]) -> None:
    """Listen until killed."""
    loop = asyncio.get_running_loop()
    for port in ports:
        await loop.create_server(Peer, "127.0.0.1", int(port))
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1:]))
