"""tbzt0001, tbbz0001, tbch0001, tbpj0001: status, supplement, withdrawal, rating (crossing §4.7–4.10)."""

from __future__ import annotations

from adapters.sichuan import irregular as odd
from adapters.sichuan.maps import blocks
from gateway.canonical.kinds import Kind
from gateway.mapping.converters import code, json_text, matching
from gateway.mapping.fieldmap import FieldMap, Group, Row
from gateway.mapping.times import time14

_PARAM = Group("param", need=True)

TBZT0001 = FieldMap(
    "tbzt0001",
    Kind.STATUS_REPORT,
    blocks.SPELLING,
    rows=(
        *blocks.heads("tbzt0001"),
        *blocks.OPERATOR,
        Row("param.blzt", None, matching("[0-9]{2}", "应为两位数字的办件状态"), need=True),
        Row("param.blsj", "status.at", time14, need=True),
        Row("param.blyy", "status.reason", json_text(500)),
        Row("param.tbcx", None, matching("[0-9]", "应为一位数字的特别程序")),
    ),
    groups=(_PARAM,),
    after_read=(odd.read_key, odd.read_case_number, odd.read_status),
    before_write=(odd.write_heads, odd.write_status),
)

TBBZ0001 = FieldMap(
    "tbbz0001",
    Kind.MATERIAL_SUPPLEMENT,
    blocks.SPELLING,
    rows=(
        *blocks.heads("tbbz0001"),
        *blocks.OPERATOR,
        Row("param.bzsj", "supplement.at", time14, need=True),
        *blocks.MATERIALS,
        blocks.REMARK,
    ),
    groups=(_PARAM, blocks.material_list(at_least=1)),
    after_read=(odd.read_key, odd.read_case_number, odd.read_materials),
    before_write=(odd.write_heads, odd.write_materials),
)

TBCH0001 = FieldMap(
    "tbch0001",
    Kind.CASE_WITHDRAW,
    blocks.SPELLING,
    rows=(
        *blocks.heads("tbch0001"),
        *blocks.OPERATOR,
        Row("param.chsj", "withdrawal.at", time14, need=True),
        Row("param.chyy", "withdrawal.reason", json_text(500), need=True),
    ),
    groups=(_PARAM,),
    after_read=(odd.read_key, odd.read_case_number),
    before_write=(odd.write_heads,),
)

TBPJ0001 = FieldMap(
    "tbpj0001",
    Kind.CASE_RATING,
    blocks.SPELLING,
    rows=(
        *blocks.heads("tbpj0001"),
        *blocks.OPERATOR,
        Row("param.pjdj", "rating.score", code("rating", "[0-9]"), need=True),
        Row("param.pjnr", "rating.text", json_text(500)),
        Row("param.pjqd", "rating.channel", code("rating_channel", "[0-9]"), need=True),
        Row("param.pjsj", "rating.at", time14, need=True),
    ),
    groups=(_PARAM,),
    after_read=(odd.read_key, odd.read_case_number),
    before_write=(odd.write_heads,),
)
