"""Bulk reruns: try it dry, start, follow, pause, resume, approve, cancel, and see what became of what."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Path, Query
from starlette.responses import JSONResponse, Response

from gateway.exchange import rerun
from gateway.store.reruns import Order, Wanted
from gateway.web import operate_schemas as shapes
from gateway.web import schemas
from gateway.web.operate import CONFLICT, NOT_FOUND, NothingAsked, Opened, Operator, Said
from gateway.web.problem import Problem
from gateway.web.queries import PageQuery
from gateway.web.views import moment

if TYPE_CHECKING:
    from gateway.runtime import Runtime
    from gateway.store.reruns import Item, Rerun

router = APIRouter(prefix="/v1", tags=["运维"])

_ON_MOVE = {**NOT_FOUND, **CONFLICT}


@router.post(
    "/reruns",
    status_code=202,
    summary="批量重办（可试算）",
    response_model=shapes.RerunShape,
    responses={
        200: {"model": shapes.RerunPreview, "description": "试算结果（dry_run）"},
        404: {"model": schemas.Problem, "description": "没有符合条件的报文"},
    },
)
async def start(
    caller: Operator, rt: Opened, asked: Annotated[shapes.RerunRequest, Body()], _query: NothingAsked
) -> Response:
    """按条件选出死信、被拒或挂起的报文，按办件先后逐条重办；超过设定条数的须第二人批准后才开始。"""
    _check(rt, asked)
    given = asked.filter.model_dump()
    wanted = Wanted(**given | {"case_nos": tuple(given["case_nos"])})
    alone = rt.settings.delivery.rerun_alone_up_to
    if asked.dry_run:
        return JSONResponse(_preview(await rerun.preview(rt, wanted, asked.cap, alone)))
    order = Order(
        id=rt.new_id(),
        wanted=wanted,
        by=caller.actor,
        reason=asked.reason,
        at=rt.clock.now(),
        per_second=asked.per_second,
        cap=asked.cap,
        alone_up_to=alone,
    )
    job = await rerun.start(rt, order)
    if job is None:
        raise Problem("not-found", "没有符合条件的报文，请用 dry_run 调整条件")
    return JSONResponse(_job(job), 202)


@router.get("/reruns", summary="批量重办列表", response_model=shapes.RerunList)
async def listed(_caller: Operator, rt: Opened, query: Annotated[PageQuery, Query()]) -> Response:
    """新的在前。"""
    try:
        after = None if query.after is None else UUID(query.after)
    except ValueError:
        raise Problem("bad-cursor", "after 须原样使用上一页返回的 next") from None
    found = await rt.reruns.page(query.limit + 1, after)
    page, more = found[: query.limit], len(found) > query.limit
    return JSONResponse({"reruns": [_job(job) for job in page], "next": str(page[-1].id) if more else None})


@router.get(
    "/reruns/{id}", summary="一次批量重办的进度与结果", response_model=shapes.RerunView, responses=NOT_FOUND
)
async def show(
    _caller: Operator,
    rt: Opened,
    id_: Annotated[str, Path(alias="id", description="重办编号")],
    query: Annotated[PageQuery, Query()],
) -> Response:
    """进度、按变化归并的结果对照，以及逐条对照（翻页）。"""
    job = await _found(rt, id_)
    if query.after is not None and not query.after.isdecimal():
        raise Problem("bad-cursor", "after 须原样使用上一页返回的 next")
    after = min(int(query.after or 0), rerun.MOST)
    items = await rt.reruns.items(job.id, query.limit + 1, after)
    page, more = items[: query.limit], len(items) > query.limit
    changes = [asdict(change) for change in await rt.reruns.diff(job.id)]
    return JSONResponse(
        {
            **_job(job),
            "changes": changes,
            "items": [_item(item) for item in page],
            "next": str(page[-1].n) if more else None,
        }
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who wants a bulk rerun to do what is next, which, and why."""

    rt: Runtime
    id: str
    by: str
    reason: str


