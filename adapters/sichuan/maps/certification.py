"""tbrz0001: benefit-qualification certification (crossing §4.5)."""

from __future__ import annotations

from adapters.sichuan import irregular as odd
from adapters.sichuan.maps import blocks
from gateway.canonical.kinds import Kind
from gateway.mapping.converters import code, matching
from gateway.mapping.fieldmap import FieldMap, Group, Row
from gateway.mapping.times import date8, time14

TBRZ0001 = FieldMap(
    "tbrz0001",
    Kind.CERTIFICATION_NOTICE,
    blocks.SPELLING,
    rows=(
        *blocks.heads("tbrz0001"),
        *blocks.APPLICATION,
        Row("csk084a1", "_channel_sub", matching("[0-9]{1,8}", "应为 1 至 8 位数字", rule="M22")),
        *blocks.person("aac067"),
        blocks.SCHEME,
        Row("param.aac060", "certification.alive", code("alive", "[0-9]"), need=True),
        Row("param.bic162", None, date8, need=True),
        Row("param.aae036", "certification.at", time14, need=True),
        Row("param.rzfs", "certification.method", code("certification_method", "[0-9]{2}"), need=True),
        blocks.OWN_DIVISION,
        blocks.PEER_DIVISION,
        blocks.REMARK,
    ),
    groups=(Group("param", need=True),),
    form="tbrz",
    accepted_on=blocks.acceptance_day,
    after_read=(
        *blocks.READ_APPLICATION,
        odd.read_certification,
    ),
    before_write=(*blocks.WRITE_APPLICATION, odd.write_certification),
)
