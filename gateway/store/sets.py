"""Releases of the tables in PostgreSQL: added, approved, activated, never altered (the database refuses)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from gateway.mapping.release import Approval, Consent, Release, signature_of, signature_text
from gateway.store.engine import nothing_else, single

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.store.engine import Also

#: Everything but the tables themselves: what a list of releases shows.
_HEAD = (
    "digest, effective_from, note, created_at, created_by, approvals, activated_at, retired_at, confirmed_by"
)
_COLUMNS = f"{_HEAD}, content"
#: Where no side has a key only what a person confirmed counts; of his own proposal only where that is allowed.
_COUNTS = (
    "CASE :consent WHEN 'signed' THEN true WHEN 'alone' THEN confirmed_by IS NOT NULL"
    " WHEN 'two-people' THEN confirmed_by <> created_by ELSE false END"
)
#: Of all whose day has come, the one with the latest day; of two with one day, the one activated last.
_STANDING = text(
    "SELECT (SELECT digest FROM table_sets WHERE activated_at IS NOT NULL AND retired_at IS NULL"  # noqa: S608
    f" AND effective_from <= :on AND {_COUNTS}"
    " ORDER BY effective_from DESC, activated_at DESC, digest LIMIT 1) AS digest,"
    " EXISTS (SELECT FROM table_sets WHERE activated_at IS NOT NULL AND effective_from <= :on"
    f" AND {_COUNTS}) AS begun"
)
_ADD = text(
    "INSERT INTO table_sets (digest, content, effective_from, note, created_at, created_by)"
    " VALUES (:digest, :content, :effective_from, :note, :created_at, :created_by) ON CONFLICT DO NOTHING"
)
_APPROVE = text(
    "UPDATE table_sets SET approvals = approvals || CAST(:approval AS jsonb)"
    " WHERE digest = :digest AND retired_at IS NULL"
)
_ACTIVATE = text(
    "UPDATE table_sets SET activated_at = :at, confirmed_by = :confirmed_by"
    " WHERE digest = :digest AND activated_at IS NULL"
)
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
    """Keeps releases and says which is in force on a day.

    ``consent``: what makes an activated release count (see `gateway.mapping.release.Consent`). Whatever changes
    one takes ``also``: what is written in the same transaction, when the change was made.
    """

    def __init__(self, engine: AsyncEngine, consent: Consent = Consent.SIGNED) -> None:
        self._engine, self._consent = engine, consent

    async def add(self, release: Release, *, also: Also = nothing_else) -> bool:
        """Keep a new release; False when one with this digest is kept already."""
        return await self._change(
            _ADD,
            also,
            digest=release.digest,
            content=release.content,
            effective_from=release.effective_from,
            note=release.note,
            created_at=release.created_at,
            created_by=release.created_by,
        )

    async def approve(
        self, digest: str, region: str, approval: Approval, *, also: Also = nothing_else
    ) -> bool:
        """Keep a side's approval, in place of its former one; False for an unknown or retired release."""
        kept = {
            "key_id": approval.key_id,
            "algorithm": approval.algorithm,
            "signature": signature_text(approval.signature),
            "at": approval.at.isoformat(),
            "by": approval.by,
        }
        return await self._change(_APPROVE, also, digest=digest, approval=json.dumps({region: kept}))

    async def activate(
        self, digest: str, at: datetime, *, confirmed_by: str | None = None, also: Also = nothing_else
    ) -> bool:
        """Let a release be used from its day on; False when it is unknown or was activated before.

        ``confirmed_by``: who answers for it where no side has a key.
        """
        return await self._change(_ACTIVATE, also, digest=digest, at=at, confirmed_by=confirmed_by)

    async def retire(self, digest: str, at: datetime, *, also: Also = nothing_else) -> bool:
        """Use a release no longer: the one before it is in force again. False when it is not active."""
        return await self._change(_RETIRE, also, digest=digest, at=at)

    async def starting_with(self, prefix: str) -> Sequence[Release]:
        """The releases whose digest (hex) begins so."""
        return await self._select("WHERE starts_with(digest, :prefix) ORDER BY digest", prefix=prefix)

    async def all(self) -> Sequence[Release]:
        """Every release, oldest first."""
        return await self._select("ORDER BY created_at, digest")

    async def heads(self, limit: int) -> Sequence[Release]:
        """The newest releases without their tables, newest first: cheap enough for a list on a page."""
        query = text(f"SELECT {_HEAD} FROM table_sets ORDER BY created_at DESC, digest LIMIT :places")  # noqa: S608
        async with single(self._engine) as connection:
            found = await connection.execute(query, {"places": limit})
            return [_release({**row, "content": b""}) for row in found.mappings()]

    async def one(self, digest: str) -> Release | None:
        """The release of this digest, not verified."""
        found = await self._select("WHERE digest = :digest", digest=digest)
        return found[0] if found else None

    async def standing(self, on: date) -> Standing:
        """Which release is in force on a day; cheap enough to ask every second."""
        async with single(self._engine) as connection:
            found = (await connection.execute(_STANDING, {"on": on, "consent": self._consent.value})).one()
            return Standing(found.digest, begun=found.begun)

    async def _change(self, statement: object, also: Also, **values: object) -> bool:
        async with self._engine.begin() as connection:
            changed = await connection.execute(statement, values)  # type: ignore[call-overload]
            if changed.rowcount:
                await also(connection)
            return bool(changed.rowcount)

    async def _select(self, rest: str, **which: object) -> Sequence[Release]:
        query = text(f"SELECT {_COLUMNS} FROM table_sets {rest}")  # noqa: S608 (our own words)
        async with single(self._engine) as connection:
            found = await connection.execute(query, which)
            return [_release(row) for row in found.mappings()]


def _release(row: RowMapping | Mapping[str, Any]) -> Release:
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
