"""Where is my case: one case, lists, parked messages and their release (gateway §1, §2)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse, Response

from gateway.exchange import intervene
from gateway.exchange.masking import Masker
from gateway.store.cases import CaseFilter
from gateway.web import schemas, views
from gateway.web.auth import COLLECTING, Caller, needs, runtime
from gateway.web.clocks import clock_view
from gateway.web.problem import Problem
from gateway.web.queries import CaseQuery, NoQuery, PageQuery

if TYPE_CHECKING:
    from gateway.canonical.tracking import TrackedCase
    from gateway.runtime import Runtime
    from gateway.store.records import ParkedMessage

router = APIRouter(prefix="/v1", tags=["办件"])

_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": schemas.Problem, "description": "没有找到"}}


def masker(request: Request) -> Masker:
    """Made once: the field maps do not change while the process runs."""
    found: Masker | None = getattr(request.app.state, "masker", None)
    if found is None:
        found = request.app.state.masker = Masker.of(runtime(request).regions)
    return found


@router.get("/cases", summary="办件列表", response_model=schemas.CasePage)
async def cases(
    caller: Annotated[Caller, needs("cases", COLLECTING)],
    rt: Annotated[Any, Depends(runtime)],
    query: Annotated[CaseQuery, Query()],
) -> Response:
    """收件时间新的在前，同时收件的按办件编号降序。翻页期间新到的办件不影响后续各页。收件渠道只能看到自己收取的办件。"""
    if query.region is not None and query.region not in rt.regions:
        raise Problem("bad-request", f"region 须为 {'、'.join(rt.regions)} 之一")
    wanted = CaseFilter(**query.model_dump(exclude={"limit", "after"}))
    if caller.collector is not None:
        wanted = replace(wanted, channel=caller.collector.name, outlets=caller.collector.outlets)
    try:
        found, following = await rt.cases.page(wanted, query.limit, query.after)
    except ValueError:
        raise _bad_cursor() from None
    return JSONResponse({"cases": [views.case_line(case) for case in found], "next": following})


@router.get("/cases/{case_no}", summary="一个办件", response_model=schemas.CaseView, responses=_NOT_FOUND)
async def case(
    caller: Annotated[Caller, needs("cases", COLLECTING)],
    rt: Annotated[Any, Depends(runtime)],
    masks: Annotated[Masker, Depends(masker)],
    case_no: Annotated[str, Path(description="通办编号", examples=["CYTB5101042026112300000017"])],
    _query: Annotated[NoQuery, Query()],
) -> Response:
    """状态、期限、经过和字段留痕；有 cases:full 权限时不脱敏，每次查看均留审计记录。"""
    history = await rt.cases.history(case_no) if case_no.isalnum() else None
    if history is None or not _may_see(caller, history.record.case):
        raise Problem("not-found", "没有这个办件，请核对通办编号")
    full = caller.may("cases:full")
    if full:  # on record before anything is shown
        await rt.audit.append(caller.actor, "look", case_no, "cases:full")
    view = views.case_view(history, masker=masks, full=full)
    return JSONResponse(view | clock_view(history, rt.tables, rt.clock.now()))


def _may_see(caller: Caller, found: TrackedCase) -> bool:
    """A channel sees what it has collected itself, as far as its credential reaches."""
    return caller.collector is None or caller.collector.owns(found)


@router.get("/parked", summary="挂起的报文", response_model=schemas.ParkedPage)
async def parked(
    _caller: Annotated[Caller, needs("cases")],
    rt: Annotated[Any, Depends(runtime)],
    query: Annotated[PageQuery, Query()],
) -> Response:
    """等待码表或规则的报文。"""
    try:
        found, following = await rt.cases.parked_page(query.limit, query.after)
    except ValueError:
        raise _bad_cursor() from None
    return JSONResponse({"parked": [views.parked_line(message) for message in found], "next": following})


@router.get("/parked/groups", summary="挂起的报文，按原因归并", response_model=schemas.ParkedGroups)
async def parked_groups(
    _caller: Annotated[Caller, needs("cases")],
    rt: Annotated[Any, Depends(runtime)],
    query: Annotated[PageQuery, Query()],
) -> Response:
    """缺同一行码表或同一条规则的报文归为一组，报文多的在前；只统计最早的 5000 条。补齐后用 tongban release --cause 放行。"""
    try:
        found, following = await rt.cases.parked_groups(query.limit, query.after)
    except ValueError:
        raise _bad_cursor() from None
    return JSONResponse({"groups": [views.parked_group(group) for group in found], "next": following})


@router.post(
    "/parked/{id}/release",
    status_code=202,
    summary="重新处理挂起的报文",
    response_model=schemas.Released,
    responses={**_NOT_FOUND, 409: {"model": schemas.Problem, "description": "仍缺少码表或规则，见 findings"}},
)
async def release(
    caller: Annotated[Caller, needs("operate")],
    rt: Annotated[Any, Depends(runtime)],
    id_: Annotated[str, Path(alias="id", description="报文编号")],
    _query: Annotated[NoQuery, Query()],
) -> Response:
    """按当前的表从第 9 步起重新处理；收件时间和受理日期不变。"""
    message = await _parked(rt, id_)
    try:
        findings = await intervene.release(rt, message.id, caller.actor)
    except LookupError:  # someone else was quicker
        raise _not_parked() from None
    if findings:
        lines = [views.finding_line(finding) for finding in findings]
        raise Problem("still-parked", "报文仍不能处理，请先补齐 findings 所列内容", findings=lines)
    return JSONResponse({"id": str(message.id), "status": "released", "case_no": message.case_no}, 202)


async def _parked(rt: Runtime, written: str) -> ParkedMessage:
    try:
        message = await rt.cases.parked(UUID(written))
    except ValueError:
        message = None
    if message is None:
        raise _not_parked()
    return message


def _not_parked() -> Problem:
    return Problem("not-found", "没有这条挂起的报文，它可能已被处理")


def _bad_cursor() -> Problem:
    return Problem("bad-cursor", "after 须原样使用上一页返回的 next")
