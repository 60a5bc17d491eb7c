"""What the page of time limits and indicators asks of the rollup: sums of a period, due days, what is overdue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

from gateway.canonical.facts import COUNTED, Counts
from gateway.store.engine import single
from gateway.store.performance import Reach, reach

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.ext.asyncio import AsyncEngine


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
