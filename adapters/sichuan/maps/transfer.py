"""tbzy0001 and tbzy0002: pension transfer application and information sheet (crossing §4.1, §4.2)."""

from __future__ import annotations

from adapters.sichuan import irregular as odd
from adapters.sichuan.maps import blocks
from gateway.canonical.kinds import Kind
from gateway.mapping.amounts import integer, month_number, rate, yuan
from gateway.mapping.borders import any_code, peer_code
from gateway.mapping.converters import code, json_text, matching
from gateway.mapping.fieldmap import FieldMap, Group, Row
from gateway.mapping.times import date8, month6

TBZY0001 = FieldMap(
    "tbzy0001",
    Kind.TRANSFER_APPLY,
    blocks.SPELLING,
    rows=(
        *blocks.heads("tbzy0001"),
        *blocks.APPLICATION,
        *blocks.person("aae005"),
        blocks.SCHEME,
        Row("param.aac070", "_direction", code("transfer_direction", "[12]", rule="M15"), need=True),
        Row("param.aae173", "_transfer_type", matching("[0-9]{2}", "应为两位数字", rule="M22")),
        *blocks.ACCEPTED,
        Row("param.aab299", None, any_code(), need=True),
        blocks.OWN_DIVISION,
        Row("param.lxh.aae270", "contact_letter.no", json_text(32), need=True),
        Row("param.lxh.aac155", "contact_letter.bank", json_text(128)),
        Row("param.lxh.aac080", "contact_letter.bank_no", json_text(20)),
        Row("param.lxh.aae009", "contact_letter.acc_name", json_text(128)),
        Row("param.lxh.aac078", "contact_letter.acc_no", json_text(64)),
        Row("param.lxh.aae006", "contact_letter.addr", json_text(128)),
        Row("param.lxh.aae007", "contact_letter.post", matching("[0-9]{6}", "应为六位邮政编码")),
        Row("param.lxh.aae005", "contact_letter.tel", json_text(32)),
        Row("param.yac519", "_explanation", json_text(500)),
        Row("param.yac250", "{peer}.division", peer_code(), need=True),
        Row("param.yac256", None, json_text(128)),
        Row("param.yac251", None, json_text(128)),
        *blocks.MATERIALS,
        blocks.REMARK,
    ),
    groups=(Group("param", need=True), Group("param.lxh"), blocks.material_list(at_least=1)),
    form="tbzy",
    accepted_on=blocks.acceptance_day,
    after_read=(
        *blocks.READ_FILING,
        odd.read_transfer,
        odd.read_materials,
    ),
    before_write=(
        *blocks.WRITE_FILING,
        odd.write_transfer,
        odd.write_materials,
    ),
)

_MONEY = tuple(
    Row(f"param.{native}", f"amounts.{name}", yuan, need=True)
    for native, name in (
        ("aic093", "before_1998"),
        ("aic089", "after_1998"),
        ("aic082", "current_year"),
        ("aic083", "account"),
        ("aic084", "pooled"),
        ("aic102", "total"),
    )
)

TBZY0002 = FieldMap(
    "tbzy0002",
    Kind.TRANSFER_SHEET,
    blocks.SPELLING,
    rows=(
        *blocks.heads("tbzy0002"),
        *blocks.OPERATOR,
        Row("aac002", "applicant.id_no", json_text(32), need=True, rule="M17"),
        Row("aac003", "applicant.name", json_text(64), need=True),
        blocks.SCHEME,
        Row("param.aac049", "insured.first_month", month6, need=True),
        Row("param.aae030", "insured.from", date8, need=True, rule="M7b"),
        Row("param.aae031", "insured.to", date8, need=True, rule="M7b"),
        Row("param.aae201", "insured.months", month_number, need=True),
        Row("param.aae200", "insured.deemed_months", month_number, need=True),
        Row(
            "param.ic91[].aab299",
            "years[].division",
            matching("[0-9]{6}", "应为六位区划代码", rule="M8"),
            need=True,
        ),
        Row("param.ic91[].aae001", "years[].year", integer(1900, 2100, rule="M7"), need=True),
        Row("param.ic91[].aae041", "years[].from_month", month6, need=True),
        Row("param.ic91[].aae042", "years[].to_month", month6, need=True),
        Row("param.ic91[].aae202", "years[].months", integer(1, 12, rule="M5"), need=True),
        Row("param.ic91[].aae180", None, yuan, need=True),
        Row("param.ic91[].yae181", None, yuan),
        Row("param.ic91[].aaa041", "years[].rate", rate, need=True),
        Row("param.ic91[].aae264", "years[].principal", yuan, need=True),
        Row("param.ic91[].aae265", "years[].interest", yuan, need=True),
        Row("param.ic91[].aae273", "years[].balance", yuan, need=True),
        *_MONEY,
        blocks.REMARK,
    ),
    groups=(Group("param", need=True), Group("param.ic91[]", "years[]", need=True, at_most=60)),
    after_read=(odd.read_key, odd.read_case_number, odd.read_period, odd.read_years),
    before_write=(odd.write_heads, odd.write_sheet, odd.write_years),
)
