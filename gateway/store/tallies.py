"""Rollup counters: what each batch adds, how it is folded, and the curves that are drawn from it.

An acceptance or settlement appends one row for each distinct key, in its own transaction; every sweep folds
what has come into minutes, hours and Beijing days. Readers add what is not folded yet, in one snapshot.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import text

from gateway.canonical.kinds import State
from gateway.canonical.tracking import Ignored, Move, TrackedCase
from gateway.canonical.worktime import BEIJING, beijing_day
from gateway.store.engine import single
from gateway.store.records import Ending, Intent, Settlement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

Taken = tuple[Intent, Move | Ignored | None, str]
Span = Literal["1h", "24h", "30d"]

ACCEPTED, PARKED, IGNORED = "accepted", "parked", "ignored"
ON_TIME, OVERDUE = "on_time", "overdue"
LATENCY = "latency"
_ENDINGS = {
    Ending.DELIVERED: "delivered",
    Ending.RETRY: "retried",
    Ending.REFUSED: "refused",
    Ending.DEAD: "dead",
}
MEASURES = (ACCEPTED, PARKED, IGNORED, *_ENDINGS.values(), ON_TIME, OVERDUE)

#: Upper bounds of the slots of the time from acceptance to delivery; the last slot has none. Seconds.
BOUNDS_S = (
    *(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0),
    *(30.0, 60.0, 300.0, 1800.0, 3600.0, 14400.0, 86400.0, 259200.0),
)

#: How long each width is kept; days stay.
KEPT = {"minute": timedelta(hours=48), "hour": timedelta(days=90)}

#: Width of the buckets and their number.
SPANS: Mapping[Span, tuple[str, int]] = {"1h": ("minute", 60), "24h": ("hour", 24), "30d": ("day", 30)}

_STEP = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_DECIDED = frozenset({State.CONCLUDED, State.RETURNED})
_FOLDED_AT_ONCE = 20_000

_Key = tuple[datetime, str, str, str, str, str]

# -- what a batch adds -------------------------------------------------------------------------------


def accepted(stored: Iterable[Taken]) -> list[dict[str, Any]]:
    """Rows for the messages of one acceptance: (intent, what it did, item of its case)."""
    counted: Counter[_Key] = Counter()
    for intent, result, item in stored:
        at = intent.received_at.replace(second=0, microsecond=0)
        key = (intent.region, intent.destination, item, intent.kind.value)
        measure = PARKED if intent.parked else IGNORED if isinstance(result, Ignored) else ACCEPTED
        counted[(at, measure, *key)] += 1
        if isinstance(result, Move):
            for ended in _concluded(result):
                counted[(at, ended, *key)] += 1
    return list(_rows(counted))


def settled(ends: Iterable[tuple[Settlement, TrackedCase]]) -> list[dict[str, Any]]:
    """Rows for the attempts of one settlement, each with the case it belongs to."""
    counted: Counter[_Key] = Counter()
    for end, case in ends:
        delivery = end.delivery
        origin = case.origin if delivery.destination == case.target else case.target
        at = end.began_at.replace(second=0, microsecond=0)
        key = (at, _ENDINGS[end.ending], origin, delivery.destination, case.item, delivery.kind.value)
        counted[key] += 1
    return list(_rows(counted))


def _concluded(move: Move) -> Iterator[str]:
    for event in move.events:
        if event.to_state in _DECIDED and event.from_state is not event.to_state:
            due = move.case.due_on
            if due is not None:
                yield ON_TIME if beijing_day(event.at) <= due else OVERDUE


def _rows(counted: Counter[_Key]) -> Iterator[dict[str, Any]]:
    for (at, measure, origin, destination, item, kind), n in counted.items():
        yield {
            "at": at,
            "measure": measure,
            "origin": origin,
            "destination": destination,
            "item": item,
            "kind": kind,
            "n": n,
        }


#: Part of the settlement: the time from acceptance (the moment in the id) to now of what was delivered. By
#: destination only: a curve has few rows, and a slot more per batch costs more than a case.
LATENCIES = f"""
    INSERT INTO tally_deltas (at, measure, origin, destination, item, kind, slot, n, seconds)
    SELECT date_trunc('minute', CAST(:settled_at AS timestamptz)), '{LATENCY}', '', destination, '', '',
           width_bucket(took, CAST('{{{",".join(map(str, BOUNDS_S))}}}' AS float8[])), count(*), sum(took)
      FROM (SELECT destination, GREATEST(0, CAST(extract(epoch FROM
                     clock_timestamp() - uuid_extract_timestamp(id)) AS float8)) AS took
              FROM ended WHERE state IS NULL AND uuid_extract_timestamp(id) IS NOT NULL) AS delivered
     GROUP BY 4, 7
