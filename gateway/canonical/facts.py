"""What a case contributes to the indicators of the agencies that had it: facts, and the counts made of them (pure).

The indicators are defined in ``docs/reference/indicators.md``; `CONTRIBUTIONS` is their source: which day of a
case counts for which of its numbers. Days are Beijing days.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from gateway.canonical.kinds import State
from gateway.canonical.tracking import EventKind
from gateway.canonical.transitions import FINAL
from gateway.canonical.worktime import beijing_day, working_days

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from uuid import UUID

    from gateway.canonical.tracking import CaseEvent, TrackedCase
    from gateway.canonical.worktime import WorkCalendar

#: Grades from which on a rating has to be put right (GB/T 39046 A.8: 4 不满意, 5 非常不满意).
BAD_FROM = 4

#: Grade 1 (best) is five stars, grade 5 one.
_BEST = 6

#: How a case ends; 50, 60 and 90 only follow upon the first two.
CONCLUDED = frozenset({State.CONCLUDED, State.RETURNED})
_ENDINGS = CONCLUDED | {State.DECLINED, State.WITHDRAWN}
_CORRECTIONS = frozenset({State.CORRECTION, State.SUSPENDED_CORRECTION})


@dataclass(frozen=True, slots=True)
class Facts:
    """One case as the indicators see it. None: has not happened, or does not apply.

    ``ending`` is the state that ended it (``""`` while open), ``parked_s`` how long its application waited for a
    table row, ``grade`` 1 best to 5 worst, ``bad_closed_on`` when a bad rating was put right.
    """

    case_id: UUID
    case_no: str
    item: str
    origin: str
    origin_division: str
    target: str
    target_division: str
    received_on: date
    is_open: bool = True
    due_on: date | None = None
    provisional: bool = False
    decided_on: date | None = None
    first_time: bool = False
    ended_on: date | None = None
    ending: str = ""
    workdays: int | None = None
    supplements: int = 0
    parks: int = 0
    parked_s: int = 0
    rated_on: date | None = None
    grade: int | None = None
    bad_closed_on: date | None = None

    @property
    def on_time(self) -> bool | None:
        """Whether it was concluded by its due date; None for what had none, or was not concluded."""
        if self.due_on is None or self.ended_on is None or self.ending not in CONCLUDED:
            return None
        return self.ended_on <= self.due_on

    @property
    def is_bad(self) -> bool:
        """Whether its rating asks for putting right."""
        return self.grade is not None and self.grade >= BAD_FROM


@dataclass(frozen=True, slots=True)
class Beside:
    """What neither case nor timeline tells: the grade of the rating, and the day a bad one was put right."""

    grade: int | None = None
    bad_closed_on: date | None = None


def facts_of(case: TrackedCase, events: Sequence[CaseEvent], beside: Beside, calendar: WorkCalendar) -> Facts:
    """The facts of a case by all it has gone through. Errors: none; what the timeline lacks is left open."""
    accepted = next((e for e in events if e.to_state is State.ACCEPTED), None)
    declined = any(e.to_state is State.DECLINED for e in events)
    ended = _ended(case, events)
    rated = next((e for e in events if e.kind is EventKind.RATING), None)
    ended_on = _day_of(ended)
    return Facts(
        case_id=case.id,
        case_no=case.case_no,
        item=case.item,
        origin=case.origin,
        origin_division=case.origin_division,
        target=case.target,
        target_division=case.target_division,
        received_on=beijing_day(case.received_at),
        is_open=case.state not in FINAL,
        due_on=case.due_on,
        provisional=case.due_provisional,
        decided_on=_decided_on(case, events, accepted),
        first_time=not declined and not _corrected_before(events, accepted),
        ended_on=ended_on,
        ending=_ending(ended),
        workdays=_workdays(case, ended_on, calendar),
        supplements=sum(e.to_state in _CORRECTIONS and e.from_state is not e.to_state for e in events),
        parks=sum(e.kind is EventKind.PARKED for e in events),
        parked_s=_parked_s(events),
        rated_on=_day_of(rated),
        grade=beside.grade if rated else None,
        bad_closed_on=beside.bad_closed_on or _closed_on(events) if rated else None,
    )


def remembered(new: Facts, old: Facts) -> Facts:
    """The new facts of a case whose early history is no longer kept, completed from those of before."""
    return replace(
        new,
        decided_on=old.decided_on or new.decided_on,
        first_time=old.first_time if old.decided_on else new.first_time,
        ended_on=None if new.is_open else old.ended_on or new.ended_on,
        ending="" if new.is_open else old.ending or new.ending,
        workdays=old.workdays if old.ended_on and not new.is_open else new.workdays,
        supplements=max(new.supplements, old.supplements),
        parks=max(new.parks, old.parks),
        parked_s=max(new.parked_s, old.parked_s),
        rated_on=new.rated_on or old.rated_on,
        grade=new.grade or old.grade,
        bad_closed_on=new.bad_closed_on or old.bad_closed_on,
    )


# -- from facts to counts -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counts:
    """What is added up for a day, a side, an agency and an item; indicators are quotients of two of these."""

    received: int = 0
    supplemented: int = 0
    reworked: int = 0
    parked_s: int = 0
    decided: int = 0
    first_time: int = 0
    concluded: int = 0
    timed: int = 0
    on_time: int = 0
    clocked: int = 0
    workdays: int = 0
    rated: int = 0
    stars: int = 0
    bad: int = 0
    closed: int = 0
    closed_days: int = 0
    open: int = 0
    provisional: int = 0


COUNTED = tuple(field.name for field in fields(Counts))


@dataclass(frozen=True, slots=True)
class Place:
    """Whose counts: ``side`` is ``origin`` (received it) or ``target`` (handles it)."""

    side: str
    region: str
    division: str
    item: str


Key = tuple["date", Place]


def difference(old: Facts | None, new: Facts) -> Mapping[Key, tuple[int, ...]]:
    """What has to be added to the counts when a case's facts become other ones; empty when nothing does."""
    sums: defaultdict[Key, list[int]] = defaultdict(lambda: [0] * len(COUNTED))
    for facts, sign in ((old, -1), (new, 1)):
        for key, counts in contributions(facts) if facts else ():
            row = sums[key]
            for place, name in enumerate(COUNTED):
                row[place] += sign * getattr(counts, name)
    return {key: tuple(row) for key, row in sums.items() if any(row)}


