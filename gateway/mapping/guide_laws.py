"""Laws over the guides, what is declared equal, and the legs: by file, line and a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from gateway.canonical.legs import BEGINNINGS, PLACES
from gateway.canonical.worktime import UNIT_KEYS
from gateway.mapping.guides import APPLICANTS, ELEMENTS, LEVELS, MATERIALS
from gateway.mapping.laws import grouped, missing, overlapping, period, repeated
from gateway.mapping.recognition import ANY_ITEM
from gateway.mapping.sheet import Fault, Line, Sheet

if TYPE_CHECKING:
    from gateway.mapping.layout import Sheets

OPEN_WORDS = ("yes", "no")
_REQUIRED = ("item", "name", "basis", "flow", "mode", "effective_from")
_REQUIRED_OF_REGIONS = ("conditions", "applicants", "fee", "result")
_EQUIVALENCE_ID = re.compile(r"E[0-9]{3,}")
#: A division, or one of its townships (GB/T 10114: three digits more).
_AGENCY_DIVISION = re.compile(r"[0-9]{6}(?:[0-9]{3})?")

_Faults = Iterator[Fault]


def guide_faults(sheets: Sheets) -> _Faults:
    """Every broken law of ``guides/``."""
    hubs = {
        column: {line["key"] for line in sheets.hubs.get(hub, ())}
        for column, hub in ((MATERIALS, "material"), (APPLICANTS, "applicant_type"))
    }
    known = {line["item"] for line in sheets.catalogue}
    for region, sheet in sheets.guides.items():
        yield from _region(region, sheet, sheets.regions)
        for line in sheet:
            yield from _guide(line, hubs)
            yield from missing(line, _REQUIRED_OF_REGIONS)
            yield from _opening(line, known)
        yield from _versions(sheet, lambda line: line["item"])
    for region, sheet in sheets.agency_guides.items():
        yield from _region(region, sheet, sheets.regions)
        for line in sheet:
            yield from _guide(line, hubs)
            yield from _agency(line, {row["code"] for row in sheets.divisions})
        yield from _versions(sheet, lambda line: f"{line['division']} {line['item']}")
    yield from _equivalences(sheets, known)


def leg_faults(sheets: Sheets) -> _Faults:
    """Every broken law of ``items/legs.csv``."""
    known = {line["item"] for line in sheets.catalogue}
    for line in sheets.legs:
        yield from missing(line, ("name", "basis", "effective_from"))
        yield from period(line, "effective_from", "effective_to")
        yield from _limit(line, "limit")
        if line["item"] not in known:
            yield line.fault(f"事项 {line['item']} 不在 items/catalogue.csv 中")
        if not (line["leg"].isascii() and line["leg"].isdigit()):
            yield line.fault("leg 应为环节的序号：1、2、3……")
        if line["place"] not in PLACES:
            yield line.fault(f"place 应为 {'、'.join(PLACES)} 之一（原参保地、新参保地）")
        if line["begins"] not in BEGINNINGS:
            yield line.fault(f"begins 应为 {'、'.join(BEGINNINGS)} 之一")
    yield from _versions(sheets.legs, lambda line: f"{line['item']} {line['leg']}")


def _region(region: str, sheet: Sheet, regions: tuple[str, ...]) -> _Faults:
    if region not in regions:
        yield Fault(sheet.path, 1, f"地区 {region} 没有代码表目录 codes/{region}/")


def _guide(line: Line, hubs: dict[str, set[str]]) -> _Faults:
    yield from missing(line, _REQUIRED)
    yield from period(line, "effective_from", "effective_to")
    for limit in ("legal_limit", "promised_limit"):
        yield from _limit(line, limit)
    for column, keys in hubs.items():
        if column in line.cells:
            for key in line.listed(column):
                if key not in keys:
                    yield line.fault(f"{column} 中的 {key} 不是公共代码")


def _limit(line: Line, limit: str) -> _Faults:
    value = line[f"{limit}_value"]
    if not (value.isascii() and value.isdigit() and len(value) <= 3):
        yield line.fault(f"{limit}_value 应为 0 至 999 的整数")
    if line[f"{limit}_unit"] not in UNIT_KEYS:
        yield line.fault(f"{limit}_unit 应为 {'、'.join(UNIT_KEYS)} 之一")


def _opening(line: Line, known: set[str]) -> _Faults:
    if line["open"] not in OPEN_WORDS:
        yield line.fault("open 应为 yes 或 no")
    elif line["open"] == "yes" and line["item"] not in known:
        yield line.fault(f"事项 {line['item']} 不在 items/catalogue.csv 中，不能开通：open 请填 no")


def _agency(line: Line, divisions: set[str]) -> _Faults:
    yield from missing(line, ("agency",))
    if line["level"] not in LEVELS:
        yield line.fault(f"level 应为 {'、'.join(LEVELS)} 之一")
    if not _AGENCY_DIVISION.fullmatch(line["division"]) or line["division"][:6] not in divisions:
        yield line.fault("division 应为 places/divisions.csv 中的六位代码，乡级再加三位")


def _versions(lines: Iterable[Line], key: Callable[[Line], str]) -> _Faults:
    for name, versions in grouped(lines, key).items():
        for before, after in overlapping(versions, "effective_from", "effective_to"):
            yield after.fault(f"{name} 的这个版本与第 {before.number} 行的期间重叠")


def _equivalences(sheets: Sheets, known: set[str]) -> _Faults:
    materials = {line["key"] for line in sheets.hubs.get("material", ())}
    for line in sheets.equivalences:
        yield from missing(line, ("items", "value", "other_value", "basis", "effective_from"))
        yield from period(line, "effective_from", "effective_to")
        if not _EQUIVALENCE_ID.fullmatch(line["equivalence_id"]):
            yield line.fault("equivalence_id 应为 E 加至少三位数字")
        if line["element"] not in ELEMENTS:
            yield line.fault(f"element 应为 {'、'.join(ELEMENTS)} 之一")
        sides = {line["region"], line["other_region"]}
        if len(sides) == 1 or not sides <= {*sheets.regions}:
            yield line.fault(f"region、other_region 应为两个不同的地区（{'、'.join(sheets.regions)}）")
        for item in line.listed("items"):
            if item != ANY_ITEM and item not in known:
                yield line.fault(f"事项 {item} 不在 items/catalogue.csv 中")
        if line["element"] == MATERIALS and not {line["value"], line["other_value"]} <= materials:
            yield line.fault("value、other_value 应为 canonical/material.csv 中的公共代码")
    yield from repeated(sheets.equivalences, "equivalence_id", "编号")
