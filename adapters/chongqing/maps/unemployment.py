"""SYJ_SQ and SYJ_HF: unemployment-benefit claim and its answer (crossing §4.3, §4.4)."""

from __future__ import annotations

from adapters.chongqing import irregular as odd
from adapters.chongqing.irregular import YWXX
from adapters.chongqing.maps import blocks
from gateway.canonical.kinds import Kind
from gateway.mapping.amounts import digits, fen
from gateway.mapping.borders import peer_name
from gateway.mapping.converters import matching, word, xml_text
from gateway.mapping.fieldmap import FieldMap, Row
from gateway.mapping.times import iso_date, iso_month

SYJ_SQ = FieldMap(
    "SYJ_SQ",
    Kind.UNEMPLOYMENT_CLAIM,
    blocks.SPELLING,
    rows=(
        *blocks.heads("SYJ_SQ"),
        *blocks.acceptance(),
        *blocks.PERSON,
        *blocks.scheme(),
        Row(f"{YWXX}/CBDMC", "target.division", peer_name(), need=True),
        Row(f"{YWXX}/YDWMC", "employer.name", xml_text(128)),
        Row(f"{YWXX}/YDWXYDM", "employer.uscc", matching("[0-9A-Z]{18}", "应为 18 位统一社会信用代码")),
        Row(f"{YWXX}/SYRQ", "unemployment.date", iso_date, need=True),
        Row(
            f"{YWXX}/SYYY",
            "unemployment.reason",
            word("leaving_reason", 64, rule="M10"),
            need=True,
        ),
        Row(f"{YWXX}/SYDJRQ", "unemployment.registered_on", iso_date),
        Row(f"{YWXX}/SLFS", "unemployment.claim_place", word("claim_place", 20), need=True),
        Row(f"{YWXX}/FFFS", "payment.method", word("payment_method", 20), need=True),
        Row(f"{YWXX}/KHYH", "payment.bank", xml_text(128)),
        Row(f"{YWXX}/HM", "payment.acc_name", xml_text(64)),
        Row(f"{YWXX}/ZH", "payment.acc_no", xml_text(64)),
        blocks.REMARK,
        *blocks.MATERIALS,
    ),
    groups=blocks.material_list(),
    form="tbsy",
    accepted_on=blocks.acceptance_day,
    after_read=(
        *blocks.READ_FILING,
        odd.read_materials,
    ),
    before_write=(
        *blocks.WRITE_APPLICATION,
        odd.write_materials,
    ),
)

SYJ_HF = FieldMap(
    "SYJ_HF",
    Kind.UNEMPLOYMENT_ANSWER,
    blocks.SPELLING,
    rows=(
        *blocks.heads("SYJ_HF"),
        *blocks.scheme(),
        Row(f"{YWXX}/BCYS", "benefit.paid_months", digits(0, 999, rule="M5"), need=True),
        Row(f"{YWXX}/LJYS", "benefit.total_months", digits(0, 999, rule="M5"), need=True),
        Row(f"{YWXX}/YXYS", "benefit.entitled", digits(1, 24, rule="M5"), need=True),
        Row(f"{YWXX}/SYYS", "benefit.remaining", digits(1, 24, rule="M5"), need=True),
        Row(f"{YWXX}/PJGZ", "benefit.avg_wage", fen, need=True),
        Row(f"{YWXX}/YFBZ", "benefit.monthly", fen, need=True),
        Row(f"{YWXX}/QSNY", "benefit.from", iso_month, need=True),
        Row(f"{YWXX}/ZZNY", "benefit.to", iso_month, need=True),
        Row(f"{YWXX}/BZ", "benefit.remark", xml_text(500)),
    ),
    after_read=(odd.read_heads, odd.read_benefit_scheme),
    before_write=(odd.write_heads, odd.write_benefit_scheme),
)
