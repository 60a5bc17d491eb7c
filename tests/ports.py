"""Ports for what must be known before it listens: of the tests running here no two are given the same one."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from pathlib import Path

HOST = "127.0.0.1"
#: Only these: the kernel gives those above to outgoing connections, and to whoever asks for any port.
_FIRST = 15_000
_LAST = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0]) - 1
_LEAST = 4_000
_TRIES = 1_000


def free_port() -> int:
    """A port nobody listens on, promised to this process until it ends."""
    for _ in range(_TRIES):
        port = random.randint(_FIRST, max(_LAST, _FIRST + _LEAST))
        with suppress(OSError), socket.socket() as probe:
            probe.bind((HOST, port))
            _promise(port)
            return port
    raise RuntimeError("no port is free")


def _promise(port: int) -> None:
    """Raises `OSError` when another process has it. A name in the kernel, gone with the process that took it."""
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0tongban-tests-{port}")
    except OSError:
        name.close()
        raise
    name.detach()
