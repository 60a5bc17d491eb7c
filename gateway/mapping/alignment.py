"""Are the two sides' guides of an item the same: element by element, and agency by agency (四级四同)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import combinations
from typing import TYPE_CHECKING

from gateway.mapping.guides import ELEMENTS, MATERIALS, SAME_AT_ALL_LEVELS, guides, normal_form
from gateway.mapping.recognition import rules as recognition_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from gateway.mapping.guides import Guide, Guides
    from gateway.mapping.layout import Sheets
    from gateway.mapping.recognition import Rules
    from gateway.mapping.sheet import Fault

MATERIAL_KINDS = frozenset({"material", "result"})


class Verdict(StrEnum):
    """What a comparison found."""

    SAME = "same"
    EQUIVALENT = "equivalent"
    CONFLICT = "conflict"


#: Verdict → what officials read.
VERDICTS: Mapping[Verdict, str] = {
    Verdict.SAME: "一致",
    Verdict.EQUIVALENT: "依规则等效",
    Verdict.CONFLICT: "冲突",
}


@dataclass(frozen=True, slots=True)
class Ground:
    """Why two things count as equal: a recognition rule or a declared equivalence, with its document."""

    rule: str
    basis: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """One element of one item in two regions; ``values`` by region slug as the guides write it."""

    element: str
    verdict: Verdict
    values: Mapping[str, str]
    grounds: tuple[Ground, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemAlignment:
    """One item on one day, compared between every two regions with a guide of it.

    ``lacking``: regions without a guide in force, told when there is nothing to compare with.
    """

    item: str
    name: str
    open: bool
    comparisons: tuple[Comparison, ...] = ()
    lacking: tuple[str, ...] = ()

    @property
    def conflicts(self) -> tuple[Comparison, ...]:
        return tuple(each for each in self.comparisons if each.verdict is Verdict.CONFLICT)

    @property
    def worst(self) -> tuple[Comparison, ...]:
        """One comparison for each element: of all pairs of regions the one that agrees least."""
        order = list(Verdict)
        found: dict[str, Comparison] = {}
        for each in self.comparisons:
            held = found.setdefault(each.element, each)
            if order.index(each.verdict) > order.index(held.verdict):
                found[each.element] = each
        return tuple(found.values())

    @property
    def aligned(self) -> bool:
        """There is something to compare, and no element is in conflict."""
        return not self.lacking and not self.conflicts


@dataclass(frozen=True, slots=True)
class Deviation:
    """An agency whose version of a guide differs from its region's in an element that must be the same."""

    region: str
    item: str
    level: str
    agency: str
    agency_name: str
    element: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Alignment:
    """The whole report of a day."""

    on: date
    regions: tuple[str, ...]
    items: tuple[ItemAlignment, ...]
    deviations: tuple[Deviation, ...] = field(default=())

    @property
    def clean(self) -> bool:
        return all(item.aligned for item in self.items) and not self.deviations


def align(held: Guides, rules: Rules, *, on: date, items: Iterable[str] | None = None) -> Alignment:
    """Compare all guides in force on a day, or those of some items.

    Items no region has a guide of on that day are left out.
    """
    wanted = tuple(held.items() if items is None else items)
    found = (_item(held, rules, item, on) for item in wanted)
    return Alignment(
        on=on,
        regions=tuple(held.by_region),
        items=tuple(each for each in found if each is not None),
        deviations=tuple(_deviations(held, on, {*wanted})),
    )


def _item(held: Guides, rules: Rules, item: str, on: date) -> ItemAlignment | None:
    found = {region: held.guide(region, item, on) for region in held.by_region}
    there = {region: guide for region, guide in found.items() if guide is not None}
    if not there:
        return None
    name = next(iter(there.values())).name
    opened = held.is_open(item, on)
    lacking = tuple(region for region, guide in found.items() if guide is None)
    if len(there) == 1:
        return ItemAlignment(item, name, opened, lacking=lacking)
    pairs = tuple(combinations(there.values(), 2))
    compared = (_compare(held, rules, element, pair, on=on) for pair in pairs for element in ELEMENTS)
    return ItemAlignment(item, name, opened, tuple(compared))


def _compare(held: Guides, rules: Rules, element: str, pair: tuple[Guide, Guide], *, on: date) -> Comparison:
    values = {guide.region: guide.elements[element] for guide in pair}
    one, other = (normal_form(element, value) for value in values.values())
    if one == other:
        return Comparison(element, Verdict.SAME, values)
    if element == MATERIALS:
        grounds = _grounds(held, rules, pair, on)
        verdict = Verdict.CONFLICT if grounds is None else Verdict.EQUIVALENT
        return Comparison(element, verdict, values, grounds or ())
    declared = held.declared(element, pair[0].item, on, sides=values)
    if declared is None:
        return Comparison(element, Verdict.CONFLICT, values)
    return Comparison(element, Verdict.EQUIVALENT, values, (Ground(declared.equivalence_id, declared.basis),))


