"""From timelines to indicators: facts of touched cases, and the difference they make, in one transaction.

The facts of a case are always computed from all the store has of it, and only what they differ from the facts of
before is added up. So a step that is repeated, cut anywhere, or given events out of order changes nothing twice.
Two ways lead here: new lines of timelines (`fold`), and a walk through all cases (`walk`) that fills an old store
once and afterwards, slowly, finds whatever the first way may have missed. Nothing of it is on the way of a message.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from sqlalchemy import text

from gateway.canonical.facts import COUNTED, Beside, Facts, difference, facts_of, remembered
from gateway.canonical.kinds import Kind, State
from gateway.canonical.tracking import CaseEvent, EventKind
from gateway.store import shapes
from gateway.store.engine import single
from gateway.store.rows import case_of
from gateway.store.vault import BODY, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from gateway.canonical.worktime import WorkCalendar
    from gateway.store.vault import Vault

#: Lines of the audit that change facts: a due date computed anew, a bad rating put right.
RECTIFIED = "rating.rectified"
_VERBS = ("recompute-due-date", RECTIFIED)

#: One folder at a time over all processes; the number is arbitrary but ours.
_LOCK = 0x746F6E6A

#: Lines younger than this are left for the next time: most cases have several in a row.
SETTLED_AFTER = timedelta(seconds=30)

_EVENTS, _CASES = "events", "cases"
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Folded:
    """One step: cases looked at, cases whose facts became others, and whether there is more to do at once."""

    looked_at: int
    changed: int
    more: bool


@dataclass(frozen=True, slots=True)
class Folder:
    """What folding needs: the store, its keys (the grade of a rating is sealed), the calendar of working days."""

    engine: AsyncEngine
    vault: Vault
    calendar: WorkCalendar

    async def fold(self, most: int = 500, settled_after: timedelta = SETTLED_AFTER) -> Folded:
        """Cases with new lines, at most ``most`` lines; nothing when another process folds now."""
        async with self.engine.begin() as connection:
            if not await _mine(connection):
                return Folded(0, 0, more=False)
            mark = await _marked(connection, _EVENTS)
            until: datetime = (
                await connection.execute(_HORIZON, {"settled_after": settled_after})
            ).scalar_one()
            bounds = {"after": mark.after, "until": _id_at(until)}
            lines = (await connection.execute(_NEW_LINES, {**bounds, "most": most})).all()
            last = lines[-1].id if len(lines) == most else max(mark.after, bounds["until"])
            touched = {line.case_id for line in lines}
            found = await connection.execute(_NEW_ACTS, {**bounds, "until": last, "verbs": list(_VERBS)})
            touched.update(found.scalars())
            changed = await self._treat(connection, sorted(touched))
            reached = until if len(lines) < most else _time_of(last)
            await connection.execute(
                _MARK, {"name": _EVENTS, "after": last, "laps": mark.laps, "until": reached}
            )
        return Folded(len(touched), changed, more=len(lines) == most)

    async def walk(self, most: int = 500) -> Folded:
        """The next cases in the order of their ids, round and round; ``more``: the round is not complete."""
        async with self.engine.begin() as connection:
            if not await _mine(connection):
                return Folded(0, 0, more=False)
            mark = await _marked(connection, _CASES)
            found = await connection.execute(_NEXT_CASES, {"after": mark.after, "most": most})
            ids = list(found.scalars())
            changed = await self._treat(connection, ids)
            more = len(ids) == most
            after, laps = (ids[-1], mark.laps) if more else (_FIRST, mark.laps + 1)
            await connection.execute(_MARK, {"name": _CASES, "after": after, "laps": laps, "until": None})
        return Folded(len(ids), changed, more=more)

    async def renew(self, case_id: UUID) -> None:
        """The facts of one case, now; waits for a folder that is at work."""
        async with self.engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await self._treat(connection, [case_id])

    async def is_complete(self) -> bool:
        """Whether the walk has gone once through all cases there were."""
        async with single(self.engine) as connection:
            return (await reach(connection)).complete

    async def _treat(self, connection: AsyncConnection, ids: Sequence[UUID]) -> int:
        """New facts of these cases, and what they change in the counts; how many changed."""
        if not ids:
            return 0
        known = {
            row["case_id"]: _facts(row) for row in (await connection.execute(_KNOWN, {"ids": ids})).mappings()
        }
        which = {"ids": ids, "since": [_day_before(each) for each in ids]}
        found = (await connection.execute(_WHOLE_CASES, which)).mappings().all()
        beside = await self._beside(connection, found, known)
        new = [self._new(row, beside.get(row["id"], Beside()), known.get(row["id"])) for row in found]
        changed = [facts for facts in new if facts != known.get(facts.case_id)]
        if changed:
            await connection.execute(_KEEP, shapes.arrays("f", _FACTS, map(_row, changed)))
            added = _added((known.get(facts.case_id), facts) for facts in changed)
            if added:
                await connection.execute(_ADD, shapes.arrays("p", _COUNTS, added))
        return len(changed)

    def _new(self, row: RowMapping, beside: Beside, old: Facts | None) -> Facts:
        events = _events(row)
        facts = facts_of(case_of(row), events, beside, self.calendar)
        # months of timelines are dropped when their time has come: what they told is not forgotten with them
        return remembered(facts, old) if old and len(events) < row["last_event"] else facts

    async def _beside(
        self, connection: AsyncConnection, found: Sequence[RowMapping], known: Mapping[UUID, Facts]
    ) -> dict[UUID, Beside]:
        """Grades and rectifications of the rated among these; a grade once known is not read again."""
        rated = [row for row in found if '"rated"' in _json(row["tracking"])]
        if not rated:
            return {}
        grades = {case_id: facts.grade for case_id, facts in known.items() if facts.grade is not None}
        unread = [row["id"] for row in rated if row["id"] not in grades]
        grades.update(await self._grades(connection, unread))
        acts = await connection.execute(
            _RECTIFIED, {"verb": RECTIFIED, "case_nos": [row["case_no"] for row in rated]}
        )
        closed = {act.target: date.fromisoformat(act.closed_on) for act in acts if act.closed_on}
        return {row["id"]: Beside(grades.get(row["id"]), closed.get(row["case_no"])) for row in rated}

    async def _grades(self, connection: AsyncConnection, ids: Sequence[UUID]) -> dict[UUID, int]:
        if not ids:
            return {}
        which = {"ids": ids, "since": [_day_before(each) for each in ids], "kind": Kind.CASE_RATING.value}
        found = (await connection.execute(_RATINGS, which)).all()
        await self.vault.learn(row.canonical for row in found)
        grades: dict[UUID, int] = {}
        for row in found:
            try:
                plain = self.vault.decrypt(BODY, row.id, "bodies.canonical", row.canonical)
            except UnreadableError:  # its key is destroyed: the case counts as rated by nobody knows what
                continue
            score = orjson.loads(plain).get("rating", {}).get("score", "")
            if score.isdigit():
                grades[row.case_id] = int(score)
        return grades


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the folding has come: how long ago what it has seen was written, and whether all old cases are in."""

    behind: timedelta
    complete: bool


