"""Views of a list that a person has kept under a title: a page and its query text, never a person's number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from gateway.store.engine import single

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncEngine

#: More than anybody finds again; a list without an end would be a way to fill the disk.
MOST = 50

_KEEP = text(
    "INSERT INTO saved_views (id, name, page, title, query, created_at)"
    " SELECT :id, :name, :page, :title, :query, :at"
    " WHERE (SELECT count(*) FROM saved_views WHERE name = :name AND page = :page AND title <> :title) < :most"
    " ON CONFLICT (name, page, title) DO UPDATE SET query = excluded.query, created_at = excluded.created_at"
)


@dataclass(frozen=True, slots=True)
class SavedView:
    """``query``: what stands behind ``?`` in the address of ``page``."""

    id: UUID
    page: str
    title: str
    query: str
    created_at: datetime


class SavedViews:
    """The rows of ``saved_views``; everybody has only their own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of(self, name: str, page: str) -> Sequence[SavedView]:
        """A person's views of a page, by title."""
        query = text(
            "SELECT id, page, title, query, created_at FROM saved_views"
            " WHERE name = :name AND page = :page ORDER BY title"
        )
        async with single(self._engine) as connection:
            return [SavedView(*row) for row in await connection.execute(query, {"name": name, "page": page})]

    async def keep(self, name: str, view: SavedView) -> bool:
        """Keep a view; one of the same title is replaced. False when the person has `MOST` of them already."""
        values = {
            "id": view.id,
            "name": name,
            "page": view.page,
            "title": view.title,
            "query": view.query,
            "at": view.created_at,
            "most": MOST,
        }
        async with single(self._engine) as connection:
            return bool((await connection.execute(_KEEP, values)).rowcount)

    async def drop(self, name: str, view_id: UUID) -> bool:
        """Forget one's own view; False when there is none of this id."""
        query = text("DELETE FROM saved_views WHERE name = :name AND id = :id")
        async with single(self._engine) as connection:
            return bool((await connection.execute(query, {"name": name, "id": view_id})).rowcount)
