"""Tools of the lint: what a law about one cell, one column or a group of dated rows looks like."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from gateway.mapping.sheet import Fault, Line, is_iso_date

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


def missing(line: Line, columns: Iterable[str]) -> Iterator[Fault]:
    for column in columns:
        if not line[column]:
            yield line.fault(f"{column} 不能为空")


def repeated(lines: Iterable[Line], column: str, what: str) -> Iterator[Fault]:
    first: dict[str, Line] = {}
    for line in lines:
        cell = line[column]
        if not cell:
            continue
        if cell in first:
            yield line.fault(f"{what} {cell} 与 {first[cell].path} 第 {first[cell].number} 行重复")
        else:
            first[cell] = line


def period(line: Line, start: str, end: str) -> Iterator[Fault]:
    good = True
    for column in (start, end):
        if line[column] and not is_iso_date(line[column]):
            good = False
            yield line.fault(f"{column} 不是日期：应写成 2026-11-23")
    if good and line[start] and line[end] and line[start] >= line[end]:
        yield line.fault(f"{start} 应早于 {end}（左闭右开）")


def _span(line: Line, start: str, end: str) -> tuple[str, str]:
    """Comparable bounds; ISO dates compare as text."""
    return line[start] or date.min.isoformat(), line[end] or "9999-12-31"


def overlapping(lines: Iterable[Line], start: str, end: str) -> Iterator[tuple[Line, Line]]:
    """Pairs of lines of one group whose half-open periods share a day."""
    ordered = sorted(lines, key=lambda line: _span(line, start, end))
    for before, after in pairwise(ordered):
        if _span(after, start, end)[0] < _span(before, start, end)[1]:
            yield before, after


def grouped(lines: Iterable[Line], key: Callable[[Line], str]) -> dict[str, list[Line]]:
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(key(line), []).append(line)
    return groups