async def reach(connection: AsyncConnection) -> Reach:
    """As the page says it: the figures are those of then."""
    events = await _marked(connection, _EVENTS)
    cases = await _marked(connection, _CASES)
    return Reach(events.behind, cases.laps > 0)


# -- marks ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Mark:
    after: UUID
    laps: int
    behind: timedelta


async def _mine(connection: AsyncConnection) -> bool:
    found = await connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK})
    return bool(found.scalar_one())


async def _marked(connection: AsyncConnection, name: str) -> _Mark:
    row = (await connection.execute(_MARKED, {"name": name})).one()
    return _Mark(row.after, row.laps, row.behind)


def _id_at(at: datetime) -> UUID:
    """The smallest id of a moment."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def _time_of(row_id: UUID) -> datetime:
    return datetime.fromtimestamp((row_id.int >> 80) / 1000, UTC)


def _day_before(case_id: UUID) -> UUID:
    """Nothing of a case is older than its id: the months before are not looked into (a day, for two clocks)."""
    return UUID(int=max(0, (case_id.int >> 80) - 86_400_000) << 80)


# -- rows ----------------------------------------------------------------------------------------------

_FACTS: shapes.Shape = {
    "case_id": "uuid",
    "case_no": "text",
    "item": "text",
    "origin": "text",
    "origin_division": "text",
    "target": "text",
    "target_division": "text",
    "received_on": "date",
    "is_open": "bool",
    "due_on": "date",
    "provisional": "bool",
    "decided_on": "date",
    "first_time": "bool",
    "ended_on": "date",
    "ending": "text",
    "workdays": "int",
    "supplements": "int",
    "parks": "int",
    "parked_s": "bigint",
    "rated_on": "date",
    "grade": "int",
    "bad_closed_on": "date",
}
_PLACE: shapes.Shape = {
    "side": "text",
    "bucket": "date",
    "region": "text",
    "division": "text",
    "item": "text",
}
_COUNTS: shapes.Shape = {"width": "text", **_PLACE, **dict.fromkeys(COUNTED, "bigint")}


def _row(facts: Facts) -> dict[str, Any]:
    return {field.name: getattr(facts, field.name) for field in fields(facts)}


def _facts(row: RowMapping) -> Facts:
    return Facts(**row)


def _added(pairs: Iterable[tuple[Facts | None, Facts]]) -> list[dict[str, Any]]:
    """What these changes add, by day and by month; in the order of the key."""
    sums: dict[tuple[str, str, date, str, str, str], list[int]] = {}
    for old, new in pairs:
        for (day, place), counts in difference(old, new).items():
            for width, bucket in (("day", day), ("month", day.replace(day=1))):
                key = (width, place.side, bucket, place.region, place.division, place.item)
                row = sums.setdefault(key, [0] * len(COUNTED))
                for index, n in enumerate(counts):
                    row[index] += n
    names = ("width", *_PLACE)
    return [
        {**dict(zip(names, key, strict=True)), **dict(zip(COUNTED, row, strict=True))}
        for key, row in sorted(sums.items())
        if any(row)
    ]


def _events(row: RowMapping) -> list[CaseEvent]:
    return [
        CaseEvent(
            datetime.fromisoformat(at), EventKind(kind), State(before) if before else None, State(after), ""
        )
        for at, kind, before, after in orjson.loads(row["timeline"] or "[]")
    ]


def _json(tracking: Any) -> str:
    return tracking if isinstance(tracking, str) else orjson.dumps(tracking).decode()


# -- statements ----------------------------------------------------------------------------------------

#: Ids are made as rows are written: no transaction that is still to commit can hold one older than its own
#: beginning. What has no number yet has written nothing.
_HORIZON = text(
    """
    SELECT LEAST(clock_timestamp() - CAST(:settled_after AS interval),
                 (SELECT min(xact_start) - interval '1 s' FROM pg_stat_activity
                   WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()))
    """
)
#: Of a delivery nothing here tells; half of all lines are theirs.
_NEW_LINES = text(
    "SELECT id, case_id FROM events WHERE id > :after AND id < :until"
    " AND kind NOT IN ('delivery', 'delivery_failed', 'ignored') ORDER BY id LIMIT :most"
)
_NEW_ACTS = text(
    "SELECT DISTINCT c.id FROM audit a JOIN cases c ON c.case_no = a.target"
    " WHERE a.id > :after AND a.id <= :until AND a.verb = ANY(CAST(:verbs AS text[]))"
)
_NEXT_CASES = text("SELECT id FROM cases WHERE id > :after ORDER BY id LIMIT :most")

#: A case and its timeline as they were at one moment.
_WHOLE_CASES = text(
    """
    SELECT c.*, (SELECT CAST(jsonb_agg(jsonb_build_array(e.at, e.kind, e.from_state, e.to_state) ORDER BY e.n)
                             AS text)
                   FROM events e WHERE e.case_id = k.id AND e.id >= k.since) AS timeline
      FROM unnest(CAST(:ids AS uuid[]), CAST(:since AS uuid[])) AS k(id, since) JOIN cases c ON c.id = k.id
    """
)
_RATINGS = text(
    """
    SELECT m.case_id, m.id, b.canonical
      FROM unnest(CAST(:ids AS uuid[]), CAST(:since AS uuid[])) AS k(id, since)
     CROSS JOIN LATERAL (SELECT id, case_id FROM messages WHERE case_id = k.id AND id >= k.since
                           AND kind = :kind AND outcome = 'accepted' LIMIT 1) AS m
     CROSS JOIN LATERAL (SELECT canonical FROM bodies WHERE message_id = m.id LIMIT 1) AS b
     WHERE b.canonical IS NOT NULL
    """
)
_RECTIFIED = text(
    "SELECT target, min(after->>'on') AS closed_on FROM audit"
    " WHERE target = ANY(CAST(:case_nos AS text[])) AND verb = :verb GROUP BY target"
)
_MARKED = text("SELECT after, laps, now() - folded_until AS behind FROM performance_marks WHERE name = :name")
_MARK = text(
    "UPDATE performance_marks SET after = :after, laps = :laps,"
    " folded_until = COALESCE(CAST(:until AS timestamptz), now()) WHERE name = :name"
)
_KNOWN = text(f"SELECT {', '.join(_FACTS)} FROM case_facts WHERE case_id = ANY(CAST(:ids AS uuid[]))")  # noqa: S608
_KEEP = text(
    shapes.insert("case_facts", "f", _FACTS)
    + " ON CONFLICT (case_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _FACTS if name != "case_id")
)
_ADD = text(
    shapes.insert("performance AS t", "p", _COUNTS)
    + " ON CONFLICT (width, side, bucket, region, division, item) DO UPDATE SET "
    + ", ".join(f"{name} = t.{name} + excluded.{name}" for name in COUNTED)
)
