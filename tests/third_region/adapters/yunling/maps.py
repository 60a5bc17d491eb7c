"""The field maps of YL-N v1: six kinds, each declared once and run in both directions.

A row says: this native path is that canonical path, spelled so. ``{own}``/``{peer}`` are origin and target seen
from here; a path that begins with ``_`` crosses nowhere; None is held for a function of ``irregular.py``.
Kinds that have no map here (transfers, unemployment) are not taken by this province: the gateway parks them.
"""

from __future__ import annotations

from datetime import date

from gateway.canonical.kinds import Kind
from gateway.mapping.borders import case_number, peer_code
from gateway.mapping.converters import code, fixed, json_text, matching, place_code
from gateway.mapping.fieldmap import FieldMap, Group, Row, Spelling

from . import irregular as odd
from .converters import moment

_SPELLING = Spelling()
_OWN_CASE = "YL-59[0-9]{4}-[0-9]{8}-[0-9]{5}"
_BODY = Group("body", need=True)


def _heads(kind: str) -> tuple[Row, ...]:
    return (
        Row("type", None, fixed(kind), need=True),
        Row("id", None, matching("(YL|TB)[0-9]{18}", "应为 YL 加 18 位数字的报文编号"), need=True),
        # our own form, or the gateway's for a case that started elsewhere
        Row("case", None, case_number("应为 YL 或 CYTB 开头的办件编号", own=_OWN_CASE), need=True),
        Row("gatewayCase", None, case_number("应为 CYTB 加 22 位数字的通办编号")),
    )


_WHERE: tuple[Row, ...] = (
    Row("body.item", None, matching("YL[0-9]{10}", "应为 YL 加 10 位数字的事项编码"), need=True),
    Row("body.here", "{own}.division", place_code("59"), need=True),
    # by this the message finds its receiver: any other region in force
    Row("body.there", "{peer}.division", peer_code(), need=True),
    Row("body.channel", "channel", code("channel", "[a-z-]{1,20}"), need=True),
)

_PERSON: tuple[Row, ...] = (
    Row("body.person.name", "applicant.name", json_text(64), need=True),
    Row("body.person.idType", "applicant.id_type", code("id_type", "[A-Z]{1,4}"), need=True),
    Row("body.person.idNo", "applicant.id_no", json_text(32), need=True, rule="M17"),
    Row("body.person.phone", "applicant.mobile", json_text(32)),
)

_PAPERS: tuple[Row, ...] = (
    Row(
        "body.papers[].code",
        "materials[].type",
        code("material", "P[0-9]{3}", rule="M9"),
        need=True,
        # what is written is what this side accepts it as
        write_from="materials[].accepted_as",
    ),
    Row("body.papers[].how", "materials[].method", code("material_method", "[a-z]{1,8}"), need=True),
    Row("body.papers[].licence", "materials[].licence_ref", json_text(64)),
    Row("body.papers[].file", "materials[].file_ref", json_text(64)),
)

_SCHEME = Row("body.scheme", "scheme", code("scheme", "[A-Z]{2,8}", rule="M2"))
_REMARK = Row("body.remark", "remark", json_text(500))


def _papers(*, need: bool) -> Group:
    return Group("body.papers[]", "materials[]", need=need, at_least=1 if need else 0, at_most=50)


def _acceptance_day(tree: object) -> date | None:
    """The day whose tables judge an application: that of its own time, None when it cannot be read."""
    body = tree.get("body") if isinstance(tree, dict) else None
    written = (body.get("acceptedAt") or body.get("certifiedAt")) if isinstance(body, dict) else None
    try:
        return date.fromisoformat(str(written)[:10])
    except ValueError:
        return None


_READ_NEW = (odd.read_key, odd.read_new_case, odd.read_item)
_READ_NEXT = (odd.read_key, odd.read_case_number)

