"""A case as the gateway tracks it: the one value the life cycle reads and replaces."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from gateway.canonical.kinds import Kind, State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """A limit of an item version. Units: ``unit`` is ``工作日``, ``日`` or ``月``; 0 = done at once."""

    value: int
    unit: str


@dataclass(frozen=True, slots=True)
class LastReport:
    """The last status report taken from one side: its own time (aware) and its native words."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Suspension:
    """Days on which the clock stood still: ``since`` counts, ``until`` does not (spec/gateway §2)."""

    since: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """The legal clock: day 0 and the suspensions since, by the Beijing dates of the reports."""

    started_on: date | None = None
    suspensions: tuple[Suspension, ...] = ()
    stopped: bool = False


@dataclass(frozen=True)
class TrackedCase:
    """One case on its way.

    Regions are slugs, divisions six digits (``""`` while an application is parked and they are not
    known), times aware UTC. ``old_region`` is the side of the old place of a transfer, ``""``
    otherwise; ``accepted_on`` the Beijing date by which tables are chosen.
    """

    id: UUID
    case_no: str
    kind: Kind
    origin: str
    target: str
    origin_case_no: str
    received_at: datetime
    state: State = State.RECEIVED
    item: str = ""
    scheme: str = ""
    origin_division: str = ""
    target_division: str = ""
    target_case_no: str = ""
    accepted_at: datetime | None = None
    accepted_on: date | None = None
    limit: TimeLimit | None = None
    #: what the law allows; the case is promised ``limit``
    legal_limit: TimeLimit | None = None
    old_region: str = ""
    old_division: str = ""
    claim_place: str = ""
    #: the application waits for a table row: it has no form of the other side yet
    parked: bool = False
    accepted_by_origin: bool = False
    accepted_by_target: bool = False
    #: information sheet (transfer) or answer (claim) has been taken
    answered: bool = False
    rated: bool = False
    #: the channel that collected it and stands for its origin; ``""``: a case of the region's own system
    channel: str = ""
    #: who collected it, as told: ``organisation``, ``outlet``, ``outlet_name``, ``agency``, ``reference``
    collected: Mapping[str, str] = field(default_factory=dict)
    last_report: Mapping[str, LastReport] = field(default_factory=dict)
    clock: Clock = Clock()
    due_on: date | None = None
    due_provisional: bool = False
    #: what is left of the limit while the clock is suspended
    remaining: TimeLimit | None = None


def changed(case: TrackedCase, **fields: Any) -> TrackedCase:
    """The case with other ``fields``: `dataclasses.replace` without going through the constructor.

    A case is replaced half a dozen times on its way through a door, and 30 fields set one by one each time were a
    tenth of that way. Errors: `TypeError` for a field it has not.
    """
    if not fields.keys() <= TrackedCase.__dataclass_fields__.keys():
        raise TypeError(f"no such field: {', '.join(sorted(fields.keys() - vars(case).keys()))}")
    after = object.__new__(TrackedCase)
    vars(after).update(vars(case), **fields)
    return after


def actor_of(case: TrackedCase, sender: str) -> str:
    """How the timeline names who spoke for a side: of a collected case's origin, the channel."""
    return f"channel:{case.channel}" if case.channel and sender == case.origin else sender


class EventKind(StrEnum):
    """``timeline[].kind`` of spec/gateway.md §2."""

    APPLICATION = "application"
    DELIVERY = "delivery"
    DELIVERY_FAILED = "delivery_failed"
    PARKED = "parked"
    RELEASED = "released"
    STATUS = "status"
    IGNORED = "ignored"
    SHEET = "sheet"
    ANSWER = "answer"
    SUPPLEMENT = "supplement"
    WITHDRAWAL = "withdrawal"
    RATING = "rating"


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One line of a case's timeline; ``at`` aware, ``actor`` a region slug, ``gateway``, ``staff:…`` or ``channel:…``."""

    at: datetime
    kind: EventKind
    from_state: State | None
    to_state: State
    actor: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """Taken: the case after it, its timeline lines, and whether the message goes on to the other side."""

    case: TrackedCase
    events: tuple[CaseEvent, ...]
    forward: bool = True


@dataclass(frozen=True, slots=True)
class Ignored:
    """A report kept without effect (1101 older, 1102 already held)."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """The life cycle forbids it (9022, 9023, 9024)."""

    code: str
    text: str
