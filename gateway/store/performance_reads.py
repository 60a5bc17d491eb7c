"""What the pages of time limits and indicators ask: sums of the rollup, and cases by the day that counts for them."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import text

from gateway.canonical.facts import BAD_FROM, COUNTED, Counts
from gateway.store.engine import single
from gateway.store.performance import Reach, reach

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

SIDES = ("target", "origin")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose figures of which days: ``first`` ≤ day ≤ ``last`` (Beijing). Empty item or region: any."""

    side: str
    first: date
    last: date
    item: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Sums:
    """Counts of a period: by (region, division), by item, and of all."""

    by_division: Mapping[tuple[str, str], Counts]
    by_item: Mapping[str, Counts]
    total: Counts


@dataclass(frozen=True, slots=True)
class Due:
    """Open cases that are due on one day; ``provisional``: of these, by a calendar not published yet."""

    open: int
    provisional: int


# -- sums ----------------------------------------------------------------------------------------------


async def sums(engine: AsyncEngine, wanted: Wanted) -> Sums:
    """The counts of a period, read from whole months where it has them."""
    days, months, rest = _parts(wanted.first, wanted.last)
    which = {
        "side": wanted.side,
        "item": wanted.item,
        "region": wanted.region,
        **_bounds("a", days),
        **_bounds("m", months),
        **_bounds("z", rest),
    }
    divisions: dict[tuple[str, str], Counts] = {}
    items: dict[str, Counts] = {}
    total = Counts()
    async with single(engine) as connection:
        for row in await connection.execute(_SUMS, which):
            counts = Counts(*row[4:])
            if row.grouped == 1:
                divisions[row.region, row.division] = counts
            elif row.grouped == 6:
                items[row.item] = counts
            else:
                total = counts
    return Sums(divisions, items, total)


async def overdue(
    engine: AsyncEngine, side: str, today: date, item: str = "", region: str = ""
) -> Mapping[tuple[str, str, str], int]:
    """Open cases past their due date by (region, division, item)."""
    which = {
        "side": side,
        "month": today.replace(day=1),
        "today": today,
        "item": item,
        "region": region,
    }
    async with single(engine) as connection:
        found = await connection.execute(_OVERDUE, which)
        return {(row.region, row.division, row.item): int(row.n) for row in found}


async def due_days(engine: AsyncEngine, wanted: Wanted) -> Mapping[date, Due]:
    """Open cases by the day they are due; a day without any is left out."""
    which = {
        "side": wanted.side,
        "first": wanted.first,
        "last": wanted.last,
        "item": wanted.item,
        "region": wanted.region,
    }
    async with single(engine) as connection:
        found = await connection.execute(_DUE_DAYS, which)
        return {row.bucket: Due(int(row.n), int(row.provisional)) for row in found}


async def reached(engine: AsyncEngine) -> Reach:
    """Until when the figures are complete."""
    async with single(engine) as connection:
        return await reach(connection)


# -- cases ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that can be opened: the day its cases are listed by, and which of that day's cases it counts."""

    day: str
    where: str = "TRUE"
    #: the longest waiting first instead of the newest
    oldest_first: bool = False


_CONCLUDED = "f.ending IN ('40', '41')"
_BAD = f"f.grade >= {BAD_FROM}"

#: By the name in addresses.
MEASURES: Mapping[str, Measure] = {
    "received": Measure("received_on"),
    "supplemented": Measure("received_on", "f.supplements > 0"),
    "reworked": Measure("received_on", "f.parks > 0"),
    "decided": Measure("decided_on"),
    "not_first": Measure("decided_on", "NOT f.first_time"),
    "concluded": Measure("ended_on", _CONCLUDED),
    "late": Measure("ended_on", f"{_CONCLUDED} AND f.ended_on > f.due_on"),
    "rated": Measure("rated_on", "f.grade IS NOT NULL"),
    "bad": Measure("rated_on", _BAD),
    "unclosed": Measure("rated_on", f"{_BAD} AND f.bad_closed_on IS NULL"),
    "due": Measure("due_on", "f.is_open", oldest_first=True),
    "provisional": Measure("due_on", "f.is_open AND f.provisional", oldest_first=True),
}

