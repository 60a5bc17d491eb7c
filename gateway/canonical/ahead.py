"""What may happen to a case next, and from whom: asked of the life cycle itself, so that the two never differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.canonical import lifecycle
from gateway.canonical.kinds import Kind, State
from gateway.canonical.lifecycle import Answer, Happening, Rating, Sheet, StatusReport, Supplement, Withdrawal
from gateway.canonical.stages import GATEWAY
from gateway.canonical.tracking import EventKind, Move, TrackedCase
from gateway.canonical.transitions import FINAL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gateway.canonical.worktime import WorkCalendar

_REPORTABLE = tuple(
    State(code) for code in ("10", "11", "20", "21", "23", "30", "31", "32", "33", "40", "41", "50")
)
_UNDELIVERED = frozenset({State.RECEIVED, State.ACCEPTED, State.UNDELIVERED})


@dataclass(frozen=True, slots=True)
class Ahead:
    """A state the case may enter next. ``by``: slugs of the sides, or ``gateway``; ``kind``: what brings it there."""

    state: State
    kind: EventKind
    by: tuple[str, ...]


def holders(case: TrackedCase) -> tuple[str, ...]:
    """Whose turn it is: slugs of regions, ``gateway``, or nobody at the end. Source: crossing §5.2."""
    if case.parked or not reached_target(case):
        return (GATEWAY,) if case.state not in FINAL or case.state is State.CONCLUDED else ()
    if case.state in {State.CORRECTION, State.SUSPENDED_CORRECTION}:
        return (case.origin,)  # the materials are asked of the applicant there
    if case.state in FINAL:
        return ()
    return tuple(sorted(lifecycle.owners(case)))


def reached_target(case: TrackedCase) -> bool:
    """Whether the other side has the application: it left the states it waits in, or has been heard of."""
    heard = case.accepted_by_target or case.target in case.last_report
    return heard or case.state not in _UNDELIVERED


def ahead(case: TrackedCase, *, now: datetime, calendar: WorkCalendar) -> tuple[Ahead, ...]:
    """The next states without a stage skipped, in the order of their codes. ``now`` aware."""
    found: dict[tuple[State, EventKind], set[str]] = {}
    for state, kind, by in _own(case) if _held_back(case) else _told(case, now, calendar):
        found.setdefault((state, kind), set()).add(by)
    return tuple(Ahead(state, kind, tuple(sorted(found[state, kind]))) for state, kind in sorted(found))


def _held_back(case: TrackedCase) -> bool:
    return case.parked or not reached_target(case)


def _own(case: TrackedCase) -> Iterator[tuple[State, EventKind, str]]:
    """Before the other side knows of the case only we and the origin move it."""
    certified = case.kind is Kind.CERTIFICATION_NOTICE
    if case.state not in FINAL or (certified and not case.parked):
        how = EventKind.RELEASED if case.parked else EventKind.DELIVERY
        yield State.CONCLUDED if certified else State.FORWARDED, how, GATEWAY
    if case.state is State.UNDELIVERED:
        yield State.DECLINED, EventKind.STATUS, GATEWAY
    if case.state not in FINAL:
        yield State.WITHDRAWN, EventKind.WITHDRAWAL, case.origin


def _told(case: TrackedCase, now: datetime, calendar: WorkCalendar) -> Iterator[tuple[State, EventKind, str]]:
    at = max([now, *(last.at for last in case.last_report.values())])
    happenings: list[Happening] = [StatusReport(state, "", at, "") for state in _REPORTABLE]
    happenings += [Sheet(), Answer(), Supplement(at), Withdrawal(at), Rating(at)]
    for happening in happenings:
        for by in (case.origin, case.target):
            decided = lifecycle.apply(case, happening, by=by, at=at, actor=by, calendar=calendar)
            if (
                isinstance(decided, Move)
                and len(decided.events) == 1
                and decided.case.state is not case.state
            ):
                yield decided.case.state, decided.events[0].kind, by
