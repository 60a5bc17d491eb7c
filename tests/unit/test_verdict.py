"""The table of gateway §5, row by row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import PeerFailure
from gateway.exchange.verdict import Schedule, decide
from gateway.region import Reply, Taken
from gateway.store.records import Ending

WAITS = (5, 30, 120, 600, 1800, 3600, 7200, 14400)
DAYS_3 = 3 * 24 * 3600


def after(answer, *, attempt=1, elapsed_s=0.0, schedule=None, jitter=0.0):
    return decide(
        answer, attempt=attempt, elapsed_s=elapsed_s, schedule=schedule or Schedule(), jitter=jitter
    )


def failed(retry_after=None):
    return PeerFailure("status", "HTTP 503", http_status=503, retry_after=retry_after)


def test_a_readable_yes_is_delivered():
    assert after(Reply(Taken.DELIVERED, "1", "")).ending is Ending.DELIVERED


def test_a_refusal_is_final_and_keeps_the_other_sides_words():
    verdict = after(Reply(Taken.REFUSED, "-1", "9044 无此办件"))
    assert (verdict.ending, verdict.code, verdict.text) == (Ending.REFUSED, "-1", "9044 无此办件")


def test_an_unreadable_reply_never_arrives_here():
    with pytest.raises(ValueError, match="PeerFailure"):
        after(Reply(Taken.UNREADABLE))


@pytest.mark.parametrize("cause", ["connect", "timeout", "status", "redirect", "unreadable"])
def test_every_failure_of_the_call_is_tried_again(cause):
    verdict = after(PeerFailure(cause, "because"))
    assert (verdict.ending, verdict.due_in_s, verdict.code) == (Ending.RETRY, 5, cause)


@pytest.mark.parametrize(("attempt", "wait"), list(enumerate(WAITS, start=1)))
def test_the_waits_are_those_of_the_specification(attempt, wait):
    assert after(failed(), attempt=attempt).due_in_s == wait


def test_the_last_wait_repeats():
    assert after(failed(), attempt=20, elapsed_s=DAYS_3 / 2).due_in_s == 14400


@given(st.integers(1, 30), st.floats(-1, 1))
def test_jitter_moves_a_wait_by_a_fifth_at_most(attempt, jitter):
    plain = after(failed(), attempt=attempt).due_in_s
    moved = after(failed(), attempt=attempt, jitter=jitter).due_in_s
    assert plain * 0.8 - 1e-6 <= moved <= plain * 1.2 + 1e-6


def test_jitter_reaches_both_ends():
    assert after(failed(), jitter=-1).due_in_s == pytest.approx(4)
    assert after(failed(), jitter=1).due_in_s == pytest.approx(6)


@pytest.mark.parametrize(
    ("asked", "granted"),
    [(None, 5), (0, 5), (4, 5), (6, 6), (900, 900), (14400, 14400), (14401, 14400), (1e12, 14400)],
)
def test_retry_after_is_honoured_when_longer_and_up_to_four_hours(asked, granted):
    assert after(failed(asked)).due_in_s == granted


def test_nothing_is_planned_beyond_three_days_after_the_first_attempt():
    assert after(failed(), attempt=20, elapsed_s=DAYS_3 - 14400).ending is Ending.RETRY
    dead = after(failed(), attempt=20, elapsed_s=DAYS_3 - 14399)
    assert (dead.ending, dead.due_in_s, dead.code) == (Ending.DEAD, 0, "status")


@given(st.integers(1, 50), st.floats(0, 1e7), st.floats(0, 1e7), st.floats(-1, 1))
def test_every_failure_ends_in_a_later_attempt_or_a_dead_letter(attempt, elapsed_s, asked, jitter):
    verdict = after(failed(asked), attempt=attempt, elapsed_s=elapsed_s, jitter=jitter)
    if verdict.ending is Ending.RETRY:
        assert verdict.due_in_s > 0
        assert elapsed_s + verdict.due_in_s <= DAYS_3
    else:
        assert verdict.ending is Ending.DEAD


def test_a_configured_schedule_is_followed():
    quick = Schedule((0.1, 0.2), give_up_s=1)
    waits = [after(failed(), attempt=n, schedule=quick).due_in_s for n in (1, 2, 3)]
    assert waits == [0.1, 0.2, 0.2]
    assert after(failed(), attempt=4, elapsed_s=0.9, schedule=quick).ending is Ending.DEAD
