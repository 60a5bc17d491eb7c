"""PostgreSQL and Redis of the supervisor: given by URL, or the embedded ones, replaced when they die."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import redis
import structlog

from gateway.cli.child import is_running
from gateway.embedded import postgres
from gateway.embedded import redis as embedded_redis

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gateway.embedded.server import Server
    from gateway.settings import Settings

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the store and the broker are."""

    database: str = field(default="", repr=False)
    redis: str = field(default="", repr=False)


@dataclass(slots=True)
class _Embedded:
    """A server of the wheels on one folder; its process is replaced when it dies."""

    name: str
    start: Callable[[], Server]
    pid_of: Callable[[Server], int]
    server: Server | None = None
    pid: int | None = None

    def tend(self) -> str:
        """Running, or started anew; its URL."""
        if self.server is not None:
            if self.pid is not None and is_running(self.pid):
                return self.server.url
            _log.warning("server_died", server=self.name)
            self.stop()
        self.server = self.start()
        self.pid = self.pid_of(self.server)
        return self.server.url

    def stop(self) -> None:
        server, self.server, self.pid = self.server, None, None
        if server is not None:
            server.stop()


@dataclass(slots=True)
class Servers:
    """The two servers of a stack."""

    settings: Settings
    _embedded: dict[str, _Embedded] = field(default_factory=dict)

    def __post_init__(self) -> None:
        data_dir = self.settings.data_dir
        if self.settings.redis_url is None:
            self._embedded["redis"] = _Embedded("redis", lambda: embedded_redis.start(data_dir), _redis_pid)
        if self.settings.database_url is None:
            file = data_dir / "postgres" / "data" / "postmaster.pid"
            self._embedded["postgres"] = _Embedded(
                "postgres", lambda: postgres.start(data_dir), lambda _server: _first_number(file)
            )

    def tend(self) -> Urls:
        """See that both run. Errors: `CannotStart`, `OSError`, `RedisError`; to be tried again."""
        own = {name: server.tend() for name, server in self._embedded.items()}
        return Urls(
            database=self.settings.database_url or own["postgres"],
            redis=self.settings.redis_url or own["redis"],
        )

    def stop(self) -> None:
        """Redis, then PostgreSQL, each if it was started here."""
        for server in self._embedded.values():
            with suppress(Exception):
                server.stop()

    def pids(self) -> dict[str, int]:
        """The embedded ones that run."""
        return {name: server.pid for name, server in self._embedded.items() if server.pid is not None}


def _first_number(file: Path) -> int:
    return int(file.read_text().split()[0])


def _redis_pid(server: Server) -> int:
    with redis.Redis.from_url(server.url) as client:
        return int(client.info("server")["process_id"])
