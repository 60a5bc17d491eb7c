"""The guides (办事指南) of every item: each region's own, and those of agencies at the four levels."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from gateway.canonical.tracking import TimeLimit
from gateway.mapping.recognition import ANY_ITEM
from gateway.mapping.sheet import Line, Sheet, in_force

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAME, BASIS, FLOW, MODE, MATERIALS = "name", "basis", "flow", "mode", "materials"
LEGAL_LIMIT, PROMISED_LIMIT = "legal_limit", "promised_limit"
CONDITIONS, APPLICANTS, FEE, RESULT = "conditions", "applicants", "fee", "result"

#: Element → what officials call it, in the order of a guide.
ELEMENTS: Mapping[str, str] = {
    NAME: "事项名称",
    BASIS: "设定依据",
    FLOW: "办理流程",
    MODE: "办理方式",
    MATERIALS: "所需材料",
    LEGAL_LIMIT: "法定办结时限",
    PROMISED_LIMIT: "承诺办结时限",
    CONDITIONS: "受理条件",
    APPLICANTS: "服务对象",
    FEE: "收费",
    RESULT: "办理结果",
}
#: 四级四同: name, basis, flow, mode, materials and time limits are the same at all four levels (domain §3.3).
SAME_AT_ALL_LEVELS = (NAME, BASIS, FLOW, MODE, MATERIALS, LEGAL_LIMIT, PROMISED_LIMIT)
#: The four levels, 省市县乡.
LEVELS: Mapping[str, str] = {"province": "省级", "prefecture": "市级", "county": "县级", "township": "乡级"}

_LISTS = {MATERIALS: "|", APPLICANTS: "|", BASIS: "; "}


@dataclass(frozen=True, slots=True)
class Guide:
    """One version of one guide, in force from ≤ day < to.

    ``elements`` holds every element of `ELEMENTS` as it is written; ``agency`` is the agency's
    division, ``""`` for the region's own guide; ``open``: may cases cross.
    """

    region: str
    item: str
    elements: Mapping[str, str] = field(repr=False)
    promised: TimeLimit
    effective_from: date
    effective_to: date | None
    open: bool
    line: Line = field(repr=False)
    agency: str = ""
    agency_name: str = ""
    level: str = ""

    @property
    def name(self) -> str:
        return self.elements[NAME]

    @property
    def materials(self) -> tuple[str, ...]:
        """Hub keys of the materials required here, in the guide's order."""
        return tuple(self.elements[MATERIALS].split("|")) if self.elements[MATERIALS] else ()

    def in_force(self, on: date) -> bool:
        return in_force(on, self.effective_from, self.effective_to)


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Two ways to write one thing, declared equal by a document.

    For materials it is directed: ``value`` issued in ``region`` meets the requirement
    ``other_value`` of ``other_region``. ``items`` empty = every item.
    """

    equivalence_id: str
    element: str
    items: frozenset[str]
    region: str
    value: str
    other_region: str
    other_value: str
    basis: str
    effective_from: date
    effective_to: date | None

    def applies(self, item: str, on: date) -> bool:
        return (not self.items or item in self.items) and in_force(on, self.effective_from, self.effective_to)


@dataclass(frozen=True, slots=True)
class Guides:
    """All guides: by region and item oldest first, the agencies' versions, and what is declared equal."""

    by_region: Mapping[str, Mapping[str, tuple[Guide, ...]]] = field(default_factory=dict, repr=False)
    agencies: tuple[Guide, ...] = field(default=(), repr=False)
    equivalences: tuple[Equivalence, ...] = field(default=(), repr=False)

    def guide(self, region: str, item: str, on: date) -> Guide | None:
        """A region's guide in force on a day."""
        versions = self.by_region.get(region, {}).get(item, ())
        return next((guide for guide in versions if guide.in_force(on)), None)

    def items(self) -> tuple[str, ...]:
        """Every item any region has a guide of, in the order of the files."""
        return tuple(dict.fromkeys(item for guides in self.by_region.values() for item in guides))

    def is_open(self, item: str, on: date, sides: tuple[str, ...] | None = None) -> bool:
        """Whether cases of an item may cross between two sides: no guide of theirs in force keeps it closed.

        An item without any guide is open: the catalogue alone decides (crossing M21). ``sides`` None: all.
        """
        regions = self.by_region if sides is None else sides
        found = (self.guide(region, item, on) for region in regions)
        return all(guide.open for guide in found if guide is not None)

    def declared(self, element: str, item: str, on: date, *, sides: Mapping[str, str]) -> Equivalence | None:
        """The declaration that two regions' writings of an element mean the same, whichever way round."""
        normal = {region: normal_form(element, value) for region, value in sides.items()}
        for row in self.equivalences:
            if row.element != element or not row.applies(item, on):
                continue
            said = {row.region: row.value, row.other_region: row.other_value}
            if {region: normal_form(element, value) for region, value in said.items()} == normal:
                return row
        return None

    def meets(
        self, material: str, requirement: str, *, issued_by: str, accepted_by: str, item: str, on: date
    ) -> Equivalence | None:
        """The declaration that a material issued by one region meets a requirement of the other."""
        wanted = (MATERIALS, issued_by, material, accepted_by, requirement)
        for row in self.equivalences:
            said = (row.element, row.region, row.value, row.other_region, row.other_value)
            if said == wanted and row.applies(item, on):
                return row
        return None


