"""What lies where: rows and bytes of every month partition as the catalogue estimates them, and what waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import text

from gateway.store.engine import single
from gateway.store.partitions import ID, Month
from gateway.store.schema import PARTITIONED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncEngine

_HELD = text(
    """
    SELECT p.relname AS table, c.relname AS name, CAST(GREATEST(c.reltuples, 0) AS bigint) AS rows,
           CAST((c.relpages + COALESCE(t.relpages, 0) + COALESCE(x.pages, 0))
                * CAST(current_setting('block_size') AS int) AS bigint) AS bytes
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
      LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
      LEFT JOIN LATERAL (SELECT sum(k.relpages) AS pages FROM pg_index n JOIN pg_class k ON k.oid = n.indexrelid
                          WHERE n.indrelid IN (c.oid, c.reltoastrelid)) AS x ON TRUE
     WHERE p.relname = ANY(CAST(:tables AS text[])) AND c.relkind = 'r' ORDER BY 1, 2
    """
)
# Of the small queue, each by its index and up to a bound.
_WAITING = text(
    """
    SELECT s.slug, (SELECT count(*) FROM (SELECT FROM deliveries WHERE destination = s.slug AND due_at IS NOT NULL
                                           LIMIT :most) d) AS n
      FROM unnest(CAST(:slugs AS text[])) AS s(slug)
    """
)
_RESTING = text(
    """
    SELECT s.state, (SELECT count(*) FROM (SELECT FROM deliveries
                       WHERE state = s.state AND state IN ('parked', 'dead', 'refused') LIMIT :most) d) AS n
      FROM unnest(ARRAY['parked', 'dead', 'refused']) AS s(state)
    """
)
_LATELY = text(
    """
    SELECT measure, origin, destination, CAST(sum(n) FILTER (WHERE at >= now() - interval '15 min') AS bigint) AS few,
           CAST(sum(n) AS bigint) AS hour
      FROM (SELECT measure, origin, destination, bucket AS at, n FROM tallies
             WHERE width = 'minute' AND bucket >= now() - interval '1 hour'
            UNION ALL SELECT measure, origin, destination, at, n FROM tally_deltas
             WHERE at >= now() - interval '1 hour') AS t
     GROUP BY 1, 2, 3
    """
)
_OLDEST = {
    table: text(f"SELECT {column} FROM {table} ORDER BY {column} LIMIT 1")  # noqa: S608 - our own names
    for table, column in ID.items()
}
_VERSIONS = text(
    "SELECT current_setting('server_version') AS postgresql, (SELECT version_num FROM alembic_version) AS schema"
)

#: Nothing is counted beyond.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Held:
    """A month of a table; ``month`` None: the rest, where rows of no month lie."""

    table: str
    month: Month | None
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Lately:
    """What the counters hold of the last hour: by measure, from whom to whom."""

    measure: str
    origin: str
    destination: str
    quarter: int
    hour: int


async def held(engine: AsyncEngine) -> Sequence[Held]:
    """Every partition, by table and month."""
    async with single(engine) as connection:
        found = await connection.execute(_HELD, {"tables": list(PARTITIONED)})
        return [Held(row.table, Month.named(row.name), row.rows, row.bytes) for row in found]


async def oldest(engine: AsyncEngine) -> Mapping[str, Month | None]:
    """The month of the oldest row of each table; one probe each."""
    async with single(engine) as connection:
        found = {table: (await connection.execute(query)).scalar() for table, query in _OLDEST.items()}
    return {table: None if row_id is None else _month_of(row_id) for table, row_id in found.items()}


async def waiting(engine: AsyncEngine, slugs: Sequence[str]) -> Mapping[str, int]:
    """Deliveries with a time to go, by destination; counted up to `MOST`."""
    async with single(engine) as connection:
        found = await connection.execute(_WAITING, {"slugs": list(slugs), "most": MOST})
        return {row.slug: row.n for row in found}


async def resting(engine: AsyncEngine) -> Mapping[str, int]:
    """Deliveries that wait for people, by state; counted up to `MOST`."""
    async with single(engine) as connection:
        return {row.state: row.n for row in await connection.execute(_RESTING, {"most": MOST})}


async def lately(engine: AsyncEngine) -> Sequence[Lately]:
    """The counters of the last quarter and the last hour, by the database's clock."""
    async with single(engine) as connection:
        return [
            Lately(row.measure, row.origin, row.destination, row.few or 0, row.hour)
            for row in await connection.execute(_LATELY)
        ]


async def versions(engine: AsyncEngine) -> Mapping[str, str]:
    """Of PostgreSQL and of the tables' shape."""
    async with single(engine) as connection:
        row = (await connection.execute(_VERSIONS)).one()
        return {"postgresql": row.postgresql.split(" ")[0], "schema": row.schema}


def _month_of(row_id: UUID) -> Month:
    return Month.of(datetime.fromtimestamp((row_id.int >> 80) / 1000, UTC).date())
