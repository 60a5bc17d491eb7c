"""The legs of a pension transfer: which one runs, since when, and until when by its own sub-limit."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from gateway.canonical.kinds import State
from gateway.canonical.tracking import CaseEvent, Clock, EventKind, Suspension, TimeLimit, TrackedCase
from gateway.canonical.worktime import Due, Light, WorkCalendar, beijing_day, due, light

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

#: Which side's turn a leg is, and what begins it.
OLD, NEW = "old", "new"
ACCEPTED, FORWARDED, SHEET = "accepted", "forwarded", "sheet"
PLACES, BEGINNINGS = (OLD, NEW), (ACCEPTED, FORWARDED, SHEET)

_DECISION = "decision"
_DECIDED = {State.DECLINED, State.WITHDRAWN, State.CONCLUDED, State.RETURNED}


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg as the table has it. ``place``: ``old`` or ``new``; ``begins``: the event it starts with."""

    number: int
    name: str
    place: str
    begins: str
    limit: TimeLimit


@dataclass(frozen=True, slots=True)
class LegClock:
    """A leg of one case: dates are Beijing dates, ``region`` whose turn it is."""

    leg: Leg
    region: str
    started_on: date | None
    ended_on: date | None
    due: Due
    light: Light | None


def leg_clocks(
    case: TrackedCase,
    events: Iterable[CaseEvent],
    legs: Sequence[Leg],
    *,
    calendar: WorkCalendar,
    today: date,
) -> tuple[LegClock, ...]:
    """The clock of every leg. A leg starts when the one before it ends; suspended days count for none.

    The day a leg starts is its day 0. Source: domain reference §5.2 (legs), §5.3 (counting).
    """
    starts = _starts(case, events)
    days = [starts.get(leg.begins) for leg in legs]
    # a decision ends whichever leg runs
    ends = [following or starts.get(_DECISION) for _, following in pairwise([*days, None])]
    other = {case.origin: case.target, case.target: case.origin}
    sides = {OLD: case.old_region, NEW: other.get(case.old_region, "")}
    return tuple(
        _clock(case, leg, sides[leg.place], (start, end), calendar=calendar, today=today)
        for leg, start, end in zip(legs, days, ends, strict=True)
    )


def _clock(
    case: TrackedCase,
    leg: Leg,
    region: str,
    span: tuple[date | None, date | None],
    *,
    calendar: WorkCalendar,
    today: date,
) -> LegClock:
    start, end = span[0], span[1] if span[0] else None
    clock = Clock(
        start, case.clock.suspensions if end is None else _closed(case.clock, end), stopped=end is not None
    )
    when = due(clock, leg.limit, calendar)
    return LegClock(leg, region, start, end, when, light(clock, leg.limit, calendar, today=today))


def _closed(clock: Clock, end: date) -> tuple[Suspension, ...]:
    """The suspensions before a leg ended: later ones are not its own."""
    return tuple(span for span in clock.suspensions if span.since < end and span.until is not None)


def _starts(case: TrackedCase, events: Iterable[CaseEvent]) -> dict[str, date]:
    """The day each beginning happened, none before the clock's own start."""
    since = case.clock.started_on
    if since is None:
        return {}
    found = {ACCEPTED: since}
    for event in events:
        name = _beginning(event)
        if name is not None:
            found.setdefault(name, max(since, beijing_day(event.at)))
    if SHEET in found:  # a sheet that came before we knew of the delivery ends the first two legs at once
        found.setdefault(FORWARDED, found[SHEET])
        found[FORWARDED] = min(found[FORWARDED], found[SHEET])
    return found


def _beginning(event: CaseEvent) -> str | None:
    if event.kind is EventKind.SHEET:
        return SHEET
    if event.to_state is State.FORWARDED:
        return FORWARDED
    return _DECISION if event.to_state in _DECIDED else None
