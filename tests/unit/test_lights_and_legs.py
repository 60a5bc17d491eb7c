"""Amber, red, and the legs of a transfer."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.canonical.kinds import Kind, State
from gateway.canonical.legs import Leg, leg_clocks
from gateway.canonical.tracking import CaseEvent, Clock, EventKind, Suspension, TimeLimit, TrackedCase
from gateway.canonical.worktime import Light, due, light
from gateway.mapping.load import work_calendar

CALENDAR = work_calendar(2026)
FIVE, TEN = TimeLimit(5, "工作日"), TimeLimit(10, "工作日")


def shown(clock, limit, today):
    return light(clock, limit, CALENDAR, today=date.fromisoformat(today))


@pytest.mark.parametrize(
    ("limit", "today", "expected"),
    [
        (FIVE, "2026-11-23", "green"),
        (FIVE, "2026-11-26", "green"),
        (FIVE, "2026-11-27", "amber"),  # 4 of 5 used, 1 left
        (FIVE, "2026-11-29", "amber"),
        (FIVE, "2026-11-30", "amber"),  # until 24:00 of the last day
        (FIVE, "2026-12-01", "red"),
        (TEN, "2026-12-02", "green"),
        (TEN, "2026-12-03", "amber"),  # 8 of 10
        (TEN, "2026-12-08", "red"),
        (TimeLimit(1, "工作日"), "2026-11-23", "amber"),
        (TimeLimit(3, "工作日"), "2026-11-24", "green"),
        (TimeLimit(3, "工作日"), "2026-11-25", "amber"),  # 1 working day left
        (TimeLimit(10, "日"), "2026-11-30", "green"),
        (TimeLimit(10, "日"), "2026-12-01", "amber"),  # 8 of 10 days
        (TimeLimit(10, "日"), "2026-12-04", "red"),
        (TimeLimit(1, "月"), "2026-12-16", "green"),
        (TimeLimit(1, "月"), "2026-12-17", "amber"),  # 24 of 30 days
    ],
)
def test_amber_is_eighty_percent_or_one_working_day_left_and_red_is_overdue(limit, today, expected):
    assert shown(Clock(date(2026, 11, 23)), limit, today) == expected


@pytest.mark.parametrize(
    ("clock", "limit"),
    [
        (Clock(), FIVE),
        (Clock(date(2026, 11, 23)), None),
        (Clock(date(2026, 11, 23)), TimeLimit(0, "工作日")),
        (Clock(date(2026, 11, 23), stopped=True), FIVE),
    ],
)
def test_without_a_running_clock_there_is_no_light(clock, limit):
    assert shown(clock, limit, "2027-06-01") is None


def test_a_suspended_case_keeps_the_light_it_stopped_at():
    early = Clock(date(2026, 11, 23), (Suspension(date(2026, 11, 24)),))
    late = Clock(date(2026, 11, 23), (Suspension(date(2026, 11, 27)),))
    over = Clock(date(2026, 11, 23), (Suspension(date(2026, 12, 8)),))
    lights = [shown(clock, FIVE, "2026-12-31") for clock in (early, late, over)]
    assert lights == ["green", "amber", "red"]
    assert shown(early, FIVE, "2026-11-23") == "green"


def test_after_the_supply_the_light_counts_the_days_that_ran():
    clock = Clock(date(2026, 9, 21), (Suspension(date(2026, 9, 23), date(2026, 10, 9)),))
    days = {"2026-10-09": "green", "2026-10-10": "green", "2026-10-12": "amber", "2026-10-14": "red"}
    assert {day: shown(clock, FIVE, day) for day in days} == days


@given(
    st.dates(date(2025, 1, 1), date(2026, 6, 1)),
    st.integers(1, 60),
    st.sampled_from(["工作日", "日", "月"]).filter(bool),
    st.integers(0, 120),
)
def test_a_light_never_goes_back_and_is_red_exactly_after_the_due_date(start, value, unit, after):
    limit = TimeLimit(min(value, 3) if unit == "月" else value, unit)
    clock, today = Clock(start), start + timedelta(days=after)
    order = [Light.GREEN, Light.AMBER, Light.RED]
    now = light(clock, limit, CALENDAR, today=today)
    later = light(clock, limit, CALENDAR, today=today + timedelta(days=1))
    assert order.index(now) <= order.index(later)
    assert (now is Light.RED) == (today > due(clock, limit, CALENDAR).due_on)


# --- legs ---

LEGS = (
    Leg(1, "受理", "new", "accepted", TimeLimit(1, "工作日")),
    Leg(2, "信息表", "old", "forwarded", TimeLimit(2, "工作日")),
    Leg(3, "合并", "new", "sheet", TimeLimit(2, "工作日")),
)


def case(clock):
    return TrackedCase(
        id=UUID(int=1),
        case_no="CYTB5101042026112300000017",
        kind=Kind.TRANSFER_APPLY,
        origin="a",
        target="b",
        origin_case_no="1",
        received_at=datetime(2026, 11, 23, tzinfo=UTC),
        old_region="b",
        limit=FIVE,
        clock=clock,
    )


def event(day, kind, to_state):
    return CaseEvent(datetime(2026, 11, day, 4, tzinfo=UTC), kind, None, to_state, "x")


def legs(events, *, today="2026-11-24", clock=None):
    held = clock or Clock(date(2026, 11, 23))
    return leg_clocks(case(held), events, LEGS, calendar=CALENDAR, today=date.fromisoformat(today))


FORWARDED = event(24, EventKind.DELIVERY, State.FORWARDED)
SHEET = event(25, EventKind.SHEET, State.IN_REVIEW)
DONE = event(27, EventKind.STATUS, State.CONCLUDED)


def spans(found):
    return [
        (each.started_on and each.started_on.day, each.ended_on and each.ended_on.day, each.due.due_on)
        for each in found
    ]


def test_a_leg_starts_where_the_one_before_it_ends_with_its_own_limit():
    found = legs([FORWARDED, SHEET, DONE])
    assert [each.region for each in found] == ["a", "b", "a"]
    assert spans(found) == [
        (23, 24, date(2026, 11, 24)),
        (24, 25, date(2026, 11, 26)),
        (25, 27, date(2026, 11, 27)),
    ]
    assert [each.light for each in found] == [None, None, None]


def test_only_the_leg_that_runs_has_a_light():
    found = legs([FORWARDED], today="2026-11-27")
    assert [each.light for each in found] == [None, Light.RED, None]
    assert spans(found)[2] == (None, None, None)


def test_before_acceptance_no_leg_runs():
    assert spans(legs([FORWARDED], clock=Clock())) == [(None, None, None)] * 3


def test_a_case_its_target_accepts_later_starts_its_legs_with_the_clock():
    found = legs([FORWARDED, SHEET], clock=Clock(date(2026, 11, 25)))
    assert [each.started_on for each in found] == [date(2026, 11, 25)] * 3


def test_a_sheet_without_a_known_delivery_ends_both_legs_before_it():
    assert spans(legs([SHEET]))[0][:2] == (23, 25)
    assert spans(legs([SHEET]))[1][:2] == (25, 25)


def test_a_decision_ends_the_leg_that_runs_and_starts_no_other():
    found = legs([FORWARDED, event(26, EventKind.STATUS, State.DECLINED)])
    assert [each[:2] for each in spans(found)] == [(23, 24), (24, 26), (None, None)]
    assert [each.light for each in found] == [None, None, None]


def test_days_that_stood_still_count_for_no_leg():
    clock = Clock(date(2026, 11, 23), (Suspension(date(2026, 11, 25), date(2026, 11, 27)),))
    found = legs([FORWARDED], clock=clock)
    assert found[1].due.due_on == date(2026, 11, 30)


def test_a_suspension_after_a_leg_ended_is_not_its_own():
    clock = Clock(date(2026, 11, 23), (Suspension(date(2026, 11, 26)),))
    found = legs([FORWARDED, SHEET], clock=clock)
    assert spans(found)[1] == (24, 25, date(2026, 11, 26))
    assert found[2].due.remaining == TimeLimit(1, "工作日")
