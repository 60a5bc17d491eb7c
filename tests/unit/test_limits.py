"""The rate limit of a side: as many as agreed, then a wait that is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.limits import Limiter

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_without_a_limit_everything_comes_in():
    limiter = Limiter(None)
    assert [limiter.allow("north", NOON) for _ in range(1000)] == [None] * 1000


def test_the_one_too_many_is_told_when_to_come_back():
    limiter = Limiter(6)
    assert [limiter.allow("north", NOON) for _ in range(6)] == [None] * 6
    assert limiter.allow("north", NOON) == 10
    assert limiter.allow("north", NOON + timedelta(seconds=9)) == 1
    assert limiter.allow("north", NOON + timedelta(seconds=10)) is None


def test_one_side_does_not_use_up_the_others_share():
    limiter = Limiter(1)
    assert limiter.allow("north", NOON) is None
    assert limiter.allow("south", NOON) is None
    assert limiter.allow("north", NOON) == 60


@given(st.integers(1, 100), st.lists(st.floats(0, 30), max_size=60))
def test_no_minute_lets_in_more_than_twice_the_limit(per_minute, pauses):
    limiter, now, taken = Limiter(per_minute), NOON, []
    for pause in pauses:
        now += timedelta(seconds=pause)
        if limiter.allow("north", now) is None:
            taken.append(now)
    for first in taken:
        assert sum(first <= at < first + timedelta(minutes=1) for at in taken) <= 2 * per_minute


def test_a_clock_that_goes_back_grants_nothing():
    limiter = Limiter(1)
    assert limiter.allow("north", NOON) is None
    assert limiter.allow("north", NOON - timedelta(hours=1)) is not None
