"""How a tracked case becomes a row of ``cases`` and back: columns for lists, JSON for the rest (pure)."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import orjson

from gateway.canonical.kinds import Kind, State
from gateway.canonical.tracking import (
    CaseEvent,
    Clock,
    EventKind,
    LastReport,
    Suspension,
    TimeLimit,
    TrackedCase,
)
from gateway.mapping.fieldmap import TraceEntry
from gateway.store.records import CaseRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncpg import Record
    from sqlalchemy import RowMapping

    from gateway.store.records import Person

#: Columns that never change once a case exists.
FIXED = ("id", "case_no", "kind", "origin", "target", "origin_case_no", "received_at")
#: Columns a move may change.
MOVING = (
    "target_case_no",
    "state",
    "item",
    "scheme",
    "origin_division",
    "target_division",
    "parked",
    "due_on",
    "tracking",
)


def columns(case: TrackedCase) -> dict[str, Any]:
    """The row of a case: `FIXED` and `MOVING` columns, ``tracking`` as JSON text."""
    return {
        "id": case.id,
        "case_no": case.case_no,
        "kind": case.kind.value,
        "origin": case.origin,
        "target": case.target,
        "origin_case_no": case.origin_case_no,
        "received_at": case.received_at,
        "target_case_no": case.target_case_no,
        "state": case.state.value,
        "item": case.item,
        "scheme": case.scheme,
        "origin_division": case.origin_division,
        "target_division": case.target_division,
        "parked": case.parked,
        "due_on": case.due_on,
        "tracking": orjson.dumps(_rest(case)).decode(),
    }


def case_of(row: RowMapping | Mapping[str, Any]) -> TrackedCase:
    """The case of a row (JSON as text or already read)."""
    rest = row["tracking"]
    if isinstance(rest, str):
        rest = orjson.loads(rest)
    return TrackedCase(
        id=row["id"],
        case_no=row["case_no"],
        kind=Kind(row["kind"]),
        origin=row["origin"],
        target=row["target"],
        origin_case_no=row["origin_case_no"],
        received_at=row["received_at"],
        target_case_no=row["target_case_no"],
        state=State(row["state"]),
        item=row["item"],
        scheme=row["scheme"],
        origin_division=row["origin_division"],
        target_division=row["target_division"],
        parked=row["parked"],
        due_on=row["due_on"],
        **_unrest(rest),
    )


def record_of(row: RowMapping | Record, person: Person) -> CaseRecord:
    """The case of a row with how far its messages and events have come."""
    return CaseRecord(case_of(row), person, row["last_seq"], row["last_event"])


def event_of(row: RowMapping, note: str) -> CaseEvent:
    """The line of a row of ``events``; its note is opened by whoever holds the keys."""
    return CaseEvent(
        at=row["at"],
        kind=EventKind(row["kind"]),
        from_state=State(row["from_state"]) if row["from_state"] else None,
        to_state=State(row["to_state"]),
        actor=row["actor"],
        note=note,
    )


def trace_of(written: bytes) -> list[dict[str, str | None]]:
    """The entries of a stored trace: rows since 0.2, objects before."""
    entries: list[Any] = orjson.loads(written)
    return [
        dict(zip(TraceEntry._fields, each, strict=True)) if isinstance(each, list) else each
        for each in entries
    ]


_FLAGS = ("accepted_by_origin", "accepted_by_target", "answered", "rated", "due_provisional")
_TEXTS = ("old_region", "old_division", "claim_place", "channel")


def _rest(case: TrackedCase) -> dict[str, Any]:
    """Every other field; what holds its default is left out."""
    rest: dict[str, Any] = {
        **{name: True for name in _FLAGS if getattr(case, name)},
        **{name: getattr(case, name) for name in _TEXTS if getattr(case, name)},
        "accepted_at": case.accepted_at and case.accepted_at.isoformat(),
        "accepted_on": case.accepted_on and case.accepted_on.isoformat(),
        "limit": _limit(case.limit),
        "legal_limit": _limit(case.legal_limit),
        "remaining": _limit(case.remaining),
        "last_report": {side: [last.at.isoformat(), last.words] for side, last in case.last_report.items()},
        "clock": _clock(case.clock),
        "collected": case.collected,
    }
    return {name: value for name, value in rest.items() if value}


def _unrest(rest: Mapping[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = {name: rest[name] for name in (*_FLAGS, *_TEXTS) if name in rest}
    if "accepted_at" in rest:
        read["accepted_at"] = datetime.fromisoformat(rest["accepted_at"])
    if "accepted_on" in rest:
        read["accepted_on"] = date.fromisoformat(rest["accepted_on"])
    for name in ("limit", "legal_limit", "remaining"):
        if name in rest:
            read[name] = TimeLimit(*rest[name])
    if "last_report" in rest:
        read["last_report"] = {
            side: LastReport(datetime.fromisoformat(at), words)
            for side, (at, words) in rest["last_report"].items()
        }
    if "collected" in rest:
        read["collected"] = rest["collected"]
    if "clock" in rest:
        read["clock"] = _unclock(rest["clock"])
    return read


def _limit(limit: TimeLimit | None) -> list[int | str] | None:
    return None if limit is None else [limit.value, limit.unit]


def _clock(clock: Clock) -> dict[str, Any]:
    written: dict[str, Any] = {
        "started_on": clock.started_on and clock.started_on.isoformat(),
        "suspensions": [
            [gap.since.isoformat(), gap.until and gap.until.isoformat()] for gap in clock.suspensions
        ],
        "stopped": clock.stopped,
    }
    return {name: value for name, value in written.items() if value}


def _unclock(written: Mapping[str, Any]) -> Clock:
    started = written.get("started_on")
    return Clock(
        started_on=date.fromisoformat(started) if started else None,
        suspensions=tuple(
            Suspension(date.fromisoformat(since), date.fromisoformat(until) if until else None)
            for since, until in written.get("suspensions", ())
        ),
        stopped=written.get("stopped", False),
    )
