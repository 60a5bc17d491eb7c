"""What a message does to the life of its case: taken, ignored or in conflict with it.

Source: spec crossing §4.2, §4.4, §4.8–4.10, §5, §7; gateway §2. Pure functions from the case as it
is to the case as it becomes; the gateway's own steps are in `passage`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from gateway.canonical.kinds import Kind, State
from gateway.canonical.passage import (
    delivered,
    opened,
    parked,
    released,
    returned_to_origin,
    undelivered,
)
from gateway.canonical.stages import Step, entered, timed
from gateway.canonical.tracking import (
    CaseEvent,
    Conflict,
    EventKind,
    Ignored,
    LastReport,
    Move,
    TrackedCase,
    changed,
)
from gateway.canonical.transitions import (
    ANYONES,
    BEYOND_ACCEPTED,
    BEYOND_REVIEW,
    MATRIX,
    RATEABLE,
    SUPPLEMENTED,
    UNDECIDED,
    UNDER_WAY,
    WITHDRAWABLE,
    Take,
)

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.canonical.worktime import WorkCalendar

__all__ = [
    "Answer",
    "Decision",
    "Happening",
    "Rating",
    "Sheet",
    "StatusReport",
    "Supplement",
    "Withdrawal",
    "apply",
    "delivered",
    "opened",
    "owners",
    "parked",
    "released",
    "returned_to_origin",
    "timed",
    "undelivered",
]


@dataclass(frozen=True, slots=True)
class StatusReport:
    """A status report.

    ``special`` is a key of ``special_procedure`` (state 32 only), ``at`` the report's own aware time,
    ``words`` its native words as one text, to be compared with those of the next report.
    """

    state: State
    special: str
    at: datetime
    words: str

    @classmethod
    def of(cls, key: str, at: datetime, words: str) -> StatusReport:
        """From a key of the code list ``status``, such as ``30`` or ``32|hearing``."""
        state, _, special = key.partition("|")
        return cls(State(state), special, at, words)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The transfer information sheet of the old place (crossing §4.2)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The insured place's answer to a claim (crossing §4.4)."""


