"""What rests until somebody acts: parked, dead and refused, counted to a bound, by cause, and message by message.

Groups are made of the oldest `GROUPED` of a state, a page looks at `LOOKED_AT` at most, whatever is stored beside.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import TextClause, text

from gateway.store.engine import single
from gateway.store.parked import LOOKED_AT, PATH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.store.vault import Vault

#: Of these a state's groups are made: a page of them is asked for again and again.
GROUPED = 2_000

STATES = ("parked", "dead", "refused")

#: Nothing of a message is older than its id, by any clock; a day is left for clocks that differ.
_DAY_MS = 86_400_000
_FIRST = UUID(int=0)
_LAST = UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True)
class Cause:
    """What a group has in common.

    ``code``: of the last attempt, or of the finding; ``path`` (indices as ``[]``) and ``value`` for parked only,
    ``value`` "" when no word is kept.
    """

    state: str
    destination: str
    code: str
    path: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class RestingGroup:
    """Dead or refused messages to one side that ended with the same code; ``sample`` is the newest of them."""

    cause: Cause
    messages: int
    first_seen_at: datetime
    last_seen_at: datetime
    sample: UUID


@dataclass(frozen=True, slots=True)
class Resting:
    """One message at rest; ``in_kind`` is its kind as received, ``native_kind`` as it is sent.

    ``said``: code and words of the last attempt, long numbers starred; ``ended_at`` and ``http_status`` of that
    attempt, None when there was none. ``findings`` as kept: never a person's word.
    """

    id: UUID
    case_no: str
    case_state: str
    item: str
    region: str
    division: str
    destination: str
    kind: str
    in_kind: str
    native_kind: str
    attempt: int
    received_at: datetime
    findings: tuple[Mapping[str, str], ...]
    code: str
    http_status: int | None
    ended_at: datetime | None
    said: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """Messages, oldest first; ``previous``/``next`` are places to go on from, None at the ends."""

    messages: tuple[Resting, ...]
    previous: UUID | None
    next: UUID | None


class Stuck:
    """Reads of what is stuck."""

    def __init__(self, engine: AsyncEngine, vault: Vault) -> None:
        self._engine, self._vault = engine, vault

    async def counts(self, most: int) -> dict[str, int]:
        """How many rest in each state; nobody counts further than ``most``."""
        async with single(self._engine) as connection:
            found = (await connection.execute(_COUNTS, {"most": most})).one()
        return dict(zip(STATES, found, strict=True))

    async def groups(self, state: str) -> list[RestingGroup]:
        """Dead or refused messages by side and code, largest first."""
        async with single(self._engine) as connection:
            oldest = (await connection.execute(_OLDEST, {"state": state})).scalar_one_or_none()
            if oldest is None:
                return []
            found = await connection.execute(_GROUPS[state], {"since": _before(oldest)})
            return [
                RestingGroup(
                    Cause(state, row.destination, row.code),
                    row.messages,
                    row.first_seen_at,
                    row.last_seen_at,
                    row.sample,
                )
                for row in found
            ]

    async def page(
        self, cause: Cause, limit: int, *, after: UUID | None = None, before: UUID | None = None
    ) -> Page:
        """The messages of one cause, oldest first, from a place on or back from it."""
        backwards = before is not None
        which = {
            "destination": cause.destination,
            "code": cause.code,
            "path": cause.path,
            "value": cause.value,
            "after": after or _FIRST,
            "before": before or _LAST,
            "places": limit + 1,
        }
        async with single(self._engine) as connection:
            oldest = (await connection.execute(_OLDEST, {"state": cause.state})).scalar_one_or_none()
            if oldest is None:
                return Page((), None, None)
            found = await connection.execute(
                _PAGES[cause.state, backwards], which | {"since": _before(oldest)}
            )
            rows = found.mappings().all()
        more, rows = len(rows) > limit, rows[:limit]
        if backwards:
            rows = rows[::-1]
        if not rows:
            return Page((), None, None)
        back = more if backwards else after is not None
        on = True if backwards else more
        messages = tuple(await self._resting(rows))
        return Page(messages, messages[0].id if back else None, messages[-1].id if on else None)

    async def samples(self, ids: Sequence[UUID]) -> dict[UUID, Resting]:
        """One message each, by id; what rests no more is left out."""
        if not ids:
            return {}
        async with single(self._engine) as connection:
            found = await connection.execute(_SAMPLES, {"ids": [*ids], "since": _before(min(ids))})
            rows = found.mappings().all()
        return {each.id: each for each in await self._resting(rows)}

    async def one(self, message_id: UUID) -> Resting | None:
        """One message at rest, None when it rests no more."""
        return (await self.samples([message_id])).get(message_id)

    async def _resting(self, rows: Sequence[RowMapping]) -> list[Resting]:
        await self._vault.learn(row["last_error"] for row in rows)
        return [self._one(row) for row in rows]

    def _one(self, row: RowMapping) -> Resting:
        named = [name for name in Resting.__dataclass_fields__ if name not in ("findings", "said")]
        return Resting(
            **{name: row[name] for name in named},
            findings=tuple(row["findings"] or ()),
            said=self._vault.open_text(row["id"], "deliveries.last_error", row["last_error"]),
        )


def _before(message_id: UUID) -> UUID:
    """An id a day older; the smallest for what is no UUIDv7. The months before are not looked into."""
    number = message_id.int
    return UUID(int=max(0, (number >> 80) - _DAY_MS) << 80 if number >> 76 & 0xF == 7 else 0)


_COUNTS = text(
    """
    SELECT (SELECT count(*) FROM (SELECT FROM deliveries WHERE state = 'parked' LIMIT :most) AS p),
           (SELECT count(*) FROM (SELECT FROM deliveries WHERE state = 'dead' LIMIT :most) AS d),
           (SELECT count(*) FROM (SELECT FROM deliveries WHERE state = 'refused' LIMIT :most) AS r)
    """
)
_OLDEST = text(
    "SELECT id FROM deliveries WHERE state = :state AND state IN ('parked', 'dead', 'refused')"
    " ORDER BY id LIMIT 1"
)

#: Of the last attempt; no attempt is older than its message.
_LAST_ATTEMPT = """
    LEFT JOIN LATERAL (
      SELECT a.code, a.http_status, a.began_at FROM attempts a
       WHERE a.case_id = d.case_id AND a.message_id = d.id AND a.id >= :since
       ORDER BY a.id DESC LIMIT 1) AS w ON TRUE