def _grounds(held: Guides, rules: Rules, pair: tuple[Guide, Guide], on: date) -> tuple[Ground, ...] | None:
    """Why what one side asks for does on the other, both ways; None when it does not."""
    grounds: dict[str, Ground] = {}
    for issuing, accepting in (pair, pair[::-1]):
        for requirement in accepting.materials:
            found = _met(held, rules, requirement, issuing, accepting.region, on=on)
            if found is None:
                return None
            grounds |= {ground.rule: ground for ground in found}
    return tuple(grounds.values())


def _met(
    held: Guides, rules: Rules, requirement: str, issuing: Guide, accepted_by: str, *, on: date
) -> tuple[Ground, ...] | None:
    """The rules by which something asked for there meets a requirement here; the same needs none."""
    if requirement in issuing.materials:
        return ()
    for material in issuing.materials:
        found = recognised(
            held, rules, material, issued_by=issuing.region, accepted_by=accepted_by, item=issuing.item, on=on
        )
        if requirement in found:
            return found[requirement]
    return None


def recognised(
    held: Guides, rules: Rules, material: str, *, issued_by: str, accepted_by: str, item: str, on: date
) -> dict[str, tuple[Ground, ...]]:
    """The requirements of one region that a material of another meets, with the grounds of each.

    Empty when no recognition rule is in force (crossing §3.3, step 2).
    """
    rule = rules.find(
        MATERIAL_KINDS, material, issued_by=issued_by, accepted_by=accepted_by, item=item, on=on
    )
    if rule is None:
        return {}
    ground = Ground(rule.rule_id, rule.basis)
    found: dict[str, tuple[Ground, ...]] = {rule.accepted_as: (ground,)}
    for row in held.equivalences:
        declared = held.meets(
            rule.accepted_as,
            row.other_value,
            issued_by=issued_by,
            accepted_by=accepted_by,
            item=item,
            on=on,
        )
        if declared is not None:
            found[row.other_value] = (ground, Ground(declared.equivalence_id, declared.basis))
    return found


# --- the four levels -------------------------------------------------------------------------------


def _deviations(held: Guides, on: date, wanted: set[str]) -> Iterator[Deviation]:
    for version in held.agencies:
        if version.item not in wanted or not version.in_force(on):
            continue
        own = held.guide(version.region, version.item, on)
        for element in SAME_AT_ALL_LEVELS:
            expected = "" if own is None else own.elements[element]
            found = version.elements[element]
            if normal_form(element, expected) != normal_form(element, found):
                yield Deviation(
                    version.region,
                    version.item,
                    version.level,
                    version.agency,
                    version.agency_name,
                    element,
                    expected,
                    found,
                )


# --- the law: no item is open in conflict ----------------------------------------------------------


def opening_faults(sheets: Sheets) -> Iterator[Fault]:
    """An item that is open while its guides are in conflict, or without a counterpart.

    Looked at on every day something begins or ends. The sheets have no other faults.
    """
    held = guides(sheets.guides, sheets.agency_guides, sheets.equivalences)
    rules = recognition_rules(sheets.recognition)
    days = _days(held, rules)
    told: set[tuple[str, int]] = set()
    for item in held.items():
        for on in days[item]:
            found = _item(held, rules, item, on)
            if found is None or not found.open or found.aligned:
                continue
            for guide in _guides_of(held, item, on):
                if guide.open and (guide.line.path, guide.line.number) not in told:
                    told.add((guide.line.path, guide.line.number))
                    yield guide.line.fault(_sentence(found, on))


def _sentence(found: ItemAlignment, on: date) -> str:
    if found.lacking:
        where = "、".join(found.lacking)
        return f"事项 {found.item} 自 {on} 在 {where} 没有对应的指南，不能开通：补上指南，或 open 填 no"
    elements = "、".join(ELEMENTS[each.element] for each in found.conflicts)
    return (
        f"事项 {found.item} 自 {on} 两地指南的{elements}冲突，不能开通："
        "统一指南，补互认规则或 guides/equivalences.csv，或 open 填 no"
    )


def _guides_of(held: Guides, item: str, on: date) -> Iterator[Guide]:
    for region in held.by_region:
        guide = held.guide(region, item, on)
        if guide is not None:
            yield guide


def _days(held: Guides, rules: Rules) -> dict[str, list[date]]:
    """By item, every day on which a comparison may change."""
    common = {day for row in (*rules, *held.equivalences) for day in (row.effective_from, row.effective_to)}
    days: dict[str, list[date]] = {}
    for item in held.items():
        own = {
            day
            for versions in held.by_region.values()
            for guide in versions.get(item, ())
            for day in (guide.effective_from, guide.effective_to)
        }
        days[item] = sorted(day for day in common | own if day is not None)
    return days
