"""Bulk reruns on the real store: what is chosen, in which order, once each, through kills, and what became of it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import text
from staff_builders import Side, mended
from store_builders import NOW, application, follow_up, new_case

from gateway.canonical.tracking import Move
from gateway.exchange import rerun
from gateway.store.engine import single
from gateway.store.records import Ending, Settlement
from gateway.store.reruns import Order, Wanted

DEAD = Wanted("dead")
_serial = count(1)


@pytest.fixture(autouse=True)
async def nothing_open(rt):
    async with single(rt.engine) as connection:
        await connection.execute(text("DELETE FROM deliveries"))
        await connection.execute(text("DELETE FROM reruns"))


async def stored(rt, *followers, **fields):
    """A case for each number given, with so many followers; their message ids, case by case."""
    cases = []
    for many in followers:
        # of another day than those the door counts here
        case = new_case(case_no=f"CYTB51010420261122{next(_serial):08d}", **fields)
        intents = [application(case=case), *(follow_up(case) for _ in range(many))]
        for one in intents:
            await rt.intake.accept(one)
        cases.append([one.message_id for one in intents])
    return cases


async def end(rt, ending, code="", *, places=100, text=""):
    """The peer's verdict on whatever is due, once."""
    claimed = await rt.deliveries.claim("south", places, 30)
    ended = [Settlement(each, ending, NOW, 0.1, code=code, text=text) for each in claimed]
    await rt.deliveries.settle(ended, on_end=lambda case, _: Move(case, ()))
    return [each.message_id for each in claimed]


def order(rt, wanted=DEAD, **fields):
    given = {"by": "staff:a", "reason": "对方已恢复", "per_second": 200.0, "cap": 100, "alone_up_to": 100}
    return Order(rt.new_id(), wanted, at=rt.clock.now(), **(given | fields))


async def run(rt, job):
    """What a worker's loop does, until all have had their turn."""
    async with asyncio.timeout(20):
        while (await rt.reruns.find(job.id)).state == "running":
            await rerun.step(rt) or await asyncio.sleep(0.005)


async def outcome(rt, job):
    async with asyncio.timeout(10):
        while not (await rt.reruns.find(job.id)).is_over:
            await rt.reruns.look()
            await asyncio.sleep(0.1)
    return [
        (each.before_state, each.before_cause, each.after_state, each.after_cause, each.messages)
        for each in await rt.reruns.diff(job.id)
    ]


async def tried_ids(rt, job):
    return [item.message_id for item in await rt.reruns.items(job.id, 1000) if item.result == "tried"]


async def test_the_dry_run_counts_by_cause_and_changes_nothing(rt):
    await stored(rt, 0, 0, 0)
    await end(rt, Ending.DEAD, "timeout", places=2)
    await end(rt, Ending.DEAD, "status")
    found = await rerun.preview(rt, DEAD, 100, 2)
    assert (found.messages, found.capped, found.needs_approval) == (3, False, True)
    assert found.causes == {"timeout": 2, "status": 1}
    assert len(found.sample) == 3
    assert len((await rt.deliveries.open("dead"))[0]) == 3
    assert await rt.reruns.page(10, None) == []


async def test_a_cap_takes_the_oldest_and_says_that_there_are_more(rt):
    cases = await stored(rt, *[0] * 5)
    await end(rt, Ending.DEAD, "timeout")
    found = await rerun.preview(rt, DEAD, 2, 100)
    assert (found.messages, found.capped) == (2, True)
    job = await rerun.start(rt, order(rt, cap=2))
    assert (job.total, job.capped) == (2, True)
    await run(rt, job)
    assert await tried_ids(rt, job) == [cases[0][0], cases[1][0]]


async def test_every_filter_narrows(rt):
    await stored(rt, 0, item="pension_transfer")
    await end(rt, Ending.REFUSED, "9043")
    (kept,) = await stored(rt, 0, item="unemployment_benefit_claim")
    await end(rt, Ending.REFUSED, "9044")
    refused = Wanted("refused")
    assert len((await rt.reruns.choose(refused, 10))[0]) == 2
    case_no = next(
        one.case_no for one in (await rt.reruns.choose(refused, 10))[0] if one.message_id == kept[0]
    )
    for filters in (
        {"item": "unemployment_benefit_claim"},
        {"cause": "9044"},
        {"case_nos": (case_no,)},
        {"destination": "south", "kind": "transfer.apply", "cause": "9044"},
        {"kind": "out", "cause": "9044", "since": NOW, "until": NOW},
    ):
        chosen, _ = await rt.reruns.choose(replace(refused, **filters), 10)
        assert [one.message_id for one in chosen] == kept, filters
    for filters in (
        {"destination": "north"},
        {"kind": "other"},
        {"since": NOW + timedelta(seconds=1)},
        {"until": NOW - timedelta(seconds=1)},
        {"case_nos": ("CYTB0",)},
    ):
        assert (await rt.reruns.choose(replace(refused, **filters), 10))[0] == [], filters
    assert (await rt.reruns.choose(DEAD, 10))[0] == []


