"""``status``: what became of a case, both ways."""

from __future__ import annotations

from gateway.canonical.kinds import Kind
from gateway.mapping.converters import matching
from gateway.mapping.fieldmap import FieldMap, Row

from .. import irregular as odd  # noqa: TID252 - works under a package of any name
from ..converters import moment, text  # noqa: TID252
from .blocks import BODY, SPELLING, heads

STATUS = FieldMap(
    "status",
    Kind.STATUS_REPORT,
    SPELLING,
    rows=(
        *heads("status"),
        Row(
            "body.state",
            None,
            matching("[0-9]{2}(-[a-z]{1,20})?", "应为两位数字的办件状态，挂起时加 - 与特别程序"),
            need=True,
        ),
        Row("body.at", "status.at", moment, need=True),
        Row("body.reason", "status.reason", text(500)),
    ),
    groups=(BODY,),
    after_read=(odd.read_key, odd.read_case_number, odd.read_status),
    before_write=(odd.write_heads, odd.write_status),
)
