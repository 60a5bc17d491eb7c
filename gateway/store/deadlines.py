"""Due dates that were provisional, computed anew: whole batches under lock, every change on record."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from gateway.store import shapes, statements
from gateway.store.batch import Standing, standing_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.canonical.tracking import TrackedCase

#: Who changes a due date when a calendar is published; no line of a timeline tells of it.
ACTOR, VERB = "gateway", "recompute-due-date"

Change = tuple[Standing, "TrackedCase"]


async def recompute(
    engine: AsyncEngine, timed: Callable[[TrackedCase], TrackedCase], *, limit: int, after: UUID | None
) -> tuple[int, UUID | None]:
    """One batch of provisional cases in the order of their ids: how many changed, and where to go on.

    ``timed`` gives the case with its due date by the calendar of now. What does not change is not
    written. The second value is None after the last batch.
    """
    async with engine.begin() as connection:
        found = await connection.execute(_PROVISIONAL, {"after": after, "places": limit})
        standing = [standing_of(row) for row in found.mappings()]
        changed = [(each, new) for each in standing if (new := timed(each.case)) != each.case]
        if changed:
            await connection.execute(_RECORD, _record(changed))
            rows = [
                Standing(new, last_seq=each.last_seq, last_event=each.last_event).row()
                for each, new in changed
            ]
            await connection.execute(
                statements.SAVE_CASES,
                {
                    **shapes.arrays("e", shapes.EVENT, ()),
                    **shapes.arrays("c", shapes.CASE, rows),
                },
            )
    return len(changed), standing[-1].case.id if len(standing) == limit else None


def _record(changed: Sequence[Change]) -> dict[str, Any]:
    return {
        "actor": ACTOR,
        "verb": VERB,
        "targets": [new.case_no for _, new in changed],
        "before": [_state(each.case) for each, _ in changed],
        "after": [_state(new) for _, new in changed],
    }


def _state(case: TrackedCase) -> str:
    return json.dumps(
        {"due_on": case.due_on and case.due_on.isoformat(), "provisional": case.due_provisional}
    )


_PROVISIONAL = text(
    "SELECT * FROM cases WHERE tracking @> CAST('{\"due_provisional\": true}' AS jsonb)"
    " AND (CAST(:after AS uuid) IS NULL OR id > CAST(:after AS uuid)) ORDER BY id LIMIT :places FOR UPDATE"
)
_RECORD = text(
    "INSERT INTO audit (id, at, actor, verb, target, before, after)"
    " SELECT uuidv7(), now(), :actor, :verb, t.target, CAST(t.before AS jsonb), CAST(t.after AS jsonb)"
    " FROM unnest(CAST(:targets AS text[]), CAST(:before AS text[]), CAST(:after AS text[]))"
    " AS t(target, before, after)"
)
