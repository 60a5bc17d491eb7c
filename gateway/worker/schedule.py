"""The schedule: Celery's own, and a pulse that shows whether it still ticks."""

from __future__ import annotations

import asyncio
import threading
import time

from celery.beat import Scheduler

from gateway.worker.scrape import Place, Probes, shown

#: Celery's schedule wakes at the latest after five minutes; ours has a sweep every few seconds.
_SILENT_AFTER_S = 60.0

_ticked: list[float] = []


class Pulse(Scheduler):  # type: ignore[misc]
    """Celery's schedule in memory: one idempotent sweep has no past to remember."""

    def tick(self, *args: object, **kwargs: object) -> float:
        """One look at what is due; seconds until the next."""
        wait: float = super().tick(*args, **kwargs)
        _ticked[:] = [time.monotonic()]
        return wait


def show(place: Place | None) -> None:
    """Answer probes beside the schedule, in a thread that ends with the process."""
    if place is not None:
        threading.Thread(target=_answer, args=(place,), name="probes", daemon=True).start()


def ticks() -> bool:
    """True while the schedule looks at what is due. Redis being away does not end it: its ring only fails."""
    return not _ticked or time.monotonic() - _ticked[0] < _SILENT_AFTER_S


def _answer(place: Place) -> None:
    async def live() -> None:
        async with shown(place, Probes(alive=ticks, ready=lambda: bool(_ticked))):
            await asyncio.Event().wait()

    with asyncio.Runner() as runner:
        runner.run(live())
