"""Claim, send and settle what is due for one destination, with as many calls in flight as it has places."""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from gateway import metrics
from gateway.canonical.tracking import Move, TrackedCase
from gateway.errors import PeerFailure
from gateway.exchange.flight import AT_ONCE, Flight, Refill
from gateway.exchange.verdict import Schedule, Verdict, decide
from gateway.region import Reply
from gateway.store.records import Delivery, Ending, Settlement
from gateway.transport.replies import Answered, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from uuid import UUID

    from gateway.exchange.sight import Sight
    from gateway.region import Region, SignedRequest
    from gateway.store.deliveries import Settled
    from gateway.transport.breaker import Breaker

#: The code of a delivery that died of a bug of ours.
BUG = "bug"

#: Calls that did not reach the other side's application: the breaker counts these.
_UNREACHED = frozenset({"connect", "timeout"})

#: How many messages are remembered to know a receipt that came twice, and how often one message's receipt is doubted.
# Counted here and not by attempts: those also grow when a worker dies.
_SENT_LATELY, _DOUBTED = 512, 3

# A settle that fails is tried again within the margin of the lease; then the lease decides.
_SETTLE_WAITS_S = (0.1, 0.4, 1.0, 2.0)

_log = structlog.get_logger(__name__)


class Calls(Protocol):
    """What a sender needs of ``transport.client.PeerClient``."""

    async def send(self, request: SignedRequest, /) -> Answered: ...


class Queue(Protocol):
    """What a drain needs of ``store.deliveries.Deliveries``."""

    async def claim(self, destination: str, places: int, lease_s: float, /) -> Sequence[Delivery]: ...

    async def settle(
        self, settlements: Sequence[Settlement], /, *, on_end: Callable[[TrackedCase, Settlement], Move]
    ) -> Settled: ...

    async def next_due_in(self, destination: str, /) -> float | None: ...


class Doorbell(Protocol):
    """What a drain needs of ``transport.bell.Bell``."""

    async def hold(self, destination: str) -> None: ...

    async def lift(self, destination: str) -> None: ...


@dataclass(slots=True)
class Lately:
    """What was sent to a destination last, oldest first, and whose receipts were doubted."""

    sent: deque[bytes] = field(default_factory=lambda: deque(maxlen=_SENT_LATELY), repr=False)
    _doubted: deque[UUID] = field(default_factory=lambda: deque(maxlen=_SENT_LATELY))

    def doubts(self, delivery_id: UUID) -> bool:
        """Doubt a receipt of this delivery, unless that was done often enough."""
        if self._doubted.count(delivery_id) >= _DOUBTED:
            return False
        self._doubted.append(delivery_id)
        return True


@dataclass(frozen=True, slots=True)
class Sender:
    """One attempt at one destination, as a value that can be called.

    ``now`` is the gateway's clock, ``ticks`` a monotonic one in seconds, ``draw`` gives jitter (-1 … 1),
    ``nonce`` a fresh one. Every outcome is a `Settlement`, a bug of ours included: it never raises.
    """

    region: Region
    credentials: Any = field(repr=False)
    client: Calls
    schedule: Schedule
    now: Callable[[], datetime]
    ticks: Callable[[], float]
    draw: Callable[[], float]
    nonce: Callable[[], str]
    lately: Lately = field(default_factory=Lately)

    async def __call__(self, delivery: Delivery) -> Settlement:
        began_at, began = self.now(), self.ticks()
        status: int | None = None
        try:
            answer, status = await self._ask(delivery)
            verdict = self._decide(delivery, answer)
        except Exception as bug:  # noqa: BLE001 - one bad delivery must not end its neighbours
            verdict = _dead_of(bug)
        settlement = Settlement(
            delivery=delivery,
            ending=verdict.ending,
            began_at=began_at,
            took_s=self.ticks() - began,
            http_status=status,
            code=verdict.code,
            text=verdict.text,
            due_in_s=verdict.due_in_s,
        )
        _tell(settlement)
        return settlement

    async def _ask(self, delivery: Delivery) -> tuple[Reply | PeerFailure, int | None]:
        # Sealed now: time, nonce and proof belong to the attempt, the message key to the message.
        request = self.region.seal(
            delivery.rendered, delivery.native_kind, self.credentials, self.now(), self.nonce()
        )
        try:
            answered = await self.client.send(request)
        except PeerFailure as failure:
            return failure, failure.http_status
        reply = judge(answered, self.region.read_reply, now=self.now())
        if isinstance(reply, Reply) and self._is_of_another(reply, delivery):
            return PeerFailure("unreadable", "the receipt names another case"), answered.status
        return reply, answered.status

    def _is_of_another(self, reply: Reply, delivery: Delivery) -> bool:
        """Whether a receipt is that of something else we sent lately: one given twice on a line is read as the next.

        A number we have not sent is the side's own affair: what counts is its code (SC-N §4, CQ-N §4). So it is when the
        side keeps to it.
        """
        self.lately.sent.append(delivery.rendered)
        named = reply.case_ref.encode()
        if not named or named in delivery.rendered or not any(named in other for other in self.lately.sent):
            return False
        return self.lately.doubts(delivery.id)

    def _decide(self, delivery: Delivery, answer: Reply | PeerFailure) -> Verdict:
        return decide(
            answer,
            attempt=delivery.attempt,
            elapsed_s=(self.now() - delivery.first_attempt_at).total_seconds(),
            schedule=self.schedule,
            jitter=self.draw(),
        )