def _asked(
    caller: Operator,
    rt: Opened,
    id_: Annotated[str, Path(alias="id", description="重办编号")],
    said: Said,
    _query: NothingAsked,
) -> _Asked:
    return _Asked(rt, id_, caller.actor, said.reason)


@router.post(
    "/reruns/{id}/approve", summary="批准批量重办", response_model=shapes.RerunShape, responses=_ON_MOVE
)
async def approve(asked: Annotated[_Asked, Depends(_asked)]) -> Response:
    """须由发起人以外的人批准；批准后开始。"""
    return await _moved(asked, "approve")


@router.post(
    "/reruns/{id}/pause", summary="暂停批量重办", response_model=shapes.RerunShape, responses=_ON_MOVE
)
async def pause(asked: Annotated[_Asked, Depends(_asked)]) -> Response:
    """应答之后不再重办下一条；已重办的照常投递。"""
    return await _moved(asked, "pause")


@router.post(
    "/reruns/{id}/resume", summary="继续批量重办", response_model=shapes.RerunShape, responses=_ON_MOVE
)
async def resume(asked: Annotated[_Asked, Depends(_asked)]) -> Response:
    """从停下的地方继续，已重办的不重复。"""
    return await _moved(asked, "resume")


@router.post(
    "/reruns/{id}/cancel", summary="取消批量重办", response_model=shapes.RerunShape, responses=_ON_MOVE
)
async def cancel(asked: Annotated[_Asked, Depends(_asked)]) -> Response:
    """未重办的保持原状；已重办的照常投递。"""
    return await _moved(asked, "cancel")


async def _moved(asked: _Asked, verb: str) -> Response:
    job = await _found(asked.rt, asked.id)
    try:
        moved = await rerun.move(asked.rt, job.id, verb, asked.by, asked.reason)
    except PermissionError:
        raise Problem("conflict", "发起人不能批准自己的批量重办，请由另一人批准") from None
    job = await _found(asked.rt, asked.id)
    if not moved:
        raise Problem("conflict", f"这次批量重办现在是 {job.state}，不能这样操作")
    return JSONResponse(_job(job))


async def _found(rt: Runtime, id_: str) -> Rerun:
    try:
        job = await rt.reruns.find(UUID(id_))
    except ValueError:
        job = None
    if job is None:
        raise Problem("not-found", "没有这次批量重办，请核对编号")
    return job


def _check(rt: Runtime, asked: shapes.RerunRequest) -> None:
    slug = asked.filter.destination
    if slug is not None and slug not in rt.regions:
        raise Problem("bad-request", f"filter.destination 须为 {'、'.join(sorted(rt.regions))} 之一")


def _preview(found: rerun.Preview) -> dict[str, Any]:
    return {
        "messages": found.messages,
        "capped": found.capped,
        "needs_approval": found.needs_approval,
        "causes": [{"cause": cause, "messages": n} for cause, n in found.causes.items()],
        "sample": [
            {
                "id": str(each.message_id),
                "case_no": each.case_no,
                "destination": each.destination,
                "kind": each.native_kind,
                "state": each.before_state,
                "cause": each.before_cause,
            }
            for each in found.sample
        ],
    }


def _job(job: Rerun) -> dict[str, Any]:
    same = ("state", "reason", "created_by", "needs_approval", "approved_by", "per_second", "total", "tried")
    return {
        "id": str(job.id),
        **{name: getattr(job, name) for name in (*same, "capped")},
        "filter": dict(job.filter),
        "created_at": moment(job.created_at),
        "finished_at": moment(job.finished_at),
    }


def _item(item: Item) -> dict[str, Any]:
    same = ("n", "case_no", "destination", "before_state", "before_cause", "result")
    return {
        "id": str(item.message_id),
        "kind": item.native_kind,
        **{name: getattr(item, name) for name in (*same, "after_state", "after_cause")},
    }
