"""Rows that no month takes: found, copied in small steps into months of their own, and swapped in.

They come there when maintenance has not made the months ahead. A month cannot be attached while the rest holds
rows of it, and rows in a table aside are seen by nobody: so they are copied while they stay where they are, and
one short transaction puts all months in the place of the old rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import text

from gateway.store.engine import single
from gateway.store.partitions import ID, Month, attach, create_aside, first_id
from gateway.store.schema import METADATA

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

#: Rows copied in one transaction, and rows counted at most: nobody needs to know how many more there are.
STEP = 5_000
COUNTED = 100_000

#: Ids outside are no times of ours and stay in the rest.
_LOW, _HIGH = first_id(date(2020, 1, 1)), first_id(date(2100, 1, 1))


@dataclass(frozen=True, slots=True)
class Moved:
    """What a rescue did: ``rows`` copied, the partitions now there, whether time ran out before the end."""

    rows: int
    made: tuple[str, ...] = ()
    unfinished: bool = False


async def count(connection: AsyncConnection, table: str) -> int:
    """Rows in the rest of a table, counted up to `COUNTED`."""
    found = await connection.execute(
        text(f"SELECT count(*) FROM (SELECT FROM {table}_rest LIMIT :most) AS r"),  # noqa: S608
        {"most": COUNTED},
    )
    return int(found.scalar_one())


async def found(connection: AsyncConnection, table: str) -> list[Month]:
    """The months of which the rest holds rows: one probe each."""
    column, place = ID[table], _LOW
    lying: list[Month] = []
    query = text(
        f"SELECT {column} FROM {table}_rest WHERE {column} >= :low AND {column} < :high"  # noqa: S608
        f" ORDER BY {column} LIMIT 1"
    )
    while True:
        row = (await connection.execute(query, {"low": place, "high": _HIGH})).scalar_one_or_none()
        if row is None:
            return lying
        lying.append(month_of(row))
        place = lying[-1].end


def month_of(row_id: UUID) -> Month:
    """The month in whose range an id lies."""
    seconds = (row_id.int >> 80) / 1000
    return Month.of(datetime.fromtimestamp(seconds, UTC).date())


async def rescue(engine: AsyncEngine, table: str, in_time: Callable[[], bool]) -> Moved:
    """Move the rest of a table into months; goes on where a former run was ended.

    ``in_time``: asked between steps. Errors: `DBAPIError` (lock timeout) when the table is busy: try again later.
    """
    async with single(engine) as connection:
        lying = await found(connection, table)
        if not lying:
            return Moved(0)
        rows = 0
        for month in lying:
            await _prepare(connection, table, month)
            while in_time():
                copied = await _copy_step(connection, table, month)
                rows += copied
                if copied < STEP:
                    break
            else:
                return Moved(rows, unfinished=True)
        for month in lying:
            # most of what came meanwhile, so that the swap has little to do while everybody waits
            mark = await _mark(connection)
            await _catch_up(connection, table, month)
            await _remember(connection, table, month, mark)
    if not await _swap(engine, table, lying):
        return Moved(rows, unfinished=True)
    return Moved(rows, tuple(month.of_table(table) for month in lying))


async def drop_leftovers(connection: AsyncConnection) -> list[str]:
    """Drop what has been taken out of the tables and was not dropped yet; the names."""
    names = list((await connection.execute(_LEFTOVERS)).scalars())
    for name in names:
        await connection.execute(text(f"DROP TABLE IF EXISTS {name}"))
    return names


_LEFTOVERS = text(
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND NOT relispartition"
    " AND relnamespace = 'public'::regnamespace"
    " AND relname ~ '^(messages|bodies|events|attempts)_(rest|[0-9]{4}_[0-9]{2})_gone$' ORDER BY relname"
)


def _aside(table: str, month: Month) -> str:
    return f"{month.of_table(table)}_new"


async def _prepare(connection: AsyncConnection, table: str, month: Month) -> None:
    name = _aside(table, month)
    known = await connection.execute(text("SELECT to_regclass(:name)"), {"name": name})
    if known.scalar_one() is None:
        mark = await _mark(connection)
        await create_aside(connection, table, name, month)
        await _remember(connection, table, month, mark)


async def _mark(connection: AsyncConnection) -> str:
    """Whatever is not yet visible now was written by this transaction or a later one."""
    return str(
        (
            await connection.execute(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::xid::text"))
        ).scalar_one()
    )


async def _remember(connection: AsyncConnection, table: str, month: Month, mark: str) -> None:
    await connection.execute(text(f"COMMENT ON TABLE {_aside(table, month)} IS '{int(mark)}'"))


async def _copy_step(connection: AsyncConnection, table: str, month: Month) -> int:
    name, column = _aside(table, month), ID[table]
    query = f"""
        WITH copied AS (
          INSERT INTO {name} SELECT * FROM {table}_rest
           WHERE {column} >= COALESCE((SELECT {column} FROM {name} ORDER BY {column} DESC LIMIT 1), :first)
             AND {column} < :end ORDER BY {column} LIMIT {STEP + 1}
          ON CONFLICT DO NOTHING RETURNING {column})
        SELECT count(*) FROM copied
    """  # noqa: S608
    which = {"first": month.first, "end": month.end}
    return int((await connection.execute(text(query), which)).scalar_one())


async def _catch_up(connection: AsyncConnection, table: str, month: Month) -> None:
    """Copy again what was written since the mark: new rows, and those changed after they were copied."""
    name, column = _aside(table, month), ID[table]
    others = [each.name for each in METADATA.tables[table].columns if each.name != column]
    query = f"""
        INSERT INTO {name} SELECT r.* FROM {table}_rest r
         WHERE r.{column} >= :first AND r.{column} < :end
           AND age(r.xmin) <= age((SELECT CAST(obj_description('{name}'::regclass) AS xid)))
        ON CONFLICT ({column}) DO UPDATE SET {", ".join(f"{each} = excluded.{each}" for each in others)}
    """  # noqa: S608
    await connection.execute(text(query), {"first": month.first, "end": month.end})


async def _swap(engine: AsyncEngine, table: str, prepared: Sequence[Month]) -> bool:
    """Everything that was prepared takes its place at once; False when other months have come meanwhile."""
    rest, column = f"{table}_rest", ID[table]
    async with engine.begin() as connection:
        # the parent first, as writers do: nobody is waited for crosswise
        await connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        if await found(connection, table) != list(prepared):
            return False
        for month in prepared:
            await _catch_up(connection, table, month)
        await create_aside(connection, table, f"{rest}_new", None)
        outside = " AND ".join(
            f"NOT ({column} >= '{month.first}' AND {column} < '{month.end}')" for month in prepared
        )
        await connection.execute(text(f"INSERT INTO {rest}_new SELECT * FROM {rest} WHERE {outside}"))  # noqa: S608
        await connection.execute(text(f"ALTER TABLE {table} DETACH PARTITION {rest}"))
        await connection.execute(text(f"ALTER TABLE {rest} RENAME TO {rest}_gone"))
        for month in prepared:
            name = month.of_table(table)
            await connection.execute(text(f"COMMENT ON TABLE {name}_new IS NULL"))
            await connection.execute(text(f"ALTER TABLE {name}_new RENAME TO {name}"))
            await attach(connection, table, name, month)
        await connection.execute(text(f"ALTER TABLE {rest}_new RENAME TO {rest}"))
        await connection.execute(text(f"ALTER TABLE {table} ATTACH PARTITION {rest} DEFAULT"))
    return True