#: For those of a day that have a partial index, what makes the planner see it.
_IN_INDEX = {"rated_on": "f.rated_on IS NOT NULL", "due_on": "f.is_open AND f.due_on IS NOT NULL"}


@dataclass(frozen=True, slots=True)
class Listed:
    """One case of a list."""

    case_id: UUID
    case_no: str
    state: str
    item: str
    origin: str
    origin_division: str
    target: str
    target_division: str
    received_on: date
    due_on: date | None
    provisional: bool
    ended_on: date | None
    workdays: int | None
    supplements: int
    parks: int
    parked_s: int
    rated_on: date | None
    grade: int | None
    bad_closed_on: date | None
    day: date


@dataclass(frozen=True, slots=True)
class Page:
    """Cases of a list and the addresses of its neighbours (cursors, None at an end)."""

    cases: Sequence[Listed]
    previous: str | None
    next: str | None


async def cases(
    engine: AsyncEngine,
    measure: str,
    wanted: Wanted,
    divisions: Sequence[str] | None,
    limit: int,
    *,
    after: str | None = None,
    before: str | None = None,
) -> Page:
    """A page of the cases a number counts. ``divisions`` None: all there are figures of.

    Errors: `KeyError` for a measure that is none, `ValueError` for a cursor that is not ours.
    """
    how = MEASURES[measure]
    back = before is not None
    place = _read_cursor(before if before is not None else after) if before or after else (None, None)
    which = {
        "first": wanted.first,
        "last": wanted.last,
        "item": wanted.item,
        "side": wanted.side,
        "region": wanted.region,
        "divisions": None if divisions is None else list(divisions),
        "day": place[0],
        "id": place[1],
        "places": limit + 1,
    }
    query = _cases_query(how, wanted.side, ascending=how.oldest_first is not back)
    async with single(engine) as connection:
        found = [Listed(**row) for row in (await connection.execute(query, which)).mappings()]
    more, found = len(found) > limit, found[:limit]
    if back:
        found.reverse()
    has_next, has_previous = (True, more) if back else (more, after is not None)
    return Page(
        found,
        _cursor(found[0]) if found and has_previous else None,
        _cursor(found[-1]) if found and has_next else None,
    )


def _cases_query(how: Measure, side: str, *, ascending: bool) -> Any:
    """One probe a division, each of the index of its side and day: what is rare is not looked for everywhere."""
    if side not in SIDES:
        raise KeyError(side)
    order, beyond = ("ASC", ">") if ascending else ("DESC", "<")
    listed = ", ".join(f"f.{name}" for name in Listed.__dataclass_fields__ if name not in {"state", "day"})
    return text(
        f"""
        WITH places AS MATERIALIZED (
          SELECT division FROM unnest(CAST(:divisions AS text[])) AS given(division)
          UNION
          SELECT division FROM performance WHERE CAST(:divisions AS text[]) IS NULL AND width = 'month'
             AND side = :side AND bucket BETWEEN date_trunc('month', CAST(:first AS date)) AND :last)
        SELECT {listed}, c.state, f.{how.day} AS day FROM (
          SELECT f.* FROM places CROSS JOIN LATERAL (
            SELECT * FROM case_facts f
             WHERE f.{side}_division = places.division AND f.{how.day} BETWEEN :first AND :last
               AND {how.where} AND {_IN_INDEX.get(how.day, "TRUE")}
               AND (:item = '' OR f.item = :item) AND (:region = '' OR f.{side} = :region)
               AND (CAST(:day AS date) IS NULL
                    OR (f.{how.day}, f.case_id) {beyond} (CAST(:day AS date), CAST(:id AS uuid)))
             ORDER BY f.{how.day} {order}, f.case_id {order} LIMIT :places) AS f
          ORDER BY f.{how.day} {order}, f.case_id {order} LIMIT :places) AS f
        CROSS JOIN LATERAL (SELECT state FROM cases WHERE id = f.case_id LIMIT 1) AS c
        ORDER BY f.{how.day} {order}, f.case_id {order}
        """  # noqa: S608 - constants of this module
    )


