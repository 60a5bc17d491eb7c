"""``/ops/wall``: the state at a glance for a screen on the wall, dark, without a hand at it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.dashboard.desk import Desk, needs
from gateway.dashboard.pages.overview import shown
from gateway.dashboard.views.glance import glance

router = APIRouter(prefix="/wall")

_Look = Annotated[Desk, needs("look")]


@router.get("")
async def wall(request: Request, desk: _Look) -> Response:
    """The screen."""
    return desk.page("wall/wall.html", **shown(desk, await glance(request).now(desk.rt)))


@router.get("/now")
async def now(request: Request, desk: _Look) -> Response:
    """Numbers, lights and needs alone; each part takes its own place on the screen."""
    return desk.part("wall/_now.html", **shown(desk, await glance(request).now(desk.rt)))
