"""Rollup counters equal the truth of messages and attempts, whoever folds and whenever."""

import asyncio
import itertools
import random
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from store_builders import NOW, application, follow_up, new_case
from yards import accept, one, rows

from gateway.canonical.kinds import State
from gateway.canonical.tracking import CaseEvent, EventKind, Ignored, Move
from gateway.store import tallies
from gateway.store.deliveries import Deliveries
from gateway.store.engine import single
from gateway.store.records import Ending, Settlement
from gateway.store.tallies import Wanted

ANY = Wanted()
ITEMS = ("pension_transfer", "resident_pension_transfer", "unemployment")


async def totals(engine, width):
    """Counts by measure and dimension, from one width of the buckets alone."""
    found = await rows(
        engine,
        "SELECT bucket, measure, origin, destination, item, kind, sum(n) AS n FROM tallies"
        " WHERE width = :width AND measure <> 'latency' GROUP BY 1, 2, 3, 4, 5, 6",
        width=width,
    )
    return Counter({tuple(each)[:-1]: int(each.n) for each in found})


async def truth(engine, width):
    """The same, counted in messages and attempts."""
    messages = await rows(
        engine,
        "SELECT date_trunc(:width, m.received_at, 'Asia/Shanghai'), m.outcome, m.region, m.destination, c.item,"
        " m.kind, count(*) FROM messages m JOIN cases c ON c.id = m.case_id GROUP BY 1, 2, 3, 4, 5, 6",
        width=width,
    )
    attempts = await rows(
        engine,
        "SELECT date_trunc(:width, a.began_at, 'Asia/Shanghai'),"
        " CASE a.outcome WHEN 'retry' THEN 'retried' ELSE a.outcome END, m.region, m.destination, c.item, m.kind,"
        " count(*) FROM attempts a JOIN messages m ON m.id = a.message_id JOIN cases c ON c.id = a.case_id"
        " GROUP BY 1, 2, 3, 4, 5, 6",
        width=width,
    )
    return Counter({tuple(each)[:-1]: int(each[-1]) for each in (*messages, *attempts)})


def any_message(chance, opened):
    at = NOW - timedelta(minutes=chance.randrange(5000))
    if opened and chance.random() < 0.4:
        case = chance.choice(opened)
        decide = (lambda c: Ignored("1101", "旧")) if chance.random() < 0.3 else (lambda c: Move(c, ()))
        return follow_up(case, received_at=at, decide=decide)
    case = new_case(item=chance.choice(ITEMS))
    opened.append(case)
    return application(case=case, received_at=at, parked=chance.random() < 0.2)


async def load(yard, seed):
    """A mixed load: arrivals of every outcome, and a worker whose attempts end in every way."""
    chance, opened = random.Random(seed), []
    queue = Deliveries(yard.engine, yard.vault, clock=lambda: NOW)
    for _ in range(6):
        first = [any_message(chance, opened) for _ in range(30)]
        await accept(yard, *(each for each in first if each.new_case))
        await accept(yard, *(each for each in first if not each.new_case))
        due = await queue.claim("south", 40, 30.0)
        ends = [
            Settlement(
                each,
                chance.choice(list(Ending)),
                began_at=NOW - timedelta(minutes=chance.randrange(5000)),
                took_s=0.1,
            )
            for each in due
        ]
        await queue.settle(ends, on_end=lambda case, _: Move(case, ()))


async def test_after_a_mixed_load_and_many_folders_the_counters_equal_the_truth(yard):
    loading = [asyncio.create_task(load(yard, seed)) for seed in range(3)]
    while not all(task.done() for task in loading):
        await asyncio.gather(*(tallies.fold(yard.engine) for _ in range(4)))
    await asyncio.gather(*loading)
    # what is not folded yet is in the curves already
    day = await tallies.today(yard.engine, NOW, ANY)
    await asyncio.gather(*(tallies.fold(yard.engine) for _ in range(4)))
    assert await tallies.today(yard.engine, NOW, ANY) == day
    assert await one(yard.engine, "SELECT count(*) FROM tally_deltas") == 0
    for width in ("minute", "hour", "day"):
        counted = await totals(yard.engine, width)
        assert counted == await truth(yard.engine, width)
        assert {key[1] for key in counted} >= {
            "accepted",
            "parked",
            "ignored",
            "delivered",
            "retried",
            "dead",
        }
    delivered = await one(yard.engine, "SELECT count(*) FROM attempts WHERE outcome = 'delivered'")
    latencies = "SELECT sum(n) FROM tallies WHERE width = 'day' AND measure = 'latency'"
    assert await one(yard.engine, latencies) == delivered > 0
    assert await tallies.fold(yard.engine) == 0


async def test_a_fold_that_is_undone_counts_once(yard):
    await accept(yard, application(), application())
    async with yard.engine.connect() as connection:
        await connection.execute(tallies._FOLD, {"most": 10})
        await connection.rollback()
    await tallies.fold(yard.engine)
    assert sum((await totals(yard.engine, "day")).values()) == 2


