"""Bearer tokens made by operators; only their hashes are kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import text

from gateway.store.engine import single

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncEngine


@dataclass(frozen=True, slots=True)
class KeptToken:
    """A token as the store knows it: ``sha256`` in hex, times aware."""

    name: str
    sha256: str = field(repr=False)
    scopes: frozenset[str]
    created_at: datetime
    revoked_at: datetime | None


class Tokens:
    """Makes, finds and revokes tokens; a name is used by one unrevoked token at a time."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, sha256: str) -> KeptToken | None:
        """The unrevoked token of this hash (hex)."""
        kept = await self._select("WHERE sha256 = :sha256 AND revoked_at IS NULL", sha256=sha256)
        return kept[0] if kept else None

    async def create(self, name: str, sha256: str, scopes: Iterable[str], created_at: datetime) -> bool:
        """Keep a new token; False when the name is in use."""
        async with single(self._engine) as connection:
            made = await connection.execute(
                text(
                    "INSERT INTO api_tokens (sha256, name, scopes, created_at)"
                    " VALUES (:sha256, :name, CAST(:scopes AS text[]), :at) ON CONFLICT DO NOTHING"
                ),
                {"sha256": sha256, "name": name, "scopes": sorted(scopes), "at": created_at},
            )
            return bool(made.rowcount)

    async def revoke(self, name: str, at: datetime) -> bool:
        """End a token at once; False when no unrevoked one has this name."""
        async with single(self._engine) as connection:
            ended = await connection.execute(
                text("UPDATE api_tokens SET revoked_at = :at WHERE name = :name AND revoked_at IS NULL"),
                {"name": name, "at": at},
            )
            return bool(ended.rowcount)

    async def list(self) -> Sequence[KeptToken]:
        """Every token, revoked ones too, oldest first."""
        return await self._select("")

    async def _select(self, where: str, **which: str) -> Sequence[KeptToken]:
        query = text(
            "SELECT name, sha256, scopes, created_at, revoked_at FROM api_tokens"  # noqa: S608 (our own words)
            f" {where} ORDER BY created_at, name"
        )
        async with single(self._engine) as connection:
            return [
                KeptToken(row.name, row.sha256, frozenset(row.scopes), row.created_at, row.revoked_at)
                for row in await connection.execute(query, which)
            ]
