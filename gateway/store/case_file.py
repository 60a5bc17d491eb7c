"""One case with everything around it, for the people who look into it; message bodies only when asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from gateway.canonical.kinds import Kind
from gateway.store.archive import KeptMessage
from gateway.store.cases import oldest_id
from gateway.store.engine import single
from gateway.store.records import CaseRecord, Part
from gateway.store.rows import event_of, record_of, trace_of
from gateway.store.vault import BODY, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from gateway.canonical.tracking import CaseEvent
    from gateway.store.vault import Vault

#: The newest attempts and audit lines a page shows; a case in trouble for weeks has more.
MOST_ATTEMPTS, MOST_LINES = 200, 200


@dataclass(frozen=True, slots=True)
class FiledMessage:
    """A message without its bytes. ``delivery``: the state of its open delivery, "" once that is gone.

    ``has_bodies`` is False when they were deleted after their time.
    """

    id: UUID
    seq: int
    region: str
    destination: str
    kind: Kind
    native_kind: str
    out_kind: str
    outcome: str
    received_at: datetime
    findings: tuple[Mapping[str, str], ...]
    tables_digest: str
    receipt_status: int
    has_bodies: bool
    delivery: str = ""
    attempt: int = 0
    fence: int = 0
    due_at: datetime | None = None
    last_error: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call of the other side. ``words`` are the peer's own and may name a person."""

    message_id: UUID
    number: int
    fence: int
    began_at: datetime
    took_s: float
    http_status: int | None
    outcome: str
    code: str
    words: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuditLine:
    """What somebody did to the case, or looked at of it."""

    at: datetime
    actor: str
    verb: str
    target: str
    reason: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case as it stands with all that happened. ``mark`` differs as soon as anything of it has changed."""

    record: CaseRecord
    events: tuple[CaseEvent, ...]
    messages: tuple[FiledMessage, ...]
    attempts: tuple[Attempt, ...]
    lines: tuple[AuditLine, ...]
    mark: str


@dataclass(frozen=True, slots=True)
class OpenedMessage:
    """A message with its bytes. ``is_gone``: they were deleted or their key destroyed; then digests are left."""

    kept: KeptMessage
    canonical: bytes = field(repr=False)
    is_gone: bool = False
    digests: Mapping[str, str] = field(default_factory=dict)


class CaseFiles:
    """Reads only; one connection a page."""

    def __init__(self, engine: AsyncEngine, vault: Vault) -> None:
        self._engine, self._vault = engine, vault

    async def file(self, case_no: str) -> CaseFile | None:
        """Everything of a case but the bytes; None for a number that is nobody's."""
        async with single(self._engine) as connection:
            row = (await connection.execute(_CASE, {"case_no": case_no})).mappings().one_or_none()
            if row is None:
                return None
            which = {"case_id": row["id"], "since": oldest_id(row["id"])}
            events, messages, attempts = [
                (await connection.execute(query, which)).mappings().all()
                for query in (_EVENTS, _MESSAGES, _ATTEMPTS)
            ]
            targets = [case_no, *(str(message["id"]) for message in messages)]
            lines = (await connection.execute(_LINES, {"targets": targets})).mappings().all()
        sealed = [("note", events), ("last_error", messages), ("words", attempts), ("reason", lines)]
        await self._vault.learn([row["person"], *(each[name] for name, rows in sealed for each in rows)])
        return CaseFile(
            self._record(row),
            tuple(self._event(row["id"], each) for each in events),
            tuple(self._message(each) for each in messages),
            tuple(self._attempt(each) for each in reversed(attempts)),
            tuple(self._line(each) for each in reversed(lines)),
            _mark_of(row, messages, attempts, lines),
        )

    async def mark(self, case_no: str) -> str | None:
        """The mark of a case as it stands, without reading the rest; None as `file`."""
        async with single(self._engine) as connection:
            row = (await connection.execute(_CASE, {"case_no": case_no})).mappings().one_or_none()
            if row is None:
                return None
            which = {"case_id": row["id"], "since": oldest_id(row["id"])}
            messages = (await connection.execute(_MESSAGES, which)).mappings().all()
            attempts = (await connection.execute(_NEWEST_ATTEMPT, which)).mappings().all()
            targets = [case_no, *(str(message["id"]) for message in messages)]
            lines = (await connection.execute(_NEWEST_LINE, {"targets": targets})).mappings().all()
        return _mark_of(row, messages, attempts, lines)

    async def message(self, case_no: str, seq: int) -> tuple[CaseRecord, OpenedMessage] | None:
        """One message of a case with its bytes; None when there is none of that number."""
        async with single(self._engine) as connection:
            case = (await connection.execute(_CASE, {"case_no": case_no})).mappings().one_or_none()
            if case is None:
                return None
            which = {"case_id": case["id"], "since": oldest_id(case["id"]), "seq": seq}
            row = (await connection.execute(_WHOLE, which)).mappings().one_or_none()
            if row is None:
                return None
            digests = await self._digests(connection, row["id"])
        parts = [row[part.value] for part in Part]
        try:
            await self._vault.learn([case["person"], *parts])
            opened = self._opened(row)
        except UnreadableError:
            opened = None
        if opened is None:
            return self._record(case), OpenedMessage(_kept(row), b"", is_gone=True, digests=digests)
        return self._record(case), opened

    @staticmethod
    async def _digests(connection: AsyncConnection, message_id: UUID) -> dict[str, str]:
        row = (await connection.execute(_EVIDENCE, {"id": message_id})).mappings().one_or_none()
        return {part.value: row[part.value].hex() for part in Part if row and row[part.value] is not None}

    def _opened(self, row: RowMapping) -> OpenedMessage | None:
        if all(row[part.value] is None for part in Part):
            return None
        parts = {
            part: self._vault.decrypt(BODY, row["id"], f"bodies.{part.value}", row[part.value])
            if row[part.value]
            else b""
            for part in Part
        }
        trace = tuple(trace_of(parts[Part.TRACE])) if parts[Part.TRACE] else ()
        kept = _kept(row, raw=parts[Part.RAW], trace=trace, rendered=parts[Part.RENDERED])
        return OpenedMessage(kept, parts[Part.CANONICAL])

    def _record(self, row: RowMapping) -> CaseRecord:
        return record_of(row, self._vault.open_person(row["id"], row["person"]))

    def _event(self, case_id: UUID, row: RowMapping) -> CaseEvent:
        return event_of(row, self._words(case_id, f"events.note.{row['n']}", row["note"]))

    def _message(self, row: RowMapping) -> FiledMessage:
        return FiledMessage(
            **_heads(row),
            findings=tuple(row["findings"] or ()),
            receipt_status=row["receipt_status"],
            has_bodies=row["has_bodies"],
            delivery=row["delivery"] or "",
            attempt=row["attempt"] or 0,
            fence=row["fence"] or 0,
            due_at=row["due_at"],
            last_error=self._words(row["id"], "deliveries.last_error", row["last_error"]),
        )

    def _attempt(self, row: RowMapping) -> Attempt:
        return Attempt(
            message_id=row["message_id"],
            number=row["attempt"],
            fence=row["fence"],
            began_at=row["began_at"],
            took_s=row["took_s"],
            http_status=row["http_status"],
            outcome=row["outcome"],
            code=row["code"],
            words=self._words(row["message_id"], f"attempts.words.{row['fence']}", row["words"]),
        )

    def _line(self, row: RowMapping) -> AuditLine:
        reason = self._words(row["id"], "audit.reason", row["reason"])
        return AuditLine(row["at"], row["actor"], row["verb"], row["target"], reason)

    def _words(self, row_id: UUID, column: str, blob: bytes | None) -> str:
        """Free text; "" for what can no longer be read, as its key was destroyed in its time."""
        try:
            return self._vault.open_text(row_id, column, blob)
        except UnreadableError:
            return ""


