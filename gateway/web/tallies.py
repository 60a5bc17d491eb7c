"""How much came, went and stayed, as curves: read from rollup counters, never from messages."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import JSONResponse, Response

from gateway.store import tallies as counters
from gateway.web import tally_schemas, views
from gateway.web.auth import Caller, needs, runtime
from gateway.web.queries import TallyQuery

router = APIRouter(prefix="/v1", tags=["统计"])


@router.get("/tallies", summary="收件与投递的数量和用时", response_model=tally_schemas.Tallies)
async def tallies(
    _caller: Annotated[Caller, needs("cases")],
    rt: Annotated[Any, Depends(runtime)],
    query: Annotated[TallyQuery, Query()],
) -> Response:
    """最近 1 小时、24 小时或 30 天的曲线，以及今天的合计。收件按网关收件时间计，投递按每次投递开始的时间计。"""
    now = rt.clock.now()
    wanted = counters.Wanted(query.origin, query.destination, query.item, query.kind)
    points = await counters.series(rt.engine, query.span, now, wanted)
    today = await counters.today(rt.engine, now, wanted)
    step = int((points[1].at - points[0].at).total_seconds())
    return JSONResponse(
        {
            "span": query.span,
            "step_s": step,
            "points": [_point(each) for each in points],
            "today": _point(today),
        }
    )


def _point(point: counters.Point) -> dict[str, Any]:
    took = {"p50_s": point.p50_s, "p95_s": point.p95_s, "mean_s": point.mean_s}
    rounded = {name: None if seconds is None else round(seconds, 3) for name, seconds in took.items()}
    return {"at": views.moment(point.at), **point.counts, **rounded}
