"""The heartbeat of a worker, written by the loop that does its work; and its watch over its own ears."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from gateway import metrics
from gateway.store.workers import Beat
from gateway.worker.ear import ECHO_EVERY_S
from gateway.worker.rounds import sweep_every_s

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.worker.ear import Ear
    from gateway.worker.rounds import Rounds

#: A worker that never heard anything may have a cause no restart mends (a broker that forbids it): it leaves
#: seldom. Seconds.
_LEAVES_IF_OLDER_S = 600.0
#: One whose main thread hangs so that it cannot stop in order is ended. Seconds.
_ENDS_WITHIN_S = 30.0
#: A worker that has grown so large starts anew: Celery and its clients leak over months (celery#4843, #8521). Bytes.
_MOST_MEMORY = 1 << 30

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Pulse:
    """Beats until the rounds are told to stop. ``echo`` sends a ring to ourselves, or raises."""

    name: str
    rounds: Rounds
    ear: Ear
    echo: Callable[[], None]
    leave: Callable[[], None]
    began: float = field(default_factory=time.monotonic)
    _lag_s: float = 0.0

    async def run(self) -> None:
        """Beat, listen, and measure how late the loop is."""
        jobs = [asyncio.create_task(job()) for job in (self._beat, self._listen, self._measure)]
        try:
            await self.rounds.stopping.wait()
        finally:
            for job in jobs:
                job.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)
            await self._leave_row()

    async def _beat(self) -> None:
        every_s = sweep_every_s(self.rounds.runtime.settings.delivery)
        while True:
            lag_s, self._lag_s = self._lag_s, 0.0
            metrics.WORKER_LAG.observe(lag_s)
            try:
                await self.rounds.runtime.workers.beat(self._now(lag_s))
            except Exception as error:  # noqa: BLE001 - the store is away; the next beat comes soon
                _log.warning("beat_not_written", cause=type(error).__name__)
            else:
                for destination in self.rounds.serves:
                    metrics.WORKER_BEAT.labels(destination).set(time.time())
            if memory() > _MOST_MEMORY:
                _log.warning("worker_too_large", bytes=memory())
                self.leave()
                return
            await asyncio.sleep(every_s)

    async def _listen(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.echo)
            except Exception as error:  # noqa: BLE001 - Redis is away: then nobody is deaf
                _log.debug("echo_lost", cause=type(error).__name__)
            else:
                self.ear.asked(time.monotonic())
            if self.ear.is_deaf(time.monotonic()):
                self._deaf()
            await asyncio.sleep(ECHO_EVERY_S)

    async def _measure(self) -> None:
        pause_s = 0.1
        while True:
            due = time.monotonic() + pause_s
            await asyncio.sleep(pause_s)
            self._lag_s = max(self._lag_s, time.monotonic() - due)

    def _deaf(self) -> None:
        heard, now = self.ear.heard_at, time.monotonic()
        metrics.WORKER_DEAF.inc()
        leaves = heard is not None or now - self.began > _LEAVES_IF_OLDER_S
        _log.error("worker_deaf", silent_s=round(now - (heard or self.began)), leaves=leaves)
        if leaves:
            self.leave()

    def _now(self, lag_s: float) -> Beat:
        now, heard = time.monotonic(), self.ear.heard_at
        return Beat(
            name=self.name,
            age_s=now - self.began,
            serves=sorted(self.rounds.serves),
            version=_version(),
            lanes=self.rounds.lanes(),
            lag_s=lag_s,
            heard_ago_s=None if heard is None else now - heard,
        )

    async def _leave_row(self) -> None:
        try:
            await asyncio.wait_for(self.rounds.runtime.workers.leave(self.name), 2.0)
        except Exception as error:  # noqa: BLE001 - the row is removed by the sweep later
            _log.debug("row_left_behind", cause=type(error).__name__)


def memory() -> int:
    """Bytes of memory this process holds; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def leave_process() -> None:
    """Stop this process in order, so that whoever watches over it starts another; by force if it hangs."""
    last_resort = threading.Timer(_ENDS_WITHIN_S, os._exit, (1,))
    last_resort.daemon = True
    last_resort.start()
    os.kill(os.getpid(), signal.SIGTERM)


def _version() -> str:
    try:
        return version("tongban")
    except PackageNotFoundError:
        return "unknown"
