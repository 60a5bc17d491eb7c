"""Who did what to which case and why; rows are added and never changed (the database refuses)."""

from __future__ import annotations

import json
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
    ) -> None:
        """Add a line; ``before`` and ``after`` hold states and codes, never a person.

        A reason is free text of people and encrypted.
        """
        async with single(self._engine) as connection:
            line = (await connection.execute(text("SELECT uuidv7()"))).scalar_one()
            await self._vault.prepare([line])
            await append_on(
                connection, self._vault, line, actor, verb, target, reason, before=before, after=after
            )


async def append_on(  # noqa: PLR0913 - the columns of a line
    connection: AsyncConnection,
    vault: Vault,
    line: UUID,
    actor: str,
    verb: str,
    target: str,
    reason: str,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Add a line in the transaction of what it tells of; the key of its month must have been prepared."""
    await connection.execute(
        _APPEND,
        {
            "id": line,
            "actor": actor,
            "verb": verb,
            "target": target,
            "reason": vault.seal_text(line, "audit.reason", reason),
            "before": None if before is None else json.dumps(before, ensure_ascii=False),
            "after": None if after is None else json.dumps(after, ensure_ascii=False),
        },
    )