"""  # noqa: S608 - constants

# -- folding -----------------------------------------------------------------------------------------

_KEY = "measure, origin, destination, item, kind, slot"

#: What is taken out goes in, in one statement; two who fold at once take different rows, and add to the
#: buckets in one order.
_FOLD = text(
    f"""
    WITH taken AS (
      DELETE FROM tally_deltas
       WHERE ctid = ANY(ARRAY(SELECT ctid FROM tally_deltas LIMIT :most FOR UPDATE SKIP LOCKED))
      RETURNING at, {_KEY}, n, seconds),
    folded AS (
      INSERT INTO tallies AS t (width, bucket, {_KEY}, n, seconds)
      SELECT w.width, date_trunc(w.width, at, 'Asia/Shanghai'), {_KEY}, sum(n), sum(seconds)
        FROM taken, unnest(ARRAY['minute', 'hour', 'day']) AS w(width)
       GROUP BY 1, 2, {_KEY} ORDER BY 1, 2, {_KEY}
      ON CONFLICT (width, bucket, {_KEY})
      DO UPDATE SET n = t.n + excluded.n, seconds = t.seconds + excluded.seconds)
    SELECT count(*) FROM taken
    """  # noqa: S608 - constants
)


async def fold(engine: AsyncEngine) -> int:
    """Add what has come to its buckets; the number of rows taken. Any number may fold at once."""
    folded = 0
    while True:
        async with single(engine) as connection:
            taken: int = (await connection.execute(_FOLD, {"most": _FOLDED_AT_ONCE})).scalar_one()
        folded += taken
        if taken < _FOLDED_AT_ONCE:
            return folded


_OLD = text(
    "SELECT count(*) FROM (SELECT FROM tallies WHERE width = :width AND bucket < :before LIMIT :most) AS o"
)
_PRUNE = text(
    "DELETE FROM tallies WHERE ctid = ANY(ARRAY("
    "SELECT ctid FROM tallies WHERE width = :width AND bucket < :before ORDER BY bucket LIMIT :most))"
)


async def prune(connection: AsyncConnection, now: datetime, *, most: int, dry_run: bool = False) -> int:
    """Drop at most ``most`` minutes and as many hours that are no longer shown; how many."""
    gone = 0
    for width, kept in KEPT.items():
        which = {"width": width, "before": now - kept, "most": most}
        if dry_run:
            gone += (await connection.execute(_OLD, which)).scalar_one()
        else:
            gone += (await connection.execute(_PRUNE, which)).rowcount
    return gone


# -- curves ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is counted; None: any. With origin, item or kind there are no latencies: those are by destination."""

    origin: str | None = None
    destination: str | None = None
    item: str | None = None
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One bucket: ``at`` its beginning (Beijing), counts by measure, latency in seconds (None: nothing came)."""

    at: datetime
    counts: Mapping[str, int]
    p50_s: float | None
    p95_s: float | None
    mean_s: float | None


_SERIES = text(
    f"""
    SELECT bucket, measure, slot, CAST(sum(n) AS bigint) AS n, sum(seconds) AS seconds FROM (
      SELECT bucket, {_KEY}, n, seconds FROM tallies WHERE width = :width AND bucket >= :since
      UNION ALL
      SELECT date_trunc(:width, at, 'Asia/Shanghai'), {_KEY}, n, seconds FROM tally_deltas
       WHERE at >= :since) AS both_of_them
     WHERE (CAST(:origin AS text) IS NULL OR origin = CAST(:origin AS text))
       AND (CAST(:destination AS text) IS NULL OR destination = CAST(:destination AS text))
       AND (CAST(:item AS text) IS NULL OR item = CAST(:item AS text))
       AND (CAST(:kind AS text) IS NULL OR kind = CAST(:kind AS text))
     GROUP BY bucket, measure, slot
    """  # noqa: S608 - constants
)


async def series(engine: AsyncEngine, span: Span, now: datetime, wanted: Wanted) -> list[Point]:
    """The buckets of a span up to now, oldest first, each there even when nothing happened in it."""
    width, places = SPANS[span]
    step = _STEP[width]
    last = _begin(now, width)
    first = last - (places - 1) * step
    found = await _read(engine, width, first, wanted)
    return [_point(first + i * step, found.get(first + i * step, {})) for i in range(places)]


async def today(engine: AsyncEngine, now: datetime, wanted: Wanted) -> Point:
    """The Beijing day so far."""
    begin = _begin(now, "day")
    return _point(begin, (await _read(engine, "day", begin, wanted)).get(begin, {}))


_Slots = dict[tuple[str, int], tuple[int, float]]


async def _read(engine: AsyncEngine, width: str, since: datetime, wanted: Wanted) -> dict[datetime, _Slots]:
    which = {
        "width": width,
        "since": since.astimezone(UTC),
        "origin": wanted.origin,
        "destination": wanted.destination,
        "item": wanted.item,
        "kind": wanted.kind,
    }
    buckets: defaultdict[datetime, _Slots] = defaultdict(dict)
    async with single(engine) as connection:
        for row in await connection.execute(_SERIES, which):
            buckets[row.bucket.astimezone(BEIJING)][row.measure, row.slot] = (row.n, row.seconds)
    return buckets


def _begin(now: datetime, width: str) -> datetime:
    at = now.astimezone(BEIJING).replace(second=0, microsecond=0)
    if width != "minute":
        at = at.replace(minute=0)
    return at.replace(hour=0) if width == "day" else at


def _point(at: datetime, slots: _Slots) -> Point:
    counts = dict.fromkeys(MEASURES, 0)
    took = [0] * (len(BOUNDS_S) + 1)
    total = 0.0
    for (measure, slot), (n, seconds) in slots.items():
        if measure == LATENCY:
            took[slot] += n
            total += seconds
        else:
            counts[measure] = counts.get(measure, 0) + n
    all_ = sum(took)
    mean = total / all_ if all_ else None
    return Point(at, counts, quantile(took, 0.5), quantile(took, 0.95), mean)


def quantile(took: Sequence[int], share: float) -> float | None:
    """The time under which this share lies, read between the bounds of its slot; None when there is nothing."""
    rank = share * sum(took)
    if rank == 0:
        return None
    before = 0
    for slot, n in enumerate(took):
        if n and before + n >= rank:
            low = BOUNDS_S[slot - 1] if slot else 0.0
            high = BOUNDS_S[slot] if slot < len(BOUNDS_S) else BOUNDS_S[-1]
            return low + (high - low) * (rank - before) / n
        before += n
    return None  # pragma: no cover (the ranks end within the slots)
