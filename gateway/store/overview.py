"""The state of everything at a glance: bounded counts, flows by place and by item, what waits for a decision.

Nothing here reads more than it shows: counts end at `MOST`, flows look at the newest `NEWEST` cases or at rollups.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from gateway.canonical.kinds import Kind
from gateway.canonical.transitions import FINAL
from gateway.canonical.worktime import BEIJING
from gateway.store.engine import single
from gateway.store.parked import PATH, Cause, ParkedGroup
from gateway.store.schema import PARTITIONED

if TYPE_CHECKING:
    from datetime import date, datetime
    from uuid import UUID

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncEngine

#: Where counting ends: the next one is told as "more".
MOST = 9_999
#: Parked messages, the oldest, that are looked at for what most of them wait for: enough to know what to mend first.
LEADING = 2_000
#: Cases a picture of the flow looks at.
NEWEST = 5_000
_OPENING = sorted(kind.value for kind in Kind if kind.opens_case)
#: The words of the partial index ``cases_open_due``.
_OPEN = f"state NOT IN ({', '.join(repr(state.value) for state in sorted(FINAL))})"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is open now, each counted up to one more than `MOST`.

    ``at`` is the database's clock. Units: messages (``in_transit``, ``parked``, ``dead``, ``refused``); cases, by their due dates.
    """

    at: datetime
    in_transit: int
    parked: int
    dead: int
    refused: int
    overdue: int
    due_today: int
    due_soon: int
    rest_rows: int


@dataclass(frozen=True, slots=True)
class Today:
    """Messages of the Beijing day so far, from the rollups; ``opened``: applications among the received."""

    received: int
    opened: int
    delivered: int
    parked: int


@dataclass(frozen=True, slots=True)
class Passage:
    """Cases from one division to another; a division may be ``""`` (not known) or a region's own."""

    origin: str
    target: str
    origin_division: str
    target_division: str
    cases: int


@dataclass(frozen=True, slots=True)
class ItemFlow:
    """Applications of an item from one region to another; ``item`` ``""``: not known yet."""

    origin: str
    item: str
    destination: str
    cases: int


@dataclass(frozen=True, slots=True)
class OpenRerun:
    """A bulk rerun that waits for a second person."""

    id: UUID
    created_at: datetime
    created_by: str
    total: int


@dataclass(frozen=True, slots=True)
class OpenRelease:
    """A release of the tables that is not in use yet; ``approved``: the sides that have signed."""

    digest: str
    effective_from: date
    note: str
    created_at: datetime
    approved: frozenset[str]


