"""What one worker does between start and stop: at most one drain per destination, sweeps, and a heartbeat."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import TYPE_CHECKING

import structlog

from gateway import metrics
from gateway.canonical import lifecycle, stages
from gateway.exchange import intervene
from gateway.exchange.drain import Drain, Lane, Limits, Sender
from gateway.exchange.maintain import BUDGET_S, Order, maintain
from gateway.exchange.sight import Sight
from gateway.exchange.verdict import Schedule
from gateway.store import runs, tallies
from gateway.store.deadlines import recompute
from gateway.store.records import Ending, Settlement
from gateway.store.retention import Who
from gateway.transport.bell import SWEEP
from gateway.transport.breaker import Breaker
from gateway.worker import indicators, reruns

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.canonical.tracking import Move, TrackedCase
    from gateway.runtime import Runtime
    from gateway.settings import Delivery as DeliverySettings

#: Work overdue for longer than this is rung for even if somebody holds the bell: he is dead, or too slow alone.
_LOUD_AFTER_S = 1.0

#: Longer than any process takes to see what came into force, and to finish what it had begun.
_DOORS_FOLLOW_WITHIN_S = 5.0

#: Cases whose due dates are computed in one transaction: short enough to let arrivals between.
_COUNTED_AT_ONCE = 200

#: No ring for maintenance for so long: beat or Redis is away, or starts anew all the time. Seconds.
_MAINTAIN_ALONE_S = 1200.0

#: Longer than any call of the watch may take: its statements end after 20 s, and a sweep has a handful.
_HANGS_AFTER_S = 180.0

#: Of waits, not of secrets.
_chance = Random()  # noqa: S311
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Rounds:
    """The work of this process on its one loop. ``serves``: the destinations whose queues it listens to."""

    runtime: Runtime
    serves: frozenset[str]
    stopping: asyncio.Event
    swept_at: float = 0.0
    turned_at: float = field(default_factory=time.monotonic)
    _lanes: dict[str, Lane] = field(default_factory=dict)
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _again: set[str] = field(default_factory=set)
    _maintaining: asyncio.Task[None] | None = None
    _maintained_at: float = field(default_factory=time.monotonic)
    _drains: dict[str, Drain] = field(default_factory=dict)

    def ring(self, destination: str) -> asyncio.Task[None]:
        """Start a drain, or join the one that runs: it will look once more before it ends.

        One per destination and process, so that a slow side can never take the places of another.
        """
        self._again.add(destination)
        if destination not in self._running:
            self._running[destination] = asyncio.create_task(self._drain(destination))
        return self._running[destination]

    def drains(self, destination: str) -> bool:
        """Whether a drain of this destination runs here."""
        return destination in self._running

    @property
    def turns(self) -> bool:
        """True while `watch` goes round: one that hangs in some call would otherwise look alive."""
        return time.monotonic() - self.turned_at < _HANGS_AFTER_S

    def lanes(self) -> dict[str, dict[str, object]]:
        """What this process does for each destination now (the columns of its heartbeat)."""
        return {
            destination: {
                "flying": drain.flying if (drain := self._drains.get(destination)) else 0,
                "claimed": lane.claimed,
                "breaker": "open" if lane.breaker.is_open else "closed",
            }
            for destination, lane in self._lanes.items()
        }

    async def sweep(self) -> Mapping[str, float]:
        """Ring for everything due, in case a ring was lost; the seconds overdue by destination."""
        began = time.monotonic()
        deliveries = self.runtime.deliveries
        await deliveries.promote_stranded()
        await intervene.heal(self.runtime.pinned())
        await tallies.fold(self.runtime.engine)
        overdue = await self._overdue()
        for destination, seconds in overdue.items():
            await self.runtime.bell.ring(destination, loudly=seconds > _LOUD_AFTER_S)
        await self.runtime.workers.forget()
        self.swept_at = time.monotonic()
        metrics.LAST_SWEEP.set(time.time())
        await runs.note(self.runtime.engine, runs.Run(runs.SWEEP, took_s=self.swept_at - began))
        return overdue

    def maintain(self) -> asyncio.Task[None]:
        """Begin maintenance, or join the one that runs here; another process's keeps this one out."""
        if self._maintaining is None or self._maintaining.done():
            self._maintained_at = time.monotonic()
            self._maintaining = asyncio.create_task(self._maintain())
        return self._maintaining

    async def watch(self) -> None:
        """Until stopping: help where work waits, and sweep when nobody else does (Redis or beat is away)."""
        every_s = sweep_every_s(self.runtime.settings.delivery)
        shelf = self.runtime.shelf
        seen, releasing = shelf.current, asyncio.create_task(self._release_parked())
        counting = asyncio.create_task(self._count_anew())
        rerunning = asyncio.create_task(reruns.keep(self.runtime, self.stopping))
        measuring = asyncio.create_task(indicators.keep(self.runtime, self.stopping))
        while not self.stopping.is_set():
            self.turned_at = time.monotonic()
            await self._help()
            if shelf.current is not seen and releasing.done():
                seen, releasing = shelf.current, asyncio.create_task(self._release_parked())
            # Of many workers one sweeps; without Redis each does, as before there were many.
            if time.monotonic() - self.swept_at > 2 * every_s and await self.runtime.bell.first(
                SWEEP, 2 * every_s
            ):
                await self._sweep_alone()
            if time.monotonic() - self._maintained_at > _MAINTAIN_ALONE_S:
                self.maintain()
            await _nap(self.stopping, every_s)
        releasing.cancel()
        counting.cancel()
        # a step is one transaction: what is cancelled in the middle has not happened
        rerunning.cancel()
        measuring.cancel()
        await asyncio.gather(releasing, counting, rerunning, measuring, return_exceptions=True)

    async def finish(self) -> None:
        """Wait for the drains; they have been told to stop and end within their grace."""
        if self._maintaining is not None:
            self._maintaining.cancel()  # every step ends in small transactions; the next run goes on
            await asyncio.gather(self._maintaining, return_exceptions=True)
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _maintain(self) -> None:
        order = Order(Who("gateway", "按计划维护"), budget_s=BUDGET_S)
        try:
            async for done in maintain(self.runtime, self.runtime.settings.retention, order):
                _log.info("maintenance_step", step=done.step, seconds=round(done.took_s, 3))
        except Exception as error:  # noqa: BLE001 - the store is away; the schedule rings again
            _log.warning("maintenance_failed", cause=type(error).__name__)

    async def _release_parked(self) -> None:
        """At start, and when other tables come into force: what waited for a row they have goes (crossing §1).

        Twice: a door that saw the new tables a moment later than this worker may have parked meanwhile.
        """
        for pause_s in (0.0, _DOORS_FOLLOW_WITHIN_S):
            await _nap(self.stopping, pause_s)
            try:
                released = await intervene.release_all(self.runtime.pinned(), "gateway")
            except Exception as error:  # noqa: BLE001 - staff can release by hand; the next start tries again
                _log.warning("release_failed", cause=type(error).__name__)
                return
            if released:
                _log.info("parked_released", messages=released)

    async def _count_anew(self) -> None:
        """At start, with the calendar of now: due dates that were provisional (gateway §2)."""
        runtime = self.runtime
        timed = partial(stages.timed, calendar=runtime.tables.calendar)
        changed, after, more = 0, None, True
        try:
            while more and not self.stopping.is_set():
                count, after = await recompute(runtime.engine, timed, limit=_COUNTED_AT_ONCE, after=after)
                changed, more = changed + count, after is not None
        except Exception as error:  # noqa: BLE001 - the dates stay provisional; the next start tries again
            _log.warning("due_dates_not_recomputed", cause=type(error).__name__)
        if changed:
            _log.info("due_dates_recomputed", cases=changed)

    async def _overdue(self) -> Mapping[str, float]:
        overdue: Mapping[str, float] = await self.runtime.deliveries.due()
        held = await self.runtime.peers.held()
        for destination in self.runtime.regions:
            metrics.DUE_AGE_SECONDS.labels(destination).set(overdue.get(destination, 0.0))
            metrics.PAUSED.labels(destination).set(destination in held)
            metrics.HELD_AGE_SECONDS.labels(destination).set(held.get(destination, 0.0))
        return overdue

    async def _help(self) -> None:
        """Join in where work has waited: a ring reaches one worker, and often the one that is busy already.

        Also what keeps this process's own gauge of it fresh, whoever sweeps.
        """
        try:
            overdue = await self._overdue()
        except Exception as error:  # noqa: BLE001 - the store is away; the next look comes soon
            _log.warning("look_failed", cause=type(error).__name__)
            return
        for destination in self.serves & overdue.keys():
            if overdue[destination] > _LOUD_AFTER_S and destination not in self._running:
                self.ring(destination)

    async def _sweep_alone(self) -> None:
        try:
            overdue = await self.sweep()
        except Exception as error:  # noqa: BLE001 - the store is away; the next look comes soon
            _log.warning("sweep_failed", cause=type(error).__name__)
            return
        for destination in self.serves & overdue.keys():
            self.ring(destination)

    async def _drain(self, destination: str) -> None:
        try:
            while destination in self._again and not self.stopping.is_set():
                self._again.discard(destination)
                self._drains[destination] = self._drain_of(destination)
                await self._drains[destination].run()
        except Exception:  # noqa: BLE001
            # The store stayed away, or a bug: the sweep starts anew, the leases keep what was in flight.
            _log.exception("drain_failed", destination=destination)
        finally:
            del self._running[destination]
            self._drains.pop(destination, None)
            self._again.discard(destination)

    def _drain_of(self, destination: str) -> Drain:
        runtime, settings = self.runtime, self.runtime.settings.delivery
        lane = self._lanes.get(destination)
        if lane is None:
            sight = Sight(destination, runtime.peers, runtime.clock.now, time.monotonic)
            lane = self._lanes[destination] = Lane(destination, Breaker(rest_s=_rest_s(settings)), sight)
        return Drain(
            lane=lane,
            queue=runtime.deliveries,
            bell=runtime.bell,
            send=_sender(runtime, lane),
            on_end=self._ended,
            stopping=self.stopping,
            limits=Limits(window=settings.window_of(destination), lease_s=settings.lease),
        )

    def _ended(self, case: TrackedCase, settlement: Settlement) -> Move:
        delivery, at = settlement.delivery, self.runtime.clock.now()
        if settlement.ending is Ending.DELIVERED:
            return lifecycle.delivered(case, kind=delivery.kind, native_kind=delivery.native_kind, at=at)
        note = f"{settlement.code} {settlement.text}".strip()
        return lifecycle.undelivered(case, kind=delivery.kind, at=at, note=note)


def sweep_every_s(settings: DeliverySettings) -> float:
    """Seconds between two sweeps: never longer than the two that keep a lost ring unnoticed."""
    return min(settings.sweep_s, 2.0)


def _rest_s(settings: DeliverySettings) -> float:
    # A side that cannot be reached is probed often against the schedule, so that the breaker spares calls
    # and hardly ever delays an attempt the schedule promised.
    return max(0.05, settings.schedule_s[0] / 5)


def _sender(runtime: Runtime, lane: Lane) -> Sender:
    settings, destination = runtime.settings.delivery, lane.destination
    return Sender(
        region=runtime.regions[destination],
        credentials=runtime.credentials[destination],
        client=runtime.clients[destination],
        schedule=Schedule(settings.schedule_s, settings.give_up_s),
        now=runtime.clock.now,
        ticks=time.monotonic,
        draw=lambda: _chance.uniform(-1.0, 1.0),
        nonce=lambda: secrets.token_hex(16),
        lately=lane.lately,
    )


async def _nap(stopping: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return
