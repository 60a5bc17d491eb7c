"""The item catalogue: what may cross, under which codes, with which limits since when."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from gateway.canonical.tracking import TimeLimit
from gateway.mapping.sheet import Line, Sheet, in_force

if TYPE_CHECKING:
    from collections.abc import Mapping

#: First four letters of the fwid of the application an item comes in (crossing M21).
FORMS = frozenset({"tbzy", "tbsy", "tbrz", "tbty"})


@dataclass(frozen=True, slots=True)
class ItemVersion:
    """One version of one item, in force from ≤ day < to.

    ``names`` and ``base_codes`` are by region slug; ``promised`` is the limit of a case accepted
    under this version, value 0 = 即办; ``schemes`` empty = any.
    """

    item: str
    name: str
    names: Mapping[str, str]
    base_codes: Mapping[str, str]
    kind: str
    form: str
    schemes: tuple[str, ...]
    applicants: tuple[str, ...]
    legal: TimeLimit
    promised: TimeLimit
    effective_from: date
    effective_to: date | None
    mode: str
    basis: str
    materials: tuple[str, ...]
    provenance: str

    def in_force(self, on: date) -> bool:
        return in_force(on, self.effective_from, self.effective_to)


@dataclass(frozen=True, slots=True)
class Items:
    """The catalogue in its own order, versions oldest first. Source: crossing M12, M21."""

    by_item: Mapping[str, tuple[ItemVersion, ...]] = field(repr=False)
    by_base_code: Mapping[tuple[str, str], str] = field(repr=False)

    def by_code(self, region: str, base_code: str) -> str | None:
        """The item a region means by a base code; None = unknown (park 1005)."""
        return self.by_base_code.get((region, base_code))

    def version(self, item: str, on: date) -> ItemVersion | None:
        """The version in force on a day; None = none (park 1007)."""
        for version in self.by_item.get(item, ()):
            if version.in_force(on):
                return version
        return None

    def versions(self, item: str) -> tuple[ItemVersion, ...]:
        """All versions, oldest first; empty for an unknown item."""
        return self.by_item.get(item, ())

    def all(self, on: date) -> tuple[ItemVersion, ...]:
        """The versions in force on a day, in the order of the catalogue."""
        found = (self.version(item, on) for item in self.by_item)
        return tuple(version for version in found if version is not None)

    def code_of(self, item: str, region: str) -> str:
        """The base code of a known item in a region; `KeyError` for an unknown one."""
        return self.by_item[item][0].base_codes[region]

    def name_of(self, item: str, region: str) -> str:
        """The name of a known item in a region; `KeyError` for an unknown one."""
        return self.by_item[item][0].names[region]


def items(catalogue: Sheet, regional: Mapping[str, Sheet]) -> Items:
    """Build from linted lines of the catalogue and of each region's codes and names."""
    words = {region: {line["item"]: line for line in sheet} for region, sheet in regional.items()}
    groups: defaultdict[str, list[ItemVersion]] = defaultdict(list)
    for line in catalogue:
        groups[line["item"]].append(_version(line, words))
    codes = {
        (region, line["base_code"]): line["item"] for region, sheet in regional.items() for line in sheet
    }
    ordered = {item: tuple(sorted(group, key=lambda v: v.effective_from)) for item, group in groups.items()}
    return Items(ordered, codes)


def _version(line: Line, words: Mapping[str, Mapping[str, Line]]) -> ItemVersion:
    item = line["item"]
    return ItemVersion(
        item=item,
        name=line["name"],
        names={region: lines[item]["name"] for region, lines in words.items()},
        base_codes={region: lines[item]["base_code"] for region, lines in words.items()},
        kind=line["kind"],
        form=line["form"],
        schemes=line.listed("schemes"),
        applicants=line.listed("applicants"),
        legal=TimeLimit(line.number_in("legal_limit_value"), line["legal_limit_unit"]),
        promised=TimeLimit(line.number_in("promised_limit_value"), line["promised_limit_unit"]),
        effective_from=date.fromisoformat(line["effective_from"]),
        effective_to=line.day("effective_to"),
        mode=line["mode"],
        basis=line["basis"],
        materials=line.listed("materials"),
        provenance=line["provenance"],
    )
