"""What goes to each destination, and by item within it: due, waiting, counted minute by minute, answered how fast.

Every read is bounded: nobody counts further than `MOST`, and items are told from the oldest `SAMPLED` due.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from gateway.canonical.worktime import BEIJING
from gateway.store.engine import single

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncEngine

MOST = 10_000
SAMPLED = 2_000
ANSWERS = 1_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """Before one destination: ``due`` now and for how long, ``later`` for a planned attempt. Units: seconds.

    Both counts end at `MOST`; ``oldest_s`` and ``next_s`` are None when nothing is there.
    """

    due: int
    oldest_s: float | None
    later: int
    next_s: float | None


@dataclass(frozen=True, slots=True)
class DueItem:
    """What is due of one item. Units: seconds."""

    item: str
    due: int
    oldest_s: float


@dataclass(frozen=True, slots=True)
class Minute:
    """One count of a minute (Beijing). ``slot`` is of the latency's slots, 0 for any other measure."""

    at: datetime
    destination: str
    measure: str
    slot: int
    n: int


@dataclass(frozen=True, slots=True)
class Lately:
    """How often something ended so for an item, since two moments."""

    destination: str
    item: str
    measure: str
    told: int
    paced: int


@dataclass(frozen=True, slots=True)
class Answered:
    """How long one side took to answer for an item, of the newest calls. Units: seconds."""

    destination: str
    item: str
    calls: int
    p50_s: float
    p95_s: float


@dataclass(frozen=True, slots=True)
class Asked:
    """The line of the audit that a connection test was asked with."""

    actor: str
    slug: str
    ago_s: float


async def waiting(engine: AsyncEngine, destination: str) -> Waiting:
    """What waits before a destination."""
    async with single(engine) as connection:
        found = (await connection.execute(_WAITING, {"destination": destination, "most": MOST})).one()
    return Waiting(*found)


async def due_items(engine: AsyncEngine, destination: str) -> dict[str, DueItem]:
    """What is due, by item."""
    async with single(engine) as connection:
        found = await connection.execute(_DUE_ITEMS, {"destination": destination, "most": SAMPLED})
        return {row.item: DueItem(row.item, row.due, row.oldest_s) for row in found}


async def minutes(engine: AsyncEngine, since: datetime) -> list[Minute]:
    """Every count since a moment, folded or not, in one snapshot."""
    async with single(engine) as connection:
        found = await connection.execute(_MINUTES, {"since": since})
        return [
            Minute(row.at.astimezone(BEIJING), row.destination, row.measure, row.slot, row.n) for row in found
        ]


async def lately(
    engine: AsyncEngine, since: datetime, *, told_from: datetime, paced_from: datetime
) -> list[Lately]:
    """The same by item: everything that ended since a moment, with what of it came later than two others."""
    when = {"since": since, "told_from": told_from, "paced_from": paced_from}
    async with single(engine) as connection:
        return [Lately(**row) for row in (await connection.execute(_LATELY, when)).mappings()]


async def answers(engine: AsyncEngine, within: timedelta) -> dict[tuple[str, str], Answered]:
    """By destination and item, of the newest `ANSWERS` calls that were written down within this time."""
    async with single(engine) as connection:
        found = await connection.execute(_ANSWERS, {"within": within, "most": ANSWERS})
        return {(row.destination, row.item): Answered(**row) for row in found.mappings()}


async def asked(engine: AsyncEngine, line_id: UUID) -> Asked | None:
    """Who asked for a connection test, of which side, and how many seconds ago."""
    async with single(engine) as connection:
        row = (await connection.execute(_ASKED, {"id": line_id})).one_or_none()
    return None if row is None else Asked(row.actor, row.target, row.ago_s)


_SECONDS = "CAST(extract(epoch FROM {}) AS float8)"

_WAITING = text(
    f"""
    SELECT (SELECT count(*) FROM (
              SELECT FROM deliveries WHERE destination = :destination AND due_at <= now() LIMIT :most) AS d),
           (SELECT {_SECONDS.format("now() - due_at")} FROM deliveries
             WHERE destination = :destination AND due_at <= now() ORDER BY due_at LIMIT 1),
           (SELECT count(*) FROM (
              SELECT FROM deliveries WHERE destination = :destination AND due_at > now() AND state = 'ready'
               LIMIT :most) AS l),
           (SELECT {_SECONDS.format("due_at - now()")} FROM deliveries
             WHERE destination = :destination AND due_at > now() AND state = 'ready' ORDER BY due_at LIMIT 1)
    """  # noqa: S608 - constants
)

_DUE_ITEMS = text(
    f"""
    SELECT c.item, count(*) AS due, {_SECONDS.format("now() - min(d.due_at)")} AS oldest_s
      FROM (SELECT case_id, due_at FROM deliveries
             WHERE destination = :destination AND due_at <= now() ORDER BY due_at LIMIT :most) AS d
      CROSS JOIN LATERAL (SELECT item FROM cases WHERE id = d.case_id LIMIT 1) AS c
     GROUP BY 1
    """  # noqa: S608 - constants
)

_COUNTED = """(
      SELECT bucket AS at, destination, item, measure, slot, n FROM tallies
       WHERE width = 'minute' AND bucket >= :since
      UNION ALL
      SELECT date_trunc('minute', at), destination, item, measure, slot, n FROM tally_deltas
       WHERE at >= :since) AS counted
"""
_MINUTES = text(
    f"""
    SELECT at, destination, measure, slot, CAST(sum(n) AS bigint) AS n FROM {_COUNTED}
     WHERE measure IN ('delivered', 'retried', 'refused', 'dead', 'latency')
     GROUP BY 1, 2, 3, 4
    """  # noqa: S608 - constants
)
_LATELY = text(
    f"""
    SELECT destination, item, measure,
           CAST(COALESCE(sum(n) FILTER (WHERE at >= :told_from), 0) AS bigint) AS told,
           CAST(COALESCE(sum(n) FILTER (WHERE at >= :paced_from), 0) AS bigint) AS paced
      FROM {_COUNTED}
     WHERE measure IN ('delivered', 'retried', 'refused', 'dead')
     GROUP BY 1, 2, 3
    """  # noqa: S608 - constants
)

#: The bound is a value before the rows are looked at, so that the months before are not.
_ANSWERS = text(
    """
    SELECT m.destination, c.item, count(*) AS calls,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY a.took_s) AS p50_s,
           percentile_cont(0.95) WITHIN GROUP (ORDER BY a.took_s) AS p95_s
      FROM (SELECT message_id, case_id, took_s FROM attempts
             WHERE id >= (SELECT uuidv7(-CAST(:within AS interval))) ORDER BY id DESC LIMIT :most) AS a
      CROSS JOIN LATERAL (SELECT destination FROM messages WHERE id = a.message_id LIMIT 1) AS m
      CROSS JOIN LATERAL (SELECT item FROM cases WHERE id = a.case_id LIMIT 1) AS c
     GROUP BY 1, 2
    """
)

_ASKED = text(
    f"SELECT actor, target, {_SECONDS.format('now() - at')} AS ago_s FROM audit WHERE id = :id AND verb = 'probe'"  # noqa: S608 - constants
)
