"""The sliding window: full, never over-full, one slow or broken call hurts only itself."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest

from gateway.canonical.kinds import Kind
from gateway.errors import PeerFailure
from gateway.exchange.drain import BUG, Drain, Lane, Limits, Sender
from gateway.exchange.verdict import Schedule
from gateway.region import Reply, SignedRequest, Taken
from gateway.store.records import Delivery, Ending, Settlement
from gateway.transport.breaker import Breaker
from gateway.transport.replies import Answered

NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
QUICK = Limits(window=4, poll_s=0.01, linger_s=0.05, grace_s=0.2)


def delivery(number: int, *, attempt: int = 1) -> Delivery:
    ident = UUID(int=number)
    return Delivery(
        id=ident,
        message_id=ident,
        case_id=ident,
        destination="there",
        kind=Kind.STATUS_REPORT,
        native_kind="ZT",
        attempt=attempt,
        fence=attempt,
        rendered=b"<x/>",
        first_attempt_at=NOON,
    )


def delivered(one: Delivery) -> Settlement:
    return Settlement(one, Ending.DELIVERED, NOON, 0.0, 200, "0000")


@dataclass
class Shelf:
    """A queue in memory that counts what a drain does with it."""

    waiting: list[Delivery]
    settled: list[Settlement] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    failures: int = 0
    due_in: float | None = None

    async def claim(self, destination, places, lease_s):
        self.asked.append(places)
        taken, self.waiting = self.waiting[:places], self.waiting[places:]
        return taken

    async def settle(self, settlements, *, on_end):
        if self.failures:
            self.failures -= 1
            raise OSError("away")
        for settlement in settlements:
            if settlement.ending is not Ending.RETRY:
                on_end(SimpleNamespace(case_no="X"), settlement)
        self.settled += settlements
        return SimpleNamespace(counted=settlements, late=())

    async def next_due_in(self, destination):
        return self.due_in


class Quiet:
    """A bell that remembers how it was touched."""

    def __init__(self):
        self.touched = []

    async def hold(self, destination):
        self.touched.append("hold")

    async def lift(self, destination):
        self.touched.append("lift")


def drain_of(shelf, send, *, bell=None, stopping=None, on_end=lambda case, settlement: None, breaker=None):
    return Drain(
        lane=Lane("there", breaker or Breaker(rest_s=0.05)),
        queue=shelf,
        bell=bell or Quiet(),
        send=send,
        on_end=on_end,
        stopping=stopping or asyncio.Event(),
        limits=QUICK,
    )


async def test_everything_due_is_sent_once_and_never_more_than_the_window_at_a_time():
    shelf, flying, most = Shelf([delivery(n) for n in range(50)]), 0, 0

    async def send(one):
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0.001)
        flying -= 1
        return delivered(one)

    await drain_of(shelf, send).run()
    assert sorted(s.delivery.id.int for s in shelf.settled) == list(range(50))
    assert most == QUICK.window


async def test_a_slow_call_does_not_hold_back_the_others():
    shelf, gone, all_others = Shelf([delivery(n) for n in range(40)]), [], asyncio.Event()

    async def send(one):
        if one.id.int == 0:  # takes as long as all the others together
            await asyncio.wait_for(all_others.wait(), 10)
        gone.append(one.id.int)
        if len(gone) == 39:
            all_others.set()
        return delivered(one)

    await drain_of(shelf, send).run()
    assert sorted(gone) == list(range(40))
    assert gone[-1] == 0
    assert len(shelf.settled) == 40


async def test_work_that_becomes_due_while_it_lingers_needs_no_ring():
    shelf = Shelf([])

    async def send(one):
        return delivered(one)

    running = asyncio.create_task(drain_of(shelf, send).run())
    while not shelf.asked:  # noqa: ASYNC110 - the queue is looked at from outside
        await asyncio.sleep(0)
    shelf.waiting.append(delivery(1))
    await running
    assert len(shelf.settled) == 1


async def test_the_bell_is_lifted_before_the_last_look():
    shelf, bell = Shelf([]), Quiet()

    async def lift(destination):
        bell.touched.append("lift")
        if bell.touched.count("lift") == 1:
            shelf.waiting.append(delivery(1))  # stored just before the hand was lifted: nobody rang

    bell.lift = lift

    async def send(one):
        return delivered(one)

    await drain_of(shelf, send, bell=bell).run()
    assert len(shelf.settled) == 1
    assert bell.touched[-1] == "lift"


async def test_told_to_stop_it_claims_nothing_more_and_settles_what_flies():
    shelf, stopping = Shelf([delivery(n) for n in range(20)]), asyncio.Event()

    async def send(one):
        stopping.set()
        await asyncio.sleep(0.05)
        return delivered(one)

    await drain_of(shelf, send, stopping=stopping).run()
    assert len(shelf.settled) == QUICK.window
    assert len(shelf.waiting) == 20 - QUICK.window


async def test_calls_that_outlast_the_grace_are_left_to_their_lease():
    shelf, stopping, ended = Shelf([delivery(1)]), asyncio.Event(), []

    async def send(one):
        stopping.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(one)

    await drain_of(shelf, send, stopping=stopping).run()
    assert (shelf.settled, len(ended)) == ([], 1)


async def test_a_store_that_is_away_for_a_moment_costs_no_verdict(monkeypatch):
    monkeypatch.setattr("gateway.exchange.drain._SETTLE_WAITS_S", (0.01, 0.01))
    shelf = Shelf([delivery(1)], failures=2)

    async def send(one):
        return delivered(one)

    await drain_of(shelf, send).run()
    assert len(shelf.settled) == 1


async def test_a_store_that_stays_away_ends_the_drain_and_leaves_no_call_behind(monkeypatch):
    monkeypatch.setattr("gateway.exchange.drain._SETTLE_WAITS_S", (0.01,))
    shelf, cancelled = Shelf([delivery(1), delivery(2)], failures=99), []

    async def send(one):
        if one.id.int == 1:
            return delivered(one)
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.append(one)

    with pytest.raises(OSError, match="away"):
        await drain_of(shelf, send).run()
    assert len(cancelled) == 1


async def test_a_case_that_cannot_be_moved_does_not_stop_its_neighbours():
    def on_end(case, settlement):
        if settlement.delivery.id.int == 1:
            raise KeyError("a bug of ours")

    shelf = Shelf([delivery(1), delivery(2)])

    async def send(one):
        return delivered(one)

    await drain_of(shelf, send, on_end=on_end).run()
    assert len(shelf.settled) == 2


async def test_a_side_that_cannot_be_reached_burns_few_attempts():
    shelf, sent, stopping = Shelf([delivery(n) for n in range(40)]), [], asyncio.Event()

    async def send(one):
        sent.append(one)
        return Settlement(one, Ending.RETRY, NOON, 0.0, None, "connect", due_in_s=5)

    running = asyncio.create_task(drain_of(shelf, send, stopping=stopping).run())
    async with asyncio.timeout(10):
        while len(sent) < 5:  # noqa: ASYNC110 - as a far side would count them
            await asyncio.sleep(0)
    await asyncio.sleep(0.04)
    assert len(sent) <= 8
    stopping.set()
    await running


# One attempt.


def sender(answer, *, read_reply=None, seal=None):
    class Client:
        async def send(self, request):
            if isinstance(answer, Exception):
                raise answer
            return answer

    region = SimpleNamespace(
        seal=seal or (lambda body, kind, keys, now, nonce: SignedRequest("/in", {"n": nonce}, body)),
        read_reply=read_reply or (lambda status, body: Reply(Taken.DELIVERED, "1")),
    )
    return Sender(
        region=region,
        credentials=None,
        client=Client(),
        schedule=Schedule((5, 30), give_up_s=100),
        now=lambda: NOON + timedelta(seconds=80),
        ticks=time.monotonic,
        draw=lambda: 0.0,
        nonce=lambda: "fresh",
    )


async def test_an_attempt_is_sealed_sent_read_and_judged():
    settlement = await sender(Answered(202, {}, b""))(delivery(1))
    assert (settlement.ending, settlement.http_status) == (Ending.DELIVERED, 202)


@pytest.mark.parametrize(
    ("named", "ending"),
    [
        ("", Ending.DELIVERED),
        ("CYTB2", Ending.DELIVERED),
        ("theirs", Ending.DELIVERED),
        ("CYTB1", Ending.RETRY),
    ],
    ids=["names none", "names its own", "names one we never sent", "names what was sent before"],
)
async def test_a_receipt_for_another_case_sent_lately_is_no_receipt(named, ending):
    reply = Reply(Taken.DELIVERED, "1", case_ref=named)
    send = sender(Answered(202, {}, b""), read_reply=lambda status, body: reply)
    await send(replace(delivery(1), rendered=b"about CYTB1"))
    assert (await send(replace(delivery(2), rendered=b"about CYTB2"))).ending is ending


async def test_a_side_that_keeps_to_a_strange_number_is_believed_in_the_end():
    reply = Reply(Taken.DELIVERED, "1", case_ref="CYTB1")
    send = sender(Answered(202, {}, b""), read_reply=lambda status, body: reply)
    await send(replace(delivery(1), rendered=b"about CYTB1"))
    one = replace(delivery(2), rendered=b"about CYTB2")
    endings = [(await send(one)).ending for _ in range(4)]
    assert endings == [*[Ending.RETRY] * 3, Ending.DELIVERED]


async def test_a_failed_attempt_is_due_again_by_the_time_since_the_first():
    failure = PeerFailure("connect", "nobody there")
    again = await sender(failure)(delivery(1))
    assert (again.ending, again.due_in_s, again.code, again.http_status) == (Ending.RETRY, 5, "connect", None)
    last = await sender(failure)(delivery(1, attempt=2))
    assert last.ending is Ending.DEAD


async def test_a_bug_kills_its_delivery_with_its_place_and_without_its_words():
    def broken(status, body):
        raise KeyError("500103196602144000")

    settlement = await sender(Answered(200, {}, b""), read_reply=broken)(delivery(1))
    assert (settlement.ending, settlement.code, settlement.http_status) == (Ending.DEAD, BUG, None)
    assert settlement.text.startswith("KeyError at broken:")
    assert "500103" not in settlement.text


async def test_a_bug_of_ours_says_nothing_about_the_other_side():
    lane = Lane("there", Breaker(rest_s=1))
    bugs = [replace(delivered(delivery(1)), ending=Ending.DEAD, code=BUG)] * 10
    lane.note(bugs, now=0)
    assert not lane.breaker.is_open