async def test_the_order_inside_a_case_is_kept(rt):
    (ids,) = await stored(rt, 3)
    for _ in ids:  # a refused one lets the next pass
        await end(rt, Ending.REFUSED, "9043")
    job = await rerun.start(rt, order(rt, Wanted("refused")))
    await run(rt, job)
    assert await tried_ids(rt, job) == ids
    sent = []
    while got := await end(rt, Ending.DELIVERED, "0000"):
        assert len(got) == 1
        sent += got
    assert sent == ids


async def test_a_later_message_of_a_case_never_passes_an_earlier_dead_one_that_is_not_run_again(rt):
    (ids,) = await stored(rt, 1)
    await end(rt, Ending.REFUSED, "9043")
    await end(rt, Ending.REFUSED, "9044")
    async with single(rt.engine) as connection:
        await connection.execute(text("UPDATE deliveries SET state = 'dead' WHERE seq = 1"))
    job = await rerun.start(rt, order(rt, Wanted("refused")))
    await run(rt, job)
    assert await tried_ids(rt, job) == ids[1:]
    assert await rt.deliveries.claim("south", 10, 30) == []
    await rt.deliveries.retry(ids[0])
    assert await end(rt, Ending.DELIVERED) == ids[:1]
    assert await end(rt, Ending.DELIVERED) == ids[1:]


async def test_the_diff_says_what_each_message_was_and_became(rt):
    await stored(rt, 0, 0, 0)
    await end(rt, Ending.DEAD, "timeout", places=2)
    await end(rt, Ending.DEAD, "status")
    job = await rerun.start(rt, order(rt))
    await run(rt, job)
    assert {after for _, _, after, _, _ in await _open_diff(rt, job)} == {"under_way"}
    await end(rt, Ending.DELIVERED, "0000", places=2)
    await end(rt, Ending.REFUSED, "9043")
    assert await outcome(rt, job) == [
        ("dead", "timeout", "delivered", "0000", 2),
        ("dead", "status", "refused", "9043", 1),
    ]
    over = await rt.reruns.find(job.id)
    assert (over.state, over.tried, over.finished_at is not None) == ("done", 3, True)


async def _open_diff(rt, job):
    await rt.reruns.look()
    return [
        (each.before_state, each.before_cause, each.after_state, each.after_cause, each.messages)
        for each in await rt.reruns.diff(job.id)
    ]


async def test_a_runner_killed_in_the_middle_leaves_each_message_run_once(rt):
    cases = await stored(rt, *[0] * 8)
    await end(rt, Ending.DEAD, "timeout")
    job = await rerun.start(rt, order(rt))
    for _ in range(4):
        assert await rerun.step(rt)
        await asyncio.sleep(0.006)
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the kill comes between the retry and the commit
        async with rt.reruns.turn() as turn:
            await turn.reopen(turn.item.message_id, "dead")
            await turn.tried("tried")
            raise KeyboardInterrupt
    assert (await rt.reruns.find(job.id)).tried == 4
    assert len((await rt.deliveries.open("dead"))[0]) == 4
    # those tried before the kill die anew: a second runner must not take them again
    assert len(await end(rt, Ending.DEAD, "again")) == 4
    await run(rt, job)
    assert len(await end(rt, Ending.DELIVERED, "0000")) == 4
    assert await outcome(rt, job) == [
        ("dead", "timeout", "dead", "again", 4),
        ("dead", "timeout", "delivered", "0000", 4),
    ]
    assert await tried_ids(rt, job) == [ids[0] for ids in cases]


async def test_two_runners_share_a_job_and_take_no_message_twice(rt):
    await stored(rt, *[0] * 30)
    await end(rt, Ending.DEAD, "timeout")
    job = await rerun.start(rt, order(rt))
    await asyncio.gather(*(run(rt, job) for _ in range(4)))
    async with single(rt.engine) as connection:
        lines = await connection.execute(
            text("SELECT target FROM audit WHERE verb = 'retry' AND target = ANY(:ids)"),
            {"ids": [str(one) for one in await tried_ids(rt, job)]},
        )
        targets = lines.scalars().all()
    assert len(targets) == len(set(targets)) == 30


async def test_it_keeps_its_pace_over_all_runners(rt):
    await stored(rt, *[0] * 30)
    await end(rt, Ending.DEAD, "timeout")
    job = await rerun.start(rt, order(rt, per_second=20.0))
    began = time.monotonic()
    await asyncio.gather(*(run(rt, job) for _ in range(3)))
    assert time.monotonic() - began >= (30 - 1) / 20 - 0.25


