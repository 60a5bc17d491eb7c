"""``/ops/``: what needs a person now, and today at a glance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from gateway.dashboard.desk import Desk, needs
from gateway.dashboard.figures import Figures
from gateway.dashboard.rendering import item_name, region_name
from gateway.dashboard.texts import N_
from gateway.dashboard.views import needs as needs_
from gateway.dashboard.views.atlas import atlas
from gateway.dashboard.views.glance import HOURS, glance
from gateway.dashboard.views.pictures import curves as curves_
from gateway.dashboard.views.pictures import flow as flow_
from gateway.dashboard.views.pictures import items as items_
from gateway.dashboard.views.pictures.curves import RECEIVED
from gateway.dashboard.views.pictures.look import COLOURS, Look
from gateway.store.overview import NEWEST
from gateway.store.tallies import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from gateway.dashboard.views.glance import Now
    from gateway.store.tallies import Point

router = APIRouter()

_Look = Annotated[Desk, needs("look")]
_SPANS: Mapping[Span, str] = {"1h": N_("1 小时"), "24h": N_("24 小时"), "30d": N_("30 天")}
_CURVE_HEADS = (
    N_("时间"),
    N_("收件"),
    N_("送达"),
    N_("挂起、拒收、死信"),
    N_("一半不超过"),
    N_("95% 不超过"),
)
#: Rows of the tables beneath the pictures.
_ROWS = 20
_Scale = Annotated[float, Query(ge=0.5, le=6)]
_OnWall = Annotated[bool, Query(alias="wall")]


@router.get("/")
async def overview(request: Request, desk: _Look, span: Span = "24h") -> Response:
    """The first page."""
    return desk.page(
        "overview/overview.html", **shown(desk, await glance(request).now(desk.rt)), **_curves(span)
    )


@router.get("/overview/now")
async def now(request: Request, desk: _Look) -> Response:
    """Needs, numbers and lights alone, asked again whenever something happened."""
    return desk.part("overview/_now.html", **shown(desk, await glance(request).now(desk.rt)))


@router.get("/overview/curves")
async def curves(desk: _Look, span: Span = "24h") -> Response:
    """The curves' card for another span."""
    return desk.part("overview/_curves.html", **_curves(span))


@router.get("/overview/map.json")
async def flow(request: Request, desk: _Look, scale: _Scale = 1.0, on_wall: _OnWall = False) -> Response:  # noqa: FBT002 - a query
    """The map as an option."""
    map_ = atlas(desk.rt.regions)
    passages = await glance(request).passages(desk.rt)
    return JSONResponse(flow_.flow_map(passages, map_, _order(desk), look_of(desk, scale, on_wall=on_wall)))


@router.get("/overview/items.json")
async def items(request: Request, desk: _Look) -> Response:
    """The items as an option."""
    flows = await glance(request).items(desk.rt)
    return JSONResponse(items_.item_sankey(flows, _order(desk), look_of(desk)))


async def _curve(
    request: Request,
    desk: _Look,
    span: Span = "24h",
    scale: _Scale = 1.0,
    on_wall: _OnWall = False,  # noqa: FBT002 - a query
) -> tuple[Sequence[Point], Look]:
    points = await glance(request).curve(desk.rt, span)
    return points, look_of(desk, scale, on_wall=on_wall, span=span)


@router.get("/overview/throughput.json")
async def throughput(curve: Annotated[Any, Depends(_curve)]) -> Response:
    """Messages over time as an option."""
    return JSONResponse(curves_.throughput(*curve))


@router.get("/overview/latency.json")
async def latency(curve: Annotated[Any, Depends(_curve)]) -> Response:
    """Times to delivery as an option."""
    return JSONResponse(curves_.latency(*curve))


@router.get("/overview/table/{name}")
async def table(request: Request, desk: _Look, name: str, span: Span = "24h") -> Response:
    """The numbers of a picture as a table."""
    asked = _TABLES.get(name)
    if asked is None:
        raise HTTPException(404)
    return desk.part("overview/_table.html", **await asked(request, desk, span))


