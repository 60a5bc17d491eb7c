"""The rows of workers: written on the database's clock, read by whoever asks, forgotten in time."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from gateway.store.engine import single
from gateway.store.workers import ALIVE_S, Beat, Workers, beat_ago

ME = Beat("host:1", 12.5, ("north", "south"), "1", {"north": {"flying": 3}}, 0.01, heard_ago_s=2.0)


@pytest.fixture
async def workers(engine):
    async with single(engine) as connection:
        await connection.execute(text("DELETE FROM workers"))
    return Workers(engine)


async def aged(engine, seconds):
    async with single(engine) as connection:
        await connection.execute(text(f"UPDATE workers SET beat_at = beat_at - interval '{seconds} seconds'"))


async def test_a_beat_is_read_back_with_its_age(workers):
    await workers.beat(ME)
    [worker] = await workers.all()
    assert worker.alive
    assert worker.beat_ago_s < 5
    assert (worker.last.name, worker.last.serves, worker.last.lanes) == (ME.name, ME.serves, ME.lanes)
    assert worker.last.age_s == pytest.approx(12.5, abs=0.1)
    assert worker.last.heard_ago_s == pytest.approx(2.0, abs=2)


async def test_a_worker_that_never_heard_says_so_and_has_one_row_however_often_it_beats(workers):
    for _ in range(3):
        await workers.beat(Beat("host:2", 1.0, ("north",), "1"))
    [worker] = await workers.all()
    assert worker.last.heard_ago_s is None


async def test_one_that_is_silent_is_dead_and_forgotten_after_an_hour(workers, engine):
    await workers.beat(ME)
    await aged(engine, ALIVE_S + 1)
    [worker] = await workers.all()
    assert not worker.alive
    await workers.forget()
    assert len(await workers.all()) == 1
    await aged(engine, 3600)
    await workers.forget()
    assert await workers.all() == []


async def test_one_that_stops_in_order_leaves_no_row(workers, database_url):
    await workers.beat(ME)
    assert await beat_ago(database_url, ME.name) < 5
    await workers.leave(ME.name)
    assert await beat_ago(database_url, ME.name) is None
