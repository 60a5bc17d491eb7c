"""``/ops/running``: what is wrong first; then who works, what runs when, how it grows and what goes next."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from gateway.canonical.worktime import beijing_day
from gateway.dashboard.desk import Desk, needs
from gateway.dashboard.figures import Figures
from gateway.dashboard.rendering import region_name
from gateway.dashboard.texts import N_
from gateway.dashboard.views import growing
from gateway.dashboard.views.alarms import ELSEWHERE, MEANINGS
from gateway.dashboard.views.growing import TABLES
from gateway.dashboard.views.measured import figures
from gateway.exchange import watch
from gateway.exchange.watch import Alarm, Code
from gateway.store import growth, months, runs
from gateway.store.engine import single
from gateway.store.runs import Run

router = APIRouter(prefix="/running")
_Viewer = Annotated[Desk, needs("look")]

#: How often the jobs of the schedule run, in seconds; the sweep's own is in the settings.
MAINTENANCE_EVERY_S = 600.0
_STEPS = {
    "months": N_("预建月分区"),
    "rest": N_("缺省分区归位"),
    "retention": N_("到期月份清理"),
    "keys": N_("到期密钥销毁"),
    "receipts": N_("清理流水号记录"),
    "nonces": N_("清理一次性随机数"),
    "tallies": N_("合并统计"),
    "counters": N_("清理编号计数"),
    "vacuum": N_("检查死行"),
    "gauges": N_("计量大小"),
}
_GROWTH_DAYS = 180


@dataclass(frozen=True, slots=True)
class Shown:
    """An alarm in words."""

    alarm: Alarm
    title: str
    first: str
    book: str
    to: str


@router.get("")
async def running(desk: _Viewer) -> Response:
    """The page."""
    since = beijing_day(desk.now) - timedelta(days=_GROWTH_DAYS)
    (now, held, oldest, sizes), (waiting, versions) = await asyncio.gather(
        asyncio.gather(
            _now(desk),
            months.held(desk.rt.engine),
            months.oldest(desk.rt.engine),
            runs.sizes_since(desk.rt.engine, since),
        ),
        asyncio.gather(
            months.waiting(desk.rt.engine, sorted(desk.rt.regions)),
            months.versions(desk.rt.engine),
        ),
    )
    return desk.page(
        "running/running.html",
        **now,
        waiting=waiting,
        most=months.MOST,
        keeping=growing.keeping(desk, held, oldest),
        grown=growing.grown(desk, sizes),
        tables=TABLES,
        sizes=sorted(now["growth"].sizes.items(), key=lambda each: -each[1].bytes),
        partitions=growing.by_month(desk, held),
        versions=[
            (N_("网关"), await _version(desk)),
            ("Python", platform.python_version()),
            ("PostgreSQL", versions["postgresql"]),
            ("Redis", now["redis"] or ""),
            (N_("数据库结构"), versions["schema"]),
        ],
        digest=desk.rt.tables.digest,
        chaos=figures("chaos"),
        bench=figures("bench"),
    )


@router.get("/now")
async def now(desk: _Viewer) -> Response:
    """What changes by the second: alarms, workers, schedule."""
    return desk.part("running/_now.html", **await _now(desk))


@router.get("/growth.json")
async def growth_curve(desk: _Viewer) -> Response:
    """The size of the largest tables by day, as an option for the chart."""
    since = beijing_day(desk.now) - timedelta(days=_GROWTH_DAYS)
    return JSONResponse(growing.curve(desk, await runs.sizes_since(desk.rt.engine, since)))


async def _now(desk: Desk) -> dict[str, Any]:
    rt = desk.rt
    (due, workers, jobs), (resting, lately), (redis, grown) = await asyncio.gather(
        asyncio.gather(rt.deliveries.due(), rt.workers.all(), runs.last(rt.engine)),
        asyncio.gather(months.resting(rt.engine), months.lately(rt.engine)),
        asyncio.gather(rt.bell.version(), _growth(desk)),
    )
    slugs = sorted(rt.regions)
    seen = watch.Seen(
        now=desk.now,
        destinations=slugs,
        due=due,
        peers={slug: await rt.peers.find(slug) for slug in slugs},
        workers=workers,
        jobs=jobs,
        growth=grown,
        resting=resting,
        lately=lately,
        redis=redis,
    )
    return {
        "alarms": [_shown(desk, each) for each in watch.alarms(seen)],
        "elsewhere": ELSEWHERE,
        "workers": workers,
        "schedule": _schedule(desk, jobs),
        "growth": grown,
        "resting": resting,
        "redis": redis,
    }


async def _growth(desk: Desk) -> growth.Growth:
    policy = desk.rt.settings.retention
    async with single(desk.rt.engine) as connection:
        return await growth.look(
            connection, growing.months_kept(policy), timedelta(days=policy.receipts_days), desk.now
        )


def _shown(desk: Desk, alarm: Alarm) -> Shown:
    meaning, said = MEANINGS[alarm.code], Figures(desk.language)
    about = alarm.about
    if about in desk.rt.regions:
        about = region_name(desk.rt, desk.language, about)
    elif alarm.code is Code.MAINTENANCE_FAILED:
        about = desk.say(_STEPS.get(about, about))
    elif about in TABLES:
        about = desk.say(TABLES[about])
    match meaning.unit:
        case "span":
            value = said.span(alarm.value)
        case "percent":
            value = said.percent(alarm.value)
        case "bound" if alarm.value >= months.MOST:
            value = f"{said.number(months.MOST - 1)}+"
        case _:
            value = said.number(alarm.value)
    title = desk.say(meaning.title, about=about, value=value)
    return Shown(alarm, title, desk.say(meaning.first), meaning.book, meaning.to)


def _schedule(desk: Desk, jobs: Mapping[str, Run]) -> dict[str, Any]:
    """The two jobs, and the steps of maintenance, each with its last run; what never ran has none."""
    sweep_s = min(desk.rt.settings.delivery.sweep_s, 2.0)
    steps = [
        _job(name, MAINTENANCE_EVERY_S, jobs.get(f"{runs.MAINTAIN}.{step}")) for step, name in _STEPS.items()
    ]
    ran = [step["run"] for step in steps if step["run"].ago_s is not None]
    latest = min(ran, key=lambda run: run.ago_s, default=None)
    failed = sum(run.failed for run in ran)
    whole = None if latest is None else replace(latest, failed=failed > 0, said="")
    maintenance = _job(N_("维护"), MAINTENANCE_EVERY_S, whole)
    return {
        "jobs": [_job(N_("巡检"), sweep_s, jobs.get(runs.SWEEP)), maintenance],
        "steps": steps,
        "failed": failed,
    }


def _job(name: str, every_s: float, run: Run | None) -> dict[str, Any]:
    run = run or Run("", 0.0)
    ago_s = run.ago_s
    return {
        "name": name,
        "every_s": every_s,
        "run": run,
        "next_s": None if ago_s is None else max(0.0, every_s - ago_s),
        "is_late": ago_s is not None and ago_s > max(60.0, 6 * every_s),
    }


async def _version(desk: Desk) -> str:
    versions = {each.last.version for each in await desk.rt.workers.all() if each.alive}
    own = _own_version()
    # Of a rolling update both are shown: it is the first thing to know when something behaves oddly.
    return " / ".join([own, *sorted(versions - {own})])


def _own_version() -> str:
    try:
        return version("tongban")
    except PackageNotFoundError:
        return "?"