@dataclass(frozen=True, slots=True)
class Supplement:
    """Materials supplied after 补正 (crossing §4.8); ``at`` is when they were supplied."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The applicant withdraws (crossing §4.9)."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Rating:
    """The applicant rates, once per case (crossing §4.10)."""

    at: datetime


Happening = StatusReport | Sheet | Answer | Supplement | Withdrawal | Rating
Decision = Move | Ignored | Conflict


def apply(
    case: TrackedCase,
    event: Happening,
    *,
    by: str,
    at: datetime,
    actor: str,
    calendar: WorkCalendar,
    note: str = "",
) -> Decision:
    """What a follow-up message of region ``by``, received at ``at``, does to its case.

    Order of the tests (crossing §7): owner 9023, older report 1101, then what the state allows.
    Times and dates are those the message names; ``at`` only where it names none (sheet, answer).
    """
    match event:
        case StatusReport():
            return _report(case, event, by=by, step=Step(event.at, actor, calendar, note))
        case Sheet() | Answer():
            return _information(case, event, by=by, step=Step(at, actor, calendar, note))
        case Supplement() | Withdrawal() | Rating():
            return _of_the_origin(case, event, by=by, step=Step(event.at, actor, calendar, note))
    assert_never(event)


def owners(case: TrackedCase) -> frozenset[str]:
    """The regions that may report 11, 20, 21, 30–33, 40 and 41 (crossing §5.2).

    The target; after the information sheet of a transfer, or the answer to a claim at the household
    place, the origin. §5.2 says "origin" and gives "the new place merges the record" as the reason:
    where the origin is the old place the two disagree, and either side is heard (ADR 0016).
    """
    merging = case.kind is Kind.TRANSFER_APPLY
    paying = case.kind is Kind.UNEMPLOYMENT_CLAIM and case.claim_place == "household_place"
    if not (case.answered and (merging or paying)):
        return frozenset({case.target})
    if merging and case.old_region == case.origin:
        return frozenset({case.origin, case.target})
    return frozenset({case.origin})


# --- status reports --------------------------------------------------------------------------------


def _report(case: TrackedCase, event: StatusReport, *, by: str, step: Step) -> Decision:
    if by not in {case.origin, case.target} or (event.state not in ANYONES and by not in owners(case)):
        return Conflict("9023", "现阶段这个状态应由另一方报告：请核对办件")
    last = case.last_report.get(by)
    if last is not None and event.at < last.at:
        return _ignored("1101")
    take = _take(case, event, by=by)
    if take is Take.TAKEN:
        return _taken(case, event, by=by, step=step)
    if take is Take.NOTE and (last is None or last.words != event.words):
        return _noted(case, event, by=by, step=step)
    if take is Take.CONFLICT:
        return _not_now(case, f"不能报告 {event.state} {event.state.label}")
    return _ignored("1102" if event.state is case.state else "1101")


def _take(case: TrackedCase, event: StatusReport, *, by: str) -> Take:
    # §5.2: certifications take no reports but 50
    if case.kind is Kind.CERTIFICATION_NOTICE and event.state is not State.SERVED:
        return Take.CONFLICT
    # §7: 20 by the origin's acceptance counts as not accepted by the target, delivered or not
    by_origin = case.accepted_by_origin and not case.accepted_by_target
    unaccepted = case.state is State.ACCEPTED and by_origin and by == case.target
    held = State.FORWARDED if unaccepted else case.state
    return MATRIX.get((held, event.state), Take.CONFLICT)


def _taken(case: TrackedCase, event: StatusReport, *, by: str, step: Step) -> Move:
    reached = _reported(case, event, by=by)
    lines: list[CaseEvent] = []
    for stage in _skipped(case, event.state):
        lines.append(step.implied(reached.state, stage))
        reached = entered(reached, stage, step)
    lines.append(step.line(EventKind.STATUS, reached.state, event.state))
    reached = entered(reached, event.state, step, special=event.special)
    if event.state is State.ACCEPTED or event.state in BEYOND_ACCEPTED:
        reached = changed(reached, accepted_by_target=True)
    return Move(timed(reached, step.calendar), tuple(lines))


def _skipped(case: TrackedCase, reported: State) -> tuple[State, ...]:
    """Stages entered with the same time because a later one is reported (§5.3); 20 never twice (§7)."""
    stages: list[State] = []
    if reported in BEYOND_ACCEPTED and not _accepted(case):
        stages.append(State.ACCEPTED)
    if reported in BEYOND_REVIEW and case.state not in UNDER_WAY:
        stages.append(State.IN_REVIEW)
    return tuple(stages)


def _accepted(case: TrackedCase) -> bool:
    return case.accepted_by_origin or case.accepted_by_target


def _noted(case: TrackedCase, event: StatusReport, *, by: str, step: Step) -> Move:
    """I* of §5.3: other words for the state held. Only the clock may care (鉴定 after 延长)."""
    noted = entered(_reported(case, event, by=by), event.state, step, special=event.special)
    return Move(timed(noted, step.calendar), (step.line(EventKind.STATUS, case.state, event.state),))


def _reported(case: TrackedCase, event: StatusReport, *, by: str) -> TrackedCase:
    last = LastReport(event.at, event.words)
    return changed(case, last_report={**case.last_report, by: last})


_IGNORED_TEXT = {
    "1101": "报告早于已采用的状态，已存档，办件状态不变",
    "1102": "该状态已登记，已存档，办件状态不变",
}


def _ignored(code: str) -> Ignored:
    return Ignored(code, _IGNORED_TEXT[code])


# --- the other follow-ups --------------------------------------------------------------------------


def _information(case: TrackedCase, event: Sheet | Answer, *, by: str, step: Step) -> Decision:
    """Sheet or answer, once; the case is then in review, whatever it was before (§4.2, §4.4)."""
    if isinstance(event, Sheet):
        kind, form, sender, name = EventKind.SHEET, Kind.TRANSFER_APPLY, case.old_region, "转出地"
    else:
        kind, form, sender, name = EventKind.ANSWER, Kind.UNEMPLOYMENT_CLAIM, case.target, "参保地"
    if case.kind is not form or by != sender:
        return Conflict("9023", f"此报文只能由这类办件的{name}发送：请核对办件编号")
    if case.answered or case.state not in UNDECIDED:
        return _not_now(case, "不能再接收此报文" if case.answered else "不能接收此报文")
    lines: list[CaseEvent] = []
    reached = case
    if not _accepted(case):
        lines.append(step.implied(reached.state, State.ACCEPTED))
        reached = entered(reached, State.ACCEPTED, step)
    lines.append(step.line(kind, reached.state, State.IN_REVIEW))
    reached = entered(reached, State.IN_REVIEW, step)
    reached = changed(reached, answered=True, accepted_by_target=True)
    return Move(timed(reached, step.calendar), tuple(lines))


def _of_the_origin(
    case: TrackedCase, event: Supplement | Withdrawal | Rating, *, by: str, step: Step
) -> Decision:
    if by != case.origin:
        return Conflict("9023", "此报文只能由办件的来源方发送")
    match event:
        case Supplement():
            after = SUPPLEMENTED.get(case.state)
            return _moved(case, after, EventKind.SUPPLEMENT, step=step)
        case Withdrawal():
            after = State.WITHDRAWN if case.state in WITHDRAWABLE else None
            return _moved(case, after, EventKind.WITHDRAWAL, step=step)
        case Rating():
            if case.rated:
                return Conflict("9024", "此件已经评价：每件只能评价一次")
            after = State.RATED if case.state in RATEABLE else None
            return _moved(changed(case, rated=True), after, EventKind.RATING, step=step)


_FORBIDDEN = {
    EventKind.SUPPLEMENT: "没有等待补正的材料",
    EventKind.WITHDRAWAL: "不能再撤回",
    EventKind.RATING: "办结之后才能评价",
}


def _moved(case: TrackedCase, after: State | None, kind: EventKind, *, step: Step) -> Decision:
    if after is None:
        return _not_now(case, _FORBIDDEN[kind])
    line = step.line(kind, case.state, after)
    return Move(timed(entered(case, after, step), step.calendar), (line,))


def _not_now(case: TrackedCase, text: str) -> Conflict:
    return Conflict("9022", f"办件处于 {case.state} {case.state.label}，{text}")