class Overview:
    """Reads for the first page; each is a few probes."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def standing(self, today: date, soon: date) -> Standing:
        """What is open on a Beijing day; due up to ``soon`` is due soon."""
        which = {"most": MOST + 1, "today": today, "soon": soon}
        async with single(self._engine) as connection:
            return Standing(**(await connection.execute(_STANDING, which)).mappings().one())

    async def resting(self) -> dict[tuple[str, str], int]:
        """Messages that wait for staff by (destination, state), counted up to `MOST` of each state."""
        async with single(self._engine) as connection:
            found = await connection.execute(_RESTING, {"most": MOST})
            return {(row.destination, row.state): row.n for row in found}

    async def leading(self, limit: int) -> list[ParkedGroup]:
        """What most of the oldest `LEADING` parked messages wait for, largest first; without their agencies."""
        async with single(self._engine) as connection:
            found = await connection.execute(_LEADING, {"most": LEADING, "places": limit})
            return [
                ParkedGroup(Cause(row.code, row.path, row.value or None), agencies=(), **_rest_of(row))
                for row in found
            ]

    async def today(self, now: datetime) -> Today:
        """The Beijing day so far."""
        begin = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
        async with single(self._engine) as connection:
            found = await connection.execute(_TODAY, {"begin": begin, "opening": _OPENING})
            return Today(**found.mappings().one())

    async def passages(self, since: datetime) -> list[Passage]:
        """Cases by the divisions they go between, most first: of the newest `NEWEST` since a moment."""
        async with single(self._engine) as connection:
            found = await connection.execute(_PASSAGES, {"since": since, "newest": NEWEST})
            return [Passage(**row) for row in found.mappings()]

    async def items(self, now: datetime, hours: int) -> list[ItemFlow]:
        """Applications by side and item over the last ``hours`` and the one that runs, most first."""
        since = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours)
        async with single(self._engine) as connection:
            found = await connection.execute(_ITEMS, {"since": since, "opening": _OPENING})
            return [ItemFlow(**row) for row in found.mappings()]

    async def reruns_waiting(self) -> list[OpenRerun]:
        """Bulk reruns that wait for a second person, newest first, ten at most."""
        async with single(self._engine) as connection:
            return [OpenRerun(**row) for row in (await connection.execute(_RERUNS)).mappings()]

    async def releases_waiting(self) -> list[OpenRelease]:
        """Releases that are neither active nor retired, newest first, ten at most."""
        async with single(self._engine) as connection:
            return [
                OpenRelease(**{**row, "approved": frozenset(row["approved"])})
                for row in (await connection.execute(_RELEASES)).mappings()
            ]


def _rest_of(row: Row[Any]) -> dict[str, Any]:
    names = ("region", "text", "messages", "first_seen_at", "last_seen_at", "sample", "destination")
    return {name: getattr(row, name) for name in names}


def _up_to_most(rows: str) -> str:
    return f"(SELECT count(*) FROM (SELECT FROM {rows} LIMIT CAST(:most AS int)) AS r)"  # noqa: S608 - our own words


_CASES_DUE = f"cases WHERE due_on IS NOT NULL AND {_OPEN} AND due_on"
_STANDING = text(
    f"""
    SELECT now() AS at, {_up_to_most("deliveries WHERE due_at IS NOT NULL")} AS in_transit,
           {_up_to_most("deliveries WHERE state = 'parked'")} AS parked,
           {_up_to_most("deliveries WHERE state = 'dead'")} AS dead,
           {_up_to_most("deliveries WHERE state = 'refused'")} AS refused,
           {_up_to_most(f"{_CASES_DUE} < CAST(:today AS date)")} AS overdue,
           {_up_to_most(f"{_CASES_DUE} = CAST(:today AS date)")} AS due_today,
           {_up_to_most(f"{_CASES_DUE} BETWEEN CAST(:today AS date) AND CAST(:soon AS date)")} AS due_soon,
           {" + ".join(_up_to_most(f"{table}_rest") for table in PARTITIONED)} AS rest_rows
    """
)
_RESTING = text(
    " UNION ALL ".join(
        f"SELECT destination, '{state}' AS state, count(*) AS n FROM (SELECT destination FROM deliveries"  # noqa: S608
        f" WHERE state = '{state}' LIMIT CAST(:most AS int)) AS r GROUP BY 1"
        for state in ("parked", "dead", "refused")
    )
)
_LEADING = text(
    f"""
    SELECT f->>'code' AS code, {PATH} AS path, COALESCE(f->>'value', '') AS value, m.region,
           min(f->>'text') AS text, count(DISTINCT m.id) AS messages, min(m.received_at) AS first_seen_at,
           max(m.received_at) AS last_seen_at, CAST(min(CAST(m.id AS text)) AS uuid) AS sample, d.destination
      FROM (SELECT id, destination FROM deliveries
             WHERE state = 'parked' ORDER BY id LIMIT CAST(:most AS int)) AS d
     CROSS JOIN LATERAL (SELECT * FROM messages WHERE id = d.id LIMIT 1) AS m
     CROSS JOIN LATERAL jsonb_array_elements(m.findings) AS f
     GROUP BY 1, 2, 3, 4, d.destination
     ORDER BY messages DESC, code, path, value, region, destination LIMIT CAST(:places AS int)
    """  # noqa: S608 - a constant
)
_TODAY = text(
    """
    SELECT CAST(COALESCE(sum(n) FILTER (WHERE measure IN ('accepted', 'parked', 'ignored')), 0) AS bigint)
             AS received,
           CAST(COALESCE(sum(n) FILTER (WHERE measure IN ('accepted', 'parked')
                                          AND kind = ANY(CAST(:opening AS text[]))), 0) AS bigint) AS opened,
           CAST(COALESCE(sum(n) FILTER (WHERE measure = 'delivered'), 0) AS bigint) AS delivered,
           CAST(COALESCE(sum(n) FILTER (WHERE measure = 'parked'), 0) AS bigint) AS parked
      FROM (SELECT measure, kind, n FROM tallies WHERE width = 'day' AND bucket = :begin
            UNION ALL SELECT measure, kind, n FROM tally_deltas WHERE at >= :begin) AS both_of_them
    """
)
_PASSAGES = text(
    """
    SELECT origin, target, origin_division, target_division, count(*) AS cases
      FROM (SELECT origin, target, origin_division, target_division FROM cases
             WHERE received_at >= :since ORDER BY received_at DESC, case_no DESC
             LIMIT CAST(:newest AS int)) AS newest
     GROUP BY 1, 2, 3, 4 ORDER BY cases DESC, 1, 3, 4
    """
)
_ITEMS = text(
    """
    SELECT origin, item, destination, CAST(sum(n) AS bigint) AS cases
      FROM (SELECT measure, origin, item, destination, kind, n FROM tallies
             WHERE width = 'hour' AND bucket >= :since AND measure IN ('accepted', 'parked')
            UNION ALL
            SELECT measure, origin, item, destination, kind, n FROM tally_deltas
             WHERE at >= :since AND measure IN ('accepted', 'parked')) AS both_of_them
     WHERE kind = ANY(CAST(:opening AS text[]))
     GROUP BY 1, 2, 3 ORDER BY cases DESC, 1, 2
    """
)
_RERUNS = text(
    "SELECT id, created_at, created_by, total FROM reruns WHERE state = 'unapproved' ORDER BY id DESC LIMIT 10"
)
_RELEASES = text(
    """
    SELECT digest, effective_from, note, created_at,
           ARRAY(SELECT jsonb_object_keys(approvals)) AS approved
      FROM table_sets WHERE activated_at IS NULL AND retired_at IS NULL ORDER BY created_at DESC LIMIT 10
    """
)
