"""How large it is and whether policy and reality agree: a few probes and the catalogue's estimates, no COUNT."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from gateway.store import partitions, rest, retention
from gateway.store.schema import METADATA, PARTITIONED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.ext.asyncio import AsyncConnection

_SIZES = text(
    """
    WITH heap AS (
      SELECT c.oid, c.reltuples, c.relpages, c.reltoastrelid, COALESCE(p.relname, c.relname) AS name
        FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
       WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace)
    SELECT h.name, CAST(sum(GREATEST(h.reltuples, 0)) AS bigint) AS rows,
           CAST(sum(h.relpages + COALESCE(t.relpages, 0) + COALESCE(x.pages, 0))
                * CAST(current_setting('block_size') AS int) AS bigint) AS bytes
      FROM heap h LEFT JOIN pg_class t ON t.oid = h.reltoastrelid
      LEFT JOIN LATERAL (SELECT sum(k.relpages) AS pages FROM pg_index n JOIN pg_class k ON k.oid = n.indexrelid
                          WHERE n.indrelid IN (h.oid, h.reltoastrelid)) AS x ON TRUE
     WHERE h.name = ANY(CAST(:tables AS text[])) GROUP BY h.name
    """
)
_OLDEST_BODY = text("SELECT message_id FROM bodies ORDER BY message_id LIMIT 1")
_DEAD = text(
    "SELECT relname, n_dead_tup FROM pg_stat_user_tables WHERE n_dead_tup > :least AND n_dead_tup > n_live_tup / 2"
    " ORDER BY n_dead_tup DESC"
)

#: Fewer dead rows than this need nobody.
_DEAD_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Size:
    """As the catalogue estimates it: rows, and bytes with indexes and large values."""

    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Growth:
    """What the gauges show. ``ahead_until``: no partition is missing before; ``overdue_s``: by kind, 0 = as it should be."""

    sizes: Mapping[str, Size]
    rest_rows: Mapping[str, int]
    ahead_until: Mapping[str, datetime]
    oldest_body: datetime | None
    overdue_s: Mapping[str, float]


async def look(
    connection: AsyncConnection, keep_months: Mapping[str, int], receipts: timedelta, now: datetime
) -> Growth:
    """The state of growth; it costs the same however much is stored."""
    sizes = await connection.execute(_SIZES, {"tables": list(METADATA.tables)})
    overdue = {table: await _overdue_s(connection, table, keep_months[table], now) for table in PARTITIONED}
    overdue["receipts"] = await retention.receipts_overdue_s(connection, receipts, now)
    oldest = (await connection.execute(_OLDEST_BODY)).scalar_one_or_none()
    return Growth(
        sizes={row.name: Size(row.rows, row.bytes) for row in sizes},
        rest_rows={table: await rest.count(connection, table) for table in PARTITIONED},
        ahead_until={table: await _ahead_until(connection, table, now) for table in PARTITIONED},
        oldest_body=None if oldest is None else datetime.fromtimestamp((oldest.int >> 80) / 1000, UTC),
        overdue_s=overdue,
    )


async def bloated(connection: AsyncConnection) -> list[tuple[str, int]]:
    """Tables with more dead rows than half of the living: something keeps vacuum from its work."""
    return [(row.relname, row.n_dead_tup) for row in await connection.execute(_DEAD, {"least": _DEAD_ROWS})]


async def _ahead_until(connection: AsyncConnection, table: str, now: datetime) -> datetime:
    month = partitions.Month.of(now.astimezone(UTC).date())
    known = await partitions.months(connection, table)
    while month in known:
        month = month.plus(1)
    return _begin(month)


async def _overdue_s(connection: AsyncConnection, table: str, keep_months: int, now: datetime) -> float:
    """Since when the oldest month that should be gone should be gone, one in the rest included."""
    lying = retention.past(await rest.found(connection, table), keep_months, now)
    oldest: list[Any] = lying or await retention.droppable(connection, table, keep_months, now)
    return max((0.0, *((now - retention.due_since(month, keep_months)).total_seconds() for month in oldest)))


def _begin(month: partitions.Month) -> datetime:
    return datetime(month.start.year, month.start.month, 1, tzinfo=UTC)
