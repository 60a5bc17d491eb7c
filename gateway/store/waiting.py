"""What waits for one missing row: how many messages, since when, whose, and a few to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from gateway.store.engine import single
from gateway.store.parked import LOOKED_AT

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.store.parked import Cause

_SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Waiter:
    """One message that waits."""

    message_id: UUID
    case_no: str
    native_kind: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """All that wait for a cause on one side's messages, of the oldest `LOOKED_AT` parked ones.

    ``earliest``: the first day of acceptance among their cases, None while no application of them was read;
    ``more``: perhaps there are others behind those looked at; ``items``: slugs where known.
    """

    region: str
    text: str
    messages: int
    more: bool
    first_seen_at: datetime
    last_seen_at: datetime
    earliest: date | None
    native_kinds: tuple[str, ...]
    items: tuple[str, ...]
    samples: tuple[Waiter, ...]
    #: where the oldest of them is to go
    destination: str


async def waiting(engine: AsyncEngine, cause: Cause, region: str = "") -> Waiting | None:
    """What waits for a cause, of one region or of the one with most; None when nothing does."""
    values = {"code": cause.code, "path": cause.path, "value": cause.value, "region": region or None}
    async with single(engine) as connection:
        found = (await connection.execute(_WAITING, values)).mappings().first()
        if found is None:
            return None
        samples = await connection.execute(_SAMPLE_ROWS, {"ids": found["ids"]})
        waiters = tuple(Waiter(row.id, row.case_no, row.native_kind, row.received_at) for row in samples)
    return Waiting(
        region=found["region"],
        text=found["text"],
        messages=found["messages"],
        more=found["looked_at"] >= LOOKED_AT,
        first_seen_at=found["first_seen_at"],
        last_seen_at=found["last_seen_at"],
        earliest=found["earliest"],
        native_kinds=tuple(found["native_kinds"]),
        items=tuple(found["items"]),
        samples=waiters,
        destination=found["destination"],
    )


_PATH = r"regexp_replace(f->>'path', '\[[0-9]+\]', '[]', 'g')"
_WAITING = text(
    f"""
    WITH oldest AS MATERIALIZED (
      SELECT id, case_id, destination FROM deliveries WHERE state = 'parked' ORDER BY id LIMIT {LOOKED_AT})
    SELECT m.region, count(DISTINCT m.id) AS messages, (SELECT count(*) FROM oldest) AS looked_at,
           min(f->>'text') AS text, min(m.received_at) AS first_seen_at, max(m.received_at) AS last_seen_at,
           min(CAST(c.tracking->>'accepted_on' AS date)) AS earliest,
           array_agg(DISTINCT m.native_kind) AS native_kinds,
           array_remove(array_agg(DISTINCT c.item), '') AS items,
           (array_agg(DISTINCT m.id ORDER BY m.id))[1:{_SAMPLES}] AS ids,
           (array_agg(d.destination ORDER BY m.id))[1] AS destination
      FROM oldest AS d
     CROSS JOIN LATERAL (SELECT * FROM messages WHERE id = d.id LIMIT 1) AS m
     CROSS JOIN LATERAL (SELECT * FROM cases WHERE id = d.case_id LIMIT 1) AS c
     CROSS JOIN LATERAL jsonb_array_elements(m.findings) AS f
     WHERE f->>'code' = :code AND {_PATH} = :path
       AND (CAST(:value AS text) IS NULL OR f->>'value' = :value)
       AND (CAST(:region AS text) IS NULL OR m.region = :region)
     GROUP BY m.region ORDER BY messages DESC, m.region LIMIT 1
    """  # noqa: S608 - constants
)
_SAMPLE_ROWS = text(
    "SELECT d.id, d.case_no, m.native_kind, m.received_at FROM deliveries d"
    " CROSS JOIN LATERAL (SELECT * FROM messages WHERE id = d.id LIMIT 1) AS m"
    " WHERE d.id = ANY(:ids) ORDER BY d.id"
)
