"""Who did what to which case and why; rows are added and never changed (the database refuses)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import text

from gateway.store.engine import single

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from gateway.store.vault import Vault

_APPEND = text(
    "INSERT INTO audit (id, at, actor, verb, target, reason, before, after)"
    " VALUES (:id, now(), :actor, :verb, :target, :reason, CAST(:before AS jsonb), CAST(:after AS jsonb))"
)

_LATELY = text(
    "SELECT count(*) FROM (SELECT FROM audit WHERE target = :target"
    " AND id > (SELECT uuidv7(make_interval(secs => -CAST(:seconds AS float8)))) LIMIT :most) lately"
)

_REASON = text("SELECT reason FROM audit WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Line:
    """One line; ``before`` and ``after`` hold states and codes, never a person."""

    actor: str
    verb: str
    target: str
    reason: str = field(repr=False)
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None


class Audit:
    """The append-only record of staff."""

    def __init__(self, engine: AsyncEngine, vault: Vault) -> None:
        self._engine, self._vault = engine, vault

    async def append(
        self,
        actor: str,
        verb: str,
        target: str,
        reason: str,
        before: Mapping[str, object] | None = None,
        after: Mapping[str, object] | None = None,
    ) -> UUID:
        """Add a line of its own; its id."""
        async with single(self._engine) as connection:
            return await self.write(connection, Line(actor, verb, target, reason, before, after))

    async def write(self, connection: AsyncConnection, line: Line) -> UUID:
        """Add a line within the transaction of the act it is about; its id.

        A reason is free text of people and encrypted.
        """
        line_id: UUID = (await connection.execute(text("SELECT uuidv7()"))).scalar_one()
        await self._vault.prepare([line_id])
        await connection.execute(
            _APPEND,
            {
                "id": line_id,
                "actor": line.actor,
                "verb": line.verb,
                "target": line.target,
                "reason": self._vault.seal_text(line_id, "audit.reason", line.reason),
                "before": None if line.before is None else json.dumps(line.before, ensure_ascii=False),
                "after": None if line.after is None else json.dumps(line.after, ensure_ascii=False),
            },
        )
        return line_id

    async def written_lately(self, target: str, seconds: float, most: int = 100) -> int:
        """How many lines about ``target`` the last ``seconds`` brought, counted up to ``most``."""
        values = {"target": target, "seconds": seconds, "most": most}
        async with single(self._engine) as connection:
            return int((await connection.execute(_LATELY, values)).scalar_one())

    async def reason(self, line_id: UUID) -> str:
        """The reason given in a line."""
        async with single(self._engine) as connection:
            sealed = (await connection.execute(_REASON, {"id": line_id})).scalar_one_or_none()
        await self._vault.learn([sealed])
        return self._vault.open_text(line_id, "audit.reason", sealed)
