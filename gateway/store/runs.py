"""When each job of the gateway last ran, and how large the tables were each day: a few rows, for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

from gateway.store.engine import single

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from gateway.store.growth import Size

#: The jobs; maintenance has one row a step, ``maintain.<step>``.
SWEEP, MAINTAIN = "sweep", "maintain"

_KEPT = timedelta(days=800)

_NOTE = text(
    "INSERT INTO runs (job, ran_at, took_s, failed, said) VALUES (:job, now(), :took_s, :failed, :said)"
    " ON CONFLICT (job) DO UPDATE SET ran_at = excluded.ran_at, took_s = excluded.took_s,"
    " failed = excluded.failed, said = excluded.said"
)
_ALL = text(
    "SELECT job, took_s, failed, said, ran_at, CAST(extract(epoch FROM now() - ran_at) AS float8) AS ago_s"
    " FROM runs ORDER BY job"
)
_SIZE = text(
    "INSERT INTO sizes (day, name, rows, bytes) VALUES (:day, :name, :rows, :bytes)"
    " ON CONFLICT (day, name) DO UPDATE SET rows = excluded.rows, bytes = excluded.bytes"
    " WHERE (sizes.rows, sizes.bytes) IS DISTINCT FROM (excluded.rows, excluded.bytes)"
)
_SIZES = text("SELECT day, name, rows, bytes FROM sizes WHERE day > :after ORDER BY day, name")


@dataclass(frozen=True, slots=True)
class Run:
    """The last run of a job. ``ran_at`` by the database's clock, ``ago_s`` seconds since; None: not yet."""

    job: str
    took_s: float
    failed: bool = False
    said: str = ""
    ran_at: datetime | None = None
    ago_s: float | None = None


async def note(engine: AsyncEngine, run: Run) -> None:
    """This job has run just now."""
    values = {"job": run.job, "took_s": run.took_s, "failed": run.failed, "said": run.said}
    async with single(engine) as connection:
        await connection.execute(_NOTE, values)


async def last(engine: AsyncEngine) -> Mapping[str, Run]:
    """The last run of every job that ever ran, by job."""
    async with single(engine) as connection:
        found = await connection.execute(_ALL)
        return {
            row.job: Run(row.job, row.took_s, row.failed, row.said, row.ran_at, row.ago_s) for row in found
        }


async def keep_sizes(connection: AsyncConnection, day: date, sizes: Mapping[str, Size]) -> None:
    """The sizes of this day; what was kept of it before is replaced, what is very old goes."""
    values = [
        {"day": day, "name": name, "rows": size.rows, "bytes": size.bytes} for name, size in sizes.items()
    ]
    if values:
        await connection.execute(_SIZE, values)
    await connection.execute(text("DELETE FROM sizes WHERE day < :before"), {"before": day - _KEPT})


async def sizes_since(engine: AsyncEngine, after: date) -> Sequence[tuple[date, str, int, int]]:
    """(day, table, rows, bytes) of the days after ``after``, oldest first."""
    async with single(engine) as connection:
        return [tuple(row) for row in await connection.execute(_SIZES, {"after": after})]
