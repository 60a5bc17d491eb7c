"""The calls of one drain that are under way, and when it is worth asking the queue for more."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from gateway.store.records import Settlement

#: Deliveries claimed, or verdicts settled, in one statement. A thousand at once would hold a thousand cases
#: locked for their time, and sign for half a second before the first of them goes out.
AT_ONCE = 200

#: Between two questions for a few places each; an eighth of the window is worth a question at once. Seconds.
_REST_S = 0.01


class Flight:
    """Tasks under way; whatever has ended is handed out once.

    Waiting costs the same for ten calls as for thousands: `asyncio.wait` would add a callback to each of
    them, and take it back, whenever one ends. ``len``: calls whose end was not handed out yet.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Settlement]] = set()
        self._ended: list[asyncio.Task[Settlement]] = []
        self._news = asyncio.Event()

    def __len__(self) -> int:
        return len(self._tasks)

    def launch(self, call: Coroutine[Any, Any, Settlement]) -> None:
        """Begin a call."""
        task = asyncio.create_task(call)
        self._tasks.add(task)
        task.add_done_callback(self._land)

    async def landed(self, patience_s: float) -> list[Settlement]:
        """What has ended since the last question; waits for the first at most ``patience_s``."""
        if not self._ended:
            await _set_within(self._news, patience_s)
        self._news.clear()
        ended, self._ended = self._ended, []
        self._tasks.difference_update(ended)
        return [task.result() for task in ended]

    async def abandon(self) -> None:
        """End what is still under way; its outcome is nobody's to tell."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _land(self, task: asyncio.Task[Settlement]) -> None:
        self._ended.append(task)
        self._news.set()


@dataclass(slots=True)
class Refill:
    """How often a window is refilled: a claim per finished call would ask the database thousands of times a second.

    Units: moments are seconds of one monotonic clock.
    """

    window: int
    at: float = float("-inf")
    short: bool = False
    held_back: bool = False
    chunked: bool = False

    def places(self, free: int, *, flying: int, now: float) -> int:
        """How many of ``free`` places to claim for now; 0 while it is not worth it."""
        few = self.short or free * 8 < self.window
        self.held_back = free > 0 and flying > 0 and few and now - self.at < _REST_S
        self.chunked = False
        return 0 if self.held_back else min(free, AT_ONCE)

    def claimed(self, asked: int, got: int, *, now: float) -> None:
        """Remember what a claim brought."""
        self.at, self.short = now, got < asked
        self.chunked = got == AT_ONCE

    def patience_s(self, poll_s: float) -> float:
        """How long to wait for a call to end before the next look at the queue."""
        if self.chunked:
            return 0.0
        return min(poll_s, _REST_S) if self.held_back else poll_s


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    if seconds <= 0:
        await asyncio.sleep(0)
        return
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
