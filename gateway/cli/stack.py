"""The whole gateway as processes: starts them, watches over them, replaces what dies, stops all in order."""

from __future__ import annotations

import asyncio
import http.client
import math
import os
import shutil
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import redis
import structlog
from sqlalchemy.exc import SQLAlchemyError

from gateway.cli.child import Child, stop_all
from gateway.cli.servers import Servers, Urls
from gateway.embedded.server import FolderLock
from gateway.errors import CannotStart
from gateway.runtime import CLOCK_OFFSET, clock_offset_s
from gateway.store import engine
from gateway.store.workers import ALIVE_S, beat_ago
from gateway.transport.bell import worker_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

    from gateway.settings import Settings

_TICK_S = 0.1
_START_WITHIN_S = 120.0
#: So many deaths in a row before the first readiness are no accident.
_FALLS = 4

#: A worker whose loop has not beaten for so long while the store answers hangs: it is ended and replaced. Looked
#: at so often. Seconds.
_HANGS_AFTER_S = 60.0
_MINDED_EVERY_S = 15.0
_ASKED_WITHIN_S = 2.0

#: Seconds from SIGTERM to SIGKILL: receipts being given; calls in flight (8 s of grace) and their settling.
_PATIENCE_S = {"web": 8.0, "worker": 22.0, "beat": 5.0}

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Stack:
    """A gateway on this machine: web, workers, beat, and without URLs PostgreSQL and Redis of its own.

    As many web and worker processes as the settings say, all web on the one listening socket. The first of a kind
    bears the plain name (``web``), the others a number (``web-2``).

    ``config``: the file the children read too. A context manager: started on entry, stopped on exit. Every
    process is a child of one thread and dies with this process, but for the embedded servers, which the next
    stack on the same ``data_dir`` adopts.
    """

    settings: Settings
    config: Path | None
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    error: BaseException | None = None
    _servers: Servers | None = None
    _children: dict[str, Child] = field(default_factory=dict)
    _urls: Urls = field(default_factory=Urls)
    _listener: socket.socket | None = None
    _lock: FolderLock | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _known: threading.Event = field(default_factory=threading.Event)
    _ready: bool = False
    _minded_at: float = 0.0
    _thread: threading.Thread | None = None

    def start(self) -> bool:
        """Start everything; True when it is ready, False when told to stop before. Errors: `CannotStart`."""
        self._thread = threading.Thread(target=self._run, name="supervisor")
        self._thread.start()
        self._known.wait()
        if self.error is not None:
            self.wait()
            raise self.error
        return self._ready

    def ask_stop(self) -> None:
        """Begin to stop; returns at once. Safe in a signal handler."""
        self._stop.set()

    def wait(self) -> None:
        """Return when everything has ended."""
        if self._thread is not None:
            self._thread.join()

    def stop(self) -> None:
        """Web first (no more receipts), then worker, beat, Redis, PostgreSQL."""
        self.ask_stop()
        self.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Where the web process is reached from this machine; the port is the real one."""
        host, port = self._address()
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def database_url(self) -> str:
        """The URL of the store in use."""
        return self._urls.database

    @property
    def redis_url(self) -> str:
        """The URL of the broker in use."""
        return self._urls.redis

    def pids(self) -> dict[str, int]:
        """What runs now: ``web``, ``worker``, ``beat`` with the others of their kind; embedded servers too."""
        running = {name: child.pid for name, child in self._children.items()}
        servers = self._servers.pids() if self._servers is not None else {}
        return {name: pid for name, pid in running.items() if pid is not None} | servers

    # Everything below runs in the supervisor's thread.

    def _run(self) -> None:
        try:
            self._begin()
            self._watch()
        except BaseException as error:  # noqa: BLE001 - handed to whoever started us
            self.error = error
        finally:
            self._end()
            self._known.set()

    def _begin(self) -> None:
        data_dir = self.settings.data_dir
        self._lock = FolderLock(data_dir)
        self._listener = _listen(self.settings.server.host, self.settings.server.port)
        self._servers = Servers(self.settings)
        self._urls = self._servers.tend()
        asyncio.run(engine.migrate(self._urls.database))
        self._judge_connections()
        logs, numbers = data_dir / "logs", data_dir / "metrics"
        shutil.rmtree(numbers, ignore_errors=True)
        for folder in (logs, numbers):
            folder.mkdir(parents=True, exist_ok=True)
        for name, command, fds in self._programs():
            child = Child(name, command, env=self._environment(numbers), logs=logs, fds=fds)
            self._children[name] = child
            child.start()

    def _judge_connections(self) -> None:
        settings = self.settings
        processes = settings.server.web_processes + settings.delivery.worker_processes
        # A pool of each, and one for whoever migrates, looks or repairs meanwhile.
        needed = processes * engine.POOL_SIZE + engine.POOL_SIZE
        allowed = asyncio.run(engine.connections_allowed(self._urls.database))
        if needed > allowed:
            raise CannotStart(
                f"server.web_processes、delivery.worker_processes: {processes} 个进程可能用到 {needed} 个"
                f"数据库连接，PostgreSQL 允许 {allowed} 个；请减少进程数，或提高 max_connections"
            )

    def _programs(self) -> list[tuple[str, list[str], tuple[int, ...]]]:
        assert self._listener is not None  # noqa: S101 - set two steps before
        door = self._listener.fileno()
        web = [sys.executable, "-m", "gateway.cli.webserver", str(door)]
        worker = [sys.executable, "-m", "gateway.worker", "worker"]
        beat = [sys.executable, "-m", "gateway.worker", "beat"]
        return [
            *((name, web, (door,)) for name in _names("web", self.settings.server.web_processes)),
            *((name, worker, ()) for name in _names("worker", self.settings.delivery.worker_processes)),
            ("beat", beat, ()),
        ]

    def _environment(self, numbers: Path) -> dict[str, str]:
        own = {
            "TONGBAN_DATABASE_URL": self._urls.database,
            "TONGBAN_REDIS_URL": self._urls.redis,
            # Reckoned once, so that all processes, restarted ones too, show the same time.
            CLOCK_OFFSET: str(clock_offset_s(self.settings, self.environ)),
            # Web, worker and their successors add their counters up in this folder.
            "PROMETHEUS_MULTIPROC_DIR": str(numbers.resolve()),
        }
        if self.config is not None:
            own["TONGBAN_CONFIG"] = str(self.config.resolve())
        return {**self.environ, **own}

    def _watch(self) -> None:
        until = time.monotonic() + _START_WITHIN_S
        while not self._stop.wait(_TICK_S):
            self._tend_all()
            if self._ready:
                self._mind_workers()
                continue
            self._judge_start(until)
            if self._is_ready():
                self._ready = True
                self._known.set()

    def _tend_all(self) -> None:
        assert self._servers is not None  # noqa: S101 - made in _begin
        try:
            urls = self._servers.tend()
        except (CannotStart, OSError, redis.RedisError) as error:
            # A server that does not come up at once is tried again at the next tick.
            _log.error("server_does_not_start", reason=str(error))
            return
        if urls != self._urls:
            self._move_to(urls)
        for child in self._children.values():
            child.tend()

    def _mind_workers(self) -> None:
        """End a worker that lives and does nothing: its process is there, its loop does not beat."""
        now = time.monotonic()
        if now - self._minded_at < _MINDED_EVERY_S:
            return
        self._minded_at = now
        for child in self._of("worker"):
            pid = child.pid
            if pid is None or child.age_s < _HANGS_AFTER_S:
                continue
            ago = _beat_ago(self._urls.database, pid)
            if ago is not None and ago > _HANGS_AFTER_S:
                _log.error("worker_hangs", silent_s=round(min(ago, child.age_s)))
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _move_to(self, urls: Urls) -> None:
        """A server came back at another address: the processes learn it by starting anew."""
        self._urls = urls
        environment = self._environment(self.settings.data_dir / "metrics")
        for kind, patience_s in _PATIENCE_S.items():
            stop_all(self._of(kind), patience_s)
        for child in self._children.values():
            child.env = environment
            child.start()

    def _judge_start(self, until: float) -> None:
        for child in self._children.values():
            if child.falls >= _FALLS or child.status == 2:
                raise CannotStart(f"{child.name} 进程无法启动，其日志末尾：\n{child.last_words()}")
        if time.monotonic() > until:
            raise CannotStart(f"{_START_WITHIN_S:.0f} 秒内没有就绪，请查看 {self.settings.data_dir / 'logs'}")

    def _is_ready(self) -> bool:
        return self._answers_ready() and self._workers_beat()

    def _answers_ready(self) -> bool:
        host, port = self._address()
        asking = http.client.HTTPConnection(host, port, timeout=2)
        try:
            asking.request("GET", "/readyz")
            return asking.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            asking.close()

    def _workers_beat(self) -> bool:
        pids = [child.pid for child in self._of("worker")]
        ago = [None if pid is None else _beat_ago(self._urls.database, pid) for pid in pids]
        # A worker of a former life may have had this number: an old row says nothing.
        return all(each is not None and each < ALIVE_S for each in ago)

    def _of(self, kind: str) -> list[Child]:
        return [child for name, child in self._children.items() if name.partition("-")[0] == kind]

    def _address(self) -> tuple[str, int]:
        host, port = self.settings.server.host, self.settings.server.port
        if self._listener is not None:
            port = int(self._listener.getsockname()[1])
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104 - the way to ourselves

    def _end(self) -> None:
        if self._listener is not None:
            self._listener.close()
        for kind, patience_s in _PATIENCE_S.items():
            stop_all(self._of(kind), patience_s)
        if self._servers is not None:
            self._servers.stop()
        if self._lock is not None:
            self._lock.release()


def _beat_ago(database_url: str, pid: int) -> float | None:
    """Seconds since a worker of this machine last beat, infinite when never; None when the store does not tell."""
    with suppress(OSError, TimeoutError, SQLAlchemyError):
        asking = asyncio.wait_for(beat_ago(database_url, worker_name(pid)), _ASKED_WITHIN_S)
        ago = asyncio.run(asking)
        return math.inf if ago is None else ago
    return None


def _names(kind: str, count: int) -> list[str]:
    return [kind, *(f"{kind}-{number}" for number in range(2, count + 1))]


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError as error:
        raise CannotStart(
            f"server.host、server.port: 无法监听 {host}:{port}（{error.strerror}），请换一个端口或停止占用它的程序"
        ) from error
    return listener
