"""Stored cases with the exact bytes of their messages, for looking back; reads only, in short transactions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from gateway.canonical.kinds import Kind
from gateway.store.records import CaseRecord
from gateway.store.rows import case_of, trace_of
from gateway.store.vault import BODY

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from gateway.store.vault import Vault


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message as it came in and, when it was forwarded, as it went out. ``outcome``: accepted, parked, ….

    ``trace`` and ``rendered`` are kept for one case only, not when many are replayed.
    """

    id: UUID
    seq: int
    region: str
    destination: str
    kind: Kind
    native_kind: str
    out_kind: str
    outcome: str
    tables_digest: str
    received_at: datetime
    raw: bytes = field(repr=False)
    findings: tuple[Mapping[str, str], ...] = ()
    trace: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    rendered: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class KeptCase:
    """A case with its messages in the order they were taken."""

    record: CaseRecord
    messages: tuple[KeptMessage, ...]


class Archive:
    """Reads what is stored; PostgreSQL itself refuses any writing in these transactions."""

    def __init__(self, engine: AsyncEngine, vault: Vault) -> None:
        self._engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._vault = vault

    async def case(self, case_no: str) -> KeptCase | None:
        """One case with everything kept of it."""
        async with self._engine.connect() as connection:
            rows = (await connection.execute(_ONE, {"case_no": case_no})).mappings().all()
            found = await self._whole(connection, rows, _EVERYTHING)
        return found[0] if found else None

    async def count(self, most: int) -> int:
        """How many cases are stored; nobody counts further than ``most``."""
        async with self._engine.connect() as connection:
            return int((await connection.execute(_COUNT, {"most": most})).scalar_one())

    async def newest(self, cases: int, *, batch: int = 500) -> AsyncIterator[list[KeptCase]]:
        """The newest cases in batches, newest first; each batch is a transaction of its own."""
        query, place = _NEWEST, dict[str, Any]()
        left = cases
        while left > 0:
            async with self._engine.connect() as connection:
                which = {**place, "places": min(batch, left)}
                rows = (await connection.execute(query, which)).mappings().all()
                if not rows:
                    return
                found = await self._whole(connection, rows, _RAW)
            query, place = _OLDER, {"at": rows[-1]["received_at"], "case_no": rows[-1]["case_no"]}
            left -= len(rows)
            yield found

    async def _whole(
        self, connection: AsyncConnection, rows: Sequence[RowMapping], columns: str
    ) -> list[KeptCase]:
        query = text(_MESSAGES.format(columns=columns))
        ids = [row["id"] for row in rows]
        messages = (await connection.execute(query, {"ids": ids})).mappings().all()
        blobs = [row[name] for row in messages for name in ("raw", "trace", "rendered")]
        await self._vault.learn([*blobs, *(row["person"] for row in rows)])
        by_case: defaultdict[UUID, list[KeptMessage]] = defaultdict(list)
        for row in messages:
            by_case[row["case_id"]].append(self._message(row))
        return [KeptCase(self._record(row), tuple(by_case[row["id"]])) for row in rows]

    def _record(self, row: RowMapping) -> CaseRecord:
        return CaseRecord(case_of(row), self._vault.open_person(row["id"], row["person"]))

    def _message(self, row: RowMapping) -> KeptMessage:
        trace = self._body(row, "trace")
        return KeptMessage(
            id=row["id"],
            seq=row["seq"],
            region=row["region"],
            destination=row["destination"],
            kind=Kind(row["kind"]),
            native_kind=row["native_kind"],
            out_kind=row["out_kind"],
            outcome=row["outcome"],
            tables_digest=row["tables_digest"],
            received_at=row["received_at"],
            raw=self._body(row, "raw"),
            findings=tuple(row["findings"] or ()),
            trace=tuple(trace_of(trace)) if trace else (),
            rendered=self._body(row, "rendered"),
        )

    def _body(self, row: RowMapping, part: str) -> bytes:
        blob = row[part]
        return self._vault.decrypt(BODY, row["id"], f"bodies.{part}", blob) if blob else b""


_ONE = text("SELECT * FROM cases WHERE case_no = :case_no")
_COUNT = text("SELECT count(*) FROM (SELECT FROM cases LIMIT :most) AS c")
_NEWEST = text("SELECT * FROM cases ORDER BY received_at DESC, case_no DESC LIMIT :places")
_OLDER = text(
    "SELECT * FROM cases WHERE (received_at, case_no) < (:at, :case_no)"
    " ORDER BY received_at DESC, case_no DESC LIMIT :places"
)
_EVERYTHING = "b.raw, b.trace, b.rendered"
_RAW = "b.raw, NULL::bytea AS trace, NULL::bytea AS rendered"
_MESSAGES = (
    "SELECT m.id, m.case_id, m.seq, m.region, m.destination, m.kind, m.native_kind, m.out_kind, m.outcome,"
    " m.findings, m.tables_digest, m.received_at, {columns}"
    " FROM messages m JOIN bodies b ON b.message_id = m.id"
    " WHERE m.case_id = ANY(:ids) ORDER BY m.case_id, m.seq"
)
