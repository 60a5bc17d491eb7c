"""Entering a state: the case after it, its timeline line, and what the legal clock makes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.canonical.kinds import State
from gateway.canonical.tracking import CaseEvent, Clock, EventKind, Suspension, TrackedCase, changed
from gateway.canonical.transitions import FINAL
from gateway.canonical.worktime import WorkCalendar, beijing_day, due

if TYPE_CHECKING:
    from datetime import date, datetime

#: The timeline's name for ourselves (gateway §2).
GATEWAY = "gateway"
#: The note of a stage that was skipped by the sender (crossing §5.3).
IMPLIED = "implied"
#: The special procedure during which the clock runs on (gateway §2: 32 but 延长).
EXTENSION = "extension"


@dataclass(frozen=True, slots=True)
class Step:
    """Who does something when; ``at`` is the time the event itself names, where it names one."""

    at: datetime
    actor: str
    calendar: WorkCalendar
    note: str = ""

    @property
    def day(self) -> date:
        return beijing_day(self.at)

    def line(self, kind: EventKind, before: State | None, after: State) -> CaseEvent:
        return CaseEvent(self.at, kind, before, after, self.actor, self.note)

    def implied(self, before: State, after: State) -> CaseEvent:
        """A skipped stage, entered with the same time."""
        return CaseEvent(self.at, EventKind.STATUS, before, after, self.actor, IMPLIED)


def entered(case: TrackedCase, state: State, step: Step, *, special: str = "") -> TrackedCase:
    """The case in a state, its clock moved; the due date is left to `timed`."""
    return changed(case, state=state, clock=_ticked(case.clock, state, step.day, special=special))


def timed(case: TrackedCase, calendar: WorkCalendar) -> TrackedCase:
    """The case with its due date computed by this calendar."""
    when = due(case.clock, case.limit, calendar)
    return changed(case, due_on=when.due_on, due_provisional=when.provisional, remaining=when.remaining)


def _ticked(clock: Clock, state: State, day: date, *, special: str) -> Clock:
    """20 starts the clock, 31 and 32 suspend it, a final state stops it; by Beijing dates."""
    if clock.stopped:
        return clock
    if state is State.ACCEPTED and clock.started_on is None:
        return replace(clock, started_on=day)
    procedure = state is State.SUSPENDED_PROCEDURE and special != EXTENSION
    spans = _spans(clock.suspensions, day, stands=procedure or state is State.SUSPENDED_CORRECTION)
    return replace(clock, suspensions=spans, stopped=state in FINAL)


def _spans(spans: tuple[Suspension, ...], day: date, *, stands: bool) -> tuple[Suspension, ...]:
    suspended = bool(spans) and spans[-1].until is None
    if stands and not suspended:
        return (*spans, Suspension(day))
    if suspended and not stands:
        # a report dated before the notice cannot shorten what was never suspended
        return (*spans[:-1], replace(spans[-1], until=max(day, spans[-1].since)))
    return spans
