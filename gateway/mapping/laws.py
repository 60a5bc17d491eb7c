"""Tools of the lint: what a law about one cell, one column or a group of dated rows looks like."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from gateway.mapping.sheet import Fault, Line, is_iso_date

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


#: Days outside are slips of the pen (0206, 2996), or a way of saying "for ever".
EARLIEST, LATEST = "1949-10-01", "2200-01-01"


def missing(line: Line, columns: Iterable[str]) -> Iterator[Fault]:
    for column in columns:
        if not line[column]:
            yield line.fault(f"{column} 不能为空")


def repeated(lines: Iterable[Line], column: str, what: str, remedy: str = "") -> Iterator[Fault]:
    """Cells that may stand once; ``remedy``: what to do about it, when that is not plain."""
    first: dict[str, Line] = {}
    for line in lines:
        cell = line[column]
        if not cell:
            continue
        if cell in first:
            yield line.fault(f"{what} {cell} 与 {first[cell].path} 第 {first[cell].number} 行重复{remedy}")
        else:
            first[cell] = line


def period(line: Line, start: str, end: str) -> Iterator[Fault]:
    good = True
    for column in (start, end):
        if line[column] and not is_iso_date(line[column]):
            good = False
            yield line.fault(f"{column} 不是日期：应写成 2026-11-23")
        elif line[column] and not EARLIEST <= line[column] < LATEST:
            yield line.fault(f"{column} 不像真实的日期：应在 {EARLIEST} 与 {LATEST} 之间，没有期限请留空")
    if good and line[start] and line[end] and line[start] >= line[end]:
        yield line.fault(f"{start} 应早于 {end}（左闭右开）")


def promise(line: Line) -> Iterator[Fault]:
    """What is promised may not be longer than the law allows, where the two can be compared."""
    legal, promised = line["legal_limit_value"], line["promised_limit_value"]
    same_unit = line["legal_limit_unit"] == line["promised_limit_unit"]
    if same_unit and legal.isdigit() and promised.isdigit() and int(promised) > int(legal) > 0:
        yield line.fault(f"承诺时限 {promised} 长于法定时限 {legal}")


def _span(line: Line, start: str, end: str) -> tuple[str, str]:
    """Comparable bounds; ISO dates compare as text."""
    return line[start] or date.min.isoformat(), line[end] or "9999-12-31"


def overlapping(lines: Iterable[Line], start: str, end: str) -> Iterator[tuple[Line, Line]]:
    """Pairs of lines of one group whose half-open periods share a day."""
    longest: Line | None = None
    for line in sorted(lines, key=lambda line: _span(line, start, end)):
        if longest is not None and _span(line, start, end)[0] < _span(longest, start, end)[1]:
            yield longest, line
        if longest is None or _span(line, start, end)[1] > _span(longest, start, end)[1]:
            longest = line


def grouped(lines: Iterable[Line], key: Callable[[Line], str]) -> dict[str, list[Line]]:
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(key(line), []).append(line)
    return groups
