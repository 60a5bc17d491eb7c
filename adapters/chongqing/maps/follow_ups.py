"""ZT_TZ, BZ_CL, CH_SQ, PJ_TS: status, supplement, withdrawal, rating (crossing §4.7–4.10)."""

from __future__ import annotations

from adapters.chongqing import irregular as odd
from adapters.chongqing.irregular import BJXX
from adapters.chongqing.maps import blocks
from gateway.canonical.kinds import Kind
from gateway.mapping.converters import word, xml_text
from gateway.mapping.fieldmap import FieldMap, Row
from gateway.mapping.times import iso_time

ZT_TZ = FieldMap(
    "ZT_TZ",
    Kind.STATUS_REPORT,
    blocks.SPELLING,
    rows=(
        *blocks.heads("ZT_TZ"),
        blocks.STATE,
        Row(f"{BJXX}/TBCXZL", None, xml_text(20)),
        Row(f"{BJXX}/BJJG", None, xml_text(20)),
        Row(f"{BJXX}/BJSJ", "status.at", iso_time, need=True),
        Row(f"{BJXX}/ZFHTHYY", "status.reason", xml_text(500)),
    ),
    after_read=(odd.read_heads, odd.read_status),
    before_write=(odd.write_heads, odd.write_status),
)

BZ_CL = FieldMap(
    "BZ_CL",
    Kind.MATERIAL_SUPPLEMENT,
    blocks.SPELLING,
    rows=(
        *blocks.heads("BZ_CL"),
        Row(f"{BJXX}/BZSJ", "supplement.at", iso_time, need=True),
        Row(f"{BJXX}/BZ", "remark", xml_text(500)),
        *blocks.MATERIALS,
    ),
    groups=blocks.material_list(),
    after_read=(odd.read_heads, odd.read_materials),
    before_write=(odd.write_heads, odd.write_materials),
)

CH_SQ = FieldMap(
    "CH_SQ",
    Kind.CASE_WITHDRAW,
    blocks.SPELLING,
    rows=(
        *blocks.heads("CH_SQ"),
        Row(f"{BJXX}/CHSJ", "withdrawal.at", iso_time, need=True),
        Row(f"{BJXX}/CHYY", "withdrawal.reason", xml_text(500), need=True),
    ),
    after_read=(odd.read_heads,),
    before_write=(odd.write_heads,),
)

PJ_TS = FieldMap(
    "PJ_TS",
    Kind.CASE_RATING,
    blocks.SPELLING,
    rows=(
        *blocks.heads("PJ_TS"),
        Row(f"{BJXX}/PJDJ", "rating.score", word("rating", 20), need=True),
        Row(f"{BJXX}/PJNR", "rating.text", xml_text(500)),
        Row(f"{BJXX}/PJQD", "rating.channel", word("rating_channel", 20), need=True),
        Row(f"{BJXX}/PJSJ", "rating.at", iso_time, need=True),
    ),
    after_read=(odd.read_heads,),
    before_write=(odd.write_heads,),
)
