"""The field maps of the canonical JSON: its own leaves, so that a channel is read and told by the one engine.

A channel (an acceptance point without a system of its own) writes what the regions' maps translate into. Read by
these maps its messages are `Reading`s like any other: findings, trace, parking and replays need no second way.
Source: spec gateway §4, crossing §3 to §5; ADR 0028.
"""

from __future__ import annotations

from types import MappingProxyType

from gateway.canonical.kinds import Kind
from gateway.mapping import canonical_blocks as blocks
from gateway.mapping import canonical_follow_ups as later
from gateway.mapping import canonical_odd as odd
from gateway.mapping.canonical_forms import count, item, key, moment
from gateway.mapping.converters import json_text, matching, place_code
from gateway.mapping.fieldmap import FieldMap, Group, Row
from gateway.mapping.times import iso_date

_POST = matching("[0-9]{6}", "应为六位邮政编码")
_USCC = matching("[0-9A-Z]{18}", "应为 18 位统一社会信用代码")
_OUTLET = matching("[0-9A-Za-z._-]{1,32}", "应为 1 至 32 位字母、数字、点、下划线或连字符", rule="M22")

#: where it was collected; crosses nowhere, kept with the case
COLLECTED = (
    Row("collected_at.outlet.code", "_collected.outlet", _OUTLET, need=True, rule="M22"),
    Row("collected_at.outlet.name", "_collected.outlet_name", json_text(128), need=True, rule="M22"),
    Row("collected_at.reference", "_collected.reference", _OUTLET, rule="M22"),
)

_APPLICANT = (
    blocks.plain("applicant.name", json_text(64), need=True),
    blocks.plain("applicant.id_type", key("id_type"), need=True),
    blocks.plain("applicant.id_no", json_text(32), need=True, rule="M17"),
    blocks.plain("applicant.local_person_no", matching("[0-9]{1,20}", "应为至多 20 位数字", rule="M11")),
    blocks.plain("applicant.sex", key("sex")),
    blocks.plain("applicant.nation", key("ethnic_group")),
    blocks.plain("applicant.birth_date", iso_date),
    blocks.plain("applicant.nationality", matching("[A-Z]{3}", "应为三位大写字母的国籍代码")),
    blocks.plain("applicant.hukou_type", key("hukou")),
    blocks.plain("applicant.hukou_place", json_text(128)),
    blocks.plain("applicant.mobile", json_text(32)),
)

_EMPLOYER = (blocks.plain("employer.name", json_text(128)), blocks.plain("employer.uscc", _USCC))


def _application(kind: Kind, *, scheme: bool) -> tuple[Row, ...]:
    """What every application says; the members only the gateway can know may be echoed and are not carried."""
    return (
        *blocks.heads(kind),
        Row("origin_case_no", None, json_text(64)),
        *blocks.HANDLER,
        blocks.plain("item", item, need=True),
        blocks.plain("channel", key("channel"), need=True),
        blocks.plain("origin.division", place_code(), need=True),
        blocks.plain("target.division", place_code(), need=True),
        blocks.plain("accepted_at", moment, need=True),
        *_APPLICANT,
        blocks.plain("scheme", key("scheme"), need=scheme, rule="M2"),
        Row("limit.value", "_claimed.value", count(0, 999, rule="M12")),
        Row("limit.unit", "_claimed.unit", key("limit_unit"), rule="M12"),
        *COLLECTED,
        blocks.REMARK,
    )


#: optional parts: what stands in them is needed only where they stand
_PARTS = (Group("handler"), Group("limit"))
_READ_FILING = (odd.read_computed, odd.read_received)

