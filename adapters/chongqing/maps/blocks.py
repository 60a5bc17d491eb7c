"""Rows that several CQ-N messages share, in the order of the interface (crossing §3)."""

from __future__ import annotations

from datetime import date

from adapters.chongqing import irregular as odd
from adapters.chongqing.irregular import BJXX, SQR, YWXX
from gateway.mapping.amounts import digits
from gateway.mapping.borders import case_number
from gateway.mapping.converters import code, fixed, matching, place_name, word, xml_text
from gateway.mapping.fieldmap import Group, Row, Spelling
from gateway.mapping.times import iso_date, iso_time

SPELLING = Spelling(separator="/", first_index=1, ordered=True, blank_is_absent=False)

_ADDRESS = "CYTB|CQ50[0-9]{4}"
_CASE_NO = "CQ50[0-9]{4}[0-9]{8}[0-9]{6}"
_GUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def heads(kind: str) -> tuple[Row, ...]:
    """HEAD and the case number: minted, checked by irregular functions, never traced."""
    return (
        Row("HEAD/BBH", None, fixed("1.0"), need=True),
        Row("HEAD/FSF", None, matching(_ADDRESS, "应为 CQ 加六位区划代码"), need=True),
        Row("HEAD/JSF", None, matching(_ADDRESS, "应为 CYTB"), need=True),
        Row("HEAD/JYM", None, fixed(kind), need=True),
        Row("HEAD/LSH", None, matching("(CQ|TB)[0-9]{20}", "应为 CQ 加 14 位时间加 6 位数字"), need=True),
        Row("HEAD/FSSJ", None, iso_time, need=True),
        Row(f"{BJXX}/SBLSH", None, case_number("应为 CQ 或 CYTB 开头的申办流水号", own=_CASE_NO), need=True),
    )


ITEM: tuple[Row, ...] = (
    Row(
        f"{BJXX}/SXBM",
        None,
        matching("[0-9A-Z]{18}[1-6][0-9]{12}", "应为 31 位事项实施编码"),
        need=True,
    ),
    Row(f"{BJXX}/SXMC", "_item_name", xml_text(200), need=True, rule="M21", write_from="_"),
)
ACCEPTED = Row(f"{BJXX}/SLSJ", "accepted_at", iso_time, need=True)
CHANNEL = Row(f"{BJXX}/SLQD", "channel", word("channel", 20))
PROMISED: tuple[Row, ...] = (
    Row(f"{BJXX}/CNSX", "_claimed.value", digits(0, 999, rule="M12"), write_from="limit.value"),
    Row(
        f"{BJXX}/CNSXDW",
        "_claimed.unit",
        word("limit_unit", 8, rule="M12"),
        write_from="limit.unit",
    ),
)
STATE = Row(f"{BJXX}/BJZT", None, xml_text(20), need=True)


def place_of_acceptance(to: str = "origin.division") -> Row:
    return Row(f"{BJXX}/SLD", to, place_name("50"), need=True, write_from="origin.division")


def acceptance(place: str = "origin.division", *, promised: bool = True) -> tuple[Row, ...]:
    """Item, place, time, channel, promised limit and state of an application."""
    limit = PROMISED if promised else ()
    return (*ITEM, place_of_acceptance(place), ACCEPTED, CHANNEL, *limit, STATE)


PERSON: tuple[Row, ...] = (
    Row(f"{SQR}/XM", "applicant.name", xml_text(64), need=True),
    Row(f"{SQR}/ZJLX", None, matching("[A-Z]", "应为一位大写字母的证件类型"), need=True),
    Row(f"{SQR}/ZJHM", "applicant.id_no", xml_text(32), need=True, rule="M17"),
    Row(f"{SQR}/XB", "applicant.sex", word("sex", 8)),
    Row(f"{SQR}/MZ", "applicant.nation", word("ethnic_group", 20)),
    Row(f"{SQR}/CSRQ", "applicant.birth_date", iso_date),
    Row(f"{SQR}/HKXZ", "applicant.hukou_type", word("hukou", 20)),
    Row(f"{SQR}/HJDMC", "applicant.hukou_place", xml_text(128)),
    Row(f"{SQR}/SJH", "applicant.mobile", xml_text(32)),
)


def scheme(*, need: bool = True) -> tuple[Row, ...]:
    return (
        Row(f"{YWXX}/XZLX", None, matching("[0-9]", "应为一位数字的险种类型"), need=need),
        Row(f"{YWXX}/YLLX", None, matching("[0-9]", "应为一位数字的养老类型")),
    )


REMARK = Row(f"{YWXX}/BZ", "remark", xml_text(500))

MATERIALS: tuple[Row, ...] = (
    Row(
        "BODY/CLLB/CL[]/CLBH",
        "materials[].type",
        code("material", _GUID, rule="M9"),
        need=True,
        write_from="materials[].accepted_as",
    ),
    Row("BODY/CLLB/CL[]/CLMC", None, xml_text(128), need=True),
    Row("BODY/CLLB/CL[]/TJFS", "materials[].method", word("material_method", 20), need=True),
    Row("BODY/CLLB/CL[]/ZZBS", "materials[].licence_ref", xml_text(64)),
    Row("BODY/CLLB/CL[]/WJBS", "materials[].file_ref", xml_text(64)),
)


def material_list(*, need: bool = True) -> tuple[Group, ...]:
    return (
        Group("BODY/CLLB", need=need),
        Group("BODY/CLLB/CL[]", "materials[]", need=True, at_most=50),
    )


def acceptance_day(tree: object) -> date | None:
    """The date of SLSJ, for choosing the tables (crossing §3)."""
    body = tree.get("BODY") if isinstance(tree, dict) else None
    head = body.get("BJXX") if isinstance(body, dict) else None
    written = head.get("SLSJ") if isinstance(head, dict) else None
    try:
        return date.fromisoformat(str(written)[:10])
    except ValueError:
        return None


#: what every application of this side needs beyond its rows
READ_APPLICATION = (odd.read_heads, odd.read_new_case, odd.read_item, odd.read_channel)
READ_FILING = (*READ_APPLICATION, odd.read_state, odd.read_promised, odd.read_identity, odd.read_scheme)
WRITE_APPLICATION = (
    odd.write_heads,
    odd.write_application_heads,
    odd.write_identity,
    odd.write_scheme,
)