async def test_paused_it_takes_nothing_resumed_it_goes_on_cancelled_it_leaves_the_rest(rt):
    await stored(rt, *[0] * 4)
    await end(rt, Ending.DEAD, "timeout")
    job = await rerun.start(rt, order(rt))
    assert await rerun.step(rt)
    assert await rerun.move(rt, job.id, "pause", "staff:b", "等一等")
    await asyncio.sleep(0.02)
    assert not await rerun.step(rt)
    assert not await rerun.move(rt, job.id, "pause", "staff:b", "再等")
    assert await rerun.move(rt, job.id, "resume", "staff:b", "继续")
    assert await rerun.step(rt)
    assert await rerun.move(rt, job.id, "cancel", "staff:b", "不办了")
    await asyncio.sleep(0.02)
    assert not await rerun.step(rt)
    assert {each.after_state: each.messages for each in await rt.reruns.diff(job.id)} == {
        "untried": 2,
        "under_way": 2,
    }
    assert len((await rt.deliveries.open("dead"))[0]) == 2
    with pytest.raises(LookupError):
        await rerun.move(rt, rt.new_id(), "cancel", "staff:b", "没有")


async def test_above_the_set_size_it_waits_for_another_person(rt):
    await stored(rt, *[0] * 3)
    await end(rt, Ending.DEAD, "timeout")
    job = await rerun.start(rt, order(rt, alone_up_to=2))
    assert (job.state, job.needs_approval) == ("unapproved", True)
    assert not await rerun.step(rt)
    assert not await rerun.move(rt, job.id, "resume", "staff:a", "绕过")
    with pytest.raises(PermissionError):
        await rerun.move(rt, job.id, "approve", "staff:a", "我自己")
    assert await rerun.move(rt, job.id, "approve", "staff:b", "同意")
    approved = await rt.reruns.find(job.id)
    assert (approved.state, approved.approved_by, approved.reason) == ("running", "staff:b", "对方已恢复")
    await run(rt, job)
    assert len(await tried_ids(rt, job)) == 3


async def test_what_somebody_else_has_dealt_with_is_skipped(rt):
    cases = await stored(rt, 0, 0)
    await end(rt, Ending.DEAD, "timeout")
    job = await rerun.start(rt, order(rt))
    await rt.deliveries.cancel(cases[0][0])
    await run(rt, job)
    await end(rt, Ending.DELIVERED, "0000")
    assert {after for _, _, after, _, _ in await outcome(rt, job)} == {"gone", "delivered"}
    assert [item.result for item in await rt.reruns.items(job.id, 10)] == ["skipped", "tried"]


async def test_a_message_that_makes_a_bug_of_ours_does_not_stop_the_job(rt, monkeypatch):
    cases = await stored(rt, 0, 0)
    await end(rt, Ending.DEAD, "timeout")
    job = await rerun.start(rt, order(rt))
    honest = rerun._retry

    async def broken(rt, turn, item):
        if item.message_id == cases[0][0]:
            raise KeyError("a bug of ours")
        return await honest(rt, turn, item)

    monkeypatch.setattr(rerun, "_retry", broken)
    await run(rt, job)
    assert [item.result for item in await rt.reruns.items(job.id, 10)] == ["failed", "tried"]
    failed = (await rt.reruns.items(job.id, 1))[0]
    assert (failed.after_state, failed.after_cause) == ("dead", "KeyError")


async def test_parked_messages_are_released_by_the_tables_of_now(rt, tmp_path):
    side = Side(rt)
    await side.hand_in("tbzy0001", 701, aac005="77")
    await side.hand_in("tbzy0001", 702, aac005="78")
    found = await rerun.preview(rt, Wanted("parked", cause="1001"), 10, 100)
    assert (found.messages, found.causes) == (2, {"1001": 2})
    job = await rerun.start(rt, order(rt, Wanted("parked")))
    await run(mended(rt, tmp_path), job)
    assert [item.result for item in await rt.reruns.items(job.id, 10)] == ["tried", "still_parked"]
    claimed = await rt.deliveries.claim("chongqing", 10, 30)
    await rt.deliveries.settle(
        [Settlement(each, Ending.DELIVERED, NOW, 0.1, code="0000") for each in claimed],
        on_end=lambda case, _: Move(case, ()),
    )
    assert await outcome(rt, job) == [
        ("parked", "1001", "delivered", "0000", 1),
        ("parked", "1001", "parked", "1001", 1),
    ]


async def test_nothing_to_run_makes_no_job(rt):
    assert await rerun.start(rt, order(rt)) is None
    assert await rt.reruns.page(10, None) == []


async def test_jobs_are_listed_newest_first_a_page_at_a_time(rt):
    await stored(rt, 0)
    await end(rt, Ending.DEAD, "timeout")
    made = [(await rerun.start(rt, order(rt))).id for _ in range(3)]
    first = await rt.reruns.page(2, None)
    assert [job.id for job in first] == made[:0:-1]
    assert [job.id for job in await rt.reruns.page(2, first[-1].id)] == made[:1]
