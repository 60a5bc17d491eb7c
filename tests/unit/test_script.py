"""What a stand-in does with a case keeps to who owns it."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Facts
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
)
HABITS = st.builds(Habits, st.just(1.0), *[st.floats(0, 1)] * 3)
INFORMATION = {Kind.TRANSFER_SHEET, Kind.UNEMPLOYMENT_ANSWER}


@given(CASES, st.integers(), HABITS)
def test_a_target_says_nothing_after_the_case_became_the_origins(facts, seed, habits):
    turns = [step.turn for step in script.as_target(facts, Random(seed), habits)]
    told = [turn.kind in INFORMATION for turn in turns]
    if facts.origin_concludes and any(told):
        assert told.index(True) == len(told) - 1
    assert told.count(True) <= 1


@given(CASES, st.integers(), HABITS)
def test_an_end_is_the_last_word_and_has_a_reason_when_it_needs_one(facts, seed, habits):
    turns = [step.turn for step in script.as_target(facts, Random(seed), habits)]
    assert not any(turn.state in script.FINAL for turn in turns[:-1])
    needing = {State.DECLINED, State.RETURNED}
    assert all(turn.reason for turn in turns if turn.state in needing)


def test_a_certification_needs_no_report():
    facts = Facts(Kind.CERTIFICATION_NOTICE, "1", "500103", origin=False)
    assert script.as_target(facts, Random(1), Habits()) == []


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
    steps = script.on_hearing(facts, heard, state, Random(1), Habits(return_rate=0))
    assert [(step.turn.kind, step.turn.state) for step in steps] == ([said] if said else [])


def test_the_household_place_ends_its_claim_and_the_insured_place_its_own():
    household = Facts(Kind.UNEMPLOYMENT_CLAIM, "1", "500103", origin=True, origin_concludes=True)
    insured = Facts(Kind.UNEMPLOYMENT_CLAIM, "1", "500103", origin=True)
    answered = Kind.UNEMPLOYMENT_ANSWER
    assert script.on_hearing(household, answered, None, Random(1), Habits())
    assert script.on_hearing(insured, answered, None, Random(1), Habits()) == []
