"""Lists that are written to a file for a person: kept in parts, seen by every web process, gone after a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

from gateway.store.engine import single

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from uuid import UUID

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.store.engine import Also

KEPT = timedelta(days=1)
#: One that has given no sign for so long has lost its process.
SILENT = timedelta(seconds=60)
#: A person may have so many under way at once.
MOST = 2


@dataclass(frozen=True, slots=True)
class Export:
    """A file of a list: ``expected`` and ``written`` are lines, ``expected`` None while it is not known."""

    id: UUID
    name: str
    format: str
    title: str
    created_at: datetime
    state: str = "running"
    expected: int | None = None
    written: int = 0
    beat_at: datetime | None = None

    def state_at(self, now: datetime) -> str:
        """``failed`` when its process has gone without a word."""
        silent = self.beat_at is not None and now - self.beat_at > SILENT
        return "failed" if self.state == "running" and silent else self.state


class Exports:
    """The rows of ``exports`` and ``export_parts``; everybody sees their own only."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def begin(self, export: Export, also: Also) -> bool:
        """Keep a new one, and drop those of yesterday; False when the person has `MOST` under way.

        ``also``: what belongs to its transaction, the line of the audit.
        """
        values = {"id": export.id, "name": export.name, "format": export.format, "title": export.title}
        now = export.created_at
        async with self._engine.begin() as connection:
            await connection.execute(_DROP, {"before": now - KEPT})
            limits = {"now": now, "living": now - SILENT, "most": MOST}
            if not (await connection.execute(_BEGIN, values | limits)).rowcount:
                return False
            await also(connection)
        return True

    async def expect(self, export_id: UUID, lines: int) -> None:
        """How many lines there will be."""
        async with single(self._engine) as connection:
            await connection.execute(_EXPECT, {"id": export_id, "lines": lines})

    async def beat(self, export_id: UUID, lines: int, now: datetime) -> bool:
        """So many lines are written; False when nobody wants it any more."""
        async with single(self._engine) as connection:
            done = await connection.execute(_BEAT, {"id": export_id, "lines": lines, "now": now})
            return bool(done.rowcount)

    async def put(self, export_id: UUID, n: int, content: bytes) -> None:
        """Part ``n``."""
        async with single(self._engine) as connection:
            await connection.execute(_PUT, {"id": export_id, "n": n, "bytes": content})

    async def end(self, export_id: UUID, state: str, now: datetime) -> bool:
        """``done``, ``failed`` or ``cancelled``; nothing happens to what has ended."""
        async with self._engine.begin() as connection:
            ended = (await connection.execute(_END, {"id": export_id, "state": state, "now": now})).rowcount
            if ended and state != "done":
                await connection.execute(_CLEAR, {"id": export_id})
        return bool(ended)

    async def of(self, name: str) -> Sequence[Export]:
        """A person's, newest first."""
        async with single(self._engine) as connection:
            return [_export(row) for row in (await connection.execute(_OF, {"name": name})).mappings()]

    async def find(self, name: str, export_id: UUID) -> Export | None:
        """One of a person's own."""
        async with single(self._engine) as connection:
            row = (await connection.execute(_FIND, {"name": name, "id": export_id})).mappings().one_or_none()
        return None if row is None else _export(row)

    async def parts(self, export_id: UUID) -> AsyncIterator[bytes]:
        """Its bytes, a part at a time."""
        n = 0
        while True:
            async with single(self._engine) as connection:
                found = await connection.execute(_PART, {"id": export_id, "n": n})
                part: bytes | None = found.scalar_one_or_none()
            if part is None:
                return
            yield part
            n += 1


def _export(row: RowMapping) -> Export:
    return Export(
        id=row["id"],
        name=row["name"],
        format=row["format"],
        title=row["title"],
        created_at=row["created_at"],
        state=row["state"],
        expected=row["expected"],
        written=row["written"],
        beat_at=row["beat_at"],
    )


_DROP = text("DELETE FROM exports WHERE created_at < :before")
_BEGIN = text(
    "INSERT INTO exports (id, name, format, state, title, created_at, beat_at)"
    " SELECT :id, :name, :format, 'running', :title, :now, :now WHERE (SELECT count(*) FROM exports"
    " WHERE name = :name AND state = 'running' AND beat_at > :living) < :most"
)
_EXPECT = text("UPDATE exports SET expected = :lines WHERE id = :id")
_BEAT = text("UPDATE exports SET written = :lines, beat_at = :now WHERE id = :id AND state = 'running'")
_PUT = text("INSERT INTO export_parts (export_id, n, bytes) VALUES (:id, :n, :bytes)")
_END = text("UPDATE exports SET state = :state, finished_at = :now WHERE id = :id AND state = 'running'")
_CLEAR = text("DELETE FROM export_parts WHERE export_id = :id")
_OF = text("SELECT * FROM exports WHERE name = :name ORDER BY id DESC LIMIT 20")
_FIND = text("SELECT * FROM exports WHERE name = :name AND id = :id")
_PART = text("SELECT bytes FROM export_parts WHERE export_id = :id AND n = :n")
