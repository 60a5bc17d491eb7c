"""TY_SQ: the general application, every other item (crossing §4.6)."""

from __future__ import annotations

from adapters.chongqing import irregular as odd
from adapters.chongqing.irregular import SQR, YWXX
from adapters.chongqing.maps import blocks
from gateway.canonical.kinds import Kind
from gateway.mapping.borders import peer_name
from gateway.mapping.converters import matching, word, xml_text
from gateway.mapping.fieldmap import FieldMap, Group, Row

TY_SQ = FieldMap(
    "TY_SQ",
    Kind.GENERAL_APPLY,
    blocks.SPELLING,
    rows=(
        *blocks.heads("TY_SQ"),
        *blocks.acceptance(),
        Row(f"{SQR}/SQRLX", "applicant.type", word("applicant_type", 8), need=True),
        *blocks.PERSON,
        *blocks.scheme(need=False),
        Row(f"{YWXX}/YSDMC", "target.division", peer_name(), need=True),
        Row(f"{YWXX}/DWMC", "employer.name", xml_text(128)),
        Row(f"{YWXX}/DWXYDM", "employer.uscc", matching("[0-9A-Z]{18}", "应为 18 位统一社会信用代码")),
        Row(f"{YWXX}/KZX[]/MC", "fields[].name", xml_text(64), need=True),
        Row(f"{YWXX}/KZX[]/Z", "fields[].value", xml_text(1000), need=True),
        blocks.REMARK,
        *blocks.MATERIALS,
    ),
    groups=(
        Group(f"{YWXX}/KZX[]", "fields[]", at_least=0, at_most=50),
        *blocks.material_list(need=False),
    ),
    form="tbty",
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