async def facts_of_case(connection: AsyncConnection, case_no: str) -> Any:
    """Id, grade and closure of a case by its number, its row locked; None when there is none."""
    return (await connection.execute(_FOR_RATING, {"case_no": case_no})).one_or_none()


def _cursor(case: Listed) -> str:
    return base64.urlsafe_b64encode(f"{case.day:%Y%m%d}{case.case_id.hex}".encode()).decode()


def _read_cursor(written: str | None) -> tuple[date, UUID]:
    try:
        plain = base64.b64decode(written or "", altchars=b"-_", validate=True).decode("ascii")
        return datetime.strptime(plain[:8], "%Y%m%d").date(), UUID(plain[8:])  # noqa: DTZ007 - a day
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise ValueError("not a place in the list") from error


# -- statements ----------------------------------------------------------------------------------------

_Span = tuple[date, date] | None


def _parts(first: date, last: date) -> tuple[_Span, _Span, _Span]:
    """Days before the first whole month, whole months, days after the last: both ends belong to each."""
    month = first if first.day == 1 else (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    end = last + timedelta(days=1)
    until = end.replace(day=1)
    if month >= until:
        return (first, last), None, None
    one = timedelta(days=1)
    head = (first, month - one) if first < month else None
    tail = (until, last) if until <= last else None
    return head, (month, until - one), tail


def _bounds(name: str, span: _Span) -> dict[str, date]:
    # what is empty ends before it begins
    first, last = span or (date(9999, 1, 1), date(1, 1, 1))
    return {f"{name}_first": first, f"{name}_last": last}


_OF_SIDE = (
    "side = :side AND (:item = '' OR item = :item) AND (:region = '' OR region = :region)"
    " AND width = '{width}' AND bucket BETWEEN :{name}_first AND :{name}_last"
)
_EACH = ", ".join(COUNTED)
_SUMS = text(
    f"""
    SELECT CAST(GROUPING(region, division, item) AS int) AS grouped, region, division, item,
           {", ".join(f"CAST(COALESCE(sum({name}), 0) AS bigint)" for name in COUNTED)}
      FROM (SELECT region, division, item, {_EACH} FROM performance WHERE {_OF_SIDE.format(width="day", name="a")}
            UNION ALL
            SELECT region, division, item, {_EACH} FROM performance WHERE {_OF_SIDE.format(width="month", name="m")}
            UNION ALL
            SELECT region, division, item, {_EACH} FROM performance WHERE {_OF_SIDE.format(width="day", name="z")}
           ) AS parts
     GROUP BY GROUPING SETS ((region, division), (item), ())
    """  # noqa: S608 - constants
)
_OVERDUE = text(
    """
    SELECT region, division, item, CAST(sum(open) AS bigint) AS n FROM performance
     WHERE side = :side AND open > 0 AND (:item = '' OR item = :item) AND (:region = '' OR region = :region)
       AND ((width = 'month' AND bucket < :month) OR (width = 'day' AND bucket >= :month AND bucket < :today))
     GROUP BY region, division, item
    """
)
_DUE_DAYS = text(
    """
    SELECT bucket, CAST(sum(open) AS bigint) AS n, CAST(sum(provisional) AS bigint) AS provisional
      FROM performance
     WHERE width = 'day' AND side = :side AND open > 0 AND bucket BETWEEN :first AND :last
       AND (:item = '' OR item = :item) AND (:region = '' OR region = :region)
     GROUP BY bucket
    """
)
_FOR_RATING = text(
    "SELECT c.id, f.grade, f.rated_on, f.bad_closed_on FROM cases c JOIN case_facts f ON f.case_id = c.id"
    " WHERE c.case_no = :case_no FOR UPDATE OF c"
)
