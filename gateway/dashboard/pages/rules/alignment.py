"""``/ops/rules/alignment``: the two sides' guides of every item, element by element: same, equivalent, or in conflict."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from gateway.dashboard.desk import Desk, Refused, needs
from gateway.dashboard.texts import N_
from gateway.dashboard.views.rulebook import registry
from gateway.mapping.alignment import Verdict, align
from gateway.mapping.alignment_report import workbook
from gateway.mapping.guides import ELEMENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.mapping.alignment import Alignment

router = APIRouter(prefix="/rules")

#: How a verdict is marked: tone, icon, word.
VERDICTS: Mapping[Verdict, tuple[str, str, str]] = {
    Verdict.SAME: ("good", "check", N_("一致")),
    Verdict.EQUIVALENT: ("work", "arrows-diff", N_("依规则等效")),
    Verdict.CONFLICT: ("bad", "alert-triangle", N_("冲突")),
}
ELEMENT_NAMES: Mapping[str, str] = {
    "name": N_("事项名称"),
    "basis": N_("设定依据"),
    "flow": N_("办理流程"),
    "mode": N_("办理方式"),
    "materials": N_("所需材料"),
    "legal_limit": N_("法定办结时限"),
    "promised_limit": N_("承诺办结时限"),
    "conditions": N_("受理条件"),
    "applicants": N_("服务对象"),
    "fee": N_("收费"),
    "result": N_("办理结果"),
}
#: Columns of the matrix are narrow.
SHORT: Mapping[str, str] = {
    "name": N_("名称"),
    "basis": N_("依据"),
    "flow": N_("流程"),
    "mode": N_("方式"),
    "materials": N_("材料"),
    "legal_limit": N_("法定"),
    "promised_limit": N_("承诺"),
    "conditions": N_("条件"),
    "applicants": N_("对象"),
    "fee": N_("收费"),
    "result": N_("结果"),
}
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get("/alignment")
async def alignment(
    desk: Annotated[Desk, needs("look")],
    item: Annotated[str, Query(max_length=64)] = "",
    on: Annotated[str, Query(max_length=10)] = "",
    verdict: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    """The matrix of all items, and one item in full."""
    report = _report(desk, on)
    items = [
        each for each in report.items if not verdict or any(c.verdict == verdict for c in each.comparisons)
    ]
    chosen = next((each for each in report.items if each.item == item), None)
    if item and chosen is None:
        raise Refused(404, desk.say("这一天各地都没有这个事项的指南"))
    tables = desk.rt.tables
    return desk.page(
        "rules/alignment.html",
        report=report,
        items=items,
        chosen=chosen,
        verdicts=VERDICTS,
        counts=Counter(c.verdict for each in report.items for c in each.comparisons),
        elements=ELEMENT_NAMES,
        short=SHORT,
        order=tuple(ELEMENTS),
        verdict=verdict,
        on=report.on,
        materials=tables.hub("material").meanings,
        applicants=tables.hub("applicant_type").meanings,
    )


@router.get("/alignment.xlsx")
async def sheet(
    desk: Annotated[Desk, needs("look")], on: Annotated[str, Query(max_length=10)] = ""
) -> Response:
    """The same as a workbook."""
    report = _report(desk, on)
    name = f"alignment-{report.on.isoformat()}.xlsx"
    return Response(
        workbook(report), media_type=_SHEET, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _report(desk: Desk, on: str) -> Alignment:
    day = registry(desk).today
    with suppress(ValueError):
        day = date.fromisoformat(on)
    tables = desk.rt.tables
    return align(tables.guides, tables.rules, on=day)
