"""``/ops/rules/releases/{digest}/trial``: what a release would change, tried on stored cases beside the gateway."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form, Path
from starlette.responses import Response

from gateway.dashboard.desk import Desk, Refused, needs
from gateway.dashboard.texts import N_
from gateway.exchange import trial
from gateway.exchange.replay import Aspect
from gateway.runtime import master_key
from gateway.store.audit import Line
from gateway.store.trials import Trial, Trials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.ext.asyncio import AsyncConnection

router = APIRouter(prefix="/rules")

#: How many of the newest cases one may try on.
SIZES = (500, 2000, 10000, 50000)
ASPECTS: Mapping[str, str] = {
    Aspect.VERDICT: N_("处理结果"),
    Aspect.VALUE: N_("值"),
    Aspect.MATERIAL: N_("材料"),
    Aspect.DEADLINE: N_("时限"),
}
CAUSES: Mapping[str, str] = {
    "together": N_("几行共同"),
    "items": N_("事项编码、名称"),
    "recognition": N_("互认规则"),
    "guides": N_("办事指南"),
}
_Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
_Reason = Annotated[str, Form(min_length=1, max_length=200)]


async def begin(desk: Desk, digest: str, last: int = SIZES[0], reason: str = "") -> bool:
    """Start a trial; False while one of this release runs."""
    rt = desk.rt
    if digest == rt.tables.digest:
        return False
    begun = Trial(
        rt.new_id(),
        digest,
        rt.tables.digest,
        "running",
        desk.now,
        desk.actor,
        None,
        total=0,
        done=0,
        report=None,
    )

    async def record(connection: AsyncConnection) -> None:
        await rt.audit.write(connection, Line(desk.actor, "mappings-impact", digest, reason))

    if not await Trials(rt.engine).begin(begun, also=record):
        return False
    order = trial.Order(
        trial_id=str(begun.id),
        digest=digest,
        against=rt.tables.digest,
        last=last,
        folder=str(rt.settings.tables_dir or ""),
        calendar_until=rt.settings.calendar_until,
        database_url=rt.settings.database_url or "",
        master_key=master_key(rt.settings).hex(),
        algorithm=rt.settings.keys.algorithm,
        regions=tuple(rt.regions),
        regions_dirs=tuple(map(str, rt.settings.regions_dirs)),
    )
    process = await asyncio.to_thread(trial.start, order)
    threading.Thread(target=process.wait, name="trial", daemon=True).start()
    return True


async def shown(desk: Desk, digest: str) -> dict[str, Any]:
    """What the fragment shows."""
    return {
        "trial": await Trials(desk.rt.engine).newest(digest),
        "digest": digest,
        "sizes": SIZES,
        "aspects": ASPECTS,
        "causes": CAUSES,
        "is_current": digest == desk.rt.tables.digest,
        "against": desk.rt.tables.digest,
    }


@router.get("/releases/{digest}/trial")
async def look(desk: Annotated[Desk, needs("look")], digest: _Digest) -> Response:
    """The fragment; asked again by itself while a trial runs."""
    return desk.part("rules/_trial.html", **await shown(desk, digest))


@router.post("/releases/{digest}/trial")
async def start(
    desk: Annotated[Desk, needs("look")],
    digest: _Digest,
    reason: _Reason,
    last: Annotated[int, Form()] = SIZES[0],
) -> Response:
    """Try it on the newest stored cases."""
    if last not in SIZES:
        raise Refused(400, desk.say("请从列表中选择试算多少件"))
    begun = await begin(desk, digest, last, reason)
    said = desk.say("试算已开始") if begun else desk.say("这个版本正在试算，或就是现用版本")
    return desk.done(said, to=f"/ops/rules/releases/{digest}#trial")


@router.post("/releases/{digest}/trial/cancel")
async def cancel(desk: Annotated[Desk, needs("look")], digest: _Digest, reason: _Reason) -> Response:
    """Stop it after the cases in hand."""
    trials = Trials(desk.rt.engine)
    running = await trials.newest(digest)

    async def record(connection: AsyncConnection) -> None:
        await desk.rt.audit.write(connection, Line(desk.actor, "mappings-impact-cancel", digest, reason))

    ended = running is not None and await trials.end(running.id, "cancelled", also=record)
    said = desk.say("试算已取消") if ended else desk.say("试算已经结束")
    return desk.done(said, to=f"/ops/rules/releases/{digest}#trial")