@dataclass(slots=True)
class Lane:
    """What is remembered of a destination between drains: its breaker, and what operators are told of it.

    A pause and a pace are no part of it: they hold for all workers, and the claim itself asks for them.
    """

    destination: str
    breaker: Breaker
    sight: Sight | None = None
    #: deliveries claimed since the process began
    claimed: int = 0
    lately: Lately = field(default_factory=Lately)

    async def places(self, free: int, *, flying: int, now: float) -> int:
        """How many deliveries may be claimed now."""
        places = self.breaker.places(free, flying=flying, now=now)
        if not places or not self.breaker.is_open or self.sight is None:
            return places
        if await self.sight.may_probe(self.breaker.rest_s):
            return places
        self.breaker = self.breaker.resting(now=now)  # another worker has the turn
        return 0

    def note(self, settlements: Sequence[Settlement], *, now: float) -> None:
        """Fold what the calls told into the breaker."""
        for settlement in settlements:
            if settlement.code != BUG:
                reached = settlement.code not in _UNREACHED
                self.breaker = self.breaker.after(reached=reached, now=now)
        metrics.BREAKER_OPEN.labels(self.destination).set(self.breaker.is_open)


@dataclass(frozen=True, slots=True)
class Limits:
    """Units: ``window`` calls in flight, the rest seconds.

    ``poll_s``: how often a drain looks for new work while it waits; ``linger_s``: how long it stays when
    there is none, because the next case of a busy hour is near; ``grace_s``: how long calls in flight may
    take once the process is to stop.
    """

    window: int = 64
    lease_s: float = 45.0
    poll_s: float = 0.05
    linger_s: float = 1.0
    grace_s: float = 8.0
    hold_s: float = 1.0


