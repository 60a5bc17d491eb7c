"""The two that are compared, each with its own PostgreSQL and Redis (fsync on), between the same peers."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import asyncpg
import redis

from gateway.cli.stack import Stack
from gateway.embedded import postgres
from gateway.embedded import redis as embedded_redis
from gateway.runtime import configure
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]


class Contender:
    """A gateway under load: ``url`` its door, ``database_url`` and ``redis_url`` its own servers."""

    name = ""
    url: str
    database_url: str
    redis_url: str
    #: counts what has not come to its end
    unsettled: str

    def pids(self) -> Mapping[str, int]:
        """Its processes by part."""
        raise NotImplementedError

    async def settled(self, patience_s: float = 60.0) -> None:
        """Wait until every verdict is on disk. Errors: `TimeoutError`."""
        async with asyncio.timeout(patience_s):
            while await self.ask(self.unsettled):  # noqa: ASYNC110 - another program's state
                await asyncio.sleep(0.05)

    async def ask(self, query: str) -> int:
        """One number of its database."""
        connection = await asyncpg.connect(self.database_url)
        try:
            return int(await connection.fetchval(query))
        finally:
            await connection.close()

    async def kept_mb(self) -> dict[str, float]:
        """What the servers keep: the database's files, and the memory Redis holds data in. Units: MB."""
        with redis.Redis.from_url(self.redis_url) as client:
            held = client.info("memory")["used_memory"]
        stored = await self.ask("SELECT pg_database_size(current_database())")
        return {"redis data": round(held / 1e6, 1), "database files": round(stored / 1e6)}


class Tongban(Contender):
    """The product, as `tongban serve` runs it."""

    unsettled = "SELECT count(*) FROM deliveries"

    def __init__(self, config: Path, name: str = "tongban") -> None:
        self.name, self.config = name, config
        self._stack = Stack(configure(config, os.environ), config)

    def __enter__(self) -> Self:
        self._stack.__enter__()
        self.url, self.database_url = self._stack.url, self._stack.database_url
        self.redis_url = self._stack.redis_url
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.stop()

    def pids(self) -> Mapping[str, int]:
        return self._stack.pids()


@dataclass(frozen=True)
class Tuning:
    """How the textbook runs; the default is the best of the trials (``bench.tuning``)."""

    web_processes: int = 1
    web_threads: int = 8
    worker_pool: str = "prefork"
    worker_places: int = 2
    prefetch: int = 8
    db_pool: int = 16

    def __str__(self) -> str:
        return (
            f"web {self.web_processes} × {self.web_threads} threads, worker {self.worker_pool} "
            f"{self.worker_places}, prefetch {self.prefetch}, pool {self.db_pool}"
        )


class Textbook(Contender):
    """The textbook of ``bench/baseline``."""

    name = "textbook"
    unsettled = "SELECT count(*) FROM cases WHERE state = '20'"

    def __init__(self, config: Path, tuning: Tuning | None = None) -> None:
        self._config, self.tuning = config, tuning or Tuning()
        self._data = config.parent / "baseline"
        self._servers, self._programs = ExitStack(), ExitStack()
        self._own: dict[str, int] = {}
        self._pids: dict[str, int] = {}

    def __enter__(self) -> Self:
        database, broker = postgres.start(self._data), embedded_redis.start(self._data)
        self._servers.callback(database.stop)
        self._servers.callback(broker.stop)
        self.database_url, self.redis_url = database.url, broker.url
        postmaster = (self._data / "postgres/data/postmaster.pid").read_text().split()[0]
        with redis.Redis.from_url(broker.url) as client:
            self._own = {"redis": int(client.info("server")["process_id"]), "postgres": int(postmaster)}
        self.tune(self.tuning)
        return self

    def __exit__(self, *_: object) -> None:
        self._programs.close()
        self._servers.close()

    def pids(self) -> Mapping[str, int]:
        return {**self._pids, **self._own}

    def tune(self, tuning: Tuning) -> None:
        """Start web and worker anew, in this way."""
        self._programs.close()
        self.tuning = tuning
        environment = {
            **os.environ,
            **{f"BASELINE_{name.upper()}": str(value) for name, value in asdict(tuning).items()},
            "BASELINE_CONFIG": str(self._config),
            "BASELINE_DATABASE_URL": self.database_url,
            "BASELINE_REDIS_URL": self.redis_url,
            "PYTHONPATH": str(ROOT),
        }
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        uvicorn = ("uvicorn", "bench.baseline.web:app", "--port", str(port), "--no-access-log")
        many = ("--workers", str(tuning.web_processes)) if tuning.web_processes > 1 else ()
        celery = ("celery", "-A", "bench.baseline.work", "worker", f"--pool={tuning.worker_pool}")
        places = (f"--concurrency={tuning.worker_places}", "--without-mingle", "--without-gossip")
        subprocess.run([sys.executable, "-m", "bench.baseline.shop"], env=environment, cwd=ROOT, check=True)
        self._start("web", [*uvicorn, *many, "--log-level", "warning"], environment)
        self._start("worker", [*celery, *places, "-l", "WARNING"], environment)
        self._wait()

    def _start(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        log = self._programs.enter_context((self._data / f"{name}.log").open("ab"))
        process = subprocess.Popen(
            [sys.executable, "-m", *command], env=environment, stdout=log, stderr=log, cwd=ROOT
        )
        self._programs.callback(end, process)
        self._pids[name] = process.pid

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/openapi.json", timeout=2):
                return
            if time.monotonic() > deadline:
                raise RuntimeError((self._data / "web.log").read_text()[-2000:])
            time.sleep(0.2)


def end(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, and SIGKILL for who does not hear."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
