"""Who works: a row per worker process, written by its own loop on the database's clock."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from gateway.store import engine as engines
from gateway.store.engine import single

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncEngine

#: A worker whose last beat is older is taken for dead. Seconds.
ALIVE_S = 15.0
#: How long the row of a dead one is kept for whoever asks what happened. Seconds.
_KEPT_S = 3600.0

_BEAT = text(
    "INSERT INTO workers (name, started_at, beat_at, serves, version, lanes, lag_s, heard_at)"
    " VALUES (:name, now() - :age_s * interval '1 second', now(), :serves, :version, CAST(:lanes AS jsonb),"
    " :lag_s, now() - CAST(:heard_ago_s AS float8) * interval '1 second')"
    " ON CONFLICT (name) DO UPDATE SET started_at = excluded.started_at, beat_at = excluded.beat_at,"
    " serves = excluded.serves, version = excluded.version, lanes = excluded.lanes, lag_s = excluded.lag_s,"
    " heard_at = excluded.heard_at"
)
_ALL = text(
    "SELECT *, CAST(extract(epoch FROM now() - beat_at) AS float8) AS beat_ago_s,"
    " CAST(extract(epoch FROM now() - heard_at) AS float8) AS heard_ago_s FROM workers ORDER BY name"
)
_BEAT_AGO = text("SELECT CAST(extract(epoch FROM now() - beat_at) AS float8) FROM workers WHERE name = :name")
_FORGET = text("DELETE FROM workers WHERE beat_at < now() - :kept_s * interval '1 second'")
_LEFT = text("DELETE FROM workers WHERE name = :name")


@dataclass(frozen=True, slots=True)
class Beat:
    """What a worker tells of itself.

    Units: seconds. ``lanes``: by destination ``flying`` calls, deliveries ``claimed`` since its start and
    the ``breaker``; ``lag_s``: how late its loop was at worst since the last beat; ``heard_ago_s``: since a
    ring came out of Celery's consumer, None: never.
    """

    name: str
    age_s: float
    serves: Sequence[str]
    version: str
    lanes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lag_s: float = 0.0
    heard_ago_s: float | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """A row as it is read: the last beat, and how many seconds it is old."""

    last: Beat
    beat_ago_s: float

    @property
    def alive(self) -> bool:
        """Whether it beat lately."""
        return self.beat_ago_s < ALIVE_S


class Workers:
    """The rows of all workers of this gateway, on whatever host."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def beat(self, beat: Beat) -> None:
        """Write a worker's row."""
        values = {
            "name": beat.name,
            "age_s": beat.age_s,
            "serves": sorted(beat.serves),
            "version": beat.version,
            "lanes": json.dumps(beat.lanes),
            "lag_s": beat.lag_s,
            "heard_ago_s": beat.heard_ago_s,
        }
        async with single(self._engine) as connection:
            await connection.execute(_BEAT, values)

    async def leave(self, name: str) -> None:
        """Remove the row of a worker that stops in order."""
        async with single(self._engine) as connection:
            await connection.execute(_LEFT, {"name": name})

    async def forget(self) -> None:
        """Remove the rows of those long dead."""
        async with single(self._engine) as connection:
            await connection.execute(_FORGET, {"kept_s": _KEPT_S})

    async def all(self) -> list[Worker]:
        """Every row, by name."""
        async with single(self._engine) as connection:
            found = (await connection.execute(_ALL)).mappings().all()
        return [Worker(_beat(row), row["beat_ago_s"]) for row in found]


async def beat_ago(url: str, name: str) -> float | None:
    """Seconds since a worker's last beat, None when it never beat. For a supervisor, which has no pool.

    Errors: whatever an absent database raises.
    """
    engine = engines.create(url, name="tongban-supervisor", pool_size=1)
    try:
        async with single(engine) as connection:
            found: float | None = (await connection.execute(_BEAT_AGO, {"name": name})).scalar_one_or_none()
            return found
    finally:
        await engine.dispose()


def _beat(row: Any) -> Beat:
    return Beat(
        name=row["name"],
        age_s=(row["beat_at"] - row["started_at"]).total_seconds(),
        serves=tuple(row["serves"]),
        version=row["version"],
        lanes=row["lanes"],
        lag_s=row["lag_s"],
        heard_ago_s=row["heard_ago_s"],
    )