@router.get("/maps/{name}")
async def shapes(desk: _Look, name: str) -> Response:
    """The outlines of all regions, GeoJSON; the name tells the content."""
    map_ = atlas(desk.rt.regions)
    if name != map_.name:
        raise HTTPException(404)
    kept = {"Cache-Control": "private, max-age=31536000, immutable"}
    return Response(map_.shapes, media_type="application/geo+json", headers=kept)


def shown(desk: Desk, now: Now) -> dict[str, Any]:
    """What the templates of the first page and of the wall show."""
    return {
        "lines": needs_.lines(desk, now),
        "figures": needs_.figures(desk, now),
        "lamps": needs_.lamps(desk, now),
        "p95_s": now.p95_s,
        "p50_s": now.p50_s,
        "sides": _order(desk),
        "colours": COLOURS,
    }


def look_of(desk: Desk, scale: float = 1.0, *, on_wall: bool = False, span: Span = "24h") -> Look:
    """How pictures are drawn for this person on this screen."""
    figures, rt = Figures(desk.language), desk.rt
    return Look(
        say=desk.say,
        number=figures.number,
        clock=_clock(figures, span),
        region=lambda slug: region_name(rt, desk.language, slug),
        item=lambda code: item_name(rt, code, desk.now, desk.language),
        scale=scale,
        dark=on_wall,
    )


def _clock(figures: Figures, span: Span) -> Callable[[datetime], str]:
    if span == "30d":
        return lambda at: figures.short_moment(at).rsplit(" ", 1)[0]
    return lambda at: figures.clock(at)[:5]


def _order(desk: Desk) -> list[str]:
    """Regions in the order that gives them their colours."""
    return atlas(desk.rt.regions).order


def _curves(span: Span) -> dict[str, Any]:
    return {"span": span, "spans": _SPANS}


# -- tables beneath the pictures ---------------------------------------------------------------------


async def _map_table(request: Request, desk: Desk, _span: Span) -> dict[str, Any]:
    passages = await glance(request).passages(desk.rt)
    pairs = flow_.between(passages, atlas(desk.rt.regions)).most_common(_ROWS)
    rows = [(origin.name, target.name, cases) for (origin, target), cases in pairs]
    caption = desk.say(
        "最近 %(hours)s 小时往来最多的地方（至多取最新 %(newest)s 件）", hours=HOURS, newest=NEWEST
    )
    return {
        "caption": caption,
        "heads": [desk.say("来源地"), desk.say("目的地"), desk.say("办件")],
        "rows": rows,
    }


async def _item_table(request: Request, desk: Desk, _span: Span) -> dict[str, Any]:
    flows = items_.rare_together(await glance(request).items(desk.rt), look_of(desk))
    name = look_of(desk).region
    rows = [(item, name(origin), name(destination), cases) for origin, item, destination, cases in flows]
    heads = [desk.say("事项"), desk.say("来源方"), desk.say("目的方"), desk.say("新办件")]
    caption = desk.say("最近 %(hours)s 小时的新办件，按事项", hours=HOURS)
    return {"caption": caption, "heads": heads, "rows": rows}


async def _curve_table(request: Request, desk: Desk, span: Span) -> dict[str, Any]:
    clock, written = look_of(desk, span=span).clock, Figures(desk.language).span
    points = await glance(request).curve(desk.rt, span)
    rows = [
        (
            clock(point.at),
            sum(point.counts[name] for name in RECEIVED),
            point.counts["delivered"],
            sum(point.counts[name] for name in ("parked", "refused", "dead")),
            written(point.p50_s),
            written(point.p95_s),
        )
        for point in reversed(points)
    ]
    return {
        "caption": desk.say("报文数量与用时"),
        "heads": [desk.say(each) for each in _CURVE_HEADS],
        "rows": rows,
    }


_TABLES = {"map": _map_table, "items": _item_table, "curves": _curve_table}
