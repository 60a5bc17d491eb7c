"""What changed since the last look, by topic: marks that differ when something happened. Reads no case."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from gateway.store.engine import single

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.ext.asyncio import AsyncEngine

TOPICS = ("flow", "stuck", "routes", "reruns", "rules", "audit")

# Ends of indexes and small tables only. Resting deliveries are counted up to a bound: beyond it, what is
# parked or taken up still shows by its audit line or by the newest of them.
_MARKS = text(
    "SELECT concat_ws(',', (SELECT max(id::text) FROM (SELECT id FROM events ORDER BY id DESC LIMIT 1) e),"
    "         (SELECT max(id::text) FROM (SELECT id FROM attempts ORDER BY id DESC LIMIT 1) a)) AS flow,"
    "       concat_ws(',', (SELECT count(*) FROM (SELECT FROM deliveries"
    "           WHERE state IN ('parked', 'dead', 'refused') LIMIT 2000) d),"
    "         (SELECT max(newest) FROM (SELECT (SELECT max(id::text) FROM (SELECT id FROM deliveries"
    "           WHERE state = s ORDER BY id DESC LIMIT 1) d) AS newest"
    "           FROM unnest(ARRAY['parked', 'dead', 'refused']) s) n)) AS stuck,"
    "       concat_ws(',', (SELECT max(updated_at) FROM peers), (SELECT string_agg(breaker, ',') FROM peers),"
    "         (SELECT max(beat_at) FROM workers), (SELECT count(*) FROM workers)) AS routes,"
    "       (SELECT concat_ws(',', count(*), sum(tried), max(finished_at), string_agg(state, ''))"
    "         FROM (SELECT tried, finished_at, state FROM reruns ORDER BY id DESC LIMIT 50) r) AS reruns,"
    "       (SELECT concat_ws(',', count(*), max(activated_at), max(retired_at), string_agg(approvals::text, ''))"
    "         FROM (SELECT activated_at, retired_at, approvals FROM table_sets ORDER BY created_at DESC LIMIT 50) t)"
    "         AS rules,"
    "       (SELECT max(id::text) FROM (SELECT id FROM audit ORDER BY id DESC LIMIT 1) u) AS audit"
)


async def changes(engine: AsyncEngine) -> Mapping[str, str]:
    """A mark for every topic; two looks with the same mark saw the same."""
    async with single(engine) as connection:
        row = (await connection.execute(_MARKS)).one()
    return {topic: str(getattr(row, topic)) for topic in TOPICS}
