"""Reading the audit: pages by any filter, newest first, and the names it holds; every statement walks an index."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import text

from gateway.store.engine import single
from gateway.store.vault import UnreadableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.store.vault import Vault

#: Lines of an export fetched at once.
_LOT = 1_000
#: Names shown for choosing; beyond this people type.
_NAMES = 200

# A jump from one name to the next: as many probes as there are names, however many lines.
_JUMP = """
    WITH RECURSIVE names AS (
      (SELECT {column} AS name FROM audit ORDER BY {column} LIMIT 1)
      UNION ALL
      SELECT (SELECT {column} FROM audit WHERE {column} > names.name ORDER BY {column} LIMIT 1)
        FROM names WHERE names.name IS NOT NULL)
    SELECT name FROM names WHERE name IS NOT NULL LIMIT :most
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines. Empty: any. ``since`` and ``until`` (not included) are moments."""

    actor: str = ""
    verb: str = ""
    target: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line as it is read; ``reason`` is None when it was not asked for or does not open."""

    id: UUID
    at: datetime
    actor: str
    verb: str
    target: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    reason: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A page of lines, newest first; whether there are newer and older ones."""

    entries: Sequence[Entry]
    newer: bool
    older: bool


class Trail:
    """The rows of ``audit``, to be read. ``reasons``: whether free text of people is decrypted."""

    def __init__(self, engine: AsyncEngine, vault: Vault) -> None:
        self._engine, self._vault = engine, vault

    async def page(
        self,
        wanted: Wanted,
        limit: int,
        *,
        older_than: UUID | None = None,
        newer_than: UUID | None = None,
        reasons: bool,
    ) -> Leaf:
        """Lines beside a known one, or the newest."""
        up = newer_than is not None
        rows = await self._rows(wanted, limit + 1, below=older_than, above=newer_than)
        more, rows = len(rows) > limit, rows[:limit]
        entries = await self._opened(rows[::-1] if up else rows, reasons=reasons)
        if up:
            return Leaf(entries, newer=more, older=True)
        return Leaf(entries, newer=older_than is not None, older=more)

    async def all(self, wanted: Wanted, most: int, *, reasons: bool) -> AsyncIterator[Entry]:
        """Up to ``most`` lines, newest first, fetched in lots."""
        last: UUID | None = None
        while most > 0:
            rows = await self._rows(wanted, min(_LOT, most), below=last, above=None)
            for entry in await self._opened(rows, reasons=reasons):
                yield entry
            if len(rows) < min(_LOT, most):
                return
            last, most = rows[-1].id, most - len(rows)

    async def actors(self) -> Sequence[str]:
        """Whoever is in it, by name."""
        return await self._names("actor")

    async def verbs(self) -> Sequence[str]:
        """Whatever was done, by name."""
        return await self._names("verb")

    async def _rows(self, wanted: Wanted, limit: int, *, below: UUID | None, above: UUID | None) -> list[Any]:
        where, values = _conditions(wanted)
        if below is not None:
            where, values["below"] = [*where, "id < :below"], below
        if above is not None:
            where, values["above"] = [*where, "id > :above"], above
        query = text(
            "SELECT id, at, actor, verb, target, reason, before, after FROM audit"  # noqa: S608 (our own words)
            + (f" WHERE {' AND '.join(where)}" if where else "")
            + f" ORDER BY id {'DESC' if above is None else 'ASC'} LIMIT :limit"
        )
        async with single(self._engine) as connection:
            return list(await connection.execute(query, {**values, "limit": limit}))

    async def _opened(self, rows: Sequence[Any], *, reasons: bool) -> list[Entry]:
        if reasons:
            await self._vault.learn(row.reason for row in rows)
        return [
            Entry(
                row.id,
                row.at,
                row.actor,
                row.verb,
                row.target,
                row.before,
                row.after,
                self._reason(row) if reasons else None,
            )
            for row in rows
        ]

    def _reason(self, row: Any) -> str | None:
        try:
            return self._vault.open_text(row.id, "audit.reason", row.reason)
        except UnreadableError:
            return None

    async def _names(self, column: str) -> Sequence[str]:
        query = text(_JUMP.format(column=column))
        async with single(self._engine) as connection:
            return list((await connection.execute(query, {"most": _NAMES})).scalars())


def _conditions(wanted: Wanted) -> tuple[list[str], dict[str, Any]]:
    where, values = list[str](), dict[str, Any]()
    for name in ("actor", "verb", "target"):
        if getattr(wanted, name):
            where.append(f"{name} = :{name}")
            values[name] = getattr(wanted, name)
    # An id holds the moment of its line: the walk by ids ends where the time does.
    if wanted.since is not None:
        where.append("id >= :since")
        values["since"] = first_of(wanted.since)
    if wanted.until is not None:
        where.append("id < :until")
        values["until"] = first_of(wanted.until)
    return where, values


def first_of(moment: datetime) -> UUID:
    """The smallest UUIDv7 of a moment."""
    since = moment - datetime.fromtimestamp(0, tz=moment.tzinfo)
    return UUID(int=(since // timedelta(milliseconds=1)) << 80)
