"""``/ops/routes``: every destination and item; due, rate, success, latency, breaker, pace, workers, and its verbs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.responses import StreamingResponse

from gateway.dashboard.desk import Desk, Refused, needs
from gateway.dashboard.pages.stuck import Reason
from gateway.dashboard.texts import N_
from gateway.dashboard.views.lanes import Lane, lanes
from gateway.dashboard.views.trial import LABELS, names, told
from gateway.exchange import peers
from gateway.store import routes
from gateway.store.peers import Pace

if TYPE_CHECKING:
    from starlette.responses import Response

router = APIRouter(prefix="/routes")

_Look = Annotated[Desk, needs("look")]
_Act = Annotated[Desk, needs("act")]
_PerSecond = Annotated[float | None, Form(gt=0, le=10_000)]
_Concurrency = Annotated[int | None, Form(ge=1, le=10_000)]

#: A test that was asked for is run so long, by whoever asked; after that it is asked for anew. Seconds.
ASKED_WITHIN_S = 120.0

#: Items of a destination on the page of all: those with most to look at.
ITEMS = 5

_ALREADY = N_("%(name)s已经是这个状态，没有改动")


@router.get("")
async def board(desk: _Look) -> Response:
    """The whole page."""
    return desk.page("routes/routes.html", lanes=await lanes(desk), only="", shown=ITEMS)


@router.get("/{slug}")
async def one(desk: _Look, slug: str) -> Response:
    """One destination with all its items."""
    return desk.page("routes/routes.html", lanes=[await _lane(desk, slug)], only=slug, shown=None)


@router.get("/{slug}/lane")
async def lane(desk: _Look, slug: str, *, whole: bool = False) -> Response:
    """One destination alone, asked again as its workers tell; ``whole``: with all its items."""
    return desk.part("routes/_lane.html", lane=await _lane(desk, slug), shown=None if whole else ITEMS)


@router.post("/{slug}/pause")
async def pause(desk: _Act, slug: str, reason: Reason) -> Response:
    """No worker claims for it any more once this has answered."""
    _known(desk, slug)
    changed = await peers.pause(desk.rt, slug, desk.actor, reason)
    return _done(desk, slug, N_("已暂停向%(name)s投递；收件不受影响") if changed else _ALREADY)


@router.post("/{slug}/resume")
async def resume(desk: _Act, slug: str, reason: Reason) -> Response:
    """What was held goes at once."""
    _known(desk, slug)
    changed = await peers.resume(desk.rt, slug, desk.actor, reason)
    return _done(desk, slug, N_("已恢复向%(name)s投递，积压的报文正在发出") if changed else _ALREADY)


@router.post("/{slug}/pace")
async def pace(
    desk: _Act, slug: str, reason: Reason, per_second: _PerSecond = None, concurrency: _Concurrency = None
) -> Response:
    """Both empty: no bound."""
    _known(desk, slug)
    await peers.set_pace(desk.rt, slug, Pace(per_second, concurrency), desk.actor, reason)
    return _done(desk, slug, N_("已设定向%(name)s投递的节奏"))


@router.post("/{slug}/probe")
async def ask_probe(desk: _Act, slug: str, reason: Reason) -> Response:
    """On record first; the page that follows runs the test and shows each step as it ends."""
    _known(desk, slug)
    line = await peers.ask_probe(desk.rt, slug, desk.actor, reason)
    return desk.done(desk.say("开始连接测试"), to=f"/ops/routes/{slug}/probe/{line}")


@router.get("/{slug}/probe/{line}")
async def probe(desk: _Look, slug: str, line: UUID) -> Response:
    """The steps to come; the stream fills them in."""
    await _asked(desk, slug, line)
    steps = names(desk.rt.credentials[slug])
    return desk.page("routes/probe.html", slug=slug, line=line, steps=steps, labels=LABELS)


@router.get("/{slug}/probe/{line}/steps")
async def probe_steps(desk: _Look, slug: str, line: UUID) -> StreamingResponse:
    """Server-sent events: one a step, with its fragment."""
    await _asked(desk, slug, line)
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(told(desk, slug), media_type="text/event-stream", headers=headers)


async def _asked(desk: Desk, slug: str, line: UUID) -> None:
    _known(desk, slug)
    found = await routes.asked(desk.rt.engine, line)
    if found is None or (found.actor, found.slug) != (desk.actor, slug):
        raise Refused(404, desk.say("没有这次连接测试，请从路由页面发起"))
    if found.ago_s > ASKED_WITHIN_S:
        raise Refused(410, desk.say("这次连接测试已经结束；请从路由页面重新发起"))


async def _lane(desk: Desk, slug: str) -> Lane:
    _known(desk, slug)
    (found,) = await lanes(desk, slug)
    return found


def _known(desk: Desk, slug: str) -> None:
    if slug not in desk.rt.regions:
        raise Refused(404, desk.say("没有这个去向，请从路由页面进入"))


def _done(desk: Desk, slug: str, sentence: str) -> Response:
    name = desk.rt.regions[slug].name if desk.language == "zh" else slug.title()
    return desk.done(desk.say(sentence, name=name), to=f"/ops/routes#{slug}")
