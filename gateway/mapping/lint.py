"""Laws over all rows of all tables; every fault is reported with its file, line and a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from gateway.canonical.identifiers import uscc_ok
from gateway.canonical.worktime import UNIT_KEYS
from gateway.mapping.cell_laws import cell_faults
from gateway.mapping.codelist import BOTH, READ, WRITE
from gateway.mapping.guide_laws import guide_faults, leg_faults
from gateway.mapping.items import FORMS
from gateway.mapping.laws import grouped, missing, overlapping, period, promise, repeated
from gateway.mapping.recognition import ANY_ITEM
from gateway.mapping.sheet import Fault, Line, Sheet

if TYPE_CHECKING:
    from gateway.mapping.layout import Sheets

_SLUG = re.compile(r"[a-z][a-z0-9_]*")
_DIVISION = re.compile(r"[0-9]{6}")
_RULE_ID = re.compile(r"R[0-9]{3,}")
_BASE_CODE = re.compile(r"[0-9A-Z]{12,14}")
LEVELS = {"province", "prefecture", "county"}
KINDS = {"transfer", "claim", "filing", "notice", "query", "joint"}
#: Kind of a recognition rule → the hub lists its subjects come from.
SUBJECTS = {"material": ("material",), "result": ("material", "result"), "settlement": ("settlement",)}

_Faults = Iterator[Fault]

#: A row of both directions can be read back as it was written; what cannot has to say so.
_ONE_WAY = "：只用于一个方向的行，direction 请填 read 或 write"
#: A division lies in one of a higher level.
_PARENTS = {"province": set[str](), "prefecture": {"province"}, "county": {"province", "prefecture"}}


def faults_of(sheets: Sheets) -> list[Fault]:
    """Every broken law. Pure; shape of the files is already known to be right."""
    laws: tuple[Callable[[Sheets], _Faults], ...] = (
        _cells,
        _hubs,
        _codes,
        _divisions,
        _agencies,
        _catalogue,
        _item_words,
        _rules,
        guide_faults,
        leg_faults,
    )
    return [fault for law in laws for fault in law(sheets)]


# --- every cell ------------------------------------------------------------------------------------


def _all_sheets(sheets: Sheets) -> Iterator[Sheet]:
    yield from (sheets.catalogue, sheets.divisions, sheets.agencies, sheets.equivalences, sheets.legs)
    for group in (sheets.hubs, sheets.codes, sheets.item_words, sheets.guides, sheets.agency_guides):
        yield from group.values()
    yield from sheets.recognition


def _cells(sheets: Sheets) -> _Faults:
    for sheet in _all_sheets(sheets):
        for line in sheet:
            yield from cell_faults(line)


def _keys(sheets: Sheets, hub: str) -> set[str]:
    sheet = sheets.hubs.get(hub)
    return {line["key"] for line in sheet} if sheet else set()


# --- code lists ------------------------------------------------------------------------------------


def _hubs(sheets: Sheets) -> _Faults:
    for sheet in sheets.hubs.values():
        for line in sheet:
            yield from missing(line, ("key", "meaning"))
        yield from repeated(sheet, "key", "公共代码")


def _codes(sheets: Sheets) -> _Faults:
    for (_, name), sheet in sheets.codes.items():
        if name not in sheets.hubs:
            yield Fault(sheet.path, 1, f"没有对应的公共代码表 canonical/{name}.csv")
            continue
        keys = _keys(sheets, name)
        for line in sheet:
            yield from _code_line(line, keys, name)
        yield from repeated(
            (ln for ln in sheet if ln["direction"] != WRITE), "native", "读入用的写法", _ONE_WAY
        )
        yield from repeated(
            (ln for ln in sheet if ln["direction"] != READ), "key", "写出用的公共代码", _ONE_WAY
        )
        yield from _composites(sheet)


def _code_line(line: Line, keys: set[str], name: str) -> _Faults:
    yield from missing(line, ("native", "key"))
    if line["key"] and line["key"] not in keys:
        yield line.fault(f"公共代码 {line['key']} 不在 canonical/{name}.csv 中：请先在那里登记")
    if line["direction"] not in {BOTH, READ, WRITE}:
        yield line.fault("direction 应为 both、read 或 write")
    if line["lossy"] not in {"", "no"}:
        yield line.fault("lossy 只能为空或 no")
    if line["lossy"] == "no" and line["direction"] == BOTH:
        yield line.fault("lossy 只用于单向行：双向行请留空")


def _composites(sheet: Sheet) -> _Faults:
    widths = {line["native"].count("|") for line in sheet}
    if len(widths) > 1:
        usual = sheet.lines[0]["native"].count("|")
        for line in sheet:
            if line["native"].count("|") != usual:
                yield line.fault("合成代码的段数与首行不同：请用 | 补齐")


# --- places ----------------------------------------------------------------------------------------


def _divisions(sheets: Sheets) -> _Faults:
    codes = grouped(sheets.divisions, lambda line: line["code"])
    for line in sheets.divisions:
        yield from _division_line(line, codes)
        yield from _heirs(line, codes)
    for column in ("code", "full_name"):
        for group in grouped(sheets.divisions, lambda line, c=column: line[c]).values():  # type: ignore[misc]
            for before, after in overlapping(group, "valid_from", "valid_to"):
                yield after.fault(f"{column} {after[column]} 与第 {before.number} 行的有效期重叠")


def _division_line(line: Line, codes: Mapping[str, list[Line]]) -> _Faults:
    yield from missing(line, ("name", "full_name"))
    yield from period(line, "valid_from", "valid_to")
    if not _DIVISION.fullmatch(line["code"]):
        yield line.fault("code 应为 6 位数字")
    if not line["full_name"].endswith(line["name"]):
        yield line.fault("full_name 应以 name 结尾")
    if line["level"] not in LEVELS:
        yield line.fault("level 应为 province、prefecture 或 county")
    if line["parent"] not in codes and (line["parent"] or line["level"] != "province"):
        yield line.fault(f"上级区划 {line['parent'] or '（空）'} 不在表中")
    elif line["parent"] and not any(
        above["level"] in _PARENTS.get(line["level"], ()) for above in codes[line["parent"]]
    ):
        yield line.fault(f"上级区划 {line['parent']} 的 level 不高于本行")
    if line["successors"] and not line["valid_to"]:
        yield line.fault("有继任区划就要填失效日期 valid_to")


def _heirs(line: Line, codes: Mapping[str, list[Line]]) -> _Faults:
    """Who takes over must be there when the former ends: else a case would follow into nothing."""
    for heir in line.listed("successors"):
        if heir not in codes or heir == line["code"]:
            yield line.fault(f"继任区划 {heir} 不在表中，或就是自己")
        elif all(later["valid_to"] and later["valid_to"] <= line["valid_to"] for later in codes[heir]):
            yield line.fault(f"继任区划 {heir} 在本行失效时已不再有效")


def _agencies(sheets: Sheets) -> _Faults:
    codes = {line["code"] for line in sheets.divisions}
    for line in sheets.agencies:
        yield from missing(line, ("agency",))
        if line["division"] not in codes:
            yield line.fault(f"区划 {line['division']} 不在 places/divisions.csv 中")
        if not uscc_ok(line["uscc"]):
            yield line.fault("统一社会信用代码有误：请核对 18 位及校验码")
        if line["level"] not in set("123456"):
            yield line.fault("level 应为 1 至 6")
    yield from repeated(sheets.agencies, "division", "区划")
    yield from repeated(sheets.agencies, "uscc", "统一社会信用代码")


# --- items -----------------------------------------------------------------------------------------

_OF_THE_ITEM = ("name", "kind", "form")


def _catalogue(sheets: Sheets) -> _Faults:
    for line in sheets.catalogue:
        yield from _item_line(line)
        for column, hub in (
            ("schemes", "scheme"),
            ("applicants", "applicant_type"),
            ("materials", "material"),
        ):
            for key in line.listed(column):
                if key not in _keys(sheets, hub):
                    yield line.fault(f"{column} 中的 {key} 不在 canonical/{hub}.csv 中")
    for item, versions in grouped(sheets.catalogue, lambda line: line["item"]).items():
        for before, after in overlapping(versions, "effective_from", "effective_to"):
            yield after.fault(f"事项 {item} 的这个版本与第 {before.number} 行的期间重叠")
        for line in versions[1:]:
            for column in _OF_THE_ITEM:
                if line[column] != versions[0][column]:
                    yield line.fault(f"同一事项的 {column} 应与第 {versions[0].number} 行相同")


def _item_line(line: Line) -> _Faults:
    yield from missing(line, ("name", "applicants", "effective_from", "basis"))
    yield from period(line, "effective_from", "effective_to")
    if not _SLUG.fullmatch(line["item"]):
        yield line.fault("item 应为小写字母、数字和下划线，以字母开头")
    if line["kind"] not in KINDS:
        yield line.fault(f"kind 应为 {'、'.join(sorted(KINDS))} 之一")
    if line["form"] not in FORMS:
        yield line.fault(f"form 应为 {'、'.join(sorted(FORMS))} 之一")
    for limit in ("legal_limit", "promised_limit"):
        value = line[f"{limit}_value"]
        if not (value.isascii() and value.isdigit() and len(value) <= 3):
            yield line.fault(f"{limit}_value 应为 0 至 999 的整数")
        if line[f"{limit}_unit"] not in UNIT_KEYS:
            yield line.fault(f"{limit}_unit 应为 {'、'.join(UNIT_KEYS)} 之一")
    yield from promise(line)


def _item_words(sheets: Sheets) -> _Faults:
    known = {line["item"] for line in sheets.catalogue}
    for region in sorted({*sheets.regions, *sheets.item_words}):
        sheet = sheets.item_words.get(region)
        if sheet is None:
            yield Fault(f"codes/{region}/items.csv", 1, "缺少这个文件：每个地区都要有事项的基本编码和名称")
            continue
        if region not in sheets.regions:
            yield Fault(sheet.path, 1, f"地区 {region} 没有代码表目录 codes/{region}/")
        yield from _regional_items(sheet, known)


def _regional_items(sheet: Sheet, known: set[str]) -> _Faults:
    for line in sheet:
        yield from missing(line, ("name",))
        if line["item"] not in known:
            yield line.fault(f"事项 {line['item']} 不在 items/catalogue.csv 中")
        if not _BASE_CODE.fullmatch(line["base_code"]):
            yield line.fault("base_code 应为 12 至 14 位大写字母或数字")
    yield from repeated(sheet, "item", "事项")
    yield from repeated(sheet, "base_code", "基本编码")
    for item in sorted(known - {line["item"] for line in sheet}):
        yield Fault(sheet.path, 1, f"缺少事项 {item} 的一行")


# --- recognition -----------------------------------------------------------------------------------


def _rules(sheets: Sheets) -> _Faults:
    lines = [line for sheet in sheets.recognition for line in sheet]
    known = {line["item"] for line in sheets.catalogue}
    hubs = {name: _keys(sheets, name) for names in SUBJECTS.values() for name in names}
    for line in lines:
        yield from _rule_line(line, sheets.regions, known, hubs=hubs)
    yield from repeated(lines, "rule_id", "规则编号")
    yield from _contested(lines)


def _rule_line(
    line: Line, regions: tuple[str, ...], known: set[str], *, hubs: Mapping[str, set[str]]
) -> _Faults:
    yield from missing(line, ("basis", "effective_from", "items"))
    yield from period(line, "effective_from", "effective_to")
    if not _RULE_ID.fullmatch(line["rule_id"]):
        yield line.fault("rule_id 应为 R 加至少三位数字")
    if line["issued_by"] == line["accepted_by"] or not {line["issued_by"], line["accepted_by"]} <= {*regions}:
        yield line.fault(f"issued_by、accepted_by 应为两个不同的地区（{'、'.join(regions)}）")
    lists = SUBJECTS.get(line["subject_kind"])
    if lists is None:
        yield line.fault("subject_kind 应为 material、result 或 settlement")
    for column in ("subject", "accepted_as"):
        if lists and not any(line[column] in hubs[name] for name in lists):
            yield line.fault(f"{column} {line[column] or '（空）'} 不在 canonical/{'、'.join(lists)} 中")
    for item in line.listed("items"):
        if item != ANY_ITEM and item not in known:
            yield line.fault(f"事项 {item} 不在 items/catalogue.csv 中")


def _contested(lines: Iterable[Line]) -> _Faults:
    """Two rules of one direction and subject may not speak for the same item on the same day."""
    columns = ("issued_by", "accepted_by", "subject_kind", "subject")
    for group in grouped(lines, lambda line: "\0".join(line[column] for column in columns)).values():
        if len(group) < 2:
            continue
        by_item: dict[str, list[Line]] = {}
        for line in group:
            for item in line.listed("items"):
                by_item.setdefault(item, []).append(line)
        for item, rivals in by_item.items():
            for before, after in overlapping(rivals, "effective_from", "effective_to"):
                yield after.fault(f"与规则 {before['rule_id']} 在事项 {item} 上的有效期重叠：请先关闭旧规则")
