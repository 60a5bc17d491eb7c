"""The two that are compared, each with its own PostgreSQL and Redis (fsync on), between the same peers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from gateway.cli.stack import Stack
from gateway.embedded import postgres, redis
from gateway.runtime import configure
from tests.town import free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]


class Tongban:
    """The product, as `tongban serve` runs it."""

    name = "tongban"

    def __init__(self, config: Path, running: ExitStack) -> None:
        self._stack = running.enter_context(Stack(configure(config, os.environ), config))
        self.url, self.database_url = self._stack.url, self._stack.database_url

    def pids(self) -> Mapping[str, int]:
        return self._stack.pids()


class Baseline:
    """The textbook of ``bench/baseline``."""

    name = "textbook"

    def __init__(self, config: Path, running: ExitStack) -> None:
        self._data, self._running = config.parent / "baseline", running
        database, broker = postgres.start(self._data), redis.start(self._data)
        running.callback(database.stop)
        running.callback(broker.stop)
        self._pids: dict[str, int] = {}
        for name, server in (("postgres", database), ("redis", broker)):
            self._pids[name] = _server_pid(name, server.url, self._data)
        environment = {
            **os.environ,
            "BASELINE_CONFIG": str(config),
            "BASELINE_DATABASE_URL": database.url,
            "BASELINE_REDIS_URL": broker.url,
            "PYTHONPATH": str(ROOT),
        }
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        uvicorn = ("uvicorn", "bench.baseline.web:app", "--port", str(port), "--no-access-log")
        celery = ("celery", "-A", "bench.baseline.work", "worker", "--pool=threads", "--concurrency=4")
        self._start("web", [*uvicorn, "--log-level", "warning"], environment)
        self._start("worker", [*celery, "--without-mingle", "--without-gossip", "-l", "WARNING"], environment)
        self._wait()

    def pids(self) -> Mapping[str, int]:
        return self._pids

    def _start(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        log = self._running.enter_context((self._data / f"{name}.log").open("wb"))
        process = subprocess.Popen(
            [sys.executable, "-m", *command], env=environment, stdout=log, stderr=log, cwd=ROOT
        )
        self._running.callback(_end, process)
        self._pids[name] = process.pid

    def _wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/openapi.json", timeout=2):
                return
            if time.monotonic() > deadline:
                raise RuntimeError((self._data / "web.log").read_text()[-2000:])
            time.sleep(0.2)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()


def _server_pid(name: str, url: str, data: Path) -> int:
    if name == "postgres":
        return int((data / "postgres/data/postmaster.pid").read_text().split()[0])
    import redis as client  # noqa: PLC0415 - the name is taken by the embedded one

    with client.Redis.from_url(url) as connection:
        return int(connection.info("server")["process_id"])


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU each part has used so far, with its children."""
    used = {}
    for name, pid in pids.items():
        parts = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        total = 0.0
        for part in parts:
            with suppress(psutil.NoSuchProcess):
                times = part.cpu_times()
                total += times.user + times.system
        used[name] = total
    return used


def memory_mb(pids: Mapping[str, int]) -> dict[str, float]:
    """Proportional memory of each part with its children. Units: MB."""
    used = {}
    for name, pid in pids.items():
        total = 0
        for part in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                total += part.memory_full_info().pss
        used[name] = total / 1e6
    return used
