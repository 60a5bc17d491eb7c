"""A worker's share of bulk reruns: any worker takes the next turn, none keeps a job to itself."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog

from gateway.exchange import rerun

if TYPE_CHECKING:
    from gateway.runtime import Runtime

#: How soon a new job is noticed, and how often a running one is asked for its next turn. Seconds.
_IDLE_S = 2.0
_BUSY_S = 0.05
_LOOK_EVERY_S = 1.0

_log = structlog.get_logger(__name__)


async def keep(runtime: Runtime, stopping: asyncio.Event) -> None:
    """Until stopping: take turns, and write down what became of what was tried."""
    looked_at = 0.0
    while not stopping.is_set():
        pause_s = _IDLE_S
        try:
            if await runtime.reruns.any_running():
                pause_s = _BUSY_S
                while not stopping.is_set() and await rerun.step(runtime.pinned()):
                    continue
            if time.monotonic() - looked_at >= _LOOK_EVERY_S:
                looked_at = time.monotonic()
                await runtime.reruns.look()
        except Exception as error:  # noqa: BLE001 - the store is away: the job is where it was
            _log.warning("rerun_waits", cause=type(error).__name__)
        try:
            await asyncio.wait_for(stopping.wait(), pause_s)
        except TimeoutError:
            continue
