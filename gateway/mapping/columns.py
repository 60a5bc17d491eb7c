"""What each column of a table means, said to the people who fill it, and the words it may hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.canonical.legs import BEGINNINGS, PLACES
from gateway.canonical.worktime import UNIT_KEYS
from gateway.mapping.codelist import BOTH, READ, WRITE
from gateway.mapping.guide_laws import OPEN_WORDS
from gateway.mapping.guides import ELEMENTS
from gateway.mapping.guides import LEVELS as AGENCY_LEVELS
from gateway.mapping.items import FORMS
from gateway.mapping.layout import brought
from gateway.mapping.lint import KINDS, LEVELS, SUBJECTS
from gateway.mapping.recognition import ANY_ITEM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.mapping.layout import Sheets

#: Comments on headers by ``part.column``; a bare column name serves every part without one of its own.
EXPLANATIONS = {
    "canonical.key": "公共代码：两地共用的含义的编号。已使用的代码不改含义，只增加新行。",
    "canonical.meaning": "公共代码的含义，两地一致认可。",
    "codes.native": "本地区报文里的写法。由几个字段合成的，用 | 连接。开头的 0 要保留。",
    "codes.key": "对应的公共代码，须在同名公共代码表中登记过。",
    "codes.name": "本地区对它的叫法（材料的名称会写进报文）。",
    "codes.direction": "both 收发都用；read 只用于读本地区发来的；write 只用于写给本地区。",
    "codes.lossy": "只用于单向行：空为有损；no 表示虽单向但不损失含义。",
    "recognition.rule_id": "规则编号，R 加至少三位数字。一经使用不再改给别的规则。",
    "recognition.issued_by": "出具方地区。",
    "recognition.accepted_by": "认可方地区，须与出具方不同。",
    "recognition.subject_kind": "material 材料，result 结果，settlement 基金结算。",
    "recognition.subject": "出具方的材料或结果（公共代码）。",
    "recognition.accepted_as": "在认可方视同的材料或结果（公共代码）。",
    "recognition.items": "适用的事项，多个用 | 连接；* 为全部事项。点名事项的规则先于 *。",
    "catalogue.no": "清单序号。",
    "catalogue.item": "事项的内部名称：小写字母、数字和下划线。",
    "catalogue.kind": "办件类型。",
    "catalogue.form": "申请报文的种类（四川服务标识的前四位）。",
    "catalogue.schemes": "适用险种（公共代码），多个用 | 连接；空为不限。",
    "catalogue.applicants": "申请人类型（公共代码），多个用 | 连接。",
    "catalogue.legal_limit_value": "法定时限的数值，0 为即办。",
    "catalogue.legal_limit_unit": "法定时限的单位：工作日、日（自然日）、月。",
    "catalogue.promised_limit_value": "承诺时限的数值，0 为即办，不得长于法定时限。办件按受理日所在版本计算。",
    "catalogue.promised_limit_unit": "承诺时限的单位：工作日、日（自然日）、月。",
    "catalogue.mode": "办理方式。",
    "catalogue.materials": "所需材料（公共代码），多个用 | 连接。",
    "catalogue.provenance": "本行内容的出处。",
    "items.item": "事项的内部名称，须在事项清单中。",
    "items.base_code": "事项在本地区的基本编码，12 至 14 位，为文本。",
    "items.name": "事项在本地区的名称。",
    "divisions.code": "六位行政区划代码（GB/T 2260），为文本。",
    "divisions.name": "区划名称（不含上级）。",
    "divisions.full_name": "区划全称（含上级），以名称结尾。",
    "divisions.level": "province 省级，prefecture 市级，county 县级。",
    "divisions.parent": "上级区划代码；省级为空。",
    "divisions.valid_from": "启用日期，空为一直有效。",
    "divisions.valid_to": "撤销日期（当日起不再有效），空为现行。",
    "divisions.successors": "撤销后的继任区划代码，多个用 | 连接。",
    "agencies.division": "经办机构所在区划代码。",
    "agencies.agency": "经办机构名称。",
    "agencies.uscc": "统一社会信用代码，18 位，含校验码。",
    "agencies.level": "行使层级，1 至 6。",
    "legs.item": "事项的内部名称，须在事项清单中。",
    "legs.leg": "环节的序号：1、2、3……",
    "legs.name": "环节的名称。",
    "legs.place": "由谁办理：old 原参保地，new 新参保地。",
    "legs.begins": "环节从什么时候开始计时。",
    "legs.limit_value": "本环节时限的数值。",
    "legs.limit_unit": "本环节时限的单位：工作日、日（自然日）、月。",
    "guides.item": "事项的内部名称。",
    "guides.name": "办事指南中的事项名称。",
    "guides.flow": "办理流程，各步用 | 连接。",
    "guides.mode": "办理方式。",
    "guides.materials": "所需材料（公共代码），多个用 | 连接。",
    "guides.legal_limit_value": "法定办结时限的数值，0 为即办。",
    "guides.legal_limit_unit": "法定办结时限的单位：工作日、日（自然日）、月。",
    "guides.promised_limit_value": "承诺办结时限的数值，0 为即办。",
    "guides.promised_limit_unit": "承诺办结时限的单位：工作日、日（自然日）、月。",
    "guides.conditions": "受理条件。",
    "guides.applicants": "服务对象（公共代码），多个用 | 连接。",
    "guides.fee": "收费情况。",
    "guides.result": "办理结果的名称。",
    "guides.open": "yes 开通跨省通办，no 不开通；两地指南有未解决的冲突时不能开通。",
    "guides.division": "经办机构所在区划代码；乡级再加三位。",
    "guides.agency": "经办机构名称。",
    "guides.level": "行使层级：province 省级，prefecture 市级，county 县级，township 乡级。",
    "equivalences.equivalence_id": "编号，E 加至少三位数字。",
    "equivalences.element": "办事指南的哪一个要素。",
    "equivalences.items": "适用的事项，多个用 | 连接；* 为全部事项。",
    "equivalences.region": "一方地区。",
    "equivalences.value": "一方指南中的写法。",
    "equivalences.other_region": "另一方地区。",
    "equivalences.other_value": "另一方指南中的写法，双方认为与前者等效。",
    "basis": "依据的文件名称与文号，必填。",
    "effective_from": "生效日期（含当日），写成 2026-12-01。",
    "effective_to": "失效日期（不含当日），写成 2026-12-01；空为长期有效。",
    "mark": "出处标记：real 为公开可查，designed 为拟定。",
    "name": "名称。",
    "note": "说明，供阅读，不参与计算。",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """The words of a column; ``several``: a cell may join some with ``|``, so others are not refused."""

    words: tuple[str, ...]
    several: bool = False


_FIXED = {
    "codes.direction": (BOTH, READ, WRITE),
    "codes.lossy": ("no",),
    "recognition.subject_kind": tuple(SUBJECTS),
    "catalogue.kind": tuple(sorted(KINDS)),
    "catalogue.form": tuple(sorted(FORMS)),
    "catalogue.legal_limit_unit": tuple(UNIT_KEYS),
    "catalogue.promised_limit_unit": tuple(UNIT_KEYS),
    "divisions.level": tuple(sorted(LEVELS)),
    "legs.place": tuple(PLACES),
    "legs.begins": tuple(BEGINNINGS),
    "legs.limit_unit": tuple(UNIT_KEYS),
    "guides.legal_limit_unit": tuple(UNIT_KEYS),
    "guides.promised_limit_unit": tuple(UNIT_KEYS),
    "guides.open": OPEN_WORDS,
    "guides.level": tuple(AGENCY_LEVELS),
    "equivalences.element": tuple(ELEMENTS),
    "agencies.level": tuple("123456"),
}
_FROM_HUB = {
    "catalogue.schemes": ("scheme",),
    "catalogue.applicants": ("applicant_type",),
    "catalogue.materials": ("material",),
    "guides.applicants": ("applicant_type",),
    "guides.materials": ("material",),
    "recognition.subject": ("material", "result", "settlement"),
    "recognition.accepted_as": ("material", "result", "settlement"),
}
_REGIONS = {
    "recognition.issued_by",
    "recognition.accepted_by",
    "equivalences.region",
    "equivalences.other_region",
}
_ITEMS = {"items.item", "legs.item", "guides.item"}
_ITEMS_OR_ANY = {"recognition.items", "equivalences.items"}
_SEVERAL = {
    "catalogue.schemes",
    "catalogue.applicants",
    "catalogue.materials",
    "guides.applicants",
    "guides.materials",
    *_ITEMS_OR_ANY,
}
_ALONE = {"catalogue", "divisions", "agencies", "legs", "equivalences"}


def part_of(path: str) -> str:
    """The part of the layout a table belongs to: its own name for the single ones, else its folder."""
    folder, _, rest = path.removesuffix(".csv").partition("/")
    if brought(path):
        return brought(path)
    return rest if rest in _ALONE else folder


def explanation(path: str, column: str) -> str:
    """What to write into this column of this table; empty when nobody said."""
    return EXPLANATIONS.get(f"{part_of(path)}.{column}") or EXPLANATIONS.get(column, "")


def choice(path: str, column: str, sheets: Sheets) -> Choice | None:
    """The words to choose from; None where any text may stand."""
    name = f"{part_of(path)}.{column}"
    words = _words(name, path, sheets)
    return Choice(tuple(dict.fromkeys(words)), name in _SEVERAL) if words else None


def _words(name: str, path: str, sheets: Sheets) -> Sequence[str]:
    if name in _FIXED:
        return _FIXED[name]
    hubs = _FROM_HUB.get(name, ())
    if name == "codes.key":
        hubs = (path.removesuffix(".csv").rpartition("/")[2],)
    if hubs:
        return [key for hub in hubs for key in _keys(sheets, hub)]
    if name in _REGIONS:
        return sheets.regions
    if name in _ITEMS | _ITEMS_OR_ANY:
        items = [line["item"] for line in sheets.catalogue]
        return items if name in _ITEMS else [ANY_ITEM, *items]
    return ()


def _keys(sheets: Sheets, hub: str) -> list[str]:
    sheet = sheets.hubs.get(hub)
    return [line["key"] for line in sheet] if sheet else []
