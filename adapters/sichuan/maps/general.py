"""tbty0001: the general application, every other item (crossing §4.6)."""

from __future__ import annotations

from dataclasses import replace

from adapters.sichuan import irregular as odd
from adapters.sichuan.maps import blocks
from gateway.canonical.kinds import Kind
from gateway.mapping.converters import code, json_text, matching
from gateway.mapping.fieldmap import FieldMap, Group, Row

TBTY0001 = FieldMap(
    "tbty0001",
    Kind.GENERAL_APPLY,
    blocks.SPELLING,
    rows=(
        *blocks.heads("tbty0001"),
        *blocks.APPLICATION,
        Row("param.sqrlx", "applicant.type", code("applicant_type", "[0-9]"), need=True),
        Row("param.sjbz", None, matching("[01]", "应为 0 或 1")),
        *blocks.person("aac067"),
        *blocks.ACCEPTED,
        blocks.PEER_DIVISION,
        blocks.OWN_DIVISION,
        replace(blocks.SCHEME, need=False),
        Row("param.aab004", "employer.name", json_text(128)),
        Row("param.aab998", "employer.uscc", matching("[0-9A-Z]{18}", "应为 18 位统一社会信用代码")),
        Row("param.ywxx[].name", "fields[].name", json_text(64), need=True),
        Row("param.ywxx[].value", "fields[].value", json_text(1000), need=True),
        *blocks.MATERIALS,
        blocks.REMARK,
    ),
    groups=(
        Group("param", need=True),
        Group("param.ywxx[]", "fields[]", at_least=0, at_most=50),
        blocks.material_list(at_least=0),
    ),
    form="tbty",
    accepted_on=blocks.acceptance_day,
    after_read=(
        *blocks.READ_FILING,
        odd.read_materials,
    ),
    before_write=(
        *blocks.WRITE_FILING,
        odd.write_materials,
    ),
)
