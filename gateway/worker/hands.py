"""The one event loop of a worker process, in a thread of its own, and the way onto it from Celery's threads."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import signal
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog
import uvloop

from gateway.errors import CannotStart
from gateway.transport.bell import worker_name
from gateway.worker.ear import Ear, echo_by_celery
from gateway.worker.pulse import Pulse, leave_process
from gateway.worker.rounds import Rounds
from gateway.worker.scrape import Place, Probes, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from contextlib import AbstractAsyncContextManager

    from gateway.runtime import Runtime

#: A ring waits for its drain at most so long; the drain itself goes on while there is work (see `Hands.drain`).
RING_WAITS_S = 20.0

_OPEN_AGAIN_S = 0.5
_STOP_WITHIN_S = 20.0

_log = structlog.get_logger(__name__)


class Hands:
    """Opens the runtime once and does on its loop what the tasks ask for.

    One loop per process: pools and keep-alive connections live as long as it does. Thread-safe.
    """

    def __init__(
        self,
        opened: Callable[[], AbstractAsyncContextManager[Runtime]],
        *,
        serves: frozenset[str],
        place: Place | None = None,
    ) -> None:
        self._opened, self._place = opened, place
        self._serves = serves
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self._loop = self._runner.get_loop()
        self._stopping = asyncio.Event()
        self._at_work = asyncio.Event()
        self._rounds: Rounds | None = None
        self._ear = Ear()
        self._thread = threading.Thread(target=self._turn, name="hands", daemon=True)

    def start(self) -> None:
        """Turn the loop; the runtime opens beside, as soon as the store answers."""
        self._thread.start()

    def drain(self, destination: str) -> None:
        """Ring for one destination.

        Returns when the drain it began has ended, at the latest after `RING_WAITS_S`; at once when one runs
        already, which will look again. Celery's own tasks stay short, and a long drain neither holds a place
        in the pool nor pauses for its slowest call.
        """
        self.heard()
        self._do(self._drain(destination))

    def sweep(self) -> None:
        """Ring for whatever is due."""
        self.heard()
        self._do(self._sweep())

    def maintain(self) -> None:
        """Ring for maintenance; returns when it has ended, at the latest after `RING_WAITS_S`."""
        self._do(self._maintain())

    def heard(self) -> None:
        """A ring came out of Celery's consumer: it is not deaf."""
        self._ear.heard(time.monotonic())

    def stop(self) -> None:
        """Claim nothing more; finish what is in flight. Returns at once."""
        self._loop.call_soon_threadsafe(self._stopping.set)

    def close(self) -> None:
        """Stop, and wait until everything is settled and closed, within a bound."""
        if self._thread.is_alive():
            self.stop()
            self._thread.join(_STOP_WITHIN_S)

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        # A worker that is stopping has no ear for rings: they expire, or another worker takes them.
        if self._stopping.is_set() or self._loop.is_closed():
            work.close()
            return
        with suppress(concurrent.futures.CancelledError):
            asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _drain(self, destination: str) -> None:
        rounds = await self._ready()
        if rounds is None:
            return
        joins = rounds.drains(destination)
        drain = rounds.ring(destination)
        # Only the ring that begins a drain keeps its place in Celery's pool: while one side has a backlog it
        # is rung for again and again, and those who join would take the places of the other sides' rings.
        if not joins:
            await asyncio.wait({drain}, timeout=RING_WAITS_S)

    async def _sweep(self) -> None:
        rounds = await self._ready()
        if rounds is not None:
            await rounds.sweep()

    async def _maintain(self) -> None:
        rounds = await self._ready()
        if rounds is not None:
            await asyncio.wait({rounds.maintain()}, timeout=RING_WAITS_S)

    async def _ready(self) -> Rounds | None:
        try:
            await asyncio.wait_for(self._at_work.wait(), RING_WAITS_S)
        except TimeoutError:
            return None  # the store is away; the sweep rings again
        return None if self._stopping.is_set() else self._rounds

    def _turn(self) -> None:
        with self._runner:
            try:
                self._runner.run(self._live_and_tell())
            except CannotStart as error:
                _log.critical("worker_cannot_start", reason=str(error))
                os.kill(os.getpid(), signal.SIGTERM)

    async def _live_and_tell(self) -> None:
        async with shown(self._place, Probes(alive=self._turns, ready=self._at_work.is_set)):
            await self._live()

    def _turns(self) -> bool:
        # Waiting for a store that is away is life: a restart would not bring it back.
        return self._rounds is None or self._rounds.turns

    async def _live(self) -> None:
        while not self._stopping.is_set():
            try:
                async with self._opened() as runtime:
                    await self._work(runtime)
            except CannotStart:
                raise
            except Exception as error:  # noqa: BLE001 - PostgreSQL or Redis is not there yet
                _log.warning("worker_waits_for_the_store", cause=type(error).__name__)
                await asyncio.sleep(_OPEN_AGAIN_S)

    async def _work(self, runtime: Runtime) -> None:
        self._rounds = Rounds(runtime, self._serves, self._stopping)
        name = worker_name(os.getpid())
        echo = echo_by_celery(runtime.settings.redis_url or "", name)
        pulse = asyncio.create_task(Pulse(name, self._rounds, self._ear, echo, leave_process).run())
        self._at_work.set()
        _log.info("worker_ready", serves=sorted(self._serves))
        try:
            await self._rounds.watch()
        finally:
            await self._rounds.finish()
            pulse.cancel()
            await asyncio.gather(pulse, return_exceptions=True)
            _log.info("worker_stopped")
