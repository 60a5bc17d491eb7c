"""The legs of an item that goes to and fro: whose turn it is, and how much of the limit each may use."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from gateway.canonical.legs import Leg
from gateway.canonical.tracking import TimeLimit
from gateway.mapping.sheet import in_force

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.mapping.sheet import Line


@dataclass(frozen=True, slots=True)
class LegRow:
    """One leg of one item, in force from ≤ acceptance day < to."""

    item: str
    leg: Leg
    effective_from: date
    effective_to: date | None


@dataclass(frozen=True, slots=True)
class Legs:
    """``items/legs.csv``. Source: domain reference §5.2."""

    by_item: Mapping[str, tuple[LegRow, ...]] = field(default_factory=dict, repr=False)

    def of(self, item: str, on: date) -> tuple[Leg, ...]:
        """The legs of a case accepted on a day, in order; empty for items of one leg."""
        return tuple(
            row.leg
            for row in self.by_item.get(item, ())
            if in_force(on, row.effective_from, row.effective_to)
        )


def legs(lines: Iterable[Line]) -> Legs:
    """Build from linted lines."""
    by_item: dict[str, list[LegRow]] = {}
    for line in lines:
        leg = Leg(
            number=line.number_in("leg"),
            name=line["name"],
            place=line["place"],
            begins=line["begins"],
            limit=TimeLimit(line.number_in("limit_value"), line["limit_unit"]),
        )
        row = LegRow(line["item"], leg, date.fromisoformat(line["effective_from"]), line.day("effective_to"))
        by_item.setdefault(line["item"], []).append(row)
    return Legs({item: tuple(sorted(rows, key=lambda row: row.leg.number)) for item, rows in by_item.items()})
