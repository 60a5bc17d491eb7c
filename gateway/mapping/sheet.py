"""A table file as lines with numbers: what the lint reads and the tables are built from."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong in one line of one table, in a sentence that says what to do."""

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table with the number of its first line in the file."""

    path: str
    number: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def fault(self, text: str) -> Fault:
        return Fault(self.path, self.number, text)

    def listed(self, column: str) -> tuple[str, ...]:
        """A cell of several values joined by ``|``; empty = none."""
        cell = self.cells[column]
        return tuple(cell.split("|")) if cell else ()

    def day(self, column: str) -> date | None:
        """A linted date cell; empty = open."""
        cell = self.cells[column]
        return date.fromisoformat(cell) if cell else None

    def number_in(self, column: str) -> int:
        """A linted whole number."""
        return int(self.cells[column])


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table file that could be read."""

    path: str
    lines: tuple[Line, ...]

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)


def read_sheet(path: str, content: bytes, columns: tuple[str, ...]) -> tuple[Sheet | None, list[Fault]]:
    """Decode one file. Shape: RFC 4180, UTF-8 without BOM, LF, exactly these columns.

    A file whose text or header is wrong gives no sheet; a line with the wrong number of cells is left out.
    """
    try:
        text = content.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return None, [Fault(path, line, "不是 UTF-8 文本：请另存为 UTF-8（无 BOM）")]
    if text.startswith("\ufeff"):
        return None, [Fault(path, 1, "文件带有 BOM：请另存为无 BOM 的 UTF-8")]
    if "\r" in text:
        line = text.count("\n", 0, text.index("\r")) + 1
        return None, [Fault(path, line, "换行符不是 LF：请把换行改为 LF")]
    return _lines(path, text, columns)


def _lines(path: str, text: str, columns: tuple[str, ...]) -> tuple[Sheet | None, list[Fault]]:
    reader = csv.reader(_lf_lines(text), strict=True)
    lines: list[Line] = []
    faults: list[Fault] = []
    try:
        header = tuple(next(reader, ()))
        if header != columns:
            return None, [Fault(path, 1, f"列名应为 {','.join(columns)}")]
        begin = reader.line_num + 1
        for cells in reader:
            if len(cells) == len(columns):
                lines.append(Line(path, begin, dict(zip(columns, cells, strict=True))))
            else:
                faults.append(Fault(path, begin, f"应有 {len(columns)} 格，实有 {len(cells)} 格"))
            begin = reader.line_num + 1
    except csv.Error:
        return None, [*faults, Fault(path, reader.line_num, "引号不成对：请检查此行的引号")]
    return Sheet(path, tuple(lines)), faults


def _lf_lines(text: str) -> io.StringIO:
    """By LF alone: what else ends a line to Unicode (U+2028 …) may stand in a cell."""
    return io.StringIO(text, newline="\n")


def cells_of(content: bytes) -> list[list[str]]:
    """All rows of a readable table, the header first."""
    return list(csv.reader(_lf_lines(content.decode()), strict=True))


def is_iso_date(cell: str) -> bool:
    """Whether a cell is a real date written ``2026-11-23``."""
    if not _DATE.fullmatch(cell):
        return False
    try:
        date.fromisoformat(cell)
    except ValueError:
        return False
    return True


def in_force(on: date, start: date | None, end: date | None) -> bool:
    """Half-open: from ≤ on < to, an empty bound is open (crossing, opening sentence)."""
    return (start is None or start <= on) and (end is None or on < end)
