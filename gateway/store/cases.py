"""Reading cases: by either side's number, by person, in pages, with their whole history."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select, text, tuple_

from gateway.canonical.kinds import Kind, State
from gateway.store import parked as parked_
from gateway.store import releases
from gateway.store.direct import Direct
from gateway.store.engine import is_away, single
from gateway.store.gather import Gather, busy
from gateway.store.records import CaseHistory, CaseRecord, ParkedMessage, ToldMessage
from gateway.store.rows import FIXED, MOVING, case_of, event_of, record_of, trace_of
from gateway.store.schema import CASES, CHANNEL
from gateway.store.vault import BODY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncpg import Record
    from sqlalchemy import RowMapping, TextClause
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from gateway.canonical.tracking import CaseEvent, TrackedCase
    from gateway.store.vault import Vault

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """What a list shows; None: any. ``region`` and ``division`` are the origin's.

    ``received_from`` and ``received_to`` are aware and both count.
    """

    region: str | None = None
    division: str | None = None
    item: str | None = None
    state: State | str | None = None
    origin_case_no: str | None = None
    received_from: datetime | None = None
    received_to: datetime | None = None
    #: the channel that collected it, and at which of its outlets (None: any)
    channel: str | None = None
    outlets: frozenset[str] | None = None


class Cases:
    """Cases as they stand. Persons are decrypted only for the one case that is asked for."""

    def __init__(self, engine: AsyncEngine, vault: Vault) -> None:
        self._engine, self._vault = engine, vault
        self._finds: Gather[tuple[str, str], CaseRecord | None] = Gather(self._find_all)

    async def find(self, region: str, case_ref: str) -> CaseRecord | None:
        """The case that this region knows by this number: its own, or the one it was given as target.

        Errors: `Refusal` 503 9060 when the store is away or too many ask.
        """
        return await self._finds.ask((region, case_ref))

    async def _find_all(self, asked: list[tuple[str, str]]) -> list[CaseRecord | None]:
        regions, refs = zip(*asked, strict=True)
        try:
            found = await _BY_REFS.fetch(self._engine, {"regions": regions, "refs": refs})
            await self._vault.learn(row["person"] for row in found)
        except Exception as error:
            if is_away(error):
                raise busy() from None
            raise
        records = {row["place"]: self._record(row) for row in found}
        return [records.get(place) for place in range(1, len(asked) + 1)]

    async def by_no(self, case_no: str) -> CaseRecord | None:
        """The case of one of our numbers."""
        async with single(self._engine) as connection:
            return await self._one(connection, _BY_NO, {"case_no": case_no})

    async def by_citizen(self, id_no: str, limit: int = 50) -> list[CaseRecord]:
        """The newest cases of a person, found by the blind index of the number."""
        async with single(self._engine) as connection:
            index = self._vault.blind_index(id_no)
            found = await connection.execute(_BY_CITIZEN, {"index": index, "places": limit})
            rows = found.mappings().all()
        await self._vault.learn(row["person"] for row in rows)
        return [self._record(row) for row in rows]

    async def history(self, case_no: str) -> CaseHistory | None:
        """Everything the case view shows: timeline and trace in order of arrival."""
        async with single(self._engine) as connection:
            record = await self._one(connection, _BY_NO, {"case_no": case_no})
            if record is None:
                return None
            which = {"case_id": record.case.id, "since": oldest_id(record.case.id)}
            events = (await connection.execute(_EVENTS, which)).mappings().all()
            traces = (await connection.execute(_TRACES, which)).mappings().all()
        await self._vault.learn([row["note"] for row in events] + [row["trace"] for row in traces])
        return CaseHistory(
            record=record,
            events=tuple(self._event(record.case.id, row) for row in events),
            trace=tuple(entry for row in traces for entry in self._trace(row)),
        )

    async def told(self, case_id: UUID, out_kinds: str) -> list[ToldMessage]:
        """Messages that took effect, written as kinds that begin so, in order of arrival; each with its bytes."""
        async with single(self._engine) as connection:
            which = {"case_id": case_id, "since": oldest_id(case_id), "kinds": f"{out_kinds}%"}
            rows = (await connection.execute(_TOLD, which)).mappings().all()
        await self._vault.learn(row["rendered"] for row in rows)
        return [self._told(row) for row in rows]

    def _told(self, row: RowMapping) -> ToldMessage:
        body = self._vault.decrypt(BODY, row["message_id"], "bodies.rendered", row["rendered"])
        return ToldMessage(row["seq"], Kind(row["kind"]), row["received_at"], body)

    async def page(
        self, wanted: CaseFilter, limit: int, after: str | None = None
    ) -> tuple[list[TrackedCase], str | None]:
        """Newest receipt first, ties by case number descending; ``after`` takes the second value again.

        Errors: `ValueError` for a cursor that is not ours.
        """
        query = (
            select(*(CASES.c[name] for name in (*FIXED, *MOVING)))
            .where(*_conditions(wanted))
            .order_by(CASES.c.received_at.desc(), CASES.c.case_no.desc())
            .limit(limit + 1)
        )
        if after is not None:
            query = query.where(tuple_(CASES.c.received_at, CASES.c.case_no) < tuple_(*_read_cursor(after)))
        async with single(self._engine) as connection:
            cases = [case_of(row) for row in (await connection.execute(query)).mappings()]
        more = len(cases) > limit
        return cases[:limit], _cursor(cases[limit - 1]) if more else None

    async def parked(self, message_id: UUID) -> ParkedMessage | None:
        """One parked message with its exact bytes."""
        return await releases.parked(self._engine, self._vault, message_id)

    async def parked_page(
        self, limit: int, after: str | None = None
    ) -> tuple[list[ParkedMessage], str | None]:
        """Parked messages, oldest first, without their bytes. Errors: `ValueError` for a bad cursor."""
        found = await releases.parked_page(self._engine, limit + 1, None if after is None else UUID(after))
        more = len(found) > limit
        return found[:limit], str(found[limit - 1].id) if more else None

    async def parked_groups(
        self, limit: int, after: str | None = None
    ) -> tuple[list[parked_.ParkedGroup], str | None]:
        """Parked messages by what they wait for, most first. Errors: `ValueError` for a bad cursor."""
        return await parked_.groups(self._engine, limit, after)

    async def parked_for(self, cause: parked_.Cause, limit: int, after: UUID | None = None) -> Sequence[UUID]:
        """The messages that wait for one thing, oldest first."""
        return await parked_.waiting_for(self._engine, cause, limit, after)

    async def _one(
        self, connection: AsyncConnection, query: TextClause, which: dict[str, Any]
    ) -> CaseRecord | None:
        row = (await connection.execute(query, which)).mappings().one_or_none()
        if row is None:
            return None
        await self._vault.learn([row["person"]])
        return self._record(row)

    def _record(self, row: RowMapping | Record) -> CaseRecord:
        return record_of(row, self._vault.open_person(row["id"], row["person"]))

    def _event(self, case_id: UUID, row: RowMapping) -> CaseEvent:
        return event_of(row, self._vault.open_text(case_id, f"events.note.{row['n']}", row["note"]))

    def _trace(self, row: RowMapping) -> Sequence[dict[str, Any]]:
        plain = self._vault.decrypt(BODY, row["message_id"], "bodies.trace", row["trace"])
        return trace_of(plain)


# UNION ALL and not OR: each half is one probe of its own unique or partial index
_BY_REFS = Direct(
    "SELECT k.place, c.* FROM unnest(CAST(:regions AS text[]), CAST(:refs AS text[]))"
    " WITH ORDINALITY AS k(region, ref, place) CROSS JOIN LATERAL ("
    "SELECT * FROM cases WHERE origin = k.region AND origin_case_no = k.ref"
    " UNION ALL SELECT * FROM cases WHERE target = k.region AND target_case_no = k.ref AND target_case_no <> ''"
    " LIMIT 1) AS c"
)
_BY_NO = text("SELECT * FROM cases WHERE case_no = :case_no")
_BY_CITIZEN = text("SELECT * FROM cases WHERE citizen_index = :index ORDER BY id DESC LIMIT :places")
# nothing of a case is older than its id: the months before are not looked into
_EVENTS = text("SELECT * FROM events WHERE case_id = :case_id AND id >= :since ORDER BY n")
_TRACES = text(
    "SELECT b.message_id, b.trace FROM messages m JOIN bodies b ON b.message_id = m.id"
    " WHERE m.case_id = :case_id AND m.id >= :since AND b.message_id >= :since AND b.trace IS NOT NULL"
    " ORDER BY m.seq"
)

_TOLD = text(
    "SELECT m.seq, m.kind, m.received_at, b.message_id, b.rendered"
    " FROM messages m JOIN bodies b ON b.message_id = m.id"
    " WHERE m.case_id = :case_id AND m.id >= :since AND b.message_id >= :since"
    # what was kept without effect is delivered to nobody
    " AND m.out_kind LIKE :kinds AND m.outcome <> 'ignored' AND b.rendered IS NOT NULL ORDER BY m.seq"
)


def oldest_id(case_id: UUID) -> UUID:
    """An id a day older than the case, so that no two clocks matter; the smallest for what is no UUIDv7."""
    number = case_id.int
    day_ms = 86_400_000
    return UUID(int=max(0, (number >> 80) - day_ms) << 80 if number >> 76 & 0xF == 7 else 0)


def _conditions(wanted: CaseFilter) -> list[Any]:
    c = CASES.c
    equal = {
        c.origin: wanted.region,
        c.origin_division: wanted.division,
        c.item: wanted.item,
        c.state: None if wanted.state is None else str(wanted.state),
        c.origin_case_no: wanted.origin_case_no,
    }
    conditions: list[Any] = [column == value for column, value in equal.items() if value is not None]
    if wanted.channel is not None:
        conditions.append(wanted.channel == CHANNEL)
    if wanted.outlets is not None:
        conditions.append(c.tracking["collected"]["outlet"].astext.in_(sorted(wanted.outlets)))
    if wanted.received_from is not None:
        conditions.append(c.received_at >= wanted.received_from)
    if wanted.received_to is not None:
        conditions.append(c.received_at <= wanted.received_to)
    return conditions


def _cursor(case: TrackedCase) -> str:
    place = f"{(case.received_at - _EPOCH) // timedelta(microseconds=1)}|{case.case_no}"
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _read_cursor(written: str) -> tuple[datetime, str]:
    try:
        padded = written + "=" * (-len(written) % 4)
        at, case_no = base64.b64decode(padded, altchars=b"-_", validate=True).decode().split("|")
        if not at.isascii() or not at.isdigit() or not case_no or "\x00" in case_no:
            raise ValueError("not a place in the list")
        return _EPOCH + timedelta(microseconds=int(at)), case_no
    except (binascii.Error, UnicodeError, OverflowError) as error:
        raise ValueError("not a place in the list") from error
