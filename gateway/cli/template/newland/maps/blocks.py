"""Rows several maps share: heads, places, the person, materials.

A row says: this native path is that canonical path, spelled so. ``{own}``/``{peer}`` are origin and target seen
from here; a path that begins with ``_`` crosses nowhere; None is held for a function of ``irregular.py``.
"""

from __future__ import annotations

from gateway.mapping.borders import case_number, peer_code
from gateway.mapping.converters import code, fixed, matching, place_code
from gateway.mapping.fieldmap import Group, Row, Spelling

from ..converters import text  # noqa: TID252 - works under a package of any name

SPELLING = Spelling()
_OWN_CASE = "QQ-98[0-9]{4}-[0-9]{8}-[0-9]{5}"
BODY = Group("body", need=True)


def heads(kind: str) -> tuple[Row, ...]:
    return (
        Row("type", None, fixed(kind), need=True),
        Row("id", None, matching("(QQ|TB)[0-9]{18}", "应为 QQ 加 18 位数字的报文编号"), need=True),
        # our own form, or the gateway's for a case that started elsewhere
        Row("case", None, case_number("应为 QQ 或 CYTB 开头的办件编号", own=_OWN_CASE), need=True),
        Row("gatewayCase", None, case_number("应为 CYTB 加 22 位数字的通办编号")),
    )


WHERE: tuple[Row, ...] = (
    Row("body.item", None, matching("QQ[0-9]{10}", "应为 QQ 加 10 位数字的事项编码"), need=True),
    Row("body.here", "{own}.division", place_code("98"), need=True),
    # by this the message finds its receiver: any other region in force
    Row("body.there", "{peer}.division", peer_code(), need=True),
    Row("body.channel", "channel", code("channel", "[a-z_]{1,20}"), need=True),
)

PERSON: tuple[Row, ...] = (
    Row("body.person.name", "applicant.name", text(64), need=True),
    Row("body.person.idType", "applicant.id_type", code("id_type", "[0-9]{2}"), need=True),
    Row("body.person.idNo", "applicant.id_no", text(32), need=True, rule="M17"),
    Row("body.person.phone", "applicant.mobile", text(32)),
)

PAPERS: tuple[Row, ...] = (
    Row(
        "body.papers[].code",
        "materials[].type",
        code("material", "[a-z_]{1,40}", rule="M9"),
        need=True,
        # what is written is what this side accepts it as
        write_from="materials[].accepted_as",
    ),
    Row("body.papers[].how", "materials[].method", code("material_method", "[a-z_]{1,20}"), need=True),
    Row("body.papers[].licence", "materials[].licence_ref", text(64)),
    Row("body.papers[].file", "materials[].file_ref", text(64)),
)

SCHEME = Row("body.scheme", "scheme", code("scheme", "[0-9]{3}", rule="M2"))
REMARK = Row("body.remark", "remark", text(500))


def papers(*, need: bool) -> Group:
    return Group("body.papers[]", "materials[]", need=need, at_least=1 if need else 0, at_most=50)
