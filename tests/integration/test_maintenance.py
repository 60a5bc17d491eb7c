"""Maintenance as a whole: months ahead, the rest, twice, at once, and the numbers it shows."""

import asyncio
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from store_builders import NOW, application
from yards import accept, at, bodies_of, deliver, long_after, one, rows, run, shape

from gateway import metrics
from gateway.exchange.maintain import STEPS
from gateway.store import engine as engines
from gateway.store import growth, partitions, rest
from gateway.store.partitions import Month
from gateway.store.schema import PARTITIONED
from gateway.worker.rounds import Rounds


async def test_months_are_made_ahead_of_the_day_handed_in(yard):
    done = await run(yard, at(2031, 11), only="months")
    assert "20 个" in done["months"].text
    async with engines.single(yard.engine) as connection:
        for table in PARTITIONED:
            known = await partitions.months(connection, table)
            assert known[-5:] == [Month(date(2031, 10, 1)).plus(step) for step in range(5)]
    before = await shape(yard.engine)
    assert "0 个" in (await run(yard, at(2031, 11), only="months"))["months"].text
    assert await shape(yard.engine) == before
    row_id = partitions.first_id(date(2032, 2, 29))
    async with yard.engine.begin() as connection:
        await connection.execute(text("INSERT INTO bodies (message_id) VALUES (:id)"), {"id": row_id})
    assert await one(yard.engine, "SELECT message_id FROM bodies_2032_02") == row_id


async def test_a_dry_run_says_what_it_would_do_and_changes_nothing(yard):
    await accept(yard, application())
    await deliver(yard)
    before = await shape(yard.engine)
    done = await run(yard, await long_after(yard), dry_run=True)
    assert list(done) == list(STEPS)
    assert "到期月分区" in done["retention"].text
    assert "bodies_" in done["retention"].text
    assert "新建月分区 20 个" in done["months"].text
    assert (await run(yard, only="tallies", dry_run=True)).keys() == {"tallies"}
    assert await shape(yard.engine) == before


async def test_running_twice_changes_nothing(yard):
    await accept(yard, *(application() for _ in range(20)))
    await deliver(yard)
    later = await long_after(yard)
    await run(yard, later)
    before = await shape(yard.engine)
    audited = await one(yard.engine, "SELECT count(*) FROM audit")
    await run(yard, later)
    assert await shape(yard.engine) == before
    assert await one(yard.engine, "SELECT count(*) FROM audit") == audited


async def test_of_two_at_once_one_works_and_the_other_leaves(yard):
    await accept(yard, *(application() for _ in range(20)))
    await deliver(yard)
    later = await long_after(yard)
    both = await asyncio.gather(*(run(yard, later) for _ in range(2)))
    assert sorted(map(len, both)) in ([1, len(STEPS)], [len(STEPS), len(STEPS)])
    assert {"lock"} in [set(each) for each in both] or all(len(each) == len(STEPS) for each in both)
    assert not any(each.failed for done in both for each in done.values())
    assert await one(yard.engine, "SELECT count(*) FROM bodies") == 0
    assert await one(yard.engine, "SELECT count(*) FROM evidence") == 20


async def test_what_was_taken_out_but_not_dropped_is_dropped_by_the_next_run(yard):
    async with yard.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE bodies_2020_01_gone (x int)"))
        await connection.execute(text("CREATE TABLE bodies_of_somebody_gone (x int)"))
    await run(yard)
    left = await rows(yard.engine, "SELECT relname FROM pg_class WHERE relname ~ '_gone$'")
    assert [each.relname for each in left] == ["bodies_of_somebody_gone"]


async def strand(yard, *intents):
    """Accept while this month has no partition: everything of it lies in the rest."""
    today = await one(yard.engine, "SELECT current_date")
    async with yard.engine.begin() as connection:
        for table in PARTITIONED:
            await connection.execute(text(f"DROP TABLE {Month.of(today).of_table(table)}"))
    await accept(yard, *intents)
    return Month.of(today)


async def test_rows_of_the_rest_are_moved_to_their_month_while_others_are_written(yard):
    intents = [application() for _ in range(60)]
    month = await strand(yard, *intents)
    assert await one(yard.engine, "SELECT count(*) FROM messages_rest") == 60
    late = [application() for _ in range(40)]
    storing = asyncio.create_task(accept(yard, *late))
    rest_step = rest.STEP
    try:
        rest.STEP = 7
        for _ in range(20):
            done = await run(yard, only="rest")
            if "0 行移入" in done["rest"].text and not done["rest"].unfinished and storing.done():
                break
    finally:
        rest.STEP = rest_step
    assert all(each.stored == "stored" for each in await storing)
    await run(yard)
    for table in PARTITIONED:
        assert await one(yard.engine, f"SELECT count(*) FROM {table}_rest") == 0, table
    assert await one(yard.engine, f"SELECT count(*) FROM {month.of_table('messages')}") == 100
    assert await bodies_of(yard, *intents, *late) == {each.message_id for each in (*intents, *late)}
    assert await one(yard.engine, "SELECT count(*) FROM messages") == 100
    await deliver(yard)
    assert await one(yard.engine, "SELECT count(*) FROM deliveries WHERE state <> 'sending'") == 0