TRANSFER_APPLY = FieldMap(
    f"{blocks.PREFIX}{Kind.TRANSFER_APPLY}",
    Kind.TRANSFER_APPLY,
    blocks.SPELLING,
    rows=(
        *_application(Kind.TRANSFER_APPLY, scheme=True),
        blocks.plain("transfer.from_division", place_code(), need=True),
        blocks.plain("transfer.to_division", place_code(), need=True),
        blocks.plain("contact_letter.no", json_text(32), need=True),
        blocks.plain("contact_letter.bank", json_text(128)),
        blocks.plain("contact_letter.bank_no", json_text(20)),
        blocks.plain("contact_letter.acc_name", json_text(128)),
        blocks.plain("contact_letter.acc_no", json_text(64)),
        blocks.plain("contact_letter.addr", json_text(128)),
        blocks.plain("contact_letter.post", _POST),
        blocks.plain("contact_letter.tel", json_text(32)),
        Row("periodic_settlement", "_settlement", key("yes_no"), rule="M16"),
        *blocks.MATERIALS,
    ),
    groups=(*_PARTS, Group("contact_letter"), blocks.material_list(1)),
    form="tbzy",
    accepted_on=odd.acceptance_day,
    after_read=(*_READ_FILING, odd.read_transfer),
)

UNEMPLOYMENT_CLAIM = FieldMap(
    f"{blocks.PREFIX}{Kind.UNEMPLOYMENT_CLAIM}",
    Kind.UNEMPLOYMENT_CLAIM,
    blocks.SPELLING,
    rows=(
        *_application(Kind.UNEMPLOYMENT_CLAIM, scheme=True),
        *_EMPLOYER,
        blocks.plain("unemployment.date", iso_date, need=True),
        blocks.plain("unemployment.reason", key("leaving_reason"), need=True, rule="M10"),
        blocks.plain("unemployment.registered_on", iso_date),
        blocks.plain("unemployment.claim_place", key("claim_place"), need=True),
        blocks.plain("payment.method", key("payment_method"), need=True),
        blocks.plain("payment.bank", json_text(128)),
        blocks.plain("payment.acc_name", json_text(64)),
        blocks.plain("payment.acc_no", json_text(64)),
        *blocks.MATERIALS,
    ),
    groups=(*_PARTS, Group("employer"), blocks.material_list(1)),
    form="tbsy",
    accepted_on=odd.acceptance_day,
    after_read=_READ_FILING,
)

CERTIFICATION_NOTICE = FieldMap(
    f"{blocks.PREFIX}{Kind.CERTIFICATION_NOTICE}",
    Kind.CERTIFICATION_NOTICE,
    blocks.SPELLING,
    rows=(
        *_application(Kind.CERTIFICATION_NOTICE, scheme=True),
        blocks.plain("certification.at", moment, need=True),
        blocks.plain("certification.method", key("certification_method"), need=True),
        blocks.plain("certification.alive", key("alive"), need=True),
        Row("certification.valid_to", "_valid_to", iso_date, rule="M16"),
    ),
    groups=_PARTS,
    form="tbrz",
    accepted_on=odd.acceptance_day,
    after_read=(odd.read_computed, odd.read_certification),
)

GENERAL_APPLY = FieldMap(
    f"{blocks.PREFIX}{Kind.GENERAL_APPLY}",
    Kind.GENERAL_APPLY,
    blocks.SPELLING,
    rows=(
        *_application(Kind.GENERAL_APPLY, scheme=False),
        blocks.plain("applicant.type", key("applicant_type"), need=True),
        *_EMPLOYER,
        blocks.plain("fields[].name", json_text(64), need=True),
        blocks.plain("fields[].value", json_text(1000), need=True),
        *blocks.MATERIALS,
    ),
    groups=(
        *_PARTS,
        Group("employer"),
        Group("fields[]", "fields[]", at_least=0, at_most=50),
        blocks.material_list(0),
    ),
    form="tbty",
    accepted_on=odd.acceptance_day,
    after_read=_READ_FILING,
)


#: by native kind, in the order of `Kind`
CANONICAL = MappingProxyType(
    {
        each.native_kind: each
        for each in (
            TRANSFER_APPLY,
            later.TRANSFER_SHEET,
            UNEMPLOYMENT_CLAIM,
            later.UNEMPLOYMENT_ANSWER,
            CERTIFICATION_NOTICE,
            GENERAL_APPLY,
            later.STATUS_REPORT,
            later.MATERIAL_SUPPLEMENT,
            later.CASE_WITHDRAW,
            later.CASE_RATING,
        )
    }
)


def native_kind(kind: Kind) -> str:
    """The native kind of a canonical message."""
    return f"{blocks.PREFIX}{kind.value}"


def is_canonical(written: str) -> bool:
    """Whether a stored message of this native kind is canonical JSON."""
    return written.startswith(blocks.PREFIX)
