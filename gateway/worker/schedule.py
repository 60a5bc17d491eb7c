"""The schedule: Celery's own, and a pulse that shows whether it still ticks."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import structlog
from celery.beat import Scheduler

from gateway.worker.scrape import Place, Probes, shown

#: It wakes for a sweep every few seconds; looks for Redis are at most 30 s apart.
_SILENT_AFTER_S = 60.0

_ticked: list[float] = []

_log = structlog.get_logger(__name__)


class Pulse(Scheduler):  # type: ignore[misc]
    """Celery's schedule in memory: one idempotent sweep has no past to remember."""

    def tick(self, *args: object, **kwargs: object) -> float:
        """One look at what is due; seconds until the next."""
        wait: float = super().tick(*args, **kwargs)
        _ticked[:] = [time.monotonic()]
        return wait

    def _ensure_connected(self) -> Any:
        # Celery's own waits here without an end while Redis is away, and never ticks: that is life too.
        def tell(error: BaseException, again_in_s: float) -> None:
            _ticked[:] = [time.monotonic()]
            _log.warning("beat_waits_for_redis", cause=type(error).__name__, again_in_s=again_in_s)

        return self.connection.ensure_connection(tell, self.app.conf.broker_connection_max_retries)


def show(place: Place | None) -> None:
    """Answer probes beside the schedule, in a thread that ends with the process."""
    if place is not None:
        threading.Thread(target=_answer, args=(place,), name="probes", daemon=True).start()


def ticks() -> bool:
    """True while the schedule looks at what is due, or for Redis: a restart would not bring that back."""
    return not _ticked or time.monotonic() - _ticked[0] < _SILENT_AFTER_S


def _answer(place: Place) -> None:
    async def live() -> None:
        async with shown(place, Probes(alive=ticks, ready=lambda: bool(_ticked))):
            await asyncio.Event().wait()

    with asyncio.Runner() as runner:
        runner.run(live())
