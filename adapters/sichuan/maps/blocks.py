"""Rows that several SC-N messages share (crossing §3)."""

from __future__ import annotations

from datetime import date

from adapters.sichuan import irregular as odd
from gateway.mapping.borders import case_number, peer_code
from gateway.mapping.converters import code, fixed, json_text, matching, place_code
from gateway.mapping.fieldmap import Group, Row, Spelling
from gateway.mapping.times import date8, time14

SPELLING = Spelling()

_CASE_NO = "51[0-9]{4}-[0-9]{8}-[0-9]{6}"
_ITEM = "[0-9A-Z]{12,14}-51[0-9]{10}-[0-9]{3}-[0-9A-Z]{18}-[0-9]-[0-9]{2}"

_KEY = Row(
    "aaz002",
    None,
    matching("(SC[0-9]{8}[0-9]{7,12}|TB[0-9]{18})", "应为 SC 加 8 位日期加 7 至 12 位数字"),
    need=True,
)
_NUMBER = Row("affairCode", None, matching(_CASE_NO, "应为 6 位区划-8 位日期-6 位顺序号"), need=True)
_GATEWAY_NO = Row("cytbh", None, case_number("应为 CYTB 加 22 位数字的通办编号"))


def heads(kind: str) -> tuple[Row, ...]:
    """Kind, key and numbers: minted, checked by irregular functions, never traced."""
    return (Row("fwid", None, fixed(kind), need=True), _KEY, _NUMBER, _GATEWAY_NO)


APPLICATION: tuple[Row, ...] = (
    Row("itemCode", None, matching(_ITEM, "应为 基本编码-区划-000-信用代码-1-00 形式的事项编码"), need=True),
    Row("aae011", "handler.no", json_text(20), need=True, rule="M22"),
    Row("aae414", "handler.name", json_text(64), need=True, rule="M22"),
    Row("yab003", "{own}.division", place_code("51"), need=True),
    Row("accept_source", "channel", code("channel", "[0-9]{2}"), need=True),
    Row(
        "aac001",
        "applicant.local_person_no",
        matching("[0-9]{0,20}", "应为至多 20 位数字，未知时为空串", rule="M11", blank_ok=True),
        need=True,
    ),
    Row("aac002", None, json_text(32), need=True),
    Row("aac003", "applicant.name", json_text(64), need=True),
)

#: the operator of a follow-up: traced as dropped, never written
OPERATOR: tuple[Row, ...] = (
    Row("aae011", "handler.no", json_text(20), rule="M22"),
    Row("aae414", "handler.name", json_text(64), rule="M22"),
    Row("yab003", "handler.division", matching("51[0-9]{4}", "应为 51 开头的六位区划代码", rule="M22")),
)


def person(mobile: str) -> tuple[Row, ...]:
    """The applicant (crossing §3.2); ``mobile`` is the field this kind keeps the phone in."""
    return (
        Row("param.aac058", "applicant.id_type", code("id_type", "[0-9]{2}"), need=True),
        Row("param.aac147", "applicant.id_no", json_text(32), need=True, rule="M17"),
        Row("param.aac004", "applicant.sex", code("sex", "[0-9]")),
        Row("param.aac005", "applicant.nation", code("ethnic_group", "[0-9]{2}")),
        Row("param.aac006", "applicant.birth_date", date8),
        Row("param.aac161", "applicant.nationality", matching("[A-Z]{3}", "应为三位大写字母的国籍代码")),
        Row("param.aac009", "applicant.hukou_type", code("hukou", "[0-9]{2}")),
        Row("param.aac010", "applicant.hukou_place", json_text(128)),
        Row(f"param.{mobile}", "applicant.mobile", json_text(32)),
    )


#: when the case was accepted, and this side's own division once more
ACCEPTED: tuple[Row, ...] = (
    Row("param.aae035", None, date8, need=True),
    Row("param.aae036", None, time14),
)
OWN_DIVISION = Row("param.aab301", None, matching("51[0-9]{4}", "应为 51 开头的六位区划代码"), need=True)
PEER_DIVISION = Row("param.aab299", "{peer}.division", peer_code(), need=True)
SCHEME = Row("param.aae140", "scheme", code("scheme", "[0-9]{3}", rule="M2"), need=True)
REMARK = Row("param.aae013", "remark", json_text(500))

MATERIALS: tuple[Row, ...] = (
    Row(
        "param.clist[].clbm",
        "materials[].type",
        code("material", "CL[0-9]{3}", rule="M9"),
        need=True,
        write_from="materials[].accepted_as",
    ),
    Row("param.clist[].clmc", None, json_text(128), need=True),
    Row("param.clist[].sqfs", "materials[].method", code("material_method", "[0-9]"), need=True),
    Row("param.clist[].dzzz", None, matching("[01]", "应为 0 或 1"), need=True),
    Row("param.clist[].zzbs", "materials[].licence_ref", json_text(64)),
    Row("param.clist[].wjbs", "materials[].file_ref", json_text(64)),
)


def material_list(*, at_least: int) -> Group:
    return Group("param.clist[]", "materials[]", need=at_least > 0, at_least=at_least, at_most=50)


def acceptance_day(tree: object) -> date | None:
    """The date of aae036, else of aae035, for choosing the tables (crossing §3)."""
    param = tree.get("param") if isinstance(tree, dict) else None
    if not isinstance(param, dict):
        return None
    written = str(param.get("aae036") or param.get("aae035") or "")
    try:
        return date(int(written[:4]), int(written[4:6]), int(written[6:8]))
    except ValueError:
        return None


#: what every application of this side needs beyond its rows
READ_APPLICATION = (odd.read_key, odd.read_new_case, odd.read_item, odd.read_own_division, odd.read_identity)
READ_FILING = (*READ_APPLICATION, odd.read_accepted, odd.read_state)
WRITE_APPLICATION = (odd.write_heads, odd.write_application_heads)
WRITE_FILING = (*WRITE_APPLICATION, odd.write_accepted)
