"""tbsy0001 and tbsy0002: unemployment-benefit claim and its answer (crossing §4.3, §4.4)."""

from __future__ import annotations

from adapters.sichuan import irregular as odd
from adapters.sichuan.maps import blocks
from gateway.canonical.kinds import Kind
from gateway.mapping.amounts import integer, yuan
from gateway.mapping.converters import code, json_text, matching
from gateway.mapping.fieldmap import FieldMap, Group, Row
from gateway.mapping.times import date8, month6

TBSY0001 = FieldMap(
    "tbsy0001",
    Kind.UNEMPLOYMENT_CLAIM,
    blocks.SPELLING,
    rows=(
        *blocks.heads("tbsy0001"),
        *blocks.APPLICATION,
        *blocks.person("aac067"),
        *blocks.ACCEPTED,
        blocks.PEER_DIVISION,
        blocks.OWN_DIVISION,
        blocks.SCHEME,
        Row("param.aab004", "employer.name", json_text(128)),
        Row("param.aab998", "employer.uscc", matching("[0-9A-Z]{18}", "应为 18 位统一社会信用代码")),
        Row("param.ajc090", "unemployment.date", date8, need=True),
        Row("param.abc916", None, date8),
        Row("param.abc917", "unemployment.reason", code("leaving_reason", "[0-9]{4}", rule="M10"), need=True),
        Row("param.aae043", "unemployment.registered_on", date8),
        Row("param.sldbz", "unemployment.claim_place", code("claim_place", "[0-9]"), need=True),
        Row("param.aae145", "payment.method", code("payment_method", "[0-9]{2}"), need=True),
        Row("param.aaf200", "_bank_type", json_text(10)),
        Row("param.aae008", "payment.bank", json_text(128)),
        Row("param.aae009", "payment.acc_name", json_text(64)),
        Row("param.aae010", "payment.acc_no", json_text(64)),
        *blocks.MATERIALS,
        blocks.REMARK,
    ),
    groups=(Group("param", need=True), blocks.material_list(at_least=1)),
    form="tbsy",
    accepted_on=blocks.acceptance_day,
    after_read=(
        *blocks.READ_FILING,
        odd.read_contract_end,
        odd.read_materials,
    ),
    before_write=(
        *blocks.WRITE_FILING,
        odd.write_contract_end,
        odd.write_materials,
    ),
)

TBSY0002 = FieldMap(
    "tbsy0002",
    Kind.UNEMPLOYMENT_ANSWER,
    blocks.SPELLING,
    rows=(
        *blocks.heads("tbsy0002"),
        *blocks.OPERATOR,
        Row("param.aae140", "benefit.scheme", code("scheme", "[0-9]{3}", rule="M2"), need=True),
        Row("param.ajc071", "benefit.paid_months", integer(0, 999, rule="M5"), need=True),
        Row("param.ajc072", "benefit.total_months", integer(0, 999, rule="M5"), need=True),
        Row("param.ajc097", "benefit.entitled", integer(1, 24, rule="M5"), need=True),
        Row("param.ajc099", "benefit.remaining", integer(1, 24, rule="M5"), need=True),
        Row("param.ajc061", "benefit.avg_wage", yuan, need=True),
        Row("param.aae019", "benefit.monthly", yuan, need=True),
        Row("param.aae041", "benefit.from", month6, need=True),
        Row("param.aae042", "benefit.to", month6, need=True),
        Row("param.aae013", "benefit.remark", json_text(500)),
    ),
    groups=(Group("param", need=True),),
    after_read=(odd.read_key, odd.read_case_number),
    before_write=(odd.write_heads,),
)
