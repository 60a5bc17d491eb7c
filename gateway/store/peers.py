"""What operators hold each destination to, and what the workers last saw of it: one small row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from gateway.store.engine import single

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    #: Writes the audit's line within the transaction of the act and gives its id.
    Record = Callable[[AsyncConnection], Awaitable[UUID]]


@dataclass(frozen=True, slots=True)
class Pace:
    """What a destination may be asked, over all workers together; None: no bound.

    Units: ``per_second`` calls begun in a second, ``concurrency`` calls in flight.
    """

    per_second: float | None = None
    concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class Peer:
    """One destination as operators see it.

    ``paused_line``: the line of the audit that says why. ``breaker`` (``closed`` or ``open``) and the last
    success and failure are what some worker saw; ``last_error`` is a code, never a peer's words.
    """

    slug: str
    paused_at: datetime | None = None
    paused_by: str | None = None
    paused_line: UUID | None = None
    pace: Pace = Pace()
    breaker: str = "closed"
    breaker_at: datetime | None = None
    last_ok_at: datetime | None = None
    last_error_at: datetime | None = None
    last_error: str = ""

    @property
    def is_paused(self) -> bool:
        """True while no worker may claim for it."""
        return self.paused_at is not None


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one worker has seen of a destination since it last told; moments on the gateway's clock."""

    is_open: bool
    ok_at: datetime | None = None
    error_at: datetime | None = None
    error: str = ""


class Peers:
    """The rows of ``peers``; a destination without one is as free as one whose row holds nothing."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def find(self, slug: str) -> Peer:
        """One destination."""
        async with single(self._engine) as connection:
            found = (await connection.execute(_ONE, {"slug": slug})).mappings().one_or_none()
        return Peer(slug) if found is None else _peer(found)

    async def held(self) -> dict[str, float]:
        """Paused destinations: seconds the oldest delivery has been due there, 0 when none is."""
        async with single(self._engine) as connection:
            return {row.slug: row.held_s for row in await connection.execute(_HELD)}

    async def pause(self, slug: str, by: str, record: Record) -> bool:
        """No claim begins or goes on for it once this has returned; False when it is paused already.

        Whoever is claiming at this moment ends first: that takes as long as one statement.
        """
        async with self._engine.begin() as connection:
            await connection.execute(_ALONE, {"slug": slug})
            await connection.execute(_MAKE, {"slug": slug})
            if (await connection.execute(_LOCK, {"slug": slug})).scalar_one() is not None:
                return False
            line = await record(connection)
            await connection.execute(_PAUSE, {"slug": slug, "by": by, "line": line})
            return True

    async def resume(self, slug: str, record: Record) -> bool:
        """Claims go on; False when it is not paused."""
        async with self._engine.begin() as connection:
            if (await connection.execute(_LOCK, {"slug": slug})).scalar_one_or_none() is None:
                return False
            await record(connection)
            await connection.execute(_RESUME, {"slug": slug})
            return True

    async def set_pace(self, slug: str, pace: Pace, record: Record) -> None:
        """From the next claim on, for all workers."""
        async with self._engine.begin() as connection:
            await connection.execute(_MAKE, {"slug": slug})
            await record(connection)
            await connection.execute(
                _PACE, {"slug": slug, "per_second": pace.per_second, "concurrency": pace.concurrency}
            )

    async def may_probe(self, slug: str, rest_s: float) -> bool:
        """Whether a worker whose breaker is open may try one call: one of all workers in ``rest_s``.

        When another worker reaches the side, each may see for itself.
        """
        async with single(self._engine) as connection:
            granted = await connection.execute(_PROBE, {"slug": slug, "rest_s": rest_s})
            return bool(granted.scalar_one())

    async def saw(self, slug: str, seen: Sighting) -> None:
        """Keep what a worker saw; the newest of each kind stays."""
        async with single(self._engine) as connection:
            await connection.execute(
                _SAW,
                {
                    "slug": slug,
                    "breaker": "open" if seen.is_open else "closed",
                    "ok_at": seen.ok_at,
                    "error_at": seen.error_at,
                    "error": seen.error,
                },
            )


def _peer(row: RowMapping) -> Peer:
    same = ("slug", "paused_at", "paused_by", "paused_line", "breaker", "breaker_at")
    seen = ("last_ok_at", "last_error_at", "last_error")
    return Peer(
        pace=Pace(row["per_second"], row["concurrency"]), **{name: row[name] for name in (*same, *seen)}
    )


_ONE = text("SELECT * FROM peers WHERE slug = :slug")
_MAKE = text("INSERT INTO peers (slug) VALUES (:slug) ON CONFLICT DO NOTHING")
_LOCK = text("SELECT paused_at FROM peers WHERE slug = :slug FOR NO KEY UPDATE")

#: The lock that claims share (migration 0004).
_ALONE = text("SELECT pg_advisory_xact_lock(1885693298, hashtext(:slug))")

_PAUSE = text(
    "UPDATE peers SET paused_at = clock_timestamp(), paused_by = :by, paused_line = :line, updated_at = now()"
    " WHERE slug = :slug"
)
_RESUME = text(
    "UPDATE peers SET paused_at = NULL, paused_by = NULL, paused_line = NULL, updated_at = now()"
    " WHERE slug = :slug"
)

#: An empty bucket: what was saved up under another pace is not spent under this one.
_PACE = text(
    "UPDATE peers SET per_second = :per_second, concurrency = :concurrency, tokens = 0,"
    " filled_at = clock_timestamp(), updated_at = now() WHERE slug = :slug"
)

#: Whoever waits for the row looks at it again before taking the turn, and finds it taken.
_PROBE = text(
    """
    WITH taken AS (
      UPDATE peers SET probe_at = clock_timestamp() WHERE slug = :slug AND breaker = 'open'
         AND (probe_at IS NULL
              OR probe_at <= clock_timestamp() - CAST(:rest_s AS float8) * interval '1 second')
      RETURNING slug)
    SELECT EXISTS (SELECT FROM taken)
        OR NOT EXISTS (SELECT FROM peers WHERE slug = :slug AND breaker = 'open')
    """
)

_SAW = text(
    """
    INSERT INTO peers AS p (slug, breaker, breaker_at, last_ok_at, last_error_at, last_error)
    VALUES (:slug, CAST(:breaker AS text), now(), :ok_at, :error_at, :error)
    ON CONFLICT (slug) DO UPDATE
       SET breaker = excluded.breaker,
           breaker_at = CASE WHEN p.breaker = excluded.breaker THEN p.breaker_at ELSE now() END,
           last_ok_at = GREATEST(p.last_ok_at, excluded.last_ok_at),
           last_error = CASE WHEN excluded.last_error_at >= COALESCE(p.last_error_at, '-infinity')
                             THEN excluded.last_error ELSE p.last_error END,
           last_error_at = GREATEST(p.last_error_at, excluded.last_error_at),
           updated_at = now()
    """
)

_HELD = text(
    """
    SELECT p.slug, CAST(COALESCE(extract(epoch FROM now() - f.due_at), 0) AS float8) AS held_s
      FROM peers p LEFT JOIN LATERAL (
        SELECT due_at FROM deliveries d
         WHERE d.destination = p.slug AND d.due_at <= now() ORDER BY d.due_at LIMIT 1) f ON TRUE
     WHERE p.paused_at IS NOT NULL
    """
)
