"""A tracked case survives its row."""

from dataclasses import fields
from datetime import UTC, date, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from gateway.canonical.kinds import Kind, State
from gateway.canonical.tracking import Clock, LastReport, Suspension, TimeLimit, TrackedCase
from gateway.store.rows import FIXED, MOVING, case_of, columns

WORDS = st.text(max_size=12)
TIMES = st.datetimes(timezones=st.just(UTC))
DATES = st.dates()
LIMITS = st.builds(TimeLimit, st.integers(0, 999), st.sampled_from(["工作日", "日", "月"]))
CLOCKS = st.builds(
    Clock,
    started_on=st.none() | DATES,
    suspensions=st.lists(st.builds(Suspension, DATES, st.none() | DATES), max_size=3).map(tuple),
    stopped=st.booleans(),
)
FIELDS = {
    "id": st.uuids(),
    "kind": st.sampled_from(Kind),
    "state": st.sampled_from(State),
    "received_at": TIMES,
    "case_no": WORDS,
    "origin": WORDS,
    "target": WORDS,
    "origin_case_no": WORDS,
    "target_case_no": WORDS,
    "item": WORDS,
    "scheme": WORDS,
    "origin_division": WORDS,
    "target_division": WORDS,
    "accepted_at": st.none() | TIMES,
    "accepted_on": st.none() | DATES,
    "limit": st.none() | LIMITS,
    "legal_limit": st.none() | LIMITS,
    "remaining": st.none() | LIMITS,
    "old_region": WORDS,
    "old_division": WORDS,
    "claim_place": WORDS,
    "parked": st.booleans(),
    "accepted_by_origin": st.booleans(),
    "accepted_by_target": st.booleans(),
    "answered": st.booleans(),
    "rated": st.booleans(),
    "channel": WORDS,
    "collected": st.dictionaries(WORDS, WORDS, max_size=3),
    "last_report": st.dictionaries(WORDS, st.builds(LastReport, TIMES, WORDS), max_size=2),
    "clock": CLOCKS,
    "due_on": st.none() | DATES,
    "due_provisional": st.booleans(),
}
CASES = st.builds(TrackedCase, **FIELDS)


@given(CASES)
def test_every_field_of_a_case_comes_back_from_its_row(case):
    row = columns(case)
    assert set(row) == {*FIXED, *MOVING}
    assert case_of(row) == case


def test_no_field_of_a_case_is_left_out_of_these_tests():
    assert set(FIELDS) == {field.name for field in fields(TrackedCase)}


def test_a_plain_case_keeps_an_empty_rest():
    case = TrackedCase(
        id=UUID(int=1),
        case_no="CYTB5101042026112300000017",
        kind=Kind.TRANSFER_APPLY,
        origin="a",
        target="b",
        origin_case_no="1",
        received_at=datetime(2026, 11, 23, tzinfo=UTC),
        due_on=date(2026, 11, 30),
    )
    assert columns(case)["tracking"] == "{}"
