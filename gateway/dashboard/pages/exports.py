"""``/ops/exports``: a person's files, how far they are, and the files themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.datastructures import QueryParams
from starlette.responses import Response, StreamingResponse

from gateway.canonical.worktime import BEIJING
from gateway.dashboard.desk import Desk, Refused, needs
from gateway.dashboard.pages.cases import asked
from gateway.dashboard.views import case_filters, exporting
from gateway.dashboard.views.case_lines import names_of
from gateway.store.audit import Line
from gateway.store.exports import MOST, Export, Exports

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

router = APIRouter()

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_Looker = Annotated[Desk, needs("look")]


@router.get("/exports")
async def exports(desk: _Looker) -> Response:
    """All of the last day."""
    return desk.page("exports/exports.html", **await _told(desk))


@router.get("/exports/progress")
async def progress(desk: _Looker) -> Response:
    """The same, as a fragment that asks again while something is under way."""
    return desk.part("exports/_exports.html", **await _told(desk))


@router.post("/exports")
async def export(
    desk: _Looker,
    query: Annotated[str, Form(max_length=2000)] = "",
    format_: Annotated[str, Form(alias="format")] = "xlsx",
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Begins to write the list of these filters; on record first."""
    reason = reason.strip()
    if format_ not in _TYPES or not reason:
        return desk.refuse(400, desk.say("请填写理由并选择格式"))
    filters = asked(desk, QueryParams(query))
    chips = case_filters.chips(desk, filters, names_of(desk))
    title = "；".join(f"{chip.name}：{chip.text}" for chip in chips) or desk.say("全部办件")
    begun = Export(desk.rt.new_id(), desk.staff.name, format_, title, desk.now)
    line = Line(desk.actor, "export", "cases", reason, None, {"format": format_, "filter": filters.query()})

    async def also(connection: AsyncConnection) -> None:
        await desk.rt.audit.write(connection, line)

    if not await Exports(desk.rt.engine).begin(begun, also):
        return desk.refuse(409, desk.say("已有 %(n)s 个导出正在进行，请等它们完成", n=MOST))
    exporting.start(desk, begun, filters.wanted(desk))
    return desk.done(desk.say("已开始导出，完成后可在这里下载"), to="/ops/exports")


@router.post("/exports/{export_id}/cancel")
async def cancel(desk: _Looker, export_id: UUID) -> Response:
    """Gives one up."""
    found = await _own(desk, export_id)
    await Exports(desk.rt.engine).end(found.id, "cancelled", desk.now)
    return desk.done(desk.say("已取消导出"), to="/ops/exports")


@router.get("/exports/{export_id}/file")
async def file(desk: _Looker, export_id: UUID) -> Response:
    """The file, in the parts it was kept in."""
    found = await _own(desk, export_id)
    if found.state != "done":
        raise Refused(409, desk.say("文件尚未生成，请在“我的导出”查看进度"))
    stamp = found.created_at.astimezone(BEIJING).strftime("%Y%m%d-%H%M")
    name = quote(f"{desk.say('办件')}-{stamp}.{found.format}")
    return StreamingResponse(
        Exports(desk.rt.engine).parts(found.id),
        media_type=_TYPES[found.format],
        headers={
            "Content-Disposition": f"attachment; filename=\"cases-{stamp}.{found.format}\"; filename*=UTF-8''{name}"
        },
    )


async def _own(desk: Desk, export_id: UUID) -> Export:
    found = await Exports(desk.rt.engine).find(desk.staff.name, export_id)
    if found is None:
        raise Refused(404, desk.say("没有这个导出，它可能已过一天被清除"))
    return found


async def _told(desk: Desk) -> dict[str, Any]:
    found = await Exports(desk.rt.engine).of(desk.staff.name)
    told = [(each, each.state_at(desk.now)) for each in found]
    return {"exports": told, "busy": any(state == "running" for _, state in told), "most": exporting.MOST}