async def test_a_batch_adds_a_row_for_each_distinct_key_and_no_more(yard):
    await accept(yard, *(application(received_at=NOW) for _ in range(100)))
    found = await rows(yard.engine, "SELECT measure, n FROM tally_deltas")
    assert sum(each.n for each in found) == 100
    assert len(found) <= 10  # as many as there were group commits
    assert {each.measure for each in found} == {"accepted"}


async def test_a_rejected_message_is_not_counted(yard):
    first = application()
    await accept(yard, first)
    await accept(yard, application(key=first.key, digest=first.digest, case=new_case()))
    await accept(yard, application(case=replace(first.new_case, id=new_case().id)))
    assert (await tallies.today(yard.engine, NOW, ANY)).counts["accepted"] == 1


@pytest.mark.parametrize(("due", "measure"), [(0, "on_time"), (-1, "overdue"), (None, None)])
async def test_cases_that_end_are_counted_on_time_or_overdue(yard, due, measure):
    day = date(2026, 11, 23)
    due_on = None if due is None else day + timedelta(days=due)
    case = new_case(due_on=due_on)
    await accept(yard, application(case=case))

    def ends(held):
        event = CaseEvent(NOW, EventKind.STATUS, held.state, State.CONCLUDED, "south")
        again = CaseEvent(NOW, EventKind.STATUS, State.CONCLUDED, State.CONCLUDED, "south")
        return Move(replace(held, state=State.CONCLUDED), (event, again))

    await accept(yard, follow_up(case, decide=ends))
    counts = (await tallies.today(yard.engine, NOW, ANY)).counts
    assert (counts["on_time"], counts["overdue"]) == (int(measure == "on_time"), int(measure == "overdue"))


async def test_every_span_has_all_its_points_and_only_what_is_wanted(yard):
    await accept(
        yard,
        application(received_at=NOW),
        application(received_at=NOW - timedelta(minutes=59)),
        application(received_at=NOW - timedelta(hours=23)),
        application(received_at=NOW - timedelta(days=29), case=new_case(item="other")),
    )
    await tallies.fold(yard.engine)
    for span, points, came in (("1h", 60, 2), ("24h", 24, 3), ("30d", 30, 4)):
        found = await tallies.series(yard.engine, span, NOW, ANY)
        assert len(found) == points
        assert sum(each.counts["accepted"] for each in found) == came
        assert found[-1].counts["accepted"] >= 1
        assert all(later.at > earlier.at for earlier, later in itertools.pairwise(found))
    other = await tallies.series(yard.engine, "30d", NOW, Wanted(item="other"))
    assert sum(each.counts["accepted"] for each in other) == 1
    assert (
        sum(
            each.counts["accepted"] for each in await tallies.series(yard.engine, "30d", NOW, Wanted("south"))
        )
        == 0
    )
    assert (found[-1].at.hour, found[-1].at.utcoffset()) == (0, timedelta(hours=8))


async def test_minutes_and_hours_are_forgotten_and_days_stay(yard):
    await accept(yard, application(received_at=NOW), application(received_at=NOW - timedelta(days=80)))
    await tallies.fold(yard.engine)
    for now, left in (
        (NOW + timedelta(hours=47), {"minute": 1, "hour": 2, "day": 2}),
        (NOW + timedelta(days=2, minutes=2), {"hour": 2, "day": 2}),
        (NOW + timedelta(days=11), {"hour": 1, "day": 2}),
        (NOW + timedelta(days=91), {"day": 2}),
    ):
        async with single(yard.engine) as connection:
            while await tallies.prune(connection, now, most=1):
                pass
        found = await rows(yard.engine, "SELECT width, count(*) AS n FROM tallies GROUP BY 1")
        assert {each.width: each.n for each in found} == left


def test_quantiles_are_read_between_the_bounds():
    took = [0] * (len(tallies.BOUNDS_S) + 1)
    assert tallies.quantile(took, 0.5) is None
    took[2] = 100  # 0.1 to 0.2 s
    assert tallies.quantile(took, 0.5) == pytest.approx(0.15)
    took[-1] = 100
    assert tallies.quantile(took, 0.95) == tallies.BOUNDS_S[-1]


async def test_the_interface_draws_the_curve(door, engine):
    await accept_in(engine)
    async with door("desk-token") as client:
        answer = await client.get("/v1/tallies", params={"span": "24h"})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert (found["step_s"], len(found["points"])) == (3600, 24)
        assert sum(point["accepted"] for point in found["points"]) == 7 == found["today"]["accepted"]
        assert set(found["today"]) >= {"at", *tallies.MEASURES, "p50_s", "p95_s", "mean_s"}
        wrong = await client.get("/v1/tallies", params={"span": "1y"})
        assert wrong.status_code == 400
        assert "1h" in wrong.json()["findings"][0]["text"]
    async with door("nobody-token") as client:
        assert (await client.get("/v1/tallies")).status_code == 403


async def accept_in(engine):
    async with single(engine) as connection:
        await connection.execute(
            text(
                "INSERT INTO tally_deltas (at, measure, origin, destination, item, kind, n)"
                " VALUES ('2026-11-23 07:30:00+00', 'accepted', 'a', 'b', 'c', 'd', 7)"
            )
        )