def contributions(facts: Facts) -> Iterator[tuple[Key, Counts]]:
    """The counts a case gives, each on the day it happened, for both of its sides."""
    places = (
        Place("origin", facts.origin, facts.origin_division, facts.item),
        Place("target", facts.target, facts.target_division, facts.item),
    )
    for day, counts in _dated(facts):
        for place in places:
            yield (day, place), counts


def _dated(facts: Facts) -> Iterator[tuple[date, Counts]]:
    yield (
        facts.received_on,
        Counts(
            received=1,
            supplemented=facts.supplements > 0,
            reworked=facts.parks > 0,
            parked_s=facts.parked_s,
        ),
    )
    if facts.decided_on:
        yield facts.decided_on, Counts(decided=1, first_time=facts.first_time)
    if facts.ended_on and facts.ending in CONCLUDED:
        days = facts.workdays
        yield (
            facts.ended_on,
            Counts(
                concluded=1,
                timed=facts.on_time is not None,
                on_time=bool(facts.on_time),
                clocked=days is not None,
                workdays=days or 0,
            ),
        )
    if facts.rated_on and facts.grade is not None:
        yield facts.rated_on, _of_the_rating(facts, facts.rated_on, facts.grade)
    if facts.is_open and facts.due_on:
        yield facts.due_on, Counts(open=1, provisional=facts.provisional)


def _of_the_rating(facts: Facts, rated_on: date, grade: int) -> Counts:
    closed = facts.is_bad and facts.bad_closed_on is not None
    took = (facts.bad_closed_on - rated_on).days if closed and facts.bad_closed_on else 0
    return Counts(rated=1, stars=_BEST - grade, bad=facts.is_bad, closed=closed, closed_days=max(0, took))


# -- from history to facts ----------------------------------------------------------------------------


def _ended(case: TrackedCase, events: Sequence[CaseEvent]) -> CaseEvent | None:
    """The event that ended it; of one that was opened again and ended anew, the last."""
    if case.state not in FINAL:
        return None
    told = [e for e in events if e.to_state in _ENDINGS and e.from_state is not e.to_state]
    if told:
        return told[-1]
    return next((e for e in events if e.to_state in FINAL), None)


def _day_of(event: CaseEvent | None) -> date | None:
    return None if event is None else beijing_day(event.at)


def _ending(ended: CaseEvent | None) -> str:
    """A case that is served was concluded, also when nobody kept the word of it."""
    if ended is None:
        return ""
    return (ended.to_state if ended.to_state in _ENDINGS else State.CONCLUDED).value


def _decided_on(case: TrackedCase, events: Sequence[CaseEvent], accepted: CaseEvent | None) -> date | None:
    if accepted is not None:
        return beijing_day(accepted.at)
    declined = next((e for e in events if e.to_state is State.DECLINED), None)
    return _day_of(declined) or case.clock.started_on


def _corrected_before(events: Sequence[CaseEvent], accepted: CaseEvent | None) -> bool:
    for event in events:
        if event is accepted:
            return False
        if event.to_state is State.CORRECTION:
            return True
    return False


def _workdays(case: TrackedCase, ended_on: date | None, calendar: WorkCalendar) -> int | None:
    if ended_on is None or case.clock.started_on is None:
        return None
    return working_days(case.clock, ended_on, calendar)


def _parked_s(events: Sequence[CaseEvent]) -> int:
    """From the parking of the application to its release; of follow-ups nobody notes when they go on."""
    released = next((e for e in events if e.kind is EventKind.RELEASED), None)
    kept = next((e for e in events if e.kind is EventKind.PARKED), None)
    if released is None or kept is None:
        return 0
    return max(0, int((released.at - kept.at).total_seconds()))


def _closed_on(events: Sequence[CaseEvent]) -> date | None:
    return _day_of(next((e for e in events if e.to_state is State.CLOSED), None))
