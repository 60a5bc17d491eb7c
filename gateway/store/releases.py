"""What staff and new tables do to waiting messages: release them, or give them their bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import RowMapping, text

from gateway.canonical.kinds import Kind
from gateway.canonical.tracking import Conflict, Ignored, Move, TrackedCase, actor_of, changed
from gateway.store import shapes, statements
from gateway.store.batch import Standing, event_rows, ignored_event, sealed_bodies, standing_of
from gateway.store.engine import single
from gateway.store.records import Acceptance, Decide, ParkedMessage, Part, Stored
from gateway.store.vault import BODY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from gateway.store.vault import Vault


@dataclass(frozen=True, slots=True)
class NewBytes:
    """What a message became under the tables of now; parts not given stay as they are."""

    message_id: UUID
    tables_digest: str
    bodies: Mapping[Part, bytes] = field(repr=False)
    out_kind: str


@dataclass(frozen=True, slots=True)
class Change:
    """A parked message treated again: its new bytes, its decision, the fields of its case now known."""

    bytes: NewBytes
    decide: Decide
    target: Mapping[str, Any]


async def release(engine: AsyncEngine, vault: Vault, change: Change) -> Acceptance:
    """One transaction: case locked, life cycle asked, message and delivery changed, followers let go."""
    async with engine.begin() as connection:
        held = await hold(connection, change.bytes.message_id)
        if held is None or held.delivery["state"] != "parked":
            return Acceptance(Stored.KNOWN)
        await vault.prepare([held.standing.case.id])
        case = changed(held.standing.case, **change.target)
        result = change.decide(case)
        if isinstance(result, Conflict):
            return Acceptance(Stored.CONFLICT, conflict=result)
        forward = isinstance(result, Move) and result.forward
        await _save_message(connection, vault, change.bytes, ignored=isinstance(result, Ignored))
        await save_case(connection, vault, held.standing, _after(result, case, held))
        if forward:
            await connection.execute(statements.REOPEN, {"id": change.bytes.message_id})
        else:
            await connection.execute(statements.DROP_DELIVERY, {"id": change.bytes.message_id})
        await connection.execute(statements.PROMOTE, {"cases": [case.id]})
        return Acceptance(Stored.STORED, ring=held.delivery["destination"], result=result)


async def set_rendered(engine: AsyncEngine, vault: Vault, new: NewBytes) -> bool:
    """New bytes for a delivery that is not under way; False when it is, or is gone.

    A dead or refused one stays so until it is retried.
    """
    async with engine.begin() as connection:
        held = await hold(connection, new.message_id)
        if held is None or held.delivery["state"] in ("sending", "parked"):
            return False
        await _save_message(connection, vault, new, ignored=False)
        await connection.execute(statements.PROMOTE, {"cases": [held.standing.case.id]})
        return True


async def unrendered(engine: AsyncEngine, vault: Vault, case_id: UUID) -> list[ParkedMessage]:
    """Followers without bytes, in order."""
    async with single(engine) as connection:
        found = await connection.execute(_WAITING_ROWS, {"case_id": case_id})
        return await _with_raw(vault, found.mappings().all())


async def stranded(engine: AsyncEngine) -> list[tuple[UUID, str]]:
    """Cases that are parked no more, with followers without bytes."""
    async with single(engine) as connection:
        return [(row.case_id, row.case_no) for row in await connection.execute(_STRANDED)]


async def parked(engine: AsyncEngine, vault: Vault, message_id: UUID) -> ParkedMessage | None:
    """One parked message with its exact bytes."""
    async with single(engine) as connection:
        found = await connection.execute(_PARKED_ROW, {"id": message_id})
        read = await _with_raw(vault, found.mappings().all())
    return read[0] if read else None


async def parked_page(engine: AsyncEngine, limit: int, after: UUID | None) -> list[ParkedMessage]:
    """Parked messages, oldest first, without their bytes."""
    async with single(engine) as connection:
        found = await connection.execute(_PARKED_PAGE, {"after": after, "places": limit})
        return [parked_of(row, b"") for row in found.mappings()]


@dataclass(slots=True)
class Held:
    """A case and one delivery of it, both locked, in that order."""

    standing: Standing
    delivery: RowMapping
    region: str
    received_at: datetime


async def hold(connection: AsyncConnection, message_id: UUID) -> Held | None:
    """Lock the case of a message, then its delivery; None when either is gone."""
    found = await connection.execute(statements.CASE_OF_MESSAGE, {"id": message_id})
    message = found.one_or_none()
    if message is None:
        return None
    cases = await connection.execute(statements.LOCK_CASES, {"ids": [message.case_id]})
    case = cases.mappings().one()
    delivery = (
        (await connection.execute(statements.LOCK_DELIVERY, {"id": message_id})).mappings().one_or_none()
    )
    if delivery is None:
        return None
    return Held(standing_of(case), delivery, region=message.region, received_at=message.received_at)


def _after(result: Move | Ignored, case: TrackedCase, held: Held) -> Move:
    if isinstance(result, Move):
        return result
    event = ignored_event(result, case, at=held.received_at, actor=actor_of(case, held.region))
    return Move(case, (event,), forward=False)


async def _save_message(connection: AsyncConnection, vault: Vault, new: NewBytes, *, ignored: bool) -> None:
    sealed = sealed_bodies(vault, new.message_id, new.bodies)
    blanks: dict[str, Any] = {"canonical": None, "trace": None, "rendered": None}
    written = {"id": new.message_id, **blanks, **{name: sealed[name] for name in blanks if name in sealed}}
    await connection.execute(statements.SET_BODIES, written)
    await connection.execute(
        statements.SET_MESSAGE,
        {
            "id": new.message_id,
            "outcome": "ignored" if ignored else "accepted",
            "out_kind": new.out_kind,
            "tables_digest": new.tables_digest,
        },
    )
    if Part.RENDERED in new.bodies:
        await connection.execute(statements.SET_RENDERED, {"id": new.message_id, "out_kind": new.out_kind})


async def save_case(connection: AsyncConnection, vault: Vault, standing: Standing, move: Move) -> None:
    case = move.case
    events = event_rows(vault, case.id, move.events, after=standing.last_event)
    standing.case, standing.last_event = case, standing.last_event + len(events)
    await connection.execute(
        statements.SAVE_CASES,
        {
            **shapes.arrays("e", shapes.EVENT, events),
            **shapes.arrays("c", shapes.CASE, [standing.row()]),
        },
    )


_COLUMNS = (
    "SELECT m.id, m.region, m.idempotency_key, m.kind, m.native_kind, m.case_id, d.case_no, m.findings,"
    " m.received_at"
)
_WAITING_ROWS = text(
    f"{_COLUMNS}, b.raw FROM deliveries d JOIN messages m ON m.id = d.id JOIN bodies b ON b.message_id = d.id"
    " WHERE d.case_id = :case_id AND NOT d.rendered AND d.state = 'behind' ORDER BY d.seq"
)
_STRANDED = text(
    "SELECT DISTINCT d.case_id, d.case_no FROM deliveries d JOIN cases c ON c.id = d.case_id"
    " WHERE d.state = 'behind' AND NOT d.rendered AND NOT c.parked LIMIT 500"
)
_PARKED_ROW = text(
    f"{_COLUMNS}, b.raw FROM deliveries d JOIN messages m ON m.id = d.id JOIN bodies b ON b.message_id = d.id"
    " WHERE d.id = :id AND d.state = 'parked'"
)
_PARKED_PAGE = text(
    f"{_COLUMNS} FROM deliveries d"  # noqa: S608 - constants
    " CROSS JOIN LATERAL (SELECT * FROM messages WHERE id = d.id LIMIT 1) AS m"
    " WHERE d.state = 'parked'"
    " AND (CAST(:after AS uuid) IS NULL OR d.id > CAST(:after AS uuid)) ORDER BY d.id LIMIT :places"
)


async def _with_raw(vault: Vault, found: Sequence[RowMapping]) -> list[ParkedMessage]:
    await vault.learn(row["raw"] for row in found)
    return [
        parked_of(row, vault.decrypt(BODY, row["id"], "bodies.raw", row["raw"]) if row["raw"] else b"")
        for row in found
    ]


def parked_of(row: RowMapping, raw: bytes) -> ParkedMessage:
    """The value of a joined row."""
    return ParkedMessage(
        id=row["id"],
        region=row["region"],
        key=row["idempotency_key"],
        kind=Kind(row["kind"]),
        native_kind=row["native_kind"],
        case_id=row["case_id"],
        case_no=row["case_no"],
        findings=tuple(row["findings"] or ()),
        received_at=row["received_at"],
        raw=raw,
    )
