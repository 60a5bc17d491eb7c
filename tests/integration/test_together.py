"""Messages stored in one statement: what breaks it is told as carefully as before, and nothing slips through."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from store_builders import NOW, application, follow_up, new_case, taken

from gateway.canonical.tracking import Conflict
from gateway.store.batch import Batch
from gateway.store.deliveries import Deliveries
from gateway.store.intake import Intake
from gateway.store.records import Ending, Settlement, Stored
from gateway.store.together import append_together

WINDOW = timedelta(seconds=600)


@pytest.fixture
def deliveries(engine, vault):
    return Deliveries(engine, vault, clock=lambda: NOW)


async def rows(engine, query, **which):
    async with engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(query), which)]


async def opened(intake, cases):
    """A stored case, and how it is seen."""
    case = new_case()
    await intake.accept(application(case=case))
    return case, (await cases.find("north", case.origin_case_no)).seen


async def lanes(engine, case):
    query = "SELECT seq, state FROM deliveries WHERE case_id = :id AND destination = 'south' ORDER BY seq"
    return await rows(engine, query, id=case.id)


async def test_a_follow_up_waits_behind_what_is_open_and_counts_its_case_up(engine, intake, cases):
    case, seen = await opened(intake, cases)
    assert (await intake.accept(follow_up(case, seen=seen))).stored is Stored.STORED
    assert await lanes(engine, case) == [(1, "ready"), (2, "behind")]
    now = (await cases.find("north", case.origin_case_no)).seen
    assert (now.last_seq, now.last_event) == (seen.last_seq + 1, seen.last_event + 1)


async def test_one_statement_stores_nothing_when_a_case_was_changed_since(engine, vault, intake, cases):
    (case, seen), (other, unchanged) = await opened(intake, cases), await opened(intake, cases)
    await intake.accept(follow_up(case, seen=seen))
    stale, good = follow_up(case, seen=seen), follow_up(other, seen=unchanged)
    with pytest.raises(Exception, match="division by zero"):
        await append_together(engine, Batch.of(vault, [stale, good]), WINDOW)
    ids = [stale.message_id, good.message_id]
    assert await rows(engine, "SELECT id FROM messages WHERE id = ANY(CAST(:ids AS uuid[]))", ids=ids) == []


async def test_a_follow_up_to_a_case_changed_since_is_decided_on_the_case_of_now(engine, intake, cases):
    case, seen = await opened(intake, cases)
    await intake.accept(follow_up(case, seen=seen, decide=lambda found: taken(found, item="changed")))
    asked = []

    def decide(found):
        asked.append(found.item)
        return taken(found)

    assert (await intake.accept(follow_up(case, seen=seen, decide=decide))).stored is Stored.STORED
    assert asked[-1] == "changed"
    assert [seq for seq, _ in await lanes(engine, case)] == [1, 2, 3]


async def test_follow_ups_at_two_doors_keep_one_order_and_lose_none(engine, vault, intake, cases):
    case, seen = await opened(intake, cases)
    doors = [Intake(engine, vault) for _ in range(2)]
    told = await asyncio.gather(*(doors[n % 2].accept(follow_up(case, seen=seen)) for n in range(30)))
    assert {answer.stored for answer in told} == {Stored.STORED}
    assert await lanes(engine, case) == [(1, "ready"), *((n, "behind") for n in range(2, 32))]
    numbered = await rows(engine, "SELECT n FROM events WHERE case_id = :id ORDER BY n", id=case.id)
    assert [n for (n,) in numbered] == list(range(1, 32))
    for door in doors:
        await door.close()


async def test_a_follow_up_that_meets_a_settlement_is_never_left_behind(engine, intake, cases, deliveries):
    """Whoever comes second sees the first, or is made to look again: nothing waits for what has gone."""
    some = [await opened(intake, cases) for _ in range(25)]
    claimed = await deliveries.claim("south", 1000, 60)
    ended = [
        Settlement(delivery=delivery, ending=Ending.DELIVERED, began_at=NOW, took_s=0.1)
        for delivery in claimed
    ]

    async def settle(one):
        return await deliveries.settle([one], on_end=lambda found, _: taken(found))

    await asyncio.gather(
        *(settle(one) for one in ended), *(intake.accept(follow_up(case, seen=seen)) for case, seen in some)
    )
    for case, _ in some:
        assert await lanes(engine, case) == [(2, "ready")]


async def test_a_used_nonce_stores_nothing_whatever_it_comes_with(engine, intake, cases):
    case, seen = await opened(intake, cases)
    assert (await intake.accept(application(nonce="once"))).stored is Stored.STORED
    for again in (application(nonce="once"), follow_up(case, seen=seen, nonce="once")):
        assert (await intake.accept(again)).stored is Stored.NONCE_USED
        assert await rows(engine, "SELECT id FROM messages WHERE id = :id", id=again.message_id) == []
    twins = [application(nonce="twice"), application(nonce="twice")]
    told = await asyncio.gather(*(intake.accept(one) for one in twins))
    assert sorted(answer.stored for answer in told) == [Stored.NONCE_USED, Stored.STORED]
    late = application(nonce="once", received_at=NOW + timedelta(seconds=601))
    assert (await intake.accept(late)).stored is Stored.STORED


async def test_a_nonce_goes_before_a_known_key_and_a_known_key_before_the_life_cycle(intake, cases):
    case, seen = await opened(intake, cases)
    first = follow_up(case, seen=seen, nonce="n1")
    stored = await intake.accept(first)
    forbidden = {"decide": lambda _: Conflict("9022", "现在不能")}
    copy = replace(follow_up(case, seen=seen, **forbidden), key=first.key, digest=first.digest)
    again = await intake.accept(replace(copy, nonce="n2"))
    assert (again.stored, again.receipt) == (Stored.KNOWN, stored.receipt)
    assert (await intake.accept(replace(copy, nonce="n1"))).stored is Stored.NONCE_USED
    assert (await intake.accept(replace(copy, digest="other"))).stored is Stored.KEY_REUSED


async def test_one_that_its_case_does_not_allow_hurts_none_of_its_round(engine, intake, cases):
    some = [await opened(intake, cases) for _ in range(6)]
    (case, seen), *rest = some
    refused = follow_up(case, seen=seen, decide=lambda _: Conflict("9023", "不是这种办件"))
    told = await asyncio.gather(
        intake.accept(refused), *(intake.accept(follow_up(each, seen=at)) for each, at in rest)
    )
    assert [answer.stored for answer in told] == [Stored.CONFLICT, *[Stored.STORED] * 5]
    assert await rows(engine, "SELECT id FROM messages WHERE id = :id", id=refused.message_id) == []