def normal_form(element: str, written: str) -> str | frozenset[str]:
    """What is compared: sets where order means nothing, else the text."""
    separator = _LISTS.get(element)
    return written if separator is None else frozenset(part for part in written.split(separator) if part)


def guides(
    regional: Mapping[str, Sheet], agencies: Mapping[str, Sheet], equivalences: Iterable[Line]
) -> Guides:
    """Build from linted lines."""
    by_region: dict[str, dict[str, tuple[Guide, ...]]] = {}
    for region, sheet in sorted(regional.items(), reverse=True):
        groups: defaultdict[str, list[Guide]] = defaultdict(list)
        for line in sheet:
            groups[line["item"]].append(_guide(region, line, is_open=line["open"] == "yes"))
        by_region[region] = {
            item: tuple(sorted(group, key=lambda guide: guide.effective_from))
            for item, group in groups.items()
        }
    versions = (
        _guide(region, line, agency=True) for region, sheet in sorted(agencies.items()) for line in sheet
    )
    return Guides(by_region, tuple(versions), tuple(map(_equivalence, equivalences)))


def _guide(region: str, line: Line, *, is_open: bool = False, agency: bool = False) -> Guide:
    limits = {
        limit: f"{line[f'{limit}_value']} {line[f'{limit}_unit']}" for limit in (LEGAL_LIMIT, PROMISED_LIMIT)
    }
    elements = {element: limits.get(element) or line.cells.get(element, "") for element in ELEMENTS}
    return Guide(
        region=region,
        item=line["item"],
        elements=elements,
        promised=TimeLimit(line.number_in("promised_limit_value"), line["promised_limit_unit"]),
        effective_from=date.fromisoformat(line["effective_from"]),
        effective_to=line.day("effective_to"),
        open=is_open,
        line=line,
        agency=line["division"] if agency else "",
        agency_name=line["agency"] if agency else "",
        level=line["level"] if agency else "",
    )


def _equivalence(line: Line) -> Equivalence:
    return Equivalence(
        equivalence_id=line["equivalence_id"],
        element=line["element"],
        items=frozenset() if line["items"] == ANY_ITEM else frozenset(line.listed("items")),
        region=line["region"],
        value=line["value"],
        other_region=line["other_region"],
        other_value=line["other_value"],
        basis=line["basis"],
        effective_from=date.fromisoformat(line["effective_from"]),
        effective_to=line.day("effective_to"),
    )
