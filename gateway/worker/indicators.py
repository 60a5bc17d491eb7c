"""A worker's share of the indicators: fold what is new, walk on through what is old, and leave time to others."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog

from gateway.store.performance import Folder

if TYPE_CHECKING:
    from gateway.runtime import Runtime

#: How often new lines of timelines are folded: figures of days need no haste. Seconds.
EVERY_S = 20.0

#: Of every round so much is work, in small steps with rests as long as themselves: messages go first. Seconds.
_BUDGET_S = 8.0
_REST_S = 0.02

#: Cases of one step of the first walk, and of each later round: a million cases are looked at anew within weeks.
_STEP = 500
_AGAIN = 100

_log = structlog.get_logger(__name__)


async def keep(runtime: Runtime, stopping: asyncio.Event) -> None:
    """Until stopping: rounds of folding. Another worker's round keeps this one's short."""
    while not stopping.is_set():
        try:
            await turn(runtime, stopping)
        except Exception as error:  # noqa: BLE001 - the store is away; marks stand where they stood
            _log.warning("indicators_wait", cause=type(error).__name__)
        try:
            await asyncio.wait_for(stopping.wait(), EVERY_S)
        except TimeoutError:
            continue


async def turn(runtime: Runtime, stopping: asyncio.Event, budget_s: float = _BUDGET_S) -> None:
    """One round: new lines first, then old cases until the budget is used up."""
    folder = Folder(runtime.engine, runtime.vault, runtime.tables.calendar)
    until = time.monotonic() + budget_s
    more = True
    while more and time.monotonic() < until and not stopping.is_set():
        began = time.monotonic()
        more = (await folder.fold(_STEP)).more
        await asyncio.sleep(max(_REST_S, time.monotonic() - began))
    if await folder.is_complete():
        await folder.walk(_AGAIN)
        return
    more = True
    while more and time.monotonic() < until and not stopping.is_set():
        began = time.monotonic()
        more = (await folder.walk(_STEP)).more
        await asyncio.sleep(max(_REST_S, time.monotonic() - began))
