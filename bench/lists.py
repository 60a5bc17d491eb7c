"""Pages of cases over the interface when a million are stored. Units: ms."""

from __future__ import annotations

import time
from statistics import quantiles
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ASKED = 200

# Copies of one real case under numbers of their own, a minute apart, going back in time.
_FILL = """
INSERT INTO cases
SELECT filled.* FROM cases c, generate_series(1, $1::bigint) n, LATERAL jsonb_populate_record(c, jsonb_build_object(
    'id', gen_random_uuid(), 'case_no', 'CYTB99' || to_char(n, 'FM00000000000000000000'),
    'origin_case_no', 'bench-' || n, 'target_case_no', 'bench-' || n,
    'received_at', c.received_at - n * interval '1 minute')) filled
 WHERE c.id = (SELECT id FROM cases LIMIT 1)
"""


async def measure(url: str, database_url: str, token: str, rows: int) -> AsyncIterator[dict[str, Any]]:
    """A row per question, with few cases stored and with many."""
    connection = await asyncpg.connect(database_url)
    try:
        for more in (0, rows):
            if more:
                await connection.execute(_FILL, more, timeout=900)
                await connection.execute("VACUUM ANALYZE cases", timeout=900)
            stored = await connection.fetchval("SELECT count(*) FROM cases")
            case = await connection.fetchrow("SELECT * FROM cases ORDER BY received_at DESC LIMIT 1")
            async for row in _ask(url, token, stored, case):
                yield row
    finally:
        await connection.close()


async def _ask(url: str, token: str, stored: int, case: Any) -> AsyncIterator[dict[str, Any]]:
    questions = {
        "newest 50": {},
        "of a division": {"division": case["origin_division"]},
        "of an item": {"item": case["item"]},
        "in a state": {"state": case["state"]},
        "by the origin's number": {"origin_case_no": case["origin_case_no"]},
    }
    async with httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {token}"}) as client:
        for name, query in questions.items():
            took = []
            for _ in range(ASKED):
                began = time.monotonic()
                (await client.get("/v1/cases", params=query)).raise_for_status()
                took.append((time.monotonic() - began) * 1e3)
            cuts = quantiles(took, n=100, method="inclusive")
            yield {"question": name, "stored": stored, "p50": round(cuts[49], 1), "p95": round(cuts[94], 1)}
