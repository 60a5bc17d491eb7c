"""``/ops/live``: one stream a tab, naming what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse

from gateway.dashboard.desk import Desk, desk_of, needs
from gateway.dashboard.live import BEAT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

router = APIRouter()


@router.get("/live")
async def live(request: Request, desk: Annotated[Desk, needs("look")]) -> StreamingResponse:
    """Server-sent events. An open page is no sign of a person: only a wall's stream keeps its session."""
    on_wall = "wall" in request.query_params and desk.staff.may_stay
    lines = _lines(request, desk, on_wall=on_wall)
    # A page says that it is live when the head of this answer comes: from then on it must miss nothing.
    first = await anext(lines)
    return StreamingResponse(
        _beginning_with(first, lines),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _beginning_with(first: str, lines: AsyncIterator[str]) -> AsyncIterator[str]:
    yield f"retry: 2000\n\n{first}"
    async for line in lines:
        yield line


async def _lines(request: Request, desk: Desk, *, on_wall: bool) -> AsyncIterator[str]:
    async for topic in request.app.state.hub.listen():
        if topic == BEAT:
            # Signed out, locked or timed out meanwhile: the stream ends, and the page's next request says so.
            await desk_of(request, desk.rt, touch=on_wall)
        yield f"event: {topic}\ndata: {desk.now.isoformat(timespec='seconds')}\n\n"
