"""Code lists: a region's own words for the meanings both sides share, looked up in one dict get."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.mapping.sheet import Line, Sheet

BOTH, READ, WRITE = "both", "read", "write"


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One row: the region's word, the shared key, the region's name for it.

    ``one_way``: the way back gives another word, so crossing by this row is lossy (crossing M1).
    """

    native: str
    key: str
    name: str
    one_way: bool
    line: int


@dataclass(frozen=True, slots=True)
class CodeList:
    """One list of one region. Composite words are joined by ``|`` (crossing README, Tables)."""

    region: str
    name: str
    reads: Mapping[str, CodeRow] = field(default_factory=dict, repr=False)
    writes: Mapping[str, CodeRow] = field(default_factory=dict, repr=False)
    parts: tuple[frozenset[str], ...] = field(default=(), repr=False)

    def read(self, native: str) -> CodeRow | None:
        """The row for a word this region sent; None = no row (park, never guess)."""
        return self.reads.get(native)

    def write(self, key: str) -> CodeRow | None:
        """The row by which this region is told a key; None = it has no word for it."""
        return self.writes.get(key)

    def words(self, position: int = 0) -> frozenset[str]:
        """Every part at this position of the readable words: tells an unknown part from a bad combination."""
        return self.parts[position] if position < len(self.parts) else frozenset()


@dataclass(frozen=True, slots=True)
class HubList:
    """The shared side of a list: key → meaning."""

    name: str
    meanings: Mapping[str, str] = field(repr=False)

    def __contains__(self, key: str) -> bool:
        return key in self.meanings

    def meaning(self, key: str) -> str | None:
        return self.meanings.get(key)


def code_list(region: str, name: str, sheet: Sheet) -> CodeList:
    """Build a list from linted lines."""
    rows = [(line["direction"], _row(line)) for line in sheet]
    reads = {row.native: row for direction, row in rows if direction != WRITE}
    writes = {row.key: row for direction, row in rows if direction != READ}
    return CodeList(region, name, reads, writes, _parts(reads))


def _row(line: Line) -> CodeRow:
    one_way = line["direction"] != BOTH and line["lossy"] != "no"
    return CodeRow(line["native"], line["key"], line["name"], one_way, line.number)


def _parts(natives: Iterable[str]) -> tuple[frozenset[str], ...]:
    split = [native.split("|") for native in natives]
    return tuple(frozenset(column) for column in zip(*split, strict=True))


def hub_list(name: str, sheet: Sheet) -> HubList:
    """Build a hub list from linted lines."""
    return HubList(name, {line["key"]: line["meaning"] for line in sheet})
