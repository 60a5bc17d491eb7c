"""From a reading to its case and back: what opens one, what follows one up (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gateway.canonical.kinds import Kind, State
from gateway.canonical.lifecycle import (
    Answer,
    Decision,
    Happening,
    Rating,
    Sheet,
    StatusReport,
    Supplement,
    Withdrawal,
    apply,
    opened,
    parked,
    released,
)
from gateway.canonical.tracking import EventKind, Move, TrackedCase, actor_of, changed
from gateway.canonical.worktime import beijing_day
from gateway.mapping.fieldmap import CaseContext, Reading
from gateway.store.records import CaseRecord, Person

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from gateway.canonical.worktime import WorkCalendar
    from gateway.errors import Finding
    from gateway.mapping.items import ItemVersion
    from gateway.region import Region


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers minted for a new case."""

    id: UUID
    case_no: str
    target_case_no: str


def context_of(record: CaseRecord) -> CaseContext:
    """What follow-ups may know of their case."""
    case, person = record.case, record.person
    return CaseContext(
        case_no=case.case_no,
        item=case.item,
        accepted_on=case.accepted_on or beijing_day(case.received_at),
        origin=case.origin,
        target=case.target,
        numbers={case.origin: case.origin_case_no, case.target: case.target_case_no},
        origin_division=case.origin_division,
        target_division=case.target_division,
        old_place=case.old_division,
        claim_place=case.claim_place,
        scheme=case.scheme,
        applicant={"name": person.name, "id_type": person.id_type, "id_no": person.id_no},
    )


def other_party(case: TrackedCase, sender: str) -> str:
    """The side of a case that hears what ``sender`` says of it."""
    return case.target if sender == case.origin else case.origin


def person_of(reading: Reading) -> Person:
    return Person(
        reading.value("applicant.name") or "",
        reading.value("applicant.id_type") or "",
        reading.value("applicant.id_no") or "",
    )


def origin_division(reading: Reading, region: Region) -> str:
    """The origin's division for the case number; as written, or the province's, while it is not known."""
    known = reading.value("origin.division")
    if known is not None:
        return str(known)
    return f"{region.division_prefix}0000"


def new_case(
    reading: Reading,
    numbers: Numbers,
    *,
    origin: Region,
    target: Region,
    origin_case_no: str,
    received_at: datetime,
    is_parked: bool,
) -> TrackedCase:
    """The case an application opens, with everything its reading tells (not yet in any state)."""
    case = TrackedCase(
        id=numbers.id,
        case_no=numbers.case_no,
        kind=reading.kind,
        origin=origin.slug,
        target=target.slug,
        origin_case_no=origin_case_no,
        target_case_no=numbers.target_case_no,
        received_at=received_at,
        parked=is_parked,
    )
    return learned(case, reading, origin=origin, target=target)


def learned(case: TrackedCase, reading: Reading, *, origin: Region, target: Region) -> TrackedCase:
    """The case with what the reading of its application says (also when it is read again)."""
    old = reading.value("transfer.from_division") or ""
    accepted_at: datetime | None = reading.value("accepted_at")
    version = _version(reading)
    told = changed(
        case,
        item=reading.value("item") or "",
        scheme=reading.value("scheme") or "",
        origin_division=origin_division(reading, origin),
        target_division=reading.value("target.division") or "",
        accepted_at=accepted_at.astimezone(UTC) if accepted_at else None,
        accepted_on=reading.sight.on,
        limit=version.promised if version else None,
        legal_limit=version.legal if version else None,
        old_division=old,
        old_region=_side_of(old, (origin, target)),
        claim_place=reading.value("unemployment.claim_place") or "",
    )
    return _for_its_agency(told, reading)


def collected(case: TrackedCase, reading: Reading, channel: str, organisation: str) -> TrackedCase:
    """The case as collected by a channel: where, by whom, and for which agency."""
    told = {
        name: reading.value(f"_collected.{name}") or "" for name in ("outlet", "outlet_name", "reference")
    }
    case = changed(case, channel=channel, collected={"organisation": organisation, **told})
    return _for_its_agency(case, reading)


def _for_its_agency(case: TrackedCase, reading: Reading) -> TrackedCase:
    """The agency by its name of now; a parked application may not tell it yet."""
    if not case.channel:
        return case
    agency = reading.sight.tables.agencies.of(case.origin_division)
    return changed(case, collected={**case.collected, "agency": agency.name if agency else ""})


def _version(reading: Reading) -> ItemVersion | None:
    item = reading.value("item")
    return reading.sight.tables.items.version(item, reading.sight.on) if item else None


def _side_of(division: str, regions: Iterable[Region]) -> str:
    return next((r.slug for r in regions if division and division.startswith(r.division_prefix)), "")


def first_state(reading: Reading) -> State:
    """10 or 20 as the origin says, 40 for certifications (crossing §3.1)."""
    return State(reading.value("_state") or State.RECEIVED)


