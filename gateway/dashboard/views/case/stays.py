"""The path of a case as stays: where it was, since when, how long, what held it (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.canonical.kinds import State
from gateway.canonical.tracking import EventKind
from gateway.canonical.transitions import FINAL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from gateway.canonical.tracking import CaseEvent

#: Stages of the diagram that are no states: waiting for a table row, and what one message brings.
PARKED, SHEET, ANSWER = "parked", "sheet", "answer"
_ENDS = frozenset(state.value for state in FINAL)
_BROUGHT = {EventKind.SHEET: SHEET, EventKind.ANSWER: ANSWER}


@dataclass(frozen=True, slots=True)
class Stay:
    """One visit of a stage: a state's code or one of the names above. ``until`` None: it is there now."""

    stage: str
    since: datetime
    until: datetime | None
    by: str
    kind: EventKind
    retries: int = 0

    def seconds(self, now: datetime) -> float:
        """How long it lasted, or has lasted; never below 0."""
        return max(0.0, ((self.until or now) - self.since).total_seconds())

    @property
    def is_pause(self) -> bool:
        """Whether the case stood still here: parked, or the clock suspended."""
        return self.stage in {PARKED, State.SUSPENDED_CORRECTION, State.SUSPENDED_PROCEDURE}


def stays(events: Sequence[CaseEvent], retried: Sequence[datetime] = ()) -> tuple[Stay, ...]:
    """The visits in order. ``retried``: when attempts failed and were put off. A final state has no length."""
    marks: list[tuple[str, CaseEvent]] = []
    for event in events:
        marks += [(stage, event) for stage in _entered(marks[-1][0] if marks else "", event)]
    found = []
    for place, (stage, event) in enumerate(marks):
        following = marks[place + 1][1].at if place + 1 < len(marks) else None
        if following is not None:
            following = max(following, event.at)
        waits = sum(event.at <= at and (following is None or at < following) for at in retried)
        found.append(Stay(stage, event.at, following, event.actor, event.kind, waits))
    return tuple(found)


def _entered(held: str, event: CaseEvent) -> tuple[str, ...]:
    """Stages an event brings the case to; nothing for one that only notes something."""
    after = event.to_state.value
    if event.kind is EventKind.PARKED:
        # a follow-up that waits holds up nothing but itself
        return (PARKED,) if held == State.RECEIVED and event.from_state is State.RECEIVED else ()
    brought = _BROUGHT.get(event.kind)
    if brought is not None:
        return (brought, after)
    if held == PARKED and event.kind is not EventKind.RELEASED and after == State.RECEIVED:
        return ()
    return (after,) if after != held else ()


def is_end(stay: Stay) -> bool:
    """Whether a stay is an end, whose length means nothing."""
    return stay.stage in _ENDS
