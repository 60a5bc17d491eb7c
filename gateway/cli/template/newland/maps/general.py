"""``apply``: an application for any item that has no form of its own."""

from __future__ import annotations

from datetime import date

from gateway.canonical.kinds import Kind
from gateway.mapping.converters import code, matching
from gateway.mapping.fieldmap import FieldMap, Group, Row

from .. import irregular as odd  # noqa: TID252 - works under a package of any name
from ..converters import moment, text  # noqa: TID252
from .blocks import BODY, PAPERS, PERSON, REMARK, SCHEME, SPELLING, WHERE, heads, papers


def _acceptance_day(tree: object) -> date | None:
    """The day whose tables judge an application: that of its own time, None when it cannot be read."""
    body = tree.get("body") if isinstance(tree, dict) else None
    written = body.get("acceptedAt") if isinstance(body, dict) else None
    try:
        return date.fromisoformat(str(written)[:10])
    except ValueError:
        return None


APPLY = FieldMap(
    "apply",
    Kind.GENERAL_APPLY,
    SPELLING,
    rows=(
        *heads("apply"),
        *WHERE,
        Row("body.acceptedAt", "accepted_at", moment, need=True),
        Row("body.applicant", "applicant.type", code("applicant_type", "[a-z_]{1,20}"), need=True),
        *PERSON,
        Row("body.employer.name", "employer.name", text(128)),
        Row("body.employer.uscc", "employer.uscc", matching("[0-9A-Z]{18}", "应为 18 位统一社会信用代码")),
        SCHEME,
        *PAPERS,
        Row("body.extras[].k", "fields[].name", text(64), need=True),
        Row("body.extras[].v", "fields[].value", text(1000), need=True),
        REMARK,
    ),
    groups=(
        BODY,
        Group("body.person", need=True),
        Group("body.employer"),
        papers(need=False),
        Group("body.extras[]", "fields[]", at_least=0, at_most=50),
    ),
    form="tbty",
    accepted_on=_acceptance_day,
    after_read=(odd.read_key, odd.read_new_case, odd.read_item, odd.read_accepted_state),
    before_write=(odd.write_heads, odd.write_item),
)
