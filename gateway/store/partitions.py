"""Month partitions: which there are, those of the months ahead, and how a month is named and bounded.

A table is ranged by a UUIDv7, so that a month is a range of ids. Rows that no month takes lie in ``<table>_rest``
(see `gateway.store.rest`). A new month is made aside and attached: that stops nobody but who looks into the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.store.schema import PARTITIONED

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

#: Months made ahead of the current one when nothing else is configured.
AHEAD = 3

#: What a partition is ranged by.
ID = {table: "message_id" if table == "bodies" else "id" for table in PARTITIONED}


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month (UTC) of a partitioned table."""

    start: date

    @classmethod
    def of(cls, day: date) -> Month:
        """The month of a day."""
        return cls(day.replace(day=1))

    @classmethod
    def named(cls, partition: str) -> Month | None:
        """The month of ``<table>_yyyy_mm``; None for any other name."""
        _, _, rest = partition.partition("_")
        year, _, month = rest.partition("_")
        if len(year) != 4 or len(month) != 2 or not (year + month).isdigit():
            return None
        return cls(date(int(year), int(month), 1))

    def plus(self, months: int) -> Month:
        """So many months later."""
        number = self.start.year * 12 + self.start.month - 1 + months
        return Month(date(number // 12, number % 12 + 1, 1))

    @property
    def first(self) -> UUID:
        """The smallest UUIDv7 of the month."""
        return first_id(self.start)

    @property
    def end(self) -> UUID:
        """The smallest UUIDv7 after it."""
        return self.plus(1).first

    @property
    def key_month(self) -> str:
        """How the data keys name it."""
        return f"{self.start:%Y-%m}"

    def of_table(self, table: str) -> str:
        """The name of its partition."""
        return f"{table}_{self.start:%Y_%m}"


def first_id(day: date) -> UUID:
    """The smallest UUIDv7 of a day (UTC)."""
    milliseconds = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
    return UUID(int=milliseconds << 80)


_KNOWN = text(
    "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    " WHERE i.inhparent = CAST(:table AS regclass) ORDER BY c.relname"
)


async def months(connection: AsyncConnection, table: str) -> list[Month]:
    """The months that have a partition, oldest first."""
    names = (await connection.execute(_KNOWN, {"table": table})).scalars()
    return sorted(month for month in map(Month.named, names) if month is not None)


def wanted(days: list[date], ahead: int) -> list[Month]:
    """The months that must be there: the one before each of these days to ``ahead`` after it."""
    return sorted({Month.of(day).plus(step) for day in days for step in range(-1, ahead + 1)})


async def missing(connection: AsyncConnection, days: list[date], ahead: int) -> list[tuple[str, Month]]:
    """What `make_ahead` would make."""
    lacking = []
    for table in PARTITIONED:
        known = await months(connection, table)
        lacking += [(table, month) for month in wanted(days, ahead) if month not in known]
    return lacking


async def make_ahead(connection: AsyncConnection, days: list[date], ahead: int) -> list[str]:
    """Make the partitions that are missing; their names. One transaction each, committed here.

    A month whose rows lie in the rest already is left to `gateway.store.rest`.
    """
    made = []
    for table, month in await missing(connection, days, ahead):
        try:
            await _make(connection, table, month)
            await connection.commit()
        except DBAPIError as error:
            await connection.rollback()
            # 23514: the rest already holds rows of this month; the others: somebody was quicker
            if getattr(error.orig, "sqlstate", "") not in ("23514", "42P07", "23505"):
                raise
        else:
            made.append(month.of_table(table))
    await connection.rollback()
    return made


async def _make(connection: AsyncConnection, table: str, month: Month) -> None:
    name = month.of_table(table)
    await create_aside(connection, table, name, month)
    await attach(connection, table, name, month)


async def create_aside(connection: AsyncConnection, table: str, name: str, month: Month | None) -> None:
    """A table like this one, not attached yet; a check spares the look through its rows when it is."""
    await connection.execute(text(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)"))
    if month is not None:
        column = ID[table]
        bounds = f"{column} >= '{month.first}' AND {column} < '{month.end}'"
        await connection.execute(text(f"ALTER TABLE {name} ADD CONSTRAINT month CHECK ({bounds})"))


async def attach(connection: AsyncConnection, table: str, name: str, month: Month) -> None:
    """Make a table the partition of its month."""
    await connection.execute(
        text(
            f"ALTER TABLE {table} ATTACH PARTITION {name}"
            f" FOR VALUES FROM ('{month.first}') TO ('{month.end}')"
        )
    )
    await connection.execute(text(f"ALTER TABLE {name} DROP CONSTRAINT month"))
