"""The due calendar as weeks, and the overdue as a table of agencies by items, both as templates draw them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.canonical.worktime import WorkCalendar
    from gateway.store.performance_reads import Due

_SATURDAY = 5
#: Lines and columns of the table of the overdue; the others are added up in one of their own.
_ROWS, _COLUMNS = 10, 4
#: Shades of a cell, by its share of the largest.
_SHADES = 4


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """``mark``: ``off`` for a holiday on a weekday, ``makeup`` for a worked weekend day, ``weekend``, or empty."""

    on: date
    within: bool
    mark: str
    published: bool
    is_today: bool
    is_past: bool
    open: int
    provisional: int
    shade: int


def weeks(
    month: date, today: date, due: Mapping[date, Due], calendar: WorkCalendar
) -> list[list[CalendarDay]]:
    """The weeks of a month, Monday first, with the days of its neighbours that fill them."""
    first = month - timedelta(days=month.weekday())
    last = (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    most = max((each.open for each in due.values()), default=0)
    found: list[list[CalendarDay]] = []
    while first <= last:
        found.append([_day(first + timedelta(days=n), month, today, due, calendar, most) for n in range(7)])
        first += timedelta(days=7)
    return found


def shown(month: date) -> tuple[date, date]:
    """The first and the last day a month's sheet shows."""
    first = month - timedelta(days=month.weekday())
    last = (month + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return first, last + timedelta(days=6 - last.weekday())


def _day(
    on: date, month: date, today: date, due: Mapping[date, Due], calendar: WorkCalendar, most: int
) -> CalendarDay:
    here = due.get(on)
    weekday, working = on.weekday() < _SATURDAY, calendar.is_working(on)
    mark = ("" if working else "off") if weekday else ("makeup" if working else "weekend")
    return CalendarDay(
        on=on,
        within=on.month == month.month,
        mark=mark,
        published=calendar.is_published(on),
        is_today=on == today,
        is_past=on < today,
        open=here.open if here else 0,
        provisional=here.provisional if here else 0,
        shade=shade(here.open if here else 0, most),
    )


def shade(n: int, most: int) -> int:
    """0 for nothing, else 1 to 4."""
    return 0 if n <= 0 or most <= 0 else min(_SHADES, 1 + (n - 1) * _SHADES // most)


@dataclass(frozen=True, slots=True)
class Cell:
    """``items`` and ``divisions`` are what its list is asked for; more than one item: any."""

    n: int
    shade: int
    item: str


@dataclass(frozen=True, slots=True)
class HeatRow:
    """An agency, or (empty key) all others together."""

    key: str
    name: str
    cells: tuple[Cell, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Heat:
    """``items``: the columns, an empty one for all other items; ``others``: agencies added up in the last row."""

    items: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    totals: tuple[int, ...]
    total: int
    others: int


def heat(
    overdue: Mapping[tuple[str, str, str], int],
    group: Callable[[str, str], str],
    named: Callable[[str], str],
) -> Heat:
    """The largest agencies and items by themselves. ``group``: the key of a (region, division)'s line."""
    by_item: Counter[str] = Counter()
    by_key: Counter[str] = Counter()
    cells: Counter[tuple[str, str]] = Counter()
    for (region, division, item), n in overdue.items():
        key = group(region, division)
        by_item[item] += n
        by_key[key] += n
        cells[key, item] += n
    items = [item for item, _ in by_item.most_common(_COLUMNS)]
    keys = [key for key, _ in by_key.most_common(_ROWS)]
    whole = by_key.total()
    columns = (*items, "") if len(by_item) > len(items) else tuple(items)
    table = [(key, _line(cells, [key], items, columns)) for key in keys]
    if rest := [key for key in by_key if key not in keys]:
        table.append(("", _line(cells, rest, items, columns)))
    most = max((n for key, line in table if key for n in line), default=0)
    rows = tuple(
        HeatRow(
            key,
            named(key) if key else "",
            tuple(Cell(n, shade(n, most) if key else 0, item) for n, item in zip(line, columns, strict=True)),
            sum(line),
        )
        for key, line in table
    )
    totals = tuple(sum(row.cells[i].n for row in rows) for i in range(len(columns)))
    return Heat(columns, rows, totals, whole, len(rest))


def _line(
    cells: Counter[tuple[str, str]], keys: Sequence[str], items: Sequence[str], columns: Sequence[str]
) -> list[int]:
    line = [sum(cells[key, item] for key in keys) for item in items]
    if len(columns) > len(items):
        line.append(sum(n for (key, item), n in cells.items() if key in keys and item not in items))
    return line
