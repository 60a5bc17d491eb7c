"""Rows added to a set of tables: everything that was there stays to the byte."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.mapping.layout import columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Addition:
    """One row to add at the end of a table. ``cells`` by column; what is not given stays empty."""

    path: str
    cells: Mapping[str, str]


def with_rows(files: Mapping[str, bytes], rows: Iterable[Addition]) -> dict[str, bytes]:
    """The files with the rows; a table that was not there begins with its header.

    Nothing is judged: lint does. Errors: `ValueError` for a table or column nobody knows.
    """
    amended = dict(files)
    for row in rows:
        columns = columns_of(row.path)
        if columns is None or not set(row.cells) <= set(columns):
            raise ValueError(f"{row.path}: no such table or column")
        before = amended.get(row.path) or _written(columns)
        if not before.endswith(b"\n"):
            before += b"\n"
        amended[row.path] = before + _written([row.cells.get(column, "") for column in columns])
    return amended


def _written(cells: Iterable[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue().encode()
