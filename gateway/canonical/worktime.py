"""The legal clock: when a case is due, by working days, days or months, less the days it stood still.

Source: spec gateway §2 (``due_on``, suspension, ``due_provisional``), domain reference §5.3.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.canonical.tracking import Clock, Suspension, TimeLimit

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Both sides write Beijing time; there is no daylight saving since 1992, so a fixed offset is exact.
BEIJING = timezone(timedelta(hours=8))

WORKDAY, DAY, MONTH = "工作日", "日", "月"

#: The unit of a limit as the item catalogue spells it → key of the code list ``limit_unit``.
UNIT_KEYS = {WORKDAY: "workday", DAY: "day", MONTH: "month"}

#: A case turns amber when so much of its limit is used (domain reference §5.3).
AMBER_PERCENT = 80

_ONE_DAY = timedelta(days=1)
_SATURDAY = 5


def beijing_day(at: datetime) -> date:
    """The Beijing date of an aware time."""
    return at.astimezone(BEIJING).date()


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """The published calendar of State Council notices, as plain sets.

    ``published_until`` is the last published year; ``off`` are the weekdays that are holidays,
    ``makeup`` the weekend days that are worked. After the last published year Monday to Friday count.
    """

    published_until: int
    off: frozenset[date]
    makeup: frozenset[date]

    def is_published(self, day: date) -> bool:
        """Whether the State Council has settled this day's year."""
        return day.year <= self.published_until

    def is_working(self, day: date) -> bool:
        """Whether people work on this day, as far as is known."""
        weekday = day.weekday() < _SATURDAY
        if not self.is_published(day):
            return weekday
        return day not in self.off if weekday else day in self.makeup


@dataclass(frozen=True, slots=True)
class Due:
    """When a case is due.

    ``due_on`` is None while nothing runs: no limit, not accepted yet, or suspended (then
    ``remaining`` is what is left, in whole units, months in days). ``provisional`` while the
    computation asked for a day of an unpublished year.
    """

    due_on: date | None = None
    provisional: bool = False
    remaining: TimeLimit | None = None


class Light(StrEnum):
    """How close a case is to its due date."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


def light(clock: Clock, limit: TimeLimit | None, calendar: WorkCalendar, *, today: date) -> Light | None:
    """Red when overdue, amber from 80 % of the limit or on the last working day, else green.

    None while nothing runs: not started, no limit, or ended. A suspended case shows the light it
    stopped at. Source: domain reference §5.3, warnings.
    """
    if clock.started_on is None or limit is None or limit.value == 0 or clock.stopped:
        return None
    stopped = clock.suspensions[-1].since if _is_suspended(clock) else None
    day = today if stopped is None else min(today, stopped)
    # up to the day it stopped, the clock ran as if it had never stopped after it
    running = clock if stopped is None else replace(clock, suspensions=clock.suspensions[:-1])
    last = due(running, limit, calendar).due_on
    if last is None or day > last:
        return Light.RED
    start = clock.started_on
    whole, used = (_counted(running, start, until, limit.unit, calendar) for until in (last, day))
    left = _counted(running, day, last, WORKDAY, calendar)
    return Light.AMBER if used * 100 >= whole * AMBER_PERCENT or left <= 1 else Light.GREEN


def working_days(clock: Clock, until: date, calendar: WorkCalendar) -> int:
    """Working days the clock ran after day 0 up to a day, less those it stood still; 0 before it started."""
    start = clock.started_on
    return 0 if start is None else _counted(clock, start, until, WORKDAY, calendar)


def _counted(clock: Clock, after: date, until: date, unit: str, calendar: WorkCalendar) -> int:
    """Days that count after one day up to another."""
    count = 0
    for day in _running_days(clock.suspensions, after=after):
        if day > until:
            break
        count += unit != WORKDAY or calendar.is_working(day)
    return count


def _is_suspended(clock: Clock) -> bool:
    return bool(clock.suspensions) and clock.suspensions[-1].until is None


def due(clock: Clock, limit: TimeLimit | None, calendar: WorkCalendar) -> Due:
    """The due date of a case: day 0 is the day of acceptance, suspended days do not count.

    Units: Beijing dates. Errors: none; an unknown unit is kept out by the table lint.
    """
    if clock.started_on is None or limit is None or limit.value == 0:
        return Due()
    if _is_suspended(clock):
        return _suspended(clock, clock.started_on, limit, calendar=calendar)
    if limit.unit == WORKDAY:
        return _due_workday(clock, clock.started_on, limit.value, calendar=calendar)
    if limit.unit == DAY:
        return _due_day(clock, clock.started_on, limit.value, calendar=calendar)
    return Due(_due_month(clock, clock.started_on, limit.value))


def _due_workday(clock: Clock, start: date, value: int, *, calendar: WorkCalendar) -> Due:
    left, provisional, day = value, False, start
    for day in _running_days(clock.suspensions, after=start):
        provisional = provisional or not calendar.is_published(day)
        left -= calendar.is_working(day)
        if left == 0:
            break
    return Due(day, provisional)


def _due_day(clock: Clock, start: date, value: int, *, calendar: WorkCalendar) -> Due:
    running = _running_days(clock.suspensions, after=start)
    last = next(day for count, day in enumerate(running, start=1) if count == value)
    # 民法典 §203: a period of calendar days that ends on a holiday ends on the next working day
    provisional = not calendar.is_published(last)
    while not calendar.is_working(last):
        last += _ONE_DAY
        provisional = provisional or not calendar.is_published(last)
    return Due(last, provisional)


def _due_month(clock: Clock, start: date, value: int) -> date:
    """Same day of the month, clamped, moved on by every day that stood still before it."""
    left = (add_months(start, value) - start).days
    running = _running_days(clock.suspensions, after=start)
    return next(day for count, day in enumerate(running, start=1) if count == left)


def _suspended(clock: Clock, start: date, limit: TimeLimit, *, calendar: WorkCalendar) -> Due:
    """What is left on the notice day, which itself still counts."""
    notice = clock.suspensions[-1].since
    used, provisional = 0, False
    for day in _running_days(clock.suspensions, after=start):
        if day > notice:
            break
        if limit.unit == WORKDAY:
            provisional = provisional or not calendar.is_published(day)
            used += calendar.is_working(day)
        else:
            used += 1
    whole, unit = limit.value, limit.unit
    if unit == MONTH:
        whole, unit = (add_months(start, limit.value) - start).days, DAY
    return Due(None, provisional, TimeLimit(max(0, whole - used), unit))


def _running_days(suspensions: tuple[Suspension, ...], *, after: date) -> Iterator[date]:
    """Every day after day 0 on which the clock runs; endless unless a suspension is open."""
    stopped_from = next((s.since for s in suspensions if s.until is None), date.max)
    day = after
    while True:
        day += _ONE_DAY
        if day > stopped_from:
            return
        if not stands_still(suspensions, day):
            yield day


def stands_still(suspensions: tuple[Suspension, ...], day: date) -> bool:
    """The notice day counts, the day of supply does not; a day with both counts (gateway §2)."""
    if not suspensions:
        return False
    if any(s.since == day for s in suspensions):
        return False
    return any(s.until is not None and s.since < day <= s.until for s in suspensions)


def add_months(day: date, months: int) -> date:
    """The same day ``months`` later, clamped to the length of that month (crossing M16, gateway §2)."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
