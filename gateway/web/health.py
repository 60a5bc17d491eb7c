"""Is the process alive, is the gateway ready, and its numbers; open to everyone, no case is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse, Response

from gateway import metrics
from gateway.web import schemas
from gateway.web.auth import runtime
from gateway.web.problem import Problem, answer

if TYPE_CHECKING:
    from collections.abc import Sequence

router = APIRouter(tags=["运行"])


@router.get("/healthz", summary="存活", response_model=schemas.Health)
async def healthz() -> Response:
    """进程存活即为 200。"""
    return JSONResponse({"status": "ok"})


@router.get(
    "/readyz",
    summary="就绪",
    response_model=schemas.Health,
    responses={503: {"model": schemas.Problem, "description": "暂不可用，detail 写明原因"}},
)
async def readyz(rt: Annotated[Any, Depends(runtime)]) -> Response:
    """数据库可写，队列、规则表均可用时为 200。"""
    return _told(await rt.unusable())


@router.get(
    "/readyz/intake",
    summary="能否收件",
    response_model=schemas.Health,
    responses={503: {"model": schemas.Problem, "description": "暂不能收件，detail 写明原因"}},
)
async def readyz_intake(rt: Annotated[Any, Depends(runtime)]) -> Response:
    """数据库可写、规则表可用时为 200。

    负载均衡应查此地址：Redis 只是门铃，不通时照常收件。
    """
    return _told(await rt.door_faults())


def _told(faults: Sequence[str]) -> Response:
    if faults:
        return answer(Problem("not-ready", "；".join(faults), headers={"Retry-After": "5"}))
    return JSONResponse({"status": "ready"})


@router.get(
    "/metrics",
    summary="指标",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"example": "tongban_messages_total{…} 17.0"}}}},
)
async def numbers() -> Response:
    """Prometheus 文本；只读计数器，从不扫描数据表。"""
    return Response(metrics.render(), media_type=metrics.CONTENT_TYPE)
