"""ZGRZ_TZ: benefit-qualification certification (crossing §4.5)."""

from __future__ import annotations

from adapters.chongqing import irregular as odd
from adapters.chongqing.irregular import BJXX, YWXX
from adapters.chongqing.maps import blocks
from gateway.canonical.kinds import Kind
from gateway.mapping.borders import peer_name
from gateway.mapping.converters import word, xml_text
from gateway.mapping.fieldmap import FieldMap, Row
from gateway.mapping.times import iso_date, iso_time

ZGRZ_TZ = FieldMap(
    "ZGRZ_TZ",
    Kind.CERTIFICATION_NOTICE,
    blocks.SPELLING,
    rows=(
        *blocks.heads("ZGRZ_TZ"),
        *blocks.acceptance(promised=False),
        Row(f"{BJXX}/BJJG", None, xml_text(20), need=True),
        *blocks.PERSON,
        *blocks.scheme(),
        Row(f"{YWXX}/DYFFDMC", "target.division", peer_name(), need=True),
        Row(f"{YWXX}/RZFS", "certification.method", word("certification_method", 20), need=True),
        Row(f"{YWXX}/RZSJ", "certification.at", iso_time, need=True),
        Row(f"{YWXX}/SCZT", "certification.alive", word("alive", 20), need=True),
        Row(f"{YWXX}/RZYXQZ", "_valid_to", iso_date, rule="M16", write_from="certification.valid_to"),
        blocks.REMARK,
    ),
    form="tbrz",
    accepted_on=blocks.acceptance_day,
    after_read=(
        *blocks.READ_APPLICATION,
        odd.read_identity,
        odd.read_scheme,
        odd.read_certification,
    ),
    before_write=(
        *blocks.WRITE_APPLICATION,
        odd.write_certification,
    ),
)
