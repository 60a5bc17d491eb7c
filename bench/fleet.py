"""Web and worker processes of one gateway as several hosts would run them: own environments, one store, one broker."""

from __future__ import annotations

import os
import socket
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

import redis as redis_client

from gateway.cli.child import Child, stop_all
from gateway.embedded import postgres, redis
from gateway.store import engine
from gateway.transport.bell import heartbeat_key, worker_name
from tests.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

ROOT = Path(__file__).parents[1]
_START_S = 60.0


class Fleet:
    """PostgreSQL and Redis of the wheels, web processes on one socket, and workers that come and go."""

    def __init__(self, home: Path, config: Path) -> None:
        self.home, self._config = home, config
        self._running = ExitStack()
        self.database_url = self.redis_url = self.url = ""
        self.children: dict[str, Child] = {}

    def __enter__(self) -> Self:
        for server in (postgres.start(self.home), redis.start(self.home)):
            self._running.callback(server.stop)
            if server.url.startswith("redis"):
                self.redis_url = server.url
            else:
                self.database_url = server.url
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(tuple(self.children))
        self._running.close()

    async def migrate(self) -> None:
        await engine.migrate(self.database_url)

    def web(self, count: int) -> None:
        """``count`` web processes on one listening socket."""
        listener = self._running.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(2048)
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        door = listener.fileno()
        for number in range(1, count + 1):
            self._start(f"web-{number}", ["gateway.cli.webserver", str(door)], {}, (door,))

    def workers(
        self,
        environments: Iterable[Mapping[str, str]],
        *,
        database_url: str | None = None,
        redis_url: str | None = None,
    ) -> list[str]:
        """A worker for each environment, all heard of when this returns; their names."""
        own = {
            "TONGBAN_DATABASE_URL": database_url or self.database_url,
            "TONGBAN_REDIS_URL": redis_url or self.redis_url,
        }
        names = []
        for number, environment in enumerate(environments, 1):
            names.append(f"worker-{number}")
            self._start(names[-1], ["gateway.worker", "worker"], {**own, **environment})
        self._wait_for_heartbeats(names)
        return names

    def beat(self) -> None:
        self._start("beat", ["gateway.worker", "beat"], {})

    def end(self, names: Iterable[str]) -> None:
        """Stop these in order."""
        stop_all([self.children.pop(name) for name in tuple(names)], 25.0)

    def pids(self, names: Iterable[str]) -> dict[str, int]:
        return {name: self.children[name].pid or 0 for name in names}

    def _start(
        self, name: str, module: list[str], environment: Mapping[str, str], fds: tuple[int, ...] = ()
    ) -> None:
        whole = {
            **os.environ,
            "TONGBAN_CONFIG": str(self._config),
            "TONGBAN_DATABASE_URL": self.database_url,
            "TONGBAN_REDIS_URL": self.redis_url,
            "PYTHONPATH": str(ROOT),
            **environment,
        }
        child = Child(name, [sys.executable, "-m", *module], env=whole, logs=self.home, fds=fds)
        child.start()
        self.children[name] = child

    def _wait_for_heartbeats(self, names: list[str]) -> None:
        deadline = time.monotonic() + _START_S
        with redis_client.Redis.from_url(self.redis_url) as client:
            while True:
                keys = [heartbeat_key(worker_name(pid)) for pid in self.pids(names).values()]
                if client.exists(*keys) == len(names):
                    return
                if time.monotonic() > deadline:
                    raise RuntimeError(self.children[names[0]].last_words())
                time.sleep(0.05)


def database_behind(url: str, delay_s: float) -> tuple[Proxy, str]:
    """A proxy before the embedded PostgreSQL, and the form of the URL through it (``{port}``)."""
    folder = Path(parse_qs(urlsplit(url).query)["host"][0])
    door = next(folder.glob(".s.PGSQL.[0-9]*[0-9]"))
    return Proxy(str(door), delay_s=delay_s), "postgresql://postgres@127.0.0.1:{port}/postgres"


def redis_behind(url: str, delay_s: float) -> tuple[Proxy, str]:
    """A proxy before the embedded Redis, and the form of the URL through it."""
    parts = urlsplit(url)
    proxy = Proxy(("127.0.0.1", parts.port or 0), delay_s=delay_s)
    return proxy, f"redis://:{parts.password}@127.0.0.1:{{port}}/0"
