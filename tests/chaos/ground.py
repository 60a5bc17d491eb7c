"""The gateway as an operator would run it on several machines, with a proxy on every line between its parts."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlsplit

import redis

from gateway.cli.child import Child
from gateway.cli.servers import Servers
from gateway.conformance import keys
from gateway.errors import CannotStart
from gateway.regions import discover
from gateway.runtime import configure
from gateway.store import engine
from tests.ports import HOST, free_port
from tests.proxy import Proxy
from tests.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

#: Short times, so that a thousand faults fit into minutes; what they mean to each other is as in production.
DELIVERY = "schedule_s = [0.3, 0.6, 1.2, 2]\ntimeout_s = 2\nlease_s = 5\nsweep_s = 2\nwindow = 64"
PATIENCE_S = {"web": 8.0, "worker": 22.0, "beat": 5.0}


@dataclass
class Ground:
    """Two web processes, some workers, a beat, PostgreSQL, Redis, and the world outside. One thread drives it."""

    home: Path
    seed: int
    webs: int = 2
    workers: int = 3
    delivery: str = DELIVERY
    children: dict[str, Child] = field(default_factory=dict)
    proxies: dict[str, Proxy] = field(default_factory=dict)
    #: servers that stay down until then (monotonic)
    held_until: dict[str, float] = field(default_factory=dict)
    restarts: int = 0
    _running: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        try:
            self._build()
        except BaseException:
            self._running.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    # -- building ------------------------------------------------------------------------------

    def _build(self) -> None:
        self.sides = {slug: free_port() for slug in sorted(discover())}
        config = keys.write(self.home, {slug: f"http://{HOST}:{port}" for slug, port in self.sides.items()})
        config.write_text(config.read_text() + f"\n[delivery]\n{self.delivery}\n")
        self.config, self.settings = config, configure(config, os.environ)
        self.servers = Servers(self.settings)
        urls = self.servers.tend()
        self._running.callback(self.servers.stop)
        self.database_url, self.redis_url = urls.database, urls.redis
        asyncio.run(engine.migrate(urls.database))
        self._line("postgres", _socket_of(urls.database))
        self._line("redis", (HOST, int(urlsplit(urls.redis).port or 0)))
        self._running.callback(self._end)
        self.environment = self._environment()
        for n in range(self.webs):
            self._web(n)
        for n in range(self.workers):
            self._start(f"worker-{n}", "gateway.worker", "worker")
        self._start("beat", "gateway.worker", "beat")
        self._world()
        until(self._is_ready, 60, "everything answers")

    def _line(self, name: str, target: tuple[str, int] | str) -> None:
        self.proxies[name] = self._running.enter_context(Proxy(target))

    def _environment(self) -> dict[str, str]:
        numbers = self.home / "metrics"
        numbers.mkdir()
        parts = urlsplit(self.redis_url)
        return {
            **os.environ,
            "TONGBAN_DATABASE_URL": f"postgresql://postgres@{HOST}:{self.proxies['postgres'].port}/postgres",
            "TONGBAN_REDIS_URL": f"redis://:{parts.password}@{HOST}:{self.proxies['redis'].port}/0",
            "TONGBAN_CONFIG": str(self.config),
            "PROMETHEUS_MULTIPROC_DIR": str(numbers),
        }

    def _web(self, n: int) -> None:
        listener = self._running.enter_context(socket.create_server((HOST, 0), backlog=1024))
        self._start(f"web-{n}", "gateway.cli.webserver", str(listener.fileno()), fds=(listener.fileno(),))
        self._line(f"door-{n}", (HOST, int(listener.getsockname()[1])))

    def _start(self, name: str, *module: str, fds: tuple[int, ...] = ()) -> None:
        logs = self.home / "logs"
        logs.mkdir(exist_ok=True)
        child = Child(name, [sys.executable, "-m", *module], env=self.environment, logs=logs, fds=fds)
        self.children[name] = child
        child.start()

    def _world(self) -> None:
        control, self.book = free_port(), self.home / "history.jsonl"
        asked = {
            "seed": self.seed,
            "home": str(self.home),
            "book": str(self.book),
            "control": control,
            "doors": [f"http://{HOST}:{self.proxies[f'door-{n}'].port}" for n in range(self.webs)],
            "ports": self.sides,
        }
        file = self.home / "world.json"
        file.write_text(json.dumps(asked))
        command = [sys.executable, "-m", "tests.chaos.world", str(file)]
        self.world = Child("world", command, env=os.environ, logs=self.home / "logs")
        self.world.start()
        self._running.callback(self.world.stop, 2.0)
        until(lambda: _answers(control), 30, "the world outside")
        connection = self._running.enter_context(socket.create_connection((HOST, control), 30))
        self._ask = self._running.enter_context(connection.makefile("rwb"))

    def _is_ready(self) -> bool:
        return all(self.ready(n) for n in range(self.webs))

    # -- the world -------------------------------------------------------------------------------

    def tell(self, verb: str, **asked: Any) -> dict[str, Any]:
        """One line to the world outside; its counts."""
        self._ask.write(json.dumps({"verb": verb, **asked}).encode() + b"\n")
        self._ask.flush()
        line = self._ask.readline()
        if not line:
            raise RuntimeError(f"the world ended:\n{self.world.last_words()}")
        status: dict[str, Any] = json.loads(line)
        return status

    # -- keeping it alive ------------------------------------------------------------------------

    def tend(self) -> None:
        """Replace what died, but for servers held down."""
        now = time.monotonic()
        for name, server in self.servers._embedded.items():
            if now < self.held_until.get(name, 0.0):
                continue
            with suppress(CannotStart, OSError, redis.RedisError):
                server.tend()
        for child in self.children.values():
            before = child.pid
            child.tend()
            self.restarts += child.pid != before and child.pid is not None

    def pid(self, name: str) -> int | None:
        if name in self.children:
            return self.children[name].pid
        return self.servers.pids().get(name)

    def ready(self, n: int) -> bool:
        with suppress(OSError), socket.create_connection((HOST, self.proxies[f"door-{n}"].port), 2) as line:
            line.sendall(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            return b" 200 " in line.recv(64)
        return False

    def signal(self, name: str, number: int) -> None:
        pid = self.pid(name)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _end(self) -> None:
        for name in ("postgres", "redis"):
            self.proxies[name].mend()
        for name, child in self.children.items():
            self.signal(name, signal.SIGCONT)
            child.stop(PATIENCE_S[name.split("-")[0]])
        shutil.rmtree(self.home / "metrics", ignore_errors=True)


def _socket_of(url: str) -> str:
    return f"{parse_qs(urlsplit(url).query)['host'][0]}/.s.PGSQL.5432"


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0
