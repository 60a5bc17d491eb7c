"""The legal clock as a bar of days: used, left, over, rest, stood still (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.canonical.days import Day, DayKind, days
from gateway.canonical.transitions import FINAL
from gateway.canonical.worktime import WORKDAY, Light, WorkCalendar, beijing_day, due, light

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from gateway.canonical.tracking import CaseEvent, Suspension, TimeLimit, TrackedCase

#: A bar of more days could not be told apart.
MOST_DAYS = 190
#: The width of the whole bar and the most a day takes of it, in pixels.
WIDTH, WIDEST = 1080, 40


class Use(StrEnum):
    """What a day is on the bar."""

    START = "start"
    USED = "used"
    LEFT = "left"
    OVER = "over"
    REST = "rest"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Cell:
    """One day. ``x`` and ``width`` in pixels; ``number``: the how many-th that counts, 0 for one that does not."""

    on: date
    use: Use
    x: float
    width: float
    number: int
    provisional: bool
    is_today: bool
    is_due: bool


@dataclass(frozen=True, slots=True)
class ClockView:
    """Days in the unit of the limit. ``left`` is negative when overdue; None while nothing runs or after the end."""

    limit: TimeLimit
    legal_limit: TimeLimit | None
    started_on: date | None
    due_on: date | None
    legal_due_on: date | None
    ended_on: date | None
    provisional: bool
    light: Light | None
    used: int
    left: int | None
    remaining: TimeLimit | None
    suspensions: tuple[Suspension, ...]
    cells: tuple[Cell, ...]

    @property
    def is_workdays(self) -> bool:
        """Whether rest days do not count."""
        return self.limit.unit == WORKDAY

    @property
    def is_suspended(self) -> bool:
        """Whether it stands still now."""
        return bool(self.suspensions) and self.suspensions[-1].until is None

    @property
    def is_late(self) -> bool:
        """Whether it is, or ended, beyond its due day."""
        return any(cell.use is Use.OVER for cell in self.cells)


def clock_view(
    case: TrackedCase, events: Iterable[CaseEvent], calendar: WorkCalendar, now: datetime
) -> ClockView | None:
    """The clock of a case; None for one without a limit (parked, or done at once)."""
    limit, clock = case.limit, case.clock
    if limit is None:
        return None
    today, ended = beijing_day(now), _ended_on(case, events)
    due_on = case.due_on
    running = ended or today
    until = max([day for day in (due_on, running) if day is not None])
    line = days(clock, limit.unit, calendar, until=until, most=MOST_DAYS)
    cells = _cells(line, today=today, running=running, due_on=due_on, ended=ended)
    used = sum(day.kind is DayKind.COUNTED and day.on <= running for day in line)
    return ClockView(
        limit=limit,
        legal_limit=case.legal_limit,
        started_on=clock.started_on,
        due_on=due_on,
        legal_due_on=due(clock, case.legal_limit, calendar).due_on,
        ended_on=ended,
        provisional=case.due_provisional,
        light=light(clock, limit, calendar, today=today),
        used=used,
        left=_left(line, running=running, due_on=due_on) if clock.started_on and not ended else None,
        remaining=case.remaining,
        suspensions=clock.suspensions,
        cells=cells,
    )


def _ended_on(case: TrackedCase, events: Iterable[CaseEvent]) -> date | None:
    if not case.clock.stopped:
        return None
    return next((beijing_day(event.at) for event in events if event.to_state in FINAL), None)


def _left(line: Sequence[Day], *, running: date, due_on: date | None) -> int | None:
    if due_on is None:
        return None
    if running > due_on:
        return -sum(day.kind is DayKind.COUNTED and due_on < day.on <= running for day in line)
    return sum(day.kind is DayKind.COUNTED and running < day.on <= due_on for day in line)


def _cells(
    line: Sequence[Day], *, today: date, running: date, due_on: date | None, ended: date | None
) -> tuple[Cell, ...]:
    width = min(WIDEST, WIDTH / len(line)) if line else 0
    found, number = [], 0
    for place, day in enumerate(line):
        number += day.kind is DayKind.COUNTED
        found.append(
            Cell(
                on=day.on,
                use=_use(day, running=running, due_on=due_on),
                x=round(place * width, 2),
                width=round(width, 2),
                number=number if day.kind is DayKind.COUNTED else 0,
                provisional=day.provisional,
                is_today=day.on == today and ended is None,
                is_due=day.on == due_on,
            )
        )
    return tuple(found)


def _use(day: Day, *, running: date, due_on: date | None) -> Use:
    match day.kind:
        case DayKind.START:
            return Use.START
        case DayKind.REST:
            return Use.REST
        case DayKind.SUSPENDED:
            return Use.SUSPENDED
    if due_on is not None and day.on > due_on:
        return Use.OVER
    return Use.USED if day.on <= running else Use.LEFT