_HEADS = ("id", "seq", "region", "destination", "native_kind", "out_kind", "outcome")


def _heads(row: RowMapping) -> dict[str, Any]:
    same = {name: row[name] for name in (*_HEADS, "tables_digest", "received_at")}
    return {**same, "kind": Kind(row["kind"])}


def _kept(row: RowMapping, **bodies: Any) -> KeptMessage:
    given = {"raw": b"", **bodies}
    return KeptMessage(**_heads(row), findings=tuple(row["findings"] or ()), **given)


def _mark_of(case: RowMapping, *rest: Iterable[RowMapping]) -> str:
    messages, attempts, lines = (list(rows) for rows in rest)
    open_ = "".join(f"{each['seq']}{each['delivery'] or ''}{each['fence'] or ''}." for each in messages)
    newest = [str(rows[0]["id"])[-12:] if rows else "" for rows in (attempts, lines)]
    return "-".join([str(case["last_seq"]), str(case["last_event"]), open_, *newest])


_CASE = text("SELECT * FROM cases WHERE case_no = :case_no")
_EVENTS = text("SELECT * FROM events WHERE case_id = :case_id AND id >= :since ORDER BY n")
_MESSAGES = text(
    """
    SELECT m.id, m.seq, m.region, m.destination, m.kind, m.native_kind, m.out_kind, m.outcome, m.findings,
           m.tables_digest, m.received_at, m.receipt_status, d.state AS delivery, d.attempt, d.fence, d.due_at,
           d.last_error, EXISTS (SELECT FROM bodies b WHERE b.message_id = m.id AND b.message_id >= :since)
             AS has_bodies
      FROM messages m LEFT JOIN deliveries d ON d.id = m.id
     WHERE m.case_id = :case_id AND m.id >= :since ORDER BY m.seq
    """
)
_ATTEMPTS = text(
    f"SELECT * FROM attempts WHERE case_id = :case_id AND id >= :since ORDER BY id DESC LIMIT {MOST_ATTEMPTS}"  # noqa: S608 - a constant
)
_NEWEST_ATTEMPT = text(
    "SELECT id FROM attempts WHERE case_id = :case_id AND id >= :since ORDER BY id DESC LIMIT 1"
)
_LINES = text(
    f"SELECT * FROM audit WHERE target = ANY(CAST(:targets AS text[])) ORDER BY id DESC LIMIT {MOST_LINES}"  # noqa: S608
)
_NEWEST_LINE = text(
    "SELECT id FROM audit WHERE target = ANY(CAST(:targets AS text[])) ORDER BY id DESC LIMIT 1"
)
_WHOLE = text(
    """
    SELECT m.id, m.seq, m.region, m.destination, m.kind, m.native_kind, m.out_kind, m.outcome, m.findings,
           m.tables_digest, m.received_at, b.raw, b.canonical, b.trace, b.rendered
      FROM messages m LEFT JOIN bodies b ON b.message_id = m.id AND b.message_id >= :since
     WHERE m.case_id = :case_id AND m.id >= :since AND m.seq = :seq
    """
)
_EVIDENCE = text("SELECT * FROM evidence WHERE message_id = :id")
