"""The gateway's own part in the life of a case: opened, parked, released, delivered, given back.

Source: spec gateway §2 (22, 28), §5; crossing §3.1 (first state), §5.3 (clock), §7.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gateway.canonical.kinds import Kind, State
from gateway.canonical.stages import GATEWAY, Step, entered, timed
from gateway.canonical.tracking import CaseEvent, Conflict, EventKind, Move, TrackedCase, changed

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.canonical.worktime import WorkCalendar


def opened(
    case: TrackedCase, first_state: State, *, at: datetime, actor: str, calendar: WorkCalendar
) -> Move:
    """A new case. ``first_state`` is 20 or 10 as the origin says, 40 for certifications.

    A parked application exists in 10 until it is released, and its clock does not run.
    """
    step = Step(at, actor, calendar)
    if case.parked:
        held = changed(case, state=State.RECEIVED)
        kept = CaseEvent(at, EventKind.PARKED, State.RECEIVED, State.RECEIVED, GATEWAY)
        return Move(held, (step.line(EventKind.APPLICATION, None, State.RECEIVED), kept), forward=False)
    begun = _begun(case, first_state, step)
    return Move(timed(begun, calendar), (step.line(EventKind.APPLICATION, None, first_state),))


def released(
    case: TrackedCase, first_state: State, *, at: datetime, actor: str, calendar: WorkCalendar
) -> Move:
    """A parked application that can now be forwarded; ``case`` already carries what is now known.

    A case withdrawn while it was parked stays withdrawn.
    """
    step = Step(at, actor, calendar)
    freed = changed(case, parked=False)
    if case.state is State.RECEIVED:
        freed = _begun(freed, first_state, step)
    return Move(timed(freed, calendar), (step.line(EventKind.RELEASED, case.state, freed.state),))


def parked(case: TrackedCase, *, at: datetime, note: str = "") -> Move:
    """A follow-up that is kept until a table has the missing row: nothing changes yet."""
    line = CaseEvent(at, EventKind.PARKED, case.state, case.state, GATEWAY, note)
    return Move(case, (line,), forward=False)


def delivered(case: TrackedCase, *, kind: Kind, native_kind: str, at: datetime) -> Move:
    """A delivery the other side acknowledged. The application's enters 22, unless the case has moved on."""
    waiting = case.state in {State.RECEIVED, State.ACCEPTED, State.UNDELIVERED}
    after = case.state
    if kind.opens_case and waiting and not _heard_from_target(case):
        # a certification never enters 22: its second try brings it back from 28 to 40
        certified = case.kind is Kind.CERTIFICATION_NOTICE
        after = State.CONCLUDED if certified else State.FORWARDED
    line = CaseEvent(at, EventKind.DELIVERY, case.state, after, GATEWAY, native_kind)
    return Move(changed(case, state=after), (line,), forward=False)


def undelivered(case: TrackedCase, *, kind: Kind, at: datetime, note: str) -> Move:
    """A delivery finally refused or given up. The application's enters 28, unless the case has moved on."""
    first = State.CONCLUDED if case.kind is Kind.CERTIFICATION_NOTICE else State.ACCEPTED
    waiting = case.state in {State.RECEIVED, first}
    failed = kind.opens_case and waiting and not _heard_from_target(case)
    after = State.UNDELIVERED if failed else case.state
    line = CaseEvent(at, EventKind.DELIVERY_FAILED, case.state, after, GATEWAY, note)
    return Move(changed(case, state=after), (line,), forward=False)


def returned_to_origin(
    case: TrackedCase, reason: str, *, at: datetime, actor: str, calendar: WorkCalendar
) -> Move | Conflict:
    """Staff give up an undeliverable case: 28 → 21; the caller tells the origin so (gateway §5)."""
    if case.state is not State.UNDELIVERED:
        return Conflict("9022", f"办件处于 {case.state} {case.state.label}，只有投递失败的办件可以退回来源方")
    step = Step(at, actor, calendar, reason)
    given_back = entered(case, State.DECLINED, step)
    line = step.line(EventKind.STATUS, case.state, State.DECLINED)
    return Move(timed(given_back, calendar), (line,), forward=False)


def _begun(case: TrackedCase, first_state: State, step: Step) -> TrackedCase:
    begun = entered(case, first_state, step)
    if first_state is not State.ACCEPTED:
        return begun
    # the origin accepted: day 0 is its acceptance date, not the day the message came in (crossing §5.3)
    clock = replace(begun.clock, started_on=case.accepted_on or step.day)
    return changed(begun, clock=clock, accepted_by_origin=True)


def _heard_from_target(case: TrackedCase) -> bool:
    """Whether a report, sheet or answer of the target has already been taken."""
    return case.target in case.last_report or case.accepted_by_target
