"""The legal clock day by day: which days counted, which were rest, on which it stood still."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.canonical.worktime import WORKDAY, WorkCalendar, stands_still

if TYPE_CHECKING:
    from datetime import date

    from gateway.canonical.tracking import Clock


class DayKind(StrEnum):
    """What a day is to the clock."""

    START = "start"  # day 0 does not count
    COUNTED = "counted"
    REST = "rest"  # no working day, where working days are counted
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Day:
    """One Beijing date; ``provisional``: of a year whose holidays are not published yet."""

    on: date
    kind: DayKind
    provisional: bool = False


def days(clock: Clock, unit: str, calendar: WorkCalendar, *, until: date, most: int) -> tuple[Day, ...]:
    """Day 0 and every day up to ``until``, at most so many; none before the clock started."""
    start = clock.started_on
    if start is None:
        return ()
    found = [Day(start, DayKind.START)]
    while found[-1].on < until and len(found) < most:
        found.append(_day(clock, unit, calendar, found[-1].on + timedelta(days=1)))
    return tuple(found)


def _day(clock: Clock, unit: str, calendar: WorkCalendar, on: date) -> Day:
    opened = next((span.since for span in clock.suspensions if span.until is None), None)
    provisional = unit == WORKDAY and not calendar.is_published(on)
    if stands_still(clock.suspensions, on) or (opened is not None and on > opened):
        return Day(on, DayKind.SUSPENDED, provisional)
    rest = unit == WORKDAY and not calendar.is_working(on)
    return Day(on, DayKind.REST if rest else DayKind.COUNTED, provisional)