async def test_a_row_changed_after_it_was_copied_arrives_as_it_is_now(yard, monkeypatch):
    first = application()
    month = await strand(yard, first)
    real = rest._catch_up
    changed = []

    async def changes_first(connection, table, which):
        if table == "messages" and not changed:
            changed.append(1)
            async with yard.engine.begin() as other:
                await other.execute(text("UPDATE messages SET outcome = 'changed'"))
        await real(connection, table, which)

    monkeypatch.setattr(rest, "_catch_up", changes_first)
    await run(yard, only="rest")
    assert changed
    assert await one(yard.engine, f"SELECT outcome FROM {month.of_table('messages')}") == "changed"


async def test_strange_ids_stay_in_the_rest_and_are_seen_by_the_gauge(yard):
    odd = UUID("f0000000-0000-4000-8000-000000000001")
    async with yard.engine.begin() as connection:
        await connection.execute(text("INSERT INTO bodies (message_id) VALUES (:id)"), {"id": odd})
    await strand(yard, application())
    done = await run(yard)
    assert not done["rest"].failed
    assert await one(yard.engine, "SELECT message_id FROM bodies_rest") == odd
    async with engines.single(yard.engine) as connection:
        seen = await growth.look(connection, dict.fromkeys(PARTITIONED, 36), timedelta(days=400), NOW)
    assert seen.rest_rows == {"messages": 0, "bodies": 1, "events": 0, "attempts": 0}


async def test_the_gauges_tell_what_is_overdue_and_how_far_ahead_months_are(yard):
    await accept(yard, application())
    await deliver(yard)
    later = await long_after(yard)

    async def seen():
        await run(yard, later, only="gauges")
        families = {family.name: family for family in metrics.REGISTRY.collect()}
        return {
            (name, *sample.labels.values()): sample.value
            for name, family in families.items()
            for sample in family.samples
        }

    before = await seen()
    assert before["tongban_retention_overdue_seconds", "bodies"] > 86_400
    assert before["tongban_oldest_body_timestamp_seconds",] > 1.7e9
    assert before["tongban_partitions_until_timestamp_seconds", "bodies"] < later.timestamp()
    await run(yard, later)
    after = await seen()
    assert after["tongban_retention_overdue_seconds", "bodies"] == 0
    assert after["tongban_oldest_body_timestamp_seconds",] == 0
    assert after["tongban_partitions_until_timestamp_seconds", "bodies"] > later.timestamp() + 86_400 * 80
    assert after["tongban_default_partition_rows", "events"] == 0


async def test_connections_killed_again_and_again_lose_no_row_and_no_digest(yard):
    intents = [application() for _ in range(250)]
    await accept(yard, *intents)
    while await one(yard.engine, "SELECT count(*) FROM deliveries"):
        await deliver(yard)
    later = await long_after(yard)
    kills = 0

    async def kill(after_s):
        await asyncio.sleep(after_s)
        query = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name = 'tongban-maintenance' AND datname = current_database()"
        )
        return await one(yard.engine, query)

    async def survive():
        try:
            return await run(yard, later, only="retention")
        except (DBAPIError, OSError):
            return {}

    for turn in range(14):
        _, killed = await asyncio.gather(survive(), kill(0.02 + turn * 0.02))
        kills += killed
        lost = await one(
            yard.engine,
            "SELECT count(*) FROM messages m WHERE NOT EXISTS (SELECT FROM bodies b WHERE b.message_id = m.id)"
            " AND NOT EXISTS (SELECT FROM evidence e WHERE e.message_id = m.id)",
        )
        assert lost == 0
    assert kills >= 3
    done = await run(yard, later)
    assert not any(each.failed or each.unfinished for each in done.values()), done
    assert await one(yard.engine, "SELECT count(*) FROM bodies") == 0
    assert await one(yard.engine, "SELECT count(*) FROM evidence") == len(intents)
    assert await rows(yard.engine, "SELECT relname FROM pg_class WHERE relname ~ '_(kept|gone|new)$'") == []


async def test_a_ring_for_maintenance_runs_it_and_a_sweep_folds_the_counters(rt):
    rounds = Rounds(rt, frozenset(), asyncio.Event())
    metrics.LAST_MAINTENANCE.set(0)
    first = rounds.maintain()
    assert rounds.maintain() is first
    await first
    (family,) = metrics.LAST_MAINTENANCE.collect()
    assert family.samples[0].value > 1.7e9
    await one(
        rt.engine,
        "INSERT INTO tally_deltas (at, measure, origin, destination, item, kind, n)"
        " VALUES (now(), 'accepted', 'a', 'b', 'c', 'd', 3) RETURNING n",
    )
    await rounds.sweep()
    assert await one(rt.engine, "SELECT sum(n) FROM tallies WHERE width = 'minute'") == 3
    await rounds.finish()
