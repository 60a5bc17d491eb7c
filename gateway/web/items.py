"""The catalogue of items, as of a day and through time (gateway §3)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import JSONResponse, Response

from gateway.web import schemas, views
from gateway.web.auth import Caller, needs, runtime
from gateway.web.problem import Problem
from gateway.web.queries import ItemQuery, NoQuery

router = APIRouter(prefix="/v1/items", tags=["事项"])


@router.get("", summary="某日有效的事项", response_model=schemas.ItemPage)
async def items(
    _caller: Annotated[Caller, needs("items")],
    rt: Annotated[Any, Depends(runtime)],
    query: Annotated[ItemQuery, Query()],
) -> Response:
    """按目录顺序；缺省为今天（北京时间）。"""
    on = query.on or rt.clock.now().astimezone(views.BEIJING).date()
    return JSONResponse({"items": [views.item_version(version) for version in rt.tables.items.all(on)]})


@router.get(
    "/{item}",
    summary="一个事项及其全部版本",
    response_model=schemas.ItemView,
    responses={404: {"model": schemas.Problem, "description": "没有这个事项"}},
)
async def item(
    _caller: Annotated[Caller, needs("items")],
    rt: Annotated[Any, Depends(runtime)],
    item: Annotated[str, Path(description="事项代号", examples=["pension_transfer"])],
    _query: Annotated[NoQuery, Query()],
) -> Response:
    """顶层为今天有效的版本，今天没有有效版本时为最后一个版本；versions 由旧到新。"""
    versions = rt.tables.items.versions(item)
    if not versions:
        raise Problem("not-found", "没有这个事项，请用 GET /v1/items 查看现有事项")
    today = rt.clock.now().astimezone(views.BEIJING).date()
    return JSONResponse(views.item_view(versions, rt.tables.items.version(item, today)))
