"""A side that cannot be reached is left alone for a while."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.transport.breaker import Breaker


def folded(told, *, now=0.0):
    breaker = Breaker(rest_s=1)
    for reached in told:
        breaker = breaker.after(reached=reached, now=now)
    return breaker


def test_it_opens_at_five_failures_in_a_row():
    assert not folded([True] + [False] * 4).is_open
    assert folded([True] + [False] * 5).is_open


def test_it_opens_when_half_of_twenty_failed():
    assert not folded([True, False] * 9).is_open
    assert folded([True, False] * 10).is_open


def test_answers_keep_it_closed():
    breaker = folded([True] * 100)
    assert breaker.places(7, flying=50, now=0) == 7


def test_while_open_it_sends_one_probe_when_rested_and_none_beside_it():
    breaker = folded([False] * 5, now=10)
    assert breaker.places(7, flying=0, now=10.9) == 0
    assert breaker.places(7, flying=0, now=11) == 1
    assert breaker.places(7, flying=1, now=11) == 0
    assert breaker.places(0, flying=0, now=11) == 0


def test_a_failed_probe_rests_it_again_and_an_answer_closes_it():
    breaker = folded([False] * 5, now=10).after(reached=False, now=11)
    assert breaker.places(7, flying=0, now=11.5) == 0
    closed = breaker.after(reached=True, now=12)
    assert closed.places(7, flying=0, now=12) == 7
    assert not closed.after(reached=False, now=12).is_open


@given(st.lists(st.booleans()))
def test_an_answer_always_ends_an_open_breaker(told):
    breaker = folded([*told, False, False, False, False, False])
    assert breaker.is_open
    assert not breaker.after(reached=True, now=0).is_open


def test_when_another_worker_has_the_turn_it_rests_again():
    breaker = folded([False] * 5, now=10).resting(now=11)
    assert breaker.is_open
    assert breaker.places(7, flying=0, now=11.9) == 0
    assert breaker.places(7, flying=0, now=12) == 1