def open_case(case: TrackedCase, reading: Reading, *, at: datetime, calendar: WorkCalendar) -> Move:
    move = opened(case, first_state(reading), at=at, actor=actor_of(case, case.origin), calendar=calendar)
    # the application is told by its own time, like every report (example of gateway §2)
    dated = _dated(move, case.accepted_at)
    return _explained(dated, EventKind.PARKED, park_note(reading.findings)) if case.parked else dated


def _dated(move: Move, accepted_at: datetime | None) -> Move:
    if accepted_at is None:
        return move
    lines = (replace(e, at=accepted_at) if e.kind is EventKind.APPLICATION else e for e in move.events)
    return replace(move, events=tuple(lines))


def release_case(case: TrackedCase, reading: Reading, *, at: datetime, actor: str) -> Move:
    calendar = reading.sight.tables.calendar
    return released(case, first_state(reading), at=at, actor=actor, calendar=calendar)


def _explained(move: Move, kind: EventKind, note: str) -> Move:
    lines = tuple(replace(e, note=note) if e.kind is kind and not e.note else e for e in move.events)
    return replace(move, events=lines)


def happening(reading: Reading) -> Happening | None:  # noqa: PLR0911 - one line a kind
    """What a follow-up does to its case; None while a status word is not understood."""
    match reading.kind:
        case Kind.TRANSFER_SHEET:
            return Sheet()
        case Kind.UNEMPLOYMENT_ANSWER:
            return Answer()
        case Kind.MATERIAL_SUPPLEMENT:
            return Supplement(reading.value("supplement.at"))
        case Kind.CASE_WITHDRAW:
            return Withdrawal(reading.value("withdrawal.at"))
        case Kind.CASE_RATING:
            return Rating(reading.value("rating.at"))
        case Kind.STATUS_REPORT if "status.state" in reading.leaves:
            return StatusReport(
                State(reading.value("status.state")),
                reading.value("status.special") or "",
                reading.value("status.at"),
                reading.leaves["status.state"].before or "",
            )
        case _:
            return None


def follow_up(
    case: TrackedCase,
    reading: Reading,
    *,
    by: str,
    at: datetime,
    actor: str,
    is_parked: bool,
) -> Decision:
    """What a follow-up does to the locked case. A parked one changes nothing, unless it is in conflict."""
    event = happening(reading)
    calendar = reading.sight.tables.calendar
    note = _note(reading)
    decided: Decision | None = None
    if event is not None:
        decided = apply(case, event, by=by, at=at, actor=actor, calendar=calendar, note=note)
    if decided is None or (is_parked and isinstance(decided, Move)):
        return parked(case, at=at, note=park_note(reading.findings))
    return decided


def _note(reading: Reading) -> str:
    """The native status words; never a person's."""
    leaf = reading.leaves.get("status.state")
    return (leaf.before or "") if leaf else ""


def park_note(findings: Iterable[Finding]) -> str:
    """``1001 param.aac005; …``: codes and paths, as in the receipt."""
    return "; ".join(f"{finding.code} {finding.path}" for finding in findings)


#: Findings about a word that stands in a code field: an unknown code, a material without a rule, a status word.
_CODE_WORDS = {"1001", "1002", "1006"}
_PERSON = (
    "applicant.name",
    "applicant.id_no",
    "applicant.mobile",
    "employer.name",
    "payment.acc_name",
    "payment.acc_no",
)
_LONGEST_WORD = 40
#: What looks like a number of a person or an account is no code word, wherever it stands.
_NUMBER = re.compile(r"[0-9]{11}")
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def kept_findings(reading: Reading) -> tuple[dict[str, str], ...]:
    """The reasons of parking as they are kept: with the unknown word where that is a code word.

    Never a person's: what a sender put into a code field by mistake is left out.
    """
    return tuple(_kept(reading, finding) for finding in reading.findings)


def _kept(reading: Reading, finding: Finding) -> dict[str, str]:
    kept = finding.as_json()
    if finding.code in _CODE_WORDS:
        word = _spelt(reading, finding.path)
        if word is not None and _is_code_word(reading, word):
            kept["value"] = word
    return kept


def _spelt(reading: Reading, path: str) -> str | None:
    held = reading.held.get(path)
    if held is not None:
        return held.before
    return next((leaf.before for leaf in reading.leaves.values() if leaf.path == path), None)


def _is_code_word(reading: Reading, word: str) -> bool:
    if _GUID.fullmatch(word):
        return True
    if len(word) > _LONGEST_WORD or _NUMBER.search(word):
        return False
    case = reading.sight.case
    persons = {*map(reading.spelt, _PERSON), *(_who(case.applicant) if case else ())}
    # a part of a name is a name too; of numbers only whole ones can be told from codes
    return not any(
        written and (written in word or (not written.isascii() and word in written)) for written in persons
    )


def _who(applicant: Mapping[str, str]) -> tuple[str, ...]:
    """Name and number of the case's person; the type of the document is no secret."""
    return tuple(applicant.get(name, "") for name in ("name", "id_no"))
