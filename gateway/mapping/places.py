"""Divisions with their history and successors, and the agency of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from gateway.mapping.sheet import Line, Sheet, in_force

#: Park codes of crossing §1.
UNKNOWN, SEVERAL = "1003", "1004"


@dataclass(frozen=True, slots=True)
class Place:
    """A division in force; ``succeeded`` when the one asked for had ended and this took its place."""

    code: str
    full_name: str
    level: str
    succeeded: bool = False


@dataclass(frozen=True, slots=True)
class DivisionRow:
    """One row of ``places/divisions.csv``."""

    place: Place
    valid_from: date | None
    valid_to: date | None
    successors: tuple[str, ...]

    def ended(self, on: date) -> bool:
        return self.valid_to is not None and self.valid_to <= on


_Rows = Mapping[str, tuple[DivisionRow, ...]]


@dataclass(frozen=True, slots=True)
class Divisions:
    """Divisions by code and by full name. Source: crossing M8."""

    codes: _Rows = field(repr=False)
    names: _Rows = field(repr=False)

    def by_code(self, code: str, on: date) -> Place | str:
        """The division of this code on a day, its single successor, or the park code 1003, 1004."""
        return self._of(self.codes.get(code, ()), on)

    def by_name(self, full_name: str, on: date) -> Place | str:
        """The same by full name, which must match exactly."""
        return self._of(self.names.get(full_name, ()), on)

    def codes_named(self, full_name: str) -> tuple[str, ...]:
        """The codes of all divisions that have or had this name."""
        return tuple(row.place.code for row in self.names.get(full_name, ()))

    def _of(self, rows: tuple[DivisionRow, ...], on: date) -> Place | str:
        for row in rows:
            if in_force(on, row.valid_from, row.valid_to):
                return row.place
        ended = [row for row in rows if row.ended(on)]
        if not ended:
            return UNKNOWN
        last = max(ended, key=lambda row: row.valid_to or date.min)
        return self._successor(last, on)

    def _successor(self, row: DivisionRow, on: date) -> Place | str:
        found: dict[str, Place] = {}
        seen: set[str] = set()
        waiting = list(row.successors)
        while waiting:
            code = waiting.pop()
            if code in seen:
                continue
            seen.add(code)
            for heir in self.codes.get(code, ()):
                if in_force(on, heir.valid_from, heir.valid_to):
                    found[code] = heir.place
                elif heir.ended(on):
                    waiting.extend(heir.successors)
        if len(found) > 1:
            return SEVERAL
        for place in found.values():
            return Place(place.code, place.full_name, place.level, succeeded=True)
        return UNKNOWN


@dataclass(frozen=True, slots=True)
class Agency:
    """The agency of a division; ``level`` is the administrative level digit of an implementation code."""

    division: str
    name: str
    uscc: str
    level: str


@dataclass(frozen=True, slots=True)
class Agencies:
    """One agency per division."""

    by_division: Mapping[str, Agency] = field(repr=False)

    def of(self, division: str) -> Agency | None:
        return self.by_division.get(division)


def divisions(sheet: Sheet) -> Divisions:
    """Build from linted lines."""
    rows = [_division(line) for line in sheet]
    return Divisions(
        _grouped((row.place.code, row) for row in rows), _grouped((row.place.full_name, row) for row in rows)
    )


def _division(line: Line) -> DivisionRow:
    place = Place(line["code"], line["full_name"], line["level"])
    return DivisionRow(place, line.day("valid_from"), line.day("valid_to"), line.listed("successors"))


def _grouped(pairs: Iterable[tuple[str, DivisionRow]]) -> dict[str, tuple[DivisionRow, ...]]:
    groups: defaultdict[str, list[DivisionRow]] = defaultdict(list)
    for key, row in pairs:
        groups[key].append(row)
    return {key: tuple(rows) for key, rows in groups.items()}


def agencies(sheet: Sheet) -> Agencies:
    """Build from linted lines."""
    return Agencies(
        {
            line["division"]: Agency(line["division"], line["agency"], line["uscc"], line["level"])
            for line in sheet
        }
    )
