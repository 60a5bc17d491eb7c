"""``/ops/``: what needs a person now, and today at a glance."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from gateway.dashboard.desk import Desk, needs

router = APIRouter()


@router.get("/")
async def overview(desk: Annotated[Desk, needs("look")]) -> Response:
    """The first page."""
    return desk.page("overview/overview.html")
