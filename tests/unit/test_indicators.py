"""Rankings, periods and sheets of the indicators, on paper."""

import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.canonical.facts import Counts
from gateway.canonical.worktime import WorkCalendar
from gateway.dashboard.views import duties, sheets
from gateway.dashboard.views.indicators import BY_KEY, FEW, INDICATORS, Ranked, ranked, shown, summed
from gateway.dashboard.views.periods import period, shifted
from gateway.store.performance_reads import Due, _parts

PAGE = Path(__file__).parents[2] / "docs/reference/indicators.md"


def line(key, **counts):
    return Ranked(key, key, "north", (key,), Counts(**counts))


def test_equal_values_share_a_place_and_few_cases_have_none():
    lines = [
        line("c", timed=20, on_time=20),
        line("few", timed=FEW - 1, on_time=FEW - 1),
        line("b", timed=40, on_time=40),
        line("a", timed=20, on_time=10),
    ]
    found = ranked(lines, BY_KEY["on_time"], best_first=True)
    assert [(each.key, each.place) for each in found] == [("b", 1), ("c", 1), ("a", 3), ("few", None)]
    worst = ranked(lines, BY_KEY["on_time"], best_first=False)
    assert [each.key for each in worst] == ["a", "c", "b", "few"]


def test_where_less_is_better_the_least_comes_first():
    lines = [line("slow", clocked=10, workdays=90), line("quick", clocked=10, workdays=20)]
    assert [each.key for each in ranked(lines, BY_KEY["workdays"], best_first=True)] == ["quick", "slow"]


def test_an_indicator_without_cases_shows_nothing_and_opens_nothing():
    for each in INDICATORS:
        cell = shown(each, Counts())
        assert (cell.text, cell.opens) == ("", "")


def test_an_indicator_opens_what_it_is_not_proud_of():
    cell = shown(BY_KEY["on_time"], Counts(timed=1200, on_time=1194))
    assert (cell.text, cell.opens, cell.exceptions, cell.sample) == ("99.5%", "late", "6", "1,200")


def test_the_reference_defines_every_indicator():
    text = PAGE.read_text(encoding="utf-8")
    assert [each.name for each in INDICATORS if f"| {each.name} |" not in text] == []


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("month", "2026-11-01", "2026-11-26"),
        ("last_month", "2026-10-01", "2026-10-31"),
        ("quarter", "2026-10-01", "2026-11-26"),
        ("year", "2026-01-01", "2026-11-26"),
        ("custom", "2026-11-01", "2026-11-26"),
    ],
)
def test_a_period_is_what_its_name_says(name, first, last):
    found = period(name, date(2026, 11, 26))
    assert (found.first.isoformat(), found.last.isoformat()) == (first, last)


def test_custom_days_may_be_given_in_any_order():
    found = period("custom", date(2026, 11, 26), date(2026, 3, 9), date(2026, 2, 3))
    assert (found.name, found.first, found.last) == ("custom", date(2026, 2, 3), date(2026, 3, 9))
    assert shifted(date(2026, 1, 1), -1) == date(2025, 12, 1)


def test_any_period_is_cut_into_days_and_whole_months_that_cover_it_once():
    chance = random.Random(7)
    for _ in range(400):
        first = date(2025, 1, 1) + timedelta(days=chance.randrange(700))
        last = first + timedelta(days=chance.randrange(120))
        head, months, tail = _parts(first, last)
        covered = []
        for span in (head, months, tail):
            if span:
                covered += [span[0] + timedelta(days=n) for n in range((span[1] - span[0]).days + 1)]
        assert covered == [first + timedelta(days=n) for n in range((last - first).days + 1)]
        if months:
            assert months[0].day == 1
            assert (months[1] + timedelta(days=1)).day == 1


def test_the_table_of_the_overdue_loses_none_in_its_other_rows_and_columns():
    chance = random.Random(3)
    overdue = {("north", str(n), f"item{n % 9}"): chance.randrange(1, 9) for n in range(60)}
    found = duties.heat(overdue, lambda _region, division: division, str)
    assert found.total == sum(overdue.values()) == sum(found.totals) == sum(row.total for row in found.rows)
    assert found.others == 60 - len(found.rows) + 1
    assert all(row.total == sum(cell.n for cell in row.cells) for row in found.rows)


def test_the_due_calendar_marks_holidays_worked_weekends_today_and_what_is_not_published():
    calendar = WorkCalendar(2026, frozenset({date(2026, 10, 1)}), frozenset({date(2026, 10, 10)}))
    due = {date(2026, 10, 9): Due(4, 0), date(2026, 10, 12): Due(1, 1)}
    sheet = duties.weeks(date(2026, 10, 1), date(2026, 10, 10), due, calendar)
    days = {day.on: day for week in sheet for day in week}
    assert all(len(week) == 7 and week[0].on.weekday() == 0 for week in sheet)
    assert [days[date(2026, 10, n)].mark for n in (1, 2, 3, 10)] == ["off", "", "weekend", "makeup"]
    assert days[date(2026, 10, 10)].is_today
    assert (days[date(2026, 10, 9)].is_past, days[date(2026, 10, 9)].shade) == (True, 4)
    assert days[date(2026, 10, 12)].provisional == 1
    assert not duties.weeks(date(2027, 1, 1), date(2026, 10, 10), {}, calendar)[1][0].published


def test_text_that_looks_like_a_formula_is_no_formula_in_a_spreadsheet():
    sheet = sheets.Sheet("s", "t", ["a"], [["=1+1"], [0.123456]])
    assert sheets.written("csv", [sheet]).decode("utf-8-sig").splitlines() == ["a", "'=1+1", "0.1235"]


def test_counts_add_up():
    assert summed([Counts(received=2, stars=5), Counts(received=3)]) == Counts(received=5, stars=5)
