"""What several processes count together in Redis: messages of a side, and who sweeps."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from gateway.transport.bell import Bell
from gateway.transport.quota import Quota

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOBODY = "redis://127.0.0.1:9/0"


@pytest.fixture
async def quotas(redis_server):
    made = []

    def make(per_minute, url=redis_server.url):
        made.append(Quota(per_minute, url))
        return made[-1]

    yield make
    for quota in made:
        await quota.close()


async def test_without_a_limit_nobody_is_asked(quotas):
    quota = quotas(None, NOBODY)
    assert [await quota.allow("free", NOON) for _ in range(100)] == [None] * 100


async def test_two_doors_together_let_in_what_was_agreed(quotas):
    doors = [quotas(120), quotas(120)]
    began = time.monotonic()
    answers = [await doors[n % 2].allow("both", NOON) for n in range(400)]
    let_in = answers.count(None)
    gained = 2 * (time.monotonic() - began)
    # What one door took in a lot and has not used, the other lacks: less may come in, never more.
    assert 120 - 4 <= let_in <= 120 + gained + 1
    assert all(1 <= wait <= 60 for wait in answers if wait is not None)


async def test_many_at_once_are_counted_once_each(quotas):
    doors = [quotas(60), quotas(60)]
    answers = await asyncio.gather(*(doors[n % 2].allow("crowd", NOON) for n in range(200)))
    assert 55 <= answers.count(None) <= 62


async def test_a_door_with_few_callers_keeps_nothing_from_the_others(quotas):
    doors = [quotas(600) for _ in range(8)]
    began = time.monotonic()
    for door in doors:
        assert await door.allow("few", NOON) is None
    answers = await asyncio.gather(*(doors[0].allow("few", NOON) for _ in range(700)))
    gained = 10 * (time.monotonic() - began)
    assert 600 - 8 <= answers.count(None) <= 600 - 8 + gained + 1


async def test_one_side_does_not_use_up_the_others_share(quotas):
    quota = quotas(1)
    assert await quota.allow("left", NOON) is None
    assert await quota.allow("right", NOON) is None
    assert 55 <= await quota.allow("left", NOON) <= 60


async def test_without_redis_each_door_counts_alone_and_does_not_wait_for_it_each_time(quotas):
    quota, now = quotas(3, NOBODY), NOON
    began = time.monotonic()
    assert [await quota.allow("alone", now) for _ in range(3)] == [None] * 3
    assert await quota.allow("alone", now) == 20
    assert await quota.allow("alone", now + timedelta(seconds=20)) is None
    assert time.monotonic() - began < 1


async def test_of_many_workers_one_sweeps_and_each_while_redis_is_away(redis_server):
    bells = [Bell(redis_server.url), Bell(redis_server.url)]
    assert sorted([await bell.first("x", 1) for bell in bells]) == [False, True]
    await asyncio.sleep(1.1)
    assert await bells[1].first("x", 1)
    lonely = Bell(NOBODY)
    assert [await lonely.first("x", 5), await lonely.first("x", 5)] == [True, True]
    for bell in (*bells, lonely):
        await bell.close()
