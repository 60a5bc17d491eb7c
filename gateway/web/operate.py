"""Operators' verbs on one delivery and on one destination: look, act, with a reason, on record."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Path, Query
from starlette.responses import JSONResponse, Response

from gateway.exchange import intervene, peers
from gateway.exchange.masking import mask_words
from gateway.exchange.probe import Finish, Probe, Step
from gateway.store.peers import Pace
from gateway.web import operate_schemas as shapes
from gateway.web import schemas
from gateway.web.auth import Caller, needs, runtime
from gateway.web.problem import Problem
from gateway.web.queries import DeliveryQuery, NoQuery
from gateway.web.views import moment

if TYPE_CHECKING:
    from gateway.runtime import Runtime
    from gateway.store.records import OpenDelivery

router = APIRouter(prefix="/v1", tags=["运维"])

NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": schemas.Problem, "description": "没有找到"}}
CONFLICT: dict[int | str, dict[str, Any]] = {409: {"model": schemas.Problem, "description": "当前状态不允许"}}

Operator = Annotated[Caller, needs("operate")]
Opened = Annotated[Any, Depends(runtime)]
Said = Annotated[shapes.Reasoned, Body()]
NothingAsked = Annotated[NoQuery, Query()]
_Slug = Annotated[str, Path(description="去向的地区代号", examples=["{target}"])]


@router.get("/deliveries", summary="未结束的投递", response_model=shapes.DeliveryPage)
async def deliveries(_caller: Operator, rt: Opened, query: Annotated[DeliveryQuery, Query()]) -> Response:
    """按状态和去向筛选，先到的在前；翻页期间的变化不影响后续各页。"""
    try:
        found, following = await rt.deliveries.open(
            query.state, destination=query.destination, limit=query.limit, after=query.after
        )
    except ValueError:
        raise Problem("bad-cursor", "after 须原样使用上一页返回的 next") from None
    return JSONResponse({"deliveries": [_line(each) for each in found], "next": following})


@router.post(
    "/deliveries/{id}/retry",
    status_code=202,
    summary="再次投递一条报文",
    response_model=shapes.Acted,
    responses=NOT_FOUND,
)
async def retry(
    caller: Operator,
    rt: Opened,
    id_: Annotated[str, Path(alias="id", description="报文编号")],
    said: Said,
    _query: NothingAsked,
) -> Response:
    """死信、被拒的重新排队，等待中的立即投递；报文流水号不变，同一办件内的次序不变。"""
    try:
        await intervene.retry(rt, UUID(id_), caller.actor, said.reason)
    except (LookupError, ValueError):
        raise _not_open() from None
    return JSONResponse({"id": id_, "status": "retrying"}, 202)


@router.post(
    "/deliveries/{id}/cancel", summary="取消一次投递", response_model=shapes.Acted, responses=NOT_FOUND
)
async def cancel(
    caller: Operator,
    rt: Opened,
    id_: Annotated[str, Path(alias="id", description="报文编号")],
    said: Said,
    _query: NothingAsked,
) -> Response:
    """不再投递这条报文，同一办件的后续报文继续。"""
    try:
        await intervene.cancel(rt, UUID(id_), caller.actor, said.reason)
    except (LookupError, ValueError):
        raise _not_open() from None
    return JSONResponse({"id": id_, "status": "cancelled"})


@router.get("/peers", summary="各去向的状态", response_model=shapes.PeerList)
async def all_peers(_caller: Operator, rt: Opened, _query: NothingAsked) -> Response:
    """是否暂停、投递节奏、断路器、最近的成功与失败、最早一件等了多久。"""
    return JSONResponse({"peers": [_peer(rt, each) for each in await peers.standings(rt)]})


@router.post("/peers/{slug}/pause", summary="暂停投递", response_model=shapes.PeerShape, responses=NOT_FOUND)
async def pause(caller: Operator, rt: Opened, slug: _Slug, said: Said, _query: NothingAsked) -> Response:
    """应答之后，任何投递进程都不再领取该去向的报文；已发出的调用照常结束。收件不受影响。"""
    _known(rt, slug)
    await peers.pause(rt, slug, caller.actor, said.reason)
    return await _one(rt, slug)


@router.post("/peers/{slug}/resume", summary="恢复投递", response_model=shapes.PeerShape, responses=NOT_FOUND)
async def resume(caller: Operator, rt: Opened, slug: _Slug, said: Said, _query: NothingAsked) -> Response:
    """积压的报文立即开始投递。"""
    _known(rt, slug)
    await peers.resume(rt, slug, caller.actor, said.reason)
    return await _one(rt, slug)


@router.post(
    "/peers/{slug}/pace", summary="设定投递节奏", response_model=shapes.PeerShape, responses=NOT_FOUND
)
async def pace(
    caller: Operator,
    rt: Opened,
    slug: _Slug,
    said: Annotated[shapes.PaceRequest, Body()],
    _query: NothingAsked,
) -> Response:
    """每秒调用数和同时进行的调用数，各投递进程合计；两项都不写即取消限制。"""
    _known(rt, slug)
    await peers.set_pace(rt, slug, Pace(said.per_second, said.concurrency), caller.actor, said.reason)
    return await _one(rt, slug)


@router.post(
    "/peers/{slug}/probe", summary="连接测试", response_model=shapes.ProbeResult, responses=NOT_FOUND
)
async def probe(caller: Operator, rt: Opened, slug: _Slug, said: Said, _query: NothingAsked) -> Response:
    """逐步检查域名、TCP、TLS、HTTP、凭证、回执；只发一条空报文，不会在对方产生任何办件。暂停时也可以测试。"""
    _known(rt, slug)
    await rt.audit.append(caller.actor, "probe", slug, said.reason)
    test = Probe(rt.regions[slug], rt.credentials[slug], rt.clock.now, time.monotonic, nonce=rt.new_id().hex)
    steps = [step async for step in test.steps()]
    ok = all(step.finish is not Finish.FAILED for step in steps)
    return JSONResponse({"ok": ok, "steps": [_step(step) for step in steps]})


def _line(each: OpenDelivery) -> dict[str, Any]:
    return {
        "id": str(each.message_id),
        "case_no": each.case_no,
        "destination": each.destination,
        "kind": each.native_kind,
        "state": each.state,
        "attempt": each.attempt,
        "due_at": moment(each.due_at),
        "last_error": mask_words(each.last_error),
    }


def _peer(rt: Runtime, standing: peers.Standing) -> dict[str, Any]:
    peer = standing.peer
    paused = {"at": moment(peer.paused_at), "by": peer.paused_by, "reason": standing.reason}
    return {
        "slug": peer.slug,
        "name": rt.regions[peer.slug].name,
        "paused": paused if peer.is_paused else None,
        "pace": asdict(peer.pace),
        "breaker": peer.breaker,
        "breaker_at": moment(peer.breaker_at),
        "last_ok_at": moment(peer.last_ok_at),
        "last_error_at": moment(peer.last_error_at),
        "last_error": peer.last_error,
        "waiting_s": standing.waiting_s,
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.name.value,
        "label": step.name.label,
        "finish": step.finish.value,
        "took_ms": round(step.took_s * 1000, 1),
        "detail": step.detail,
        "remedy": step.remedy,
    }


async def _one(rt: Runtime, slug: str) -> Response:
    (standing,) = (each for each in await peers.standings(rt) if each.peer.slug == slug)
    return JSONResponse(_peer(rt, standing))


def _known(rt: Runtime, slug: str) -> None:
    if slug not in rt.regions:
        raise Problem("not-found", f"没有这个去向，须为 {'、'.join(sorted(rt.regions))} 之一")


def _not_open() -> Problem:
    return Problem("not-found", "没有这条可操作的投递：它可能已送达、正在发送或已被处理")
