"""What a stand-in does with a case keeps to who owns it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Facts, Paper
from gateway.conformance import script
from gateway.conformance.script import Habits

CASES = st.builds(
    Facts,
    kind=st.sampled_from(
        [Kind.TRANSFER_APPLY, Kind.UNEMPLOYMENT_CLAIM, Kind.CERTIFICATION_NOTICE, Kind.GENERAL_APPLY]
    ),
    case_ref=st.just("1"),
    division=st.just("500103"),
    origin=st.just(False),
    old_place=st.booleans(),
    origin_concludes=st.booleans(),
    papers=st.sampled_from([(), (Paper("1", "x"),)]),
)
HABITS = st.builds(Habits, st.just(1.0), *[st.floats(0, 1)] * 8)
INFORMATION = {Kind.TRANSFER_SHEET, Kind.UNEMPLOYMENT_ANSWER}


@given(CASES, st.integers(), HABITS)
def test_a_target_says_nothing_after_the_case_became_the_origins(facts, seed, habits):
    turns = [step.turn for step in script.as_target(facts, Random(seed), habits)]
    told = [turn.kind in INFORMATION for turn in turns]
    if facts.origin_concludes and any(told):
        assert told.index(True) == len(told) - 1
    assert told.count(True) <= 1


@given(CASES, st.integers(), HABITS)
def test_after_an_end_a_target_only_serves_and_it_says_why_when_it_must(facts, seed, habits):
    turns = [step.turn for step in script.as_target(facts, Random(seed), habits)]
    ends = [turn.state for turn in turns if turn.state in script.FINAL]
    assert [turn.state for turn in turns if turn.state][-len(ends) :] == ends or not ends
    assert ends in ([], [State.DECLINED], [State.SERVED]) or (
        ends[0] in {State.CONCLUDED, State.RETURNED} and ends[1:] in ([], [State.SERVED])
    )
    needing = {State.CORRECTION, State.DECLINED, State.SUSPENDED_CORRECTION, State.RETURNED}
    assert all(turn.reason for turn in turns if turn.state in needing)


@given(CASES, st.integers(), HABITS)
def test_a_target_asks_for_materials_only_where_there_are_any_and_then_waits(facts, seed, habits):
    steps = script.as_target(facts, Random(seed), habits)
    asked = [n for n, step in enumerate(steps) if step.turn.state in script.ASKED]
    waiting = [n for n, step in enumerate(steps) if step.awaits]
    assert len(asked) <= bool(facts.papers)
    assert waiting in ([], [n + 1 for n in asked])
    assert all(step.awaits in {None, Kind.MATERIAL_SUPPLEMENT} for step in steps)


@given(CASES, st.integers(), HABITS)
def test_a_stray_report_repeats_the_one_before_it(facts, seed, habits):
    turns = [step.turn for step in script.as_target(facts, Random(seed), habits)]
    strays = [n for n, (before, after) in enumerate(pairwise(turns), 1) if replace(after, late_s=0) == before]
    assert {n for n, turn in enumerate(turns) if turn.late_s} <= set(strays)
    assert len(strays) <= 1


def test_a_certification_is_served_or_left_alone():
    facts = Facts(Kind.CERTIFICATION_NOTICE, "1", "500103", origin=False)
    served = script.as_target(facts, Random(1), replace(script.PLAIN, serve_rate=1))
    assert [step.turn.state for step in served] == [State.SERVED]
    assert script.as_target(facts, Random(1), replace(script.PLAIN, serve_rate=0)) == []


def test_who_must_ask_asks_before_it_accepts():
    facts = Facts(Kind.GENERAL_APPLY, "1", "500103", origin=False, papers=(Paper("1", "x"),))
    for seed in range(20):
        steps = script.as_target(facts, Random(seed), script.PLAIN, must_correct=True)
        assert [step.turn.state for step in steps][:2] == [State.CORRECTION, State.ACCEPTED]


def test_who_asks_by_habit_asks_before_it_accepts_or_in_the_review():
    facts = Facts(Kind.GENERAL_APPLY, "1", "500103", origin=False, papers=(Paper("1", "x"),))
    habits = replace(script.PLAIN, correct_rate=1)
    asked = {
        step.turn.state
        for seed in range(20)
        for step in script.as_target(facts, Random(seed), habits)
        if step.turn.state in script.ASKED
    }
    assert asked == script.ASKED


@pytest.mark.parametrize("asked", sorted(script.ASKED))
@pytest.mark.parametrize(("rate", "kind"), [(0, Kind.MATERIAL_SUPPLEMENT), (1, Kind.CASE_WITHDRAW)])
def test_an_origin_that_is_asked_for_materials_supplies_them_or_withdraws(asked, rate, kind):
    facts = Facts(Kind.GENERAL_APPLY, "1", "500103", origin=True)
    habits = Habits(withdraw_rate=rate)
    assert [
        step.turn.kind for step in script.on_hearing(facts, Kind.STATUS_REPORT, asked, Random(1), habits)
    ] == [kind]
    target = replace(facts, origin=False)
    assert script.on_hearing(target, Kind.STATUS_REPORT, asked, Random(1), habits) == []


def test_an_origin_rates_what_was_served():
    facts = Facts(Kind.GENERAL_APPLY, "1", "500103", origin=True)
    for rate, kinds in ((0, []), (1, [Kind.CASE_RATING])):
        steps = script.on_hearing(
            facts, Kind.STATUS_REPORT, State.SERVED, Random(1), Habits(rating_rate=rate)
        )
        assert [step.turn.kind for step in steps] == kinds


@pytest.mark.parametrize(
    ("kind", "reported", "held", "after"),
    [
        (Kind.STATUS_REPORT, State.CONCLUDED, State.IN_REVIEW, State.CONCLUDED),
        (Kind.TRANSFER_SHEET, None, State.ACCEPTED, State.IN_REVIEW),
        (Kind.UNEMPLOYMENT_ANSWER, None, State.ACCEPTED, State.IN_REVIEW),
        (Kind.MATERIAL_SUPPLEMENT, None, State.CORRECTION, State.RECEIVED),
        (Kind.MATERIAL_SUPPLEMENT, None, State.SUSPENDED_CORRECTION, State.IN_REVIEW),
        (Kind.CASE_WITHDRAW, None, State.CORRECTION, State.WITHDRAWN),
        (Kind.CASE_RATING, None, State.SERVED, State.RATED),
    ],
)
def test_a_side_knows_what_a_message_makes_of_its_case(kind, reported, held, after):
    assert script.became(kind, reported, held) is after


@pytest.mark.parametrize(
    ("origin", "old_place", "heard", "state", "said"),
    [
        # the new place is the origin: it hears the sheet and merges
        (True, False, Kind.TRANSFER_SHEET, None, (Kind.STATUS_REPORT, State.CONCLUDED)),
        (True, False, Kind.STATUS_REPORT, State.ACCEPTED, None),
        # the old place is the origin: accepted, it sends the sheet, and the target merges
        (True, True, Kind.STATUS_REPORT, State.ACCEPTED, (Kind.TRANSFER_SHEET, None)),
        (True, True, Kind.STATUS_REPORT, State.DECLINED, None),
        (True, True, Kind.STATUS_REPORT, State.CONCLUDED, None),
        (False, False, Kind.TRANSFER_SHEET, None, (Kind.STATUS_REPORT, State.CONCLUDED)),
        (False, True, Kind.STATUS_REPORT, State.CONCLUDED, None),
    ],
)
def test_a_transfer_is_ended_by_the_new_place_once_the_record_has_moved(
    origin, old_place, heard, state, said
):
    facts = Facts(
        Kind.TRANSFER_APPLY, "1", "500103", origin, old_place=old_place, origin_concludes=origin != old_place
    )
    steps = script.on_hearing(facts, heard, state, Random(2), script.PLAIN)
    turns = [(step.turn.kind, step.turn.state) for step in steps]
    leg = (Kind.STATUS_REPORT, State.IN_REVIEW)
    assert [turn for turn in turns if turn != leg][:1] == ([said] if said else [])


def test_the_household_place_ends_its_claim_and_the_insured_place_its_own():
    household = Facts(Kind.UNEMPLOYMENT_CLAIM, "1", "500103", origin=True, origin_concludes=True)
    insured = Facts(Kind.UNEMPLOYMENT_CLAIM, "1", "500103", origin=True)
    answered = Kind.UNEMPLOYMENT_ANSWER
    assert script.on_hearing(household, answered, None, Random(1), Habits())
    assert script.on_hearing(insured, answered, None, Random(1), Habits()) == []
