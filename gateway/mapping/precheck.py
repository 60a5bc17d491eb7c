"""Before handing in: what the other side asks for, what it takes in its place, what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.canonical.tracking import Clock
from gateway.canonical.worktime import due
from gateway.mapping.alignment import Ground, recognised

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from gateway.canonical.worktime import Due
    from gateway.mapping.items import ItemVersion
    from gateway.mapping.tables import Tables


@dataclass(frozen=True, slots=True)
class Question:
    """Somebody stands in one region with materials (hub keys) for an item the other region handles."""

    item: str
    side: str
    target: str
    on: date
    materials: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Required:
    """A material the target asks for, and what in hand meets it (None = missing) on which grounds."""

    material: str
    met_by: str | None = None
    grounds: tuple[Ground, ...] = ()


@dataclass(frozen=True, slots=True)
class InHand:
    """A material in hand: what it counts as there, by which rule; None = no rule in force (park 1002)."""

    material: str
    accepted_as: str | None = None
    ground: Ground | None = None


@dataclass(frozen=True, slots=True)
class Precheck:
    """The answer; ``due`` if it were accepted on the day asked for."""

    version: ItemVersion
    open: bool
    required: tuple[Required, ...]
    in_hand: tuple[InHand, ...]
    due: Due

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(each.material for each in self.required if each.met_by is None)

    @property
    def ready(self) -> bool:
        """Nothing is missing, and nothing handed in would be parked."""
        is_known = all(each.accepted_as is not None for each in self.in_hand)
        return self.open and not self.missing and is_known


def precheck(tables: Tables, version: ItemVersion, asked: Question) -> Precheck:
    """Answer by the tables in force on the day. Source: crossing §3.3 (materials), M12 (limit)."""
    guide = tables.guides.guide(asked.target, asked.item, asked.on)
    wanted: Sequence[str] = version.materials if guide is None else guide.materials
    met = {material: _recognised(tables, asked, material) for material in dict.fromkeys(asked.materials)}
    return Precheck(
        version=version,
        open=tables.guides.is_open(asked.item, asked.on, (asked.side, asked.target)),
        required=tuple(_required(material, met) for material in wanted),
        in_hand=tuple(_in_hand(material, found) for material, found in met.items()),
        due=due(Clock(asked.on), version.promised, tables.calendar),
    )


_Met = dict[str, tuple[Ground, ...]]


def _recognised(tables: Tables, asked: Question, material: str) -> _Met:
    return recognised(
        tables.guides,
        tables.rules,
        material,
        issued_by=asked.side,
        accepted_by=asked.target,
        item=asked.item,
        on=asked.on,
    )


def _required(wanted: str, met: dict[str, _Met]) -> Required:
    """The material itself before one taken in its place."""
    ordered = sorted(met, key=lambda material: material != wanted)
    for material in ordered:
        if wanted in met[material]:
            return Required(wanted, material, met[material][wanted])
    return Required(wanted)


def _in_hand(material: str, found: _Met) -> InHand:
    if not found:
        return InHand(material)
    accepted_as, grounds = next(iter(found.items()))  # the rule itself stands first
    return InHand(material, accepted_as, grounds[0])
