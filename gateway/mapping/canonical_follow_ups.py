"""What follows up a case in canonical JSON: from a channel, and as it is told to one (crossing §4.2, §4.4, §4.7–4.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.canonical.kinds import Kind
from gateway.mapping import canonical_blocks as blocks
from gateway.mapping import canonical_odd as odd
from gateway.mapping.canonical_forms import count, key, moment, money, rate
from gateway.mapping.converters import json_text, matching
from gateway.mapping.fieldmap import FieldMap, Group, Reading, Row
from gateway.mapping.times import iso_date, iso_month

if TYPE_CHECKING:
    from collections.abc import Callable


def _follow_up(
    kind: Kind, *rows: Row, groups: tuple[Group, ...] = (), reads: tuple[Callable[[Reading], None], ...] = ()
) -> FieldMap:
    return FieldMap(
        f"{blocks.PREFIX}{kind}",
        kind,
        blocks.SPELLING,
        rows=(*blocks.heads(kind), Row("origin_case_no", None, json_text(64)), *blocks.HANDLER, *rows),
        groups=(Group("handler"), *groups),
        after_read=(odd.read_case_number, *reads),
        before_write=(odd.write_heads,),
    )


STATUS_REPORT = _follow_up(
    Kind.STATUS_REPORT,
    blocks.plain("status.state", matching("[0-9]{2}", "应为两位数字的办件状态", rule="M13"), need=True),
    blocks.plain("status.special", key("special_procedure"), rule="M13"),
    blocks.plain("status.at", moment, need=True),
    blocks.plain("status.reason", json_text(500)),
    reads=(odd.read_status,),
)
MATERIAL_SUPPLEMENT = _follow_up(
    Kind.MATERIAL_SUPPLEMENT,
    blocks.plain("supplement.at", moment, need=True),
    *blocks.MATERIALS,
    blocks.REMARK,
    groups=(blocks.material_list(1),),
    reads=(odd.read_computed,),
)
CASE_WITHDRAW = _follow_up(
    Kind.CASE_WITHDRAW,
    blocks.plain("withdrawal.at", moment, need=True),
    blocks.plain("withdrawal.reason", json_text(500), need=True),
)
CASE_RATING = _follow_up(
    Kind.CASE_RATING,
    blocks.plain("rating.score", key("rating"), need=True),
    blocks.plain("rating.text", json_text(500)),
    blocks.plain("rating.channel", key("rating_channel"), need=True),
    blocks.plain("rating.at", moment, need=True),
)

_AMOUNTS = ("before_1998", "after_1998", "current_year", "account", "pooled", "total")

#: told to a channel, never taken from one
TRANSFER_SHEET = _follow_up(
    Kind.TRANSFER_SHEET,
    blocks.plain("applicant.id_no", json_text(32), rule="M17"),
    blocks.plain("applicant.name", json_text(64)),
    blocks.plain("scheme", key("scheme"), need=True, rule="M2"),
    blocks.plain("insured.first_month", iso_month, need=True),
    blocks.plain("insured.from", iso_date, need=True, rule="M7b"),
    blocks.plain("insured.to", iso_date, need=True, rule="M7b"),
    blocks.plain("insured.months", count(0, 999), need=True),
    blocks.plain("insured.deemed_months", count(0, 999), need=True),
    blocks.plain("years[].division", matching("[0-9]{6}", "应为六位区划代码", rule="M8")),
    blocks.plain("years[].year", count(1900, 2099, rule="M7"), need=True),
    blocks.plain("years[].from_month", iso_month, need=True),
    blocks.plain("years[].to_month", iso_month, need=True),
    blocks.plain("years[].months", count(1, 12), need=True),
    *(blocks.plain(f"years[].{name}", money, need=True, rule="M6") for name in ("base", "base_total")),
    blocks.plain("years[].rate", rate, need=True),
    *(blocks.plain(f"years[].{name}", money, need=True) for name in ("principal", "interest", "balance")),
    *(blocks.plain(f"amounts.{name}", money, need=True) for name in _AMOUNTS),
    blocks.REMARK,
    groups=(Group("applicant"), Group("years[]", "years[]", need=True, at_most=60)),
)
UNEMPLOYMENT_ANSWER = _follow_up(
    Kind.UNEMPLOYMENT_ANSWER,
    blocks.plain("benefit.scheme", key("scheme"), need=True, rule="M2"),
    blocks.plain("benefit.paid_months", count(0, 999), need=True),
    blocks.plain("benefit.total_months", count(0, 999), need=True),
    blocks.plain("benefit.entitled", count(1, 24), need=True),
    blocks.plain("benefit.remaining", count(1, 24), need=True),
    blocks.plain("benefit.avg_wage", money, need=True),
    blocks.plain("benefit.monthly", money, need=True),
    blocks.plain("benefit.from", iso_month, need=True),
    blocks.plain("benefit.to", iso_month, need=True),
    blocks.plain("benefit.remark", json_text(500)),
)
