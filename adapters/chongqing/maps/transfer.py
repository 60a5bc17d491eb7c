"""YLZY_SQ and YLZY_XXB: pension transfer application and information sheet (crossing §4.1, §4.2)."""

from __future__ import annotations

from adapters.chongqing import irregular as odd
from adapters.chongqing.converters import period_end, period_start, year_text
from adapters.chongqing.irregular import BJXX, YWXX
from adapters.chongqing.maps import blocks
from gateway.canonical.kinds import Kind
from gateway.mapping.amounts import digits, fen, month_count, percent
from gateway.mapping.borders import any_name
from gateway.mapping.converters import code, fixed, matching, xml_text
from gateway.mapping.fieldmap import FieldMap, Group, Row
from gateway.mapping.times import iso_month

_LXH = f"{YWXX}/LXH"

YLZY_SQ = FieldMap(
    "YLZY_SQ",
    Kind.TRANSFER_APPLY,
    blocks.SPELLING,
    rows=(
        *blocks.heads("YLZY_SQ"),
        *blocks.acceptance("_accepting"),
        *blocks.PERSON,
        *blocks.scheme(),
        Row(f"{YWXX}/ZYFX", "_direction", code("transfer_direction", "转入|转出", rule="M15"), need=True),
        Row(f"{YWXX}/ZCDMC", "transfer.from_division", any_name(), need=True),
        Row(f"{YWXX}/ZRDMC", "transfer.to_division", any_name(), need=True),
        Row(f"{_LXH}/BH", "contact_letter.no", xml_text(32), need=True),
        Row(f"{_LXH}/KHH", "contact_letter.bank", xml_text(128)),
        Row(f"{_LXH}/HM", "contact_letter.acc_name", xml_text(128)),
        Row(f"{_LXH}/ZH", "contact_letter.acc_no", xml_text(64)),
        Row(f"{_LXH}/DZ", "contact_letter.addr", xml_text(128)),
        Row(f"{_LXH}/YB", "contact_letter.post", matching("[0-9]{6}", "应为六位邮政编码")),
        Row(f"{_LXH}/DH", "contact_letter.tel", xml_text(32)),
        Row(
            f"{YWXX}/SFDQJS",
            "_settlement",
            code("yes_no", "是|否", rule="M16"),
            write_from="periodic_settlement",
        ),
        blocks.REMARK,
        *blocks.MATERIALS,
    ),
    groups=(Group(_LXH), *blocks.material_list()),
    form="tbzy",
    accepted_on=blocks.acceptance_day,
    after_read=(
        *blocks.READ_FILING,
        odd.read_transfer,
        odd.read_materials,
    ),
    before_write=(
        *blocks.WRITE_APPLICATION,
        odd.write_materials,
    ),
)

_MONEY = tuple(
    Row(f"{YWXX}/{native}", f"amounts.{name}", fen, need=True)
    for native, name in (
        ("GRZH1998Q", "before_1998"),
        ("GRZH1998H", "after_1998"),
        ("DNJZ", "current_year"),
        ("GRZHZYE", "account"),
        ("TCZYE", "pooled"),
        ("ZYZE", "total"),
    )
)
_NMX = f"{YWXX}/NMX[]"
_TWO_DIGITS = matching("0[1-9]|1[0-2]", "应为 01 至 12 的两位月份", rule="M7")

YLZY_XXB = FieldMap(
    "YLZY_XXB",
    Kind.TRANSFER_SHEET,
    blocks.SPELLING,
    rows=(
        *blocks.heads("YLZY_XXB"),
        Row(f"{BJXX}/BJZT", None, fixed("已转出"), need=True),
        *blocks.scheme(),
        Row(f"{YWXX}/SCCBNY", "insured.first_month", iso_month, need=True),
        Row(f"{YWXX}/JFQSNY", "insured.from", period_start, need=True),
        Row(f"{YWXX}/JFZZNY", "insured.to", period_end, need=True),
        Row(f"{YWXX}/SJJFYS", "insured.months", month_count, need=True),
        Row(f"{YWXX}/STJFYS", "insured.deemed_months", month_count, need=True),
        Row(f"{_NMX}/ND", "years[].year", year_text, need=True),
        Row(f"{_NMX}/QSY", None, _TWO_DIGITS, need=True),
        Row(f"{_NMX}/ZZY", None, _TWO_DIGITS, need=True),
        Row(f"{_NMX}/YS", "years[].months", digits(1, 12, rule="M5"), need=True),
        Row(f"{_NMX}/NJFJS", None, fen, need=True),
        Row(f"{_NMX}/GRBL", "years[].rate", percent, need=True),
        Row(f"{_NMX}/DNJZBJ", "years[].principal", fen, need=True),
        Row(f"{_NMX}/DNLX", "years[].interest", fen, need=True),
        Row(f"{_NMX}/NMLJ", "years[].balance", fen, need=True),
        Row(f"{YWXX}/QSLX", "_settlement_interest", fen, write_from="_"),
        *_MONEY,
        blocks.REMARK,
    ),
    groups=(Group(_NMX, "years[]", need=True, at_most=60),),
    after_read=(odd.read_heads, odd.read_scheme, odd.read_case, odd.read_years),
    before_write=(odd.write_heads, odd.write_sheet_state, odd.write_scheme, odd.write_years),
)