APPLY = FieldMap(
    "apply",
    Kind.GENERAL_APPLY,
    _SPELLING,
    rows=(
        *_heads("apply"),
        *_WHERE,
        Row("body.acceptedAt", "accepted_at", moment, need=True),
        Row("body.applicant", "applicant.type", code("applicant_type", "[A-Z]"), need=True),
        *_PERSON,
        Row("body.employer.name", "employer.name", json_text(128)),
        Row("body.employer.uscc", "employer.uscc", matching("[0-9A-Z]{18}", "应为 18 位统一社会信用代码")),
        _SCHEME,
        *_PAPERS,
        Row("body.extras[].k", "fields[].name", json_text(64), need=True),
        Row("body.extras[].v", "fields[].value", json_text(1000), need=True),
        _REMARK,
    ),
    groups=(
        _BODY,
        Group("body.person", need=True),
        Group("body.employer"),
        _papers(need=False),
        Group("body.extras[]", "fields[]", at_least=0, at_most=50),
    ),
    form="tbty",
    accepted_on=_acceptance_day,
    after_read=(*_READ_NEW, odd.read_accepted_state),
    before_write=(odd.write_heads, odd.write_item),
)

NOTICE = FieldMap(
    "notice",
    Kind.CERTIFICATION_NOTICE,
    _SPELLING,
    rows=(
        *_heads("notice"),
        *_WHERE,
        Row("body.certifiedAt", "certification.at", moment, need=True),
        *_PERSON,
        Row("body.scheme", "scheme", code("scheme", "[A-Z]{2,8}", rule="M2"), need=True),
        Row("body.alive", "certification.alive", code("alive", "[a-z]{1,8}"), need=True),
        Row("body.method", "certification.method", code("certification_method", "[a-z]{1,8}"), need=True),
        _REMARK,
    ),
    groups=(_BODY, Group("body.person", need=True)),
    form="tbrz",
    accepted_on=_acceptance_day,
    after_read=(*_READ_NEW, odd.read_certified),
    before_write=(odd.write_heads, odd.write_item, odd.write_certified),
)

STATUS = FieldMap(
    "status",
    Kind.STATUS_REPORT,
    _SPELLING,
    rows=(
        *_heads("status"),
        Row("body.state", None, matching("[A-Z-]{2,12}", "应为大写字母的办件状态"), need=True),
        Row("body.at", "status.at", moment, need=True),
        Row("body.reason", "status.reason", json_text(500)),
    ),
    groups=(_BODY,),
    after_read=(*_READ_NEXT, odd.read_status),
    before_write=(odd.write_heads, odd.write_status),
)

SUPPLEMENT = FieldMap(
    "supplement",
    Kind.MATERIAL_SUPPLEMENT,
    _SPELLING,
    rows=(*_heads("supplement"), Row("body.at", "supplement.at", moment, need=True), *_PAPERS, _REMARK),
    groups=(_BODY, _papers(need=True)),
    after_read=_READ_NEXT,
    before_write=(odd.write_heads,),
)

WITHDRAW = FieldMap(
    "withdraw",
    Kind.CASE_WITHDRAW,
    _SPELLING,
    rows=(
        *_heads("withdraw"),
        Row("body.at", "withdrawal.at", moment, need=True),
        Row("body.reason", "withdrawal.reason", json_text(500), need=True),
    ),
    groups=(_BODY,),
    after_read=_READ_NEXT,
    before_write=(odd.write_heads,),
)

RATING = FieldMap(
    "rating",
    Kind.CASE_RATING,
    _SPELLING,
    rows=(
        *_heads("rating"),
        Row("body.stars", "rating.score", code("rating", "[1-5]"), need=True),
        Row("body.words", "rating.text", json_text(500)),
        Row("body.channel", "rating.channel", code("rating_channel", "[a-z]{1,12}"), need=True),
        Row("body.at", "rating.at", moment, need=True),
    ),
    groups=(_BODY,),
    after_read=_READ_NEXT,
    before_write=(odd.write_heads,),
)

ALL = {each.native_kind: each for each in (APPLY, NOTICE, STATUS, SUPPLEMENT, WITHDRAW, RATING)}
