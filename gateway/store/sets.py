"""Releases of the tables in PostgreSQL: added, approved, activated, never altered (the database refuses)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import text

from gateway.mapping.release import Approval, Release, signature_of, signature_text
from gateway.store.engine import single

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncEngine

_COLUMNS = (
    "digest, content, effective_from, note, created_at, created_by, approvals, activated_at, retired_at"
)
#: Of all whose day has come, the one with the latest day; of two with one day, the one activated last.
_STANDING = text(
    "SELECT (SELECT digest FROM table_sets WHERE activated_at IS NOT NULL AND retired_at IS NULL"
    " AND effective_from <= :on ORDER BY effective_from DESC, activated_at DESC, digest LIMIT 1) AS digest,"
    " EXISTS (SELECT FROM table_sets WHERE activated_at IS NOT NULL AND effective_from <= :on) AS begun"
)
_ADD = text(
    "INSERT INTO table_sets (digest, content, effective_from, note, created_at, created_by)"
    " VALUES (:digest, :content, :effective_from, :note, :created_at, :created_by) ON CONFLICT DO NOTHING"
)
_APPROVE = text(
    "UPDATE table_sets SET approvals = approvals || CAST(:approval AS jsonb)"
    " WHERE digest = :digest AND retired_at IS NULL"
)
_ACTIVATE = text("UPDATE table_sets SET activated_at = :at WHERE digest = :digest AND activated_at IS NULL")
_RETIRE = text(
    "UPDATE table_sets SET retired_at = :at"
    " WHERE digest = :digest AND activated_at IS NOT NULL AND retired_at IS NULL"
)


@dataclass(frozen=True, slots=True)
class Standing:
    """The digest in force on a day, if any; ``begun``: some release's day has come, in force or retired."""

    digest: str | None
    begun: bool


class TableSets:
    """Keeps releases and says which is in force on a day."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, release: Release) -> bool:
        """Keep a new release; False when one with this digest is kept already."""
        return await self._change(
            _ADD,
            digest=release.digest,
            content=release.content,
            effective_from=release.effective_from,
            note=release.note,
            created_at=release.created_at,
            created_by=release.created_by,
        )

    async def approve(self, digest: str, region: str, approval: Approval) -> bool:
        """Keep a side's approval, in place of its former one; False for an unknown or retired release."""
        kept = {
            "key_id": approval.key_id,
            "algorithm": approval.algorithm,
            "signature": signature_text(approval.signature),
            "at": approval.at.isoformat(),
            "by": approval.by,
        }
        return await self._change(_APPROVE, digest=digest, approval=json.dumps({region: kept}))

    async def activate(self, digest: str, at: datetime) -> bool:
        """Let a release be used from its day on; False when it is unknown or was activated before."""
        return await self._change(_ACTIVATE, digest=digest, at=at)

    async def retire(self, digest: str, at: datetime) -> bool:
        """Use a release no longer: the one before it is in force again. False when it is not active."""
        return await self._change(_RETIRE, digest=digest, at=at)

    async def starting_with(self, prefix: str) -> Sequence[Release]:
        """The releases whose digest (hex) begins so."""
        return await self._select("WHERE starts_with(digest, :prefix) ORDER BY digest", prefix=prefix)

    async def all(self) -> Sequence[Release]:
        """Every release, oldest first."""
        return await self._select("ORDER BY created_at, digest")

    async def one(self, digest: str) -> Release | None:
        """The release of this digest, not verified."""
        found = await self._select("WHERE digest = :digest", digest=digest)
        return found[0] if found else None

    async def standing(self, on: date) -> Standing:
        """Which release is in force on a day; cheap enough to ask every second."""
        async with single(self._engine) as connection:
            found = (await connection.execute(_STANDING, {"on": on})).one()
            return Standing(found.digest, begun=found.begun)

    async def _change(self, statement: object, **values: object) -> bool:
        async with single(self._engine) as connection:
            changed = await connection.execute(statement, values)  # type: ignore[call-overload]
            return bool(changed.rowcount)

    async def _select(self, rest: str, **which: object) -> Sequence[Release]:
        query = text(f"SELECT {_COLUMNS} FROM table_sets {rest}")  # noqa: S608 (our own words)
        async with single(self._engine) as connection:
            found = await connection.execute(query, which)
            return [_release(row) for row in found.mappings()]


def _release(row: RowMapping) -> Release:
    approvals = {region: _approval(kept) for region, kept in row["approvals"].items()}
    return Release(**{**row, "content": bytes(row["content"]), "approvals": approvals})


def _approval(kept: Mapping[str, str]) -> Approval:
    return Approval(
        key_id=kept["key_id"],
        algorithm=kept["algorithm"],
        signature=signature_of(kept["signature"]),
        at=datetime.fromisoformat(kept["at"]),
        by=kept["by"],
    )
