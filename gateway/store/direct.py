"""The hot statements straight on the driver: one round trip, no transaction to open and close around it.

The pool stays SQLAlchemy's. What its execution adds to a statement (compilation, cursors, a greenlet) cost more
than the statement itself where a batch is one `SELECT` or one big `WITH` (ADR 0022).
"""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from asyncpg import PostgresError

from gateway.store.engine import BROKEN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from asyncpg import Connection, Record
    from sqlalchemy import TextClause
    from sqlalchemy.ext.asyncio import AsyncEngine

_NAME = re.compile(r"(?<!:):([a-z][a-z0-9_]*)")


class Direct:
    """A statement with ``:names`` as the driver takes it: numbered, arguments in order."""

    __slots__ = ("_names", "sql")

    def __init__(self, statement: TextClause | str) -> None:
        names: dict[str, int] = {}
        self.sql = _NAME.sub(lambda found: f"${names.setdefault(found[1], len(names) + 1)}", str(statement))
        self._names = tuple(names)

    async def on(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Record]:
        """Its rows on a connection at hand."""
        rows: Sequence[Record] = await connection.fetch(self.sql, *[values[name] for name in self._names])
        return rows

    async def fetch(self, engine: AsyncEngine, values: Mapping[str, Any]) -> Sequence[Record]:
        """Its rows; the statement is a transaction of its own.

        Errors: the driver's (``engine.is_away`` knows them).
        """
        async with driver(engine) as connection:
            return await self.on(connection, values)


def may_have_happened(error: BaseException) -> bool:
    """Whether a statement that failed so may have been committed: the line broke, and nobody said that it was not."""
    return not isinstance(error, PostgresError) or (error.sqlstate or "").startswith("08")


@asynccontextmanager
async def driver(engine: AsyncEngine) -> AsyncIterator[Connection]:
    """A connection of the pool as the driver's own; given back whole, or thrown away when it broke."""
    async with engine.connect() as pooled:
        raw: Any = (await pooled.get_raw_connection()).driver_connection
        try:
            yield raw
        except PostgresError as refused:
            if refused.sqlstate.startswith(BROKEN):
                await pooled.invalidate()
            raise
        except BaseException:
            # Whatever else happened, perhaps in the middle of an answer: nobody else shall go on with it.
            await pooled.invalidate()
            raise
