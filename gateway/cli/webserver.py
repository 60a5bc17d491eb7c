"""``python -m gateway.cli.webserver FD``: the web process, on a listening socket its supervisor holds.

While a web process is replaced, callers wait in the socket's queue instead of being refused.
"""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING

import uvicorn

from gateway.dashboard import live
from gateway.transport.http1 import Http1

if TYPE_CHECKING:
    from types import FrameType


class _Server(uvicorn.Server):
    """Pages keep a stream open as long as they are: they are let go first, or the stop would wait for them."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        live.CLOSING.set()
        super().handle_exit(sig, frame)


def main(descriptor: int) -> None:
    """Serve `gateway.asgi` until told to stop; it sets up the log."""
    server = _Server(
        uvicorn.Config(
            "gateway.asgi:app",
            lifespan="on",
            http=Http1,
            log_config=None,  # ours is set up; uvicorn's would write around the scrubber
            access_log=False,
            server_header=False,
            proxy_headers=False,  # who calls is told by its proof, never by an address
            timeout_keep_alive=30,
            # Requests being answered get their receipt; idle connections are closed.
            timeout_graceful_shutdown=5,
        )
    )
    server.run(sockets=[socket.socket(fileno=descriptor)])
    if not server.started:
        raise SystemExit(3)


if __name__ == "__main__":
    main(int(sys.argv[1]))
