"""The legal clock."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.canonical.tracking import Clock, Suspension, TimeLimit
from gateway.canonical.worktime import WorkCalendar, add_months, due
from gateway.mapping.load import work_calendar

CALENDAR = work_calendar(2026)


def workdays(accepted: str, value: int, calendar: WorkCalendar = CALENDAR):
    return due(Clock(date.fromisoformat(accepted)), TimeLimit(value, "工作日"), calendar)


@pytest.mark.parametrize(
    ("accepted", "value", "expected"),
    [
        ("2026-02-13", 1, "2026-02-14"),
        ("2026-02-13", 5, "2026-02-27"),
        ("2026-02-13", 10, "2026-03-05"),
        ("2026-02-13", 15, "2026-03-12"),
        ("2026-02-13", 45, "2026-04-24"),
        ("2026-09-21", 1, "2026-09-22"),
        ("2026-09-21", 5, "2026-09-29"),
        ("2026-09-21", 10, "2026-10-12"),
        ("2026-09-21", 15, "2026-10-19"),
        ("2026-09-21", 45, "2026-11-30"),
        ("2026-09-30", 1, "2026-10-08"),
        ("2026-09-30", 5, "2026-10-13"),
        ("2026-09-30", 10, "2026-10-20"),
        ("2026-09-30", 15, "2026-10-27"),
        ("2026-09-30", 45, "2026-12-08"),
        ("2026-11-23", 1, "2026-11-24"),
        ("2026-11-23", 5, "2026-11-30"),
        ("2026-11-23", 10, "2026-12-07"),
        ("2026-11-23", 15, "2026-12-14"),
        ("2026-12-28", 1, "2026-12-29"),
    ],
)
def test_the_published_working_days_give_the_verified_dates(accepted, value, expected):
    """Domain reference §5.3."""
    found = workdays(accepted, value)
    assert found.due_on == date.fromisoformat(expected)
    assert not found.provisional


@pytest.mark.parametrize(("accepted", "value"), [("2026-11-23", 45), ("2026-12-28", 5), ("2026-12-28", 10)])
def test_a_date_in_an_unpublished_year_is_provisional_and_counts_monday_to_friday(accepted, value):
    found = workdays(accepted, value)
    assert found.provisional
    assert found.due_on is not None
    assert found.due_on.year == 2027
    assert found.due_on.weekday() < 5


def test_a_calendar_that_counts_as_unpublished_earlier_forgets_its_holidays():
    early = work_calendar(2025)
    found = workdays("2026-09-30", 1, early)
    assert (found.due_on, found.provisional) == (date(2026, 10, 1), True)


def test_suspended_days_do_not_count_but_the_notice_day_does():
    """The worked suspension of domain reference §5.3."""
    clock = Clock(date(2026, 9, 21), (Suspension(date(2026, 9, 23), date(2026, 10, 9)),))
    assert due(clock, TimeLimit(5, "工作日"), CALENDAR).due_on == date(2026, 10, 13)


def test_while_suspended_there_is_no_date_but_what_is_left():
    clock = Clock(date(2026, 9, 21), (Suspension(date(2026, 9, 23)),))
    found = due(clock, TimeLimit(5, "工作日"), CALENDAR)
    assert (found.due_on, found.remaining) == (None, TimeLimit(3, "工作日"))


def test_notice_and_supply_on_one_day_leave_the_day_counted():
    same = Clock(date(2026, 11, 23), (Suspension(date(2026, 11, 25), date(2026, 11, 25)),))
    assert due(same, TimeLimit(5, "工作日"), CALENDAR) == workdays("2026-11-23", 5)


def test_a_day_with_a_supply_and_a_new_notice_counts():
    spans = (
        Suspension(date(2026, 11, 24), date(2026, 11, 26)),
        Suspension(date(2026, 11, 26), date(2026, 11, 27)),
    )
    found = due(Clock(date(2026, 11, 23), spans), TimeLimit(5, "工作日"), CALENDAR)
    assert found.due_on == date(2026, 12, 2)


@pytest.mark.parametrize(
    ("accepted", "value", "expected", "provisional"),
    [
        ("2026-11-23", 10, "2026-12-03", False),
        ("2026-09-21", 10, "2026-10-08", False),
        ("2026-11-19", 10, "2026-11-30", False),
        ("2026-12-21", 10, "2026-12-31", False),
        ("2026-12-23", 10, "2027-01-04", True),
    ],
)
def test_calendar_days_end_on_the_next_working_day(accepted, value, expected, provisional):
    found = due(Clock(date.fromisoformat(accepted)), TimeLimit(value, "日"), CALENDAR)
    assert found.due_on == date.fromisoformat(expected)
    assert found.provisional is provisional


def test_months_end_on_the_same_day_clamped():
    assert due(Clock(date(2026, 1, 31)), TimeLimit(1, "月"), CALENDAR).due_on == date(2026, 2, 28)
    assert due(Clock(date(2026, 8, 31)), TimeLimit(6, "月"), CALENDAR).due_on == date(2027, 2, 28)


def test_months_are_suspended_in_days():
    open_span = Clock(date(2026, 1, 31), (Suspension(date(2026, 2, 10)),))
    assert due(open_span, TimeLimit(1, "月"), CALENDAR).remaining == TimeLimit(18, "日")
    closed = Clock(date(2026, 1, 31), (Suspension(date(2026, 2, 10), date(2026, 2, 12)),))
    assert due(closed, TimeLimit(1, "月"), CALENDAR).due_on == date(2026, 3, 2)


@pytest.mark.parametrize(
    ("clock", "limit"),
    [
        (Clock(), TimeLimit(5, "工作日")),
        (Clock(date(2026, 11, 23)), TimeLimit(0, "工作日")),
        (Clock(date(2026, 11, 23)), None),
    ],
)
def test_without_a_start_or_a_limit_nothing_is_due(clock, limit):
    found = due(clock, limit, CALENDAR)
    assert (found.due_on, found.provisional, found.remaining) == (None, False, None)


def test_an_overdue_case_that_is_suspended_has_nothing_left():
    clock = Clock(date(2026, 9, 21), (Suspension(date(2026, 10, 30)),))
    assert due(clock, TimeLimit(5, "工作日"), CALENDAR).remaining == TimeLimit(0, "工作日")


starts = st.dates(date(2024, 1, 1), date(2026, 6, 30))


@given(starts, st.integers(1, 60), st.sampled_from(["工作日", "日"]))
def test_a_due_date_is_a_working_day_and_grows_with_the_limit(start, value, unit):
    first = due(Clock(start), TimeLimit(value, unit), CALENDAR).due_on
    later = due(Clock(start), TimeLimit(value + 1, unit), CALENDAR).due_on
    assert CALENDAR.is_working(first)
    assert start < first <= later


@given(starts, st.integers(1, 30), st.integers(0, 40), st.integers(0, 30))
def test_a_suspension_never_brings_the_date_forward(start, value, after, length):
    since = start + timedelta(days=after)
    clock = Clock(start, (Suspension(since, since + timedelta(days=length)),))
    limit = TimeLimit(value, "工作日")
    assert due(clock, limit, CALENDAR).due_on >= due(Clock(start), limit, CALENDAR).due_on


@given(starts, st.integers(1, 30), st.integers(0, 60), st.integers(0, 30))
def test_what_is_left_at_the_notice_is_what_is_counted_after_the_supply(start, value, after, length):
    """Suspending and resuming loses no working day and invents none."""
    since = start + timedelta(days=after)
    until = since + timedelta(days=length)
    limit = TimeLimit(value, "工作日")
    left = due(Clock(start, (Suspension(since),)), limit, CALENDAR).remaining
    resumed = due(Clock(start, (Suspension(since, until),)), limit, CALENDAR).due_on
    if left.value:
        assert resumed == due(Clock(until), left, CALENDAR).due_on
    else:
        assert resumed <= since


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [("2026-11-23", 12, "2027-11-23"), ("2028-02-29", 12, "2029-02-28"), ("2026-12-31", 2, "2027-02-28")],
)
def test_months_are_added_with_the_day_clamped(day, months, expected):
    assert add_months(date.fromisoformat(day), months) == date.fromisoformat(expected)