"""
#: One probe each: a join would be free to read all there are.
_ITS_OWN = """
    CROSS JOIN LATERAL (SELECT * FROM messages WHERE id = d.id LIMIT 1) AS m
    CROSS JOIN LATERAL (SELECT * FROM cases WHERE id = d.case_id LIMIT 1) AS c
"""
_COLUMNS = """
    d.id, d.case_no, c.state AS case_state, c.item, m.region, d.destination, m.kind,
    m.native_kind AS in_kind, d.native_kind, d.attempt,
    CASE WHEN m.region = c.origin THEN c.origin_division ELSE c.target_division END AS division,
    m.received_at, m.findings, COALESCE(w.code, '') AS code, w.http_status, w.began_at AS ended_at, d.last_error
"""


def _groups(state: str) -> TextClause:
    return text(
        f"""
        SELECT d.destination, COALESCE(w.code, '') AS code, count(*) AS messages,
               min(COALESCE(w.began_at, uuid_extract_timestamp(d.id), now())) AS first_seen_at,
               max(COALESCE(w.began_at, uuid_extract_timestamp(d.id), now())) AS last_seen_at,
               CAST(max(CAST(d.id AS text)) AS uuid) AS sample
          FROM (SELECT id, case_id, destination FROM deliveries
                 WHERE state = '{state}' ORDER BY id LIMIT {GROUPED}) AS d
          {_LAST_ATTEMPT}
         GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
        """  # noqa: S608 - constants
    )


_IS_CAUSE = {
    "parked": f"""EXISTS (SELECT FROM jsonb_array_elements(m.findings) AS f
        WHERE f->>'code' = :code AND {PATH} = :path AND COALESCE(f->>'value', '') = :value)""",
    "dead": "COALESCE(w.code, '') = :code AND :path = :path AND :value = :value",
    "refused": "COALESCE(w.code, '') = :code AND :path = :path AND :value = :value",
}


def _page(state: str, *, backwards: bool) -> TextClause:
    order = "DESC" if backwards else "ASC"
    return text(
        f"""
        SELECT {_COLUMNS}
          FROM (SELECT * FROM deliveries
                 WHERE state = '{state}' AND id > :after AND id < :before
                 ORDER BY id {order} LIMIT {LOOKED_AT}) AS d
          {_ITS_OWN} {_LAST_ATTEMPT}
         WHERE d.destination = :destination AND {_IS_CAUSE[state]}
         ORDER BY d.id {order} LIMIT :places
        """  # noqa: S608 - constants
    )


_GROUPS = {state: _groups(state) for state in ("dead", "refused")}
_PAGES = {(state, way): _page(state, backwards=way) for state in STATES for way in (False, True)}
_SAMPLES = text(
    f"""
    SELECT {_COLUMNS}
      FROM (SELECT * FROM deliveries
             WHERE id = ANY(CAST(:ids AS uuid[])) AND state IN ('parked', 'dead', 'refused')) AS d
      {_ITS_OWN} {_LAST_ATTEMPT}
    """  # noqa: S608 - constants
)

__all__ = ["GROUPED", "STATES", "Cause", "Page", "Resting", "RestingGroup", "Stuck"]
