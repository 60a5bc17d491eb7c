"""What differs between two sets of tables, row by row and cell by cell (pure)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from gateway.mapping.columns import part_of
from gateway.mapping.sheet import cells_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.mapping.sets import TableSet

#: What makes a row the same row in another set; a part not named here compares whole rows.
_IDENTITY = {
    "canonical": ("key",),
    "codes": ("native", "key", "direction"),
    "recognition": ("rule_id",),
    "catalogue": ("item", "effective_from"),
    "items": ("item",),
    "legs": ("item", "leg", "effective_from"),
    "equivalences": ("equivalence_id",),
    "divisions": ("code", "valid_from"),
    "agencies": ("division",),
}

_Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One row ``added``, ``removed`` or ``changed``. ``cells``: column → (before, after) where they differ."""

    path: str
    change: str
    row: str
    cells: Mapping[str, tuple[str, str]]

    def as_json(self) -> dict[str, Any]:
        """The members as they are printed."""
        return asdict(self)

    def __str__(self) -> str:
        sign = {"added": "+", "removed": "-", "changed": "~"}[self.change]
        if self.change == "changed":
            told = "；".join(
                f"{column}: {before or '（空）'} → {after or '（空）'}"
                for column, (before, after) in self.cells.items()
            )
        else:
            told = "，".join(before or after for before, after in self.cells.values() if before or after)
        return f"{sign} {self.path} {self.row}  {told}"


def differences(old: TableSet, new: TableSet) -> list[Change]:
    """Every row that differs, table by table. Both sets are free of lint faults."""
    found: list[Change] = []
    for path in sorted({*old.files, *new.files}):
        before, after = old.files.get(path, b""), new.files.get(path, b"")
        if before != after:
            found += _of_table(path, _rows(path, before), _rows(path, after))
    return found


def _rows(path: str, content: bytes) -> dict[tuple[str, ...], _Row]:
    """Rows by what identifies them; a second row of the same identity gets a number."""
    if not content:
        return {}
    head, *lines = cells_of(content)
    columns = _IDENTITY.get(part_of(path), tuple(head))
    if part_of(path) == "guides":
        columns = ("division", "item", "effective_from") if "division" in head else ("item", "effective_from")
    if not set(columns) <= set(head):
        columns = tuple(head)
    rows: dict[tuple[str, ...], _Row] = {}
    for cells in lines:
        row = dict(zip(head, cells, strict=False))
        key = whole = tuple(row[column] for column in columns)
        while key in rows:
            key = (*whole, str(len(key) - len(whole) + 2))
        rows[key] = row
    return rows


def _of_table(
    path: str, before: Mapping[tuple[str, ...], _Row], after: Mapping[tuple[str, ...], _Row]
) -> Iterator[Change]:
    for key in {**before, **after}:
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        change = "added" if old is None else "removed" if new is None else "changed"
        old, new = old or {}, new or {}
        pairs = {column: (old.get(column, ""), new.get(column, "")) for column in {**old, **new}}
        cells = {column: pair for column, pair in pairs.items() if pair[0] != pair[1]}
        yield Change(path, change, " ".join(part for part in key if part), cells)
