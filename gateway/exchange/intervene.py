"""What staff do to work that does not flow: retry, cancel, release, mend, return to the origin."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from gateway.canonical.kinds import Kind, State, TraceKind
from gateway.canonical.lifecycle import returned_to_origin
from gateway.canonical.tracking import CaseEvent, Conflict, EventKind, Move, TrackedCase, actor_of, changed
from gateway.canonical.worktime import beijing_day
from gateway.errors import Refusal
from gateway.exchange import casework, translate
from gateway.exchange.canonical_side import asks_itself, heard, party, unsent
from gateway.exchange.crossing import (
    bodies_of,
    read_follow_up,
    render,
    render_follow_up,
    target_number,
)
from gateway.mapping.fieldmap import Leaf, Reading, Sight
from gateway.store.audit import Line
from gateway.store.records import Intent, Part, Stored, StoredReceipt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.canonical.lifecycle import Decision
    from gateway.exchange.door import Desk
    from gateway.exchange.translate import Rendered
    from gateway.region import Region
    from gateway.store.engine import Also
    from gateway.store.records import CaseRecord, ParkedMessage

log = structlog.get_logger()

Findings = list[dict[str, str]]

#: fields of a case that are learned when its application can finally be read
_LEARNED = (
    "item",
    "scheme",
    "origin_division",
    "target_division",
    "target_case_no",
    "accepted_at",
    "accepted_on",
    "limit",
    "legal_limit",
    "old_division",
    "old_region",
    "claim_place",
    "collected",
)


async def retry(rt: Desk, message_id: UUID, actor: str, reason: str) -> None:
    """Send a dead or refused message again, same message key. Errors: `LookupError` when it is neither."""
    record = _recorded(rt, Line(actor, "retry", str(message_id), reason))
    destination = await rt.deliveries.retry(message_id, also=record)
    await rt.bell.ring(destination)


async def cancel(rt: Desk, message_id: UUID, actor: str, reason: str) -> None:
    """Give a message up; its followers go on. Errors: `LookupError` when it is gone or under way."""
    record = _recorded(rt, Line(actor, "cancel", str(message_id), reason))
    destination = await rt.deliveries.cancel(message_id, also=record)
    await rt.bell.ring(destination)


def _recorded(rt: Desk, line: Line) -> Also:
    async def record(connection: AsyncConnection) -> None:
        await rt.audit.write(connection, line)

    return record


async def release(rt: Desk, message_id: UUID, actor: str, reason: str = "") -> Findings:
    """Treat a parked message again from step 9 (crossing §1). Empty = released; else what is missing.

    Errors: `LookupError` when it is not parked.
    """
    message = await rt.cases.parked(message_id)
    if message is None:
        raise LookupError(str(message_id))
    record = await _record(rt, message.case_no)
    try:
        findings = await _release(rt, message, record, actor)
    except Refusal as refused:
        findings = [finding.as_json() for finding in refused.findings]
    if findings:
        await rt.intake.still_parked(message_id, findings)
        return findings
    await rt.audit.append(actor, "release", str(message_id), reason)
    await render_waiting(rt, record.case.id, message.case_no)
    return []


async def release_all(rt: Desk, actor: str) -> int:
    """Release whatever the tables now allow, oldest first; the number released. Run when tables change."""
    released, after = 0, None
    while True:
        page, after = await rt.cases.parked_page(100, after)
        for message in page:
            try:
                released += not await release(rt, message.id, actor)
            except LookupError:  # someone else was quicker
                continue
        if after is None:
            return released


async def return_to_origin(rt: Desk, case_no: str, actor: str, reason: str) -> None:
    """Give an undeliverable case back: 28 → 21, and the origin is told so (gateway §5).

    Errors: `LookupError` for an unknown case, `Refusal` 409 9022 when it is not in 28.
    """
    record = await _record(rt, case_no)
    acceptance = await rt.intake.accept(await _declined(rt, record, actor, reason))
    if acceptance.stored is Stored.CONFLICT and acceptance.conflict is not None:
        raise Refusal(409, acceptance.conflict.code, acceptance.conflict.text)
    # only now: a case that may not be returned keeps what is on its way
    await rt.deliveries.cancel_case(record.case.id, record.case.target)
    await rt.audit.append(actor, "return", case_no, reason)
    await rt.bell.ring(record.case.origin)


async def render_waiting(rt: Desk, case_id: UUID, case_no: str) -> None:
    """Give the followers of a released application their bytes, in order. Safe to repeat."""
    for message in await rt.intake.unrendered(case_id):
        record = await _record(rt, case_no)
        if record.case.parked:
            return
        reading = _read_again(rt, message, record)
        to = _told(rt, message, record)
        rendered = await render_follow_up(rt, to, reading, record, rt.clock.now())
        if rendered is None:
            log.warning("follower_not_rendered", message_id=str(message.id), case_no=case_no)
            return
        bodies = bodies_of(to, reading, rendered, case_no)
        await rt.intake.set_rendered(message.id, rendered.native_kind, bodies, rt.tables.digest)
        await rt.bell.ring(to.slug)


async def heal(rt: Desk) -> int:
    """Followers that came while their case was being released; called by the sweep."""
    stranded = await rt.intake.stranded()
    for case_id, case_no in stranded:
        await render_waiting(rt, case_id, case_no)
    return len(stranded)


# --- release ---


async def _record(rt: Desk, case_no: str) -> CaseRecord:
    record = await rt.cases.by_no(case_no)
    if record is None:
        raise LookupError(case_no)
    return record


async def _release(rt: Desk, message: ParkedMessage, record: CaseRecord, actor: str) -> Findings:
    reading = _read_again(rt, message, record)
    if reading.findings:
        return [*casework.kept_findings(reading)]
    to = _told(rt, message, record)
    learned: dict[str, Any] = {}
    rendered: Rendered | None
    if message.kind.opens_case:
        case = await _learned(rt, record.case, reading)
        learned = {name: getattr(case, name) for name in _LEARNED}
        rendered = await render(rt, to, reading, case.case_no, case.target_case_no, rt.clock.now())
    else:
        rendered = await render_follow_up(rt, to, reading, record, rt.clock.now())
    if reading.findings:
        return [*casework.kept_findings(reading)]
    acceptance = await rt.intake.release(
        message.id,
        decide=_decision(rt, message, reading, actor, to),
        tables_digest=rt.tables.digest,
        bodies=bodies_of(to, reading, rendered, record.case.case_no),
        target=learned,
        out_kind=rt.maps.told_as(to, reading.kind),
    )
    if acceptance.conflict is not None:
        path = heard(rt.regions[message.region], message.native_kind).case_path
        return [{"path": path, "code": acceptance.conflict.code, "text": acceptance.conflict.text}]
    await rt.bell.ring(to.slug)
    return []


def _told(rt: Desk, message: ParkedMessage, record: CaseRecord) -> Region:
    """Who the message goes to: the other party of its case."""
    return party(rt.regions[casework.other_party(record.case, message.region)], record.case)


def _read_again(rt: Desk, message: ParkedMessage, record: CaseRecord) -> Reading:
    region = heard(rt.regions[message.region], message.native_kind)
    opened = region.parse(message.raw)
    plan = rt.maps.reader(message.region, message.native_kind)
    if plan is None:
        raise translate.unknown_kind(region.kind_path)
    receiver = casework.other_party(record.case, message.region)
    on = translate.acceptance_day(plan, opened, beijing_day(record.case.received_at))
    sight = Sight(rt.tables, message.region, message.region, receiver, on)
    if message.kind.opens_case:
        return translate.read(plan, opened, sight, rt.maps.routes)
    return read_follow_up(plan, opened, sight, record, rt.maps.routes)


async def _learned(rt: Desk, case: TrackedCase, reading: Reading) -> TrackedCase:
    """The case with what its application now says; its numbers are minted by the day of first receipt."""
    origin, target = rt.regions[case.origin], rt.regions[case.target]
    known = casework.learned(case, reading, origin=origin, target=target)
    if known.target_case_no:
        return known
    division = reading.value("target.division")
    number = await target_number(rt, target, division, case.case_no, case.received_at)
    return changed(known, target_case_no=number)


def _decision(rt: Desk, message: ParkedMessage, reading: Reading, actor: str, to: Region) -> Any:
    now = rt.clock.now()

    def decide(case: TrackedCase) -> Decision:
        if message.kind.opens_case:
            return casework.release_case(case, reading, at=now, actor=actor)
        decided = casework.follow_up(
            case,
            reading,
            by=message.region,
            at=message.received_at,
            actor=actor_of(case, message.region),
            is_parked=False,
        )
        if asks_itself(to):
            decided = unsent(decided)
        if not isinstance(decided, Move):
            return decided
        line = CaseEvent(now, EventKind.RELEASED, case.state, case.state, actor)
        return replace(decided, events=(line, *decided.events))

    return decide


# --- return to the origin ---


async def _declined(rt: Desk, record: CaseRecord, actor: str, reason: str) -> Intent:
    """The gateway's own status report 21 to the origin, in the origin's format."""
    case, now = record.case, rt.clock.now()
    origin = party(rt.regions[case.origin], case)
    context = casework.context_of(record)
    sight = Sight(rt.tables, case.target, case.target, case.origin, context.accepted_on, context)
    reading = Reading(Kind.STATUS_REPORT, sight, {})
    told: Mapping[str, Any] = {"state": State.DECLINED.value, "at": now, "reason": reason}
    for name, value in told.items():
        reading.leaves[f"status.{name}"] = Leaf(value, None, None, "M13", TraceKind.DERIVED)
    rendered = await render(rt, origin, reading, case.case_no, case.origin_case_no, now)

    def decide(locked: TrackedCase) -> Move | Conflict:
        move = returned_to_origin(locked, reason, at=now, actor=actor, calendar=rt.tables.calendar)
        return replace(move, forward=not asks_itself(origin)) if isinstance(move, Move) else move

    message_id = rt.new_id()
    key = f"return:{message_id}"
    return Intent(
        message_id=message_id,
        region="gateway",
        destination=case.origin,
        key=key,
        digest=key,
        kind=Kind.STATUS_REPORT,
        native_kind="",
        out_kind=rendered.native_kind,
        received_at=now,
        case_id=case.id,
        tables_digest=rt.tables.digest,
        bodies={Part.RAW: b"", **bodies_of(origin, reading, rendered, case.case_no)},
        decide=decide,
        receipt=lambda _: StoredReceipt(202, b"", key),
    )