@dataclass(slots=True)
class Drain:
    """One run over one destination; ends when nothing is due for a while, or when told to stop.

    Errors: whatever the store raises when it stays away; what was in flight is then sent again under the
    same message id when its lease ends.
    """

    lane: Lane
    queue: Queue
    bell: Doorbell
    send: Callable[[Delivery], Any]
    on_end: Callable[[TrackedCase, Settlement], Move]
    stopping: asyncio.Event
    limits: Limits = field(default_factory=Limits)
    _flying: Flight = field(default_factory=Flight)
    _refill: Refill = field(init=False)
    _held_at: float | None = None

    def __post_init__(self) -> None:
        self._refill = Refill(self.limits.window)

    @property
    def flying(self) -> int:
        """Calls in flight."""
        return len(self._flying)

    async def run(self) -> None:
        """Keep the window full and settle what has finished."""
        try:
            while not self.stopping.is_set():
                await self._hold()
                await self._launch()
                if self._flying:
                    await self._land(self._refill.patience_s(self.limits.poll_s))
                elif not await self._linger() and not await self._last_look():
                    return
            await self.bell.lift(self.lane.destination)
            await self._finish()
        finally:
            await self._flying.abandon()

    async def _launch(self) -> int:
        now = _ticks()
        flying = len(self._flying)
        if self.stopping.is_set():
            return 0
        free = await self.lane.places(self.limits.window - flying, flying=flying, now=now)
        places = self._refill.places(free, flying=flying, now=now)
        if places <= 0:
            return 0
        due = await self.queue.claim(self.lane.destination, places, self.limits.lease_s)
        self.lane.claimed += len(due)
        self._refill.claimed(places, len(due), now=now)
        for delivery in due:
            self._flying.launch(self.send(delivery))
        return len(due)

    async def _land(self, patience_s: float) -> None:
        settled = await self._flying.landed(patience_s)
        if not settled:
            return
        self.lane.note(settled, now=_ticks())
        for first in range(0, len(settled), AT_ONCE):
            await self._settle(settled[first : first + AT_ONCE])
        if self.lane.sight is not None:
            await self.lane.sight.saw(settled, is_open=self.lane.breaker.is_open)

    async def _settle(self, settled: Sequence[Settlement]) -> None:
        for wait in (*_SETTLE_WAITS_S, None):
            try:
                told = await self.queue.settle(settled, on_end=self._safe_end)
            except Exception as error:
                if wait is None:
                    raise
                _log.warning("settle_failed", destination=self.lane.destination, cause=type(error).__name__)
                await asyncio.sleep(wait)
            else:
                _count(told)
                return

    def _safe_end(self, case: TrackedCase, settlement: Settlement) -> Move:
        # A life-cycle bug on one case must not keep the verdicts of its neighbours from being written.
        try:
            return self.on_end(case, settlement)
        except Exception as bug:  # noqa: BLE001
            _log.error("case_not_moved", case_no=case.case_no, cause=_place_of(bug))
            return Move(case, ())

    async def _linger(self) -> bool:
        """Wait for work that is near; True when it is worth to look again."""
        deadline = _ticks() + self.limits.linger_s
        while not self.stopping.is_set() and _ticks() < deadline:
            await _either(self.stopping, self.limits.poll_s)
            if await self._launch():
                return True
        due_in = await self.queue.next_due_in(self.lane.destination)
        return due_in is not None and due_in <= self.limits.linger_s

    async def _last_look(self) -> bool:
        # Lifted first: what is stored after this look rings anew, what was stored before is seen by it.
        self._held_at = None
        await self.bell.lift(self.lane.destination)
        return bool(await self._launch())

    async def _hold(self) -> None:
        now = _ticks()
        if self._held_at is None or now - self._held_at >= self.limits.hold_s:
            self._held_at = now
            await self.bell.hold(self.lane.destination)

    async def _finish(self) -> None:
        deadline = _ticks() + self.limits.grace_s
        while self._flying and _ticks() < deadline:
            await self._land(deadline - _ticks())


async def _either(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


def _ticks() -> float:
    return asyncio.get_running_loop().time()


def _dead_of(bug: Exception) -> Verdict:
    return Verdict(Ending.DEAD, code=BUG, text=_place_of(bug))


def _place_of(bug: BaseException) -> str:
    # Class and place, never the message: it may quote a person.
    frames = traceback.extract_tb(bug.__traceback__)
    where = f" at {frames[-1].name}:{frames[-1].lineno}" if frames else ""
    return f"{type(bug).__name__}{where}"


def _count(told: Settled) -> None:
    for settlement in told.counted:
        if settlement.ending is not Ending.RETRY:
            delivery = settlement.delivery
            metrics.MESSAGES.labels(
                delivery.destination, "out", delivery.native_kind, settlement.ending.value
            ).inc()
    for settlement in told.late:
        metrics.LATE_SETTLEMENTS.labels(settlement.delivery.destination).inc()


def _tell(settlement: Settlement) -> None:
    delivery = settlement.delivery
    metrics.DELIVERY_SECONDS.labels(delivery.destination, settlement.ending.value).observe(settlement.took_s)
    tell = _log.error if settlement.code == BUG else _log.info
    tell(
        "delivery_attempted",
        message_id=str(delivery.message_id),
        case_no=delivery.case_no,
        destination=delivery.destination,
        kind=delivery.native_kind,
        attempt=delivery.attempt,
        ending=settlement.ending.value,
        http_status=settlement.http_status,
        code=settlement.code,
        took_ms=round(settlement.took_s * 1000, 1),
    )
