"""``/ops/running``: what is wrong first; then who works, what runs when, how it grows and what goes next."""

from __future__ import annotations

import asyncio
import platform
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from gateway.canonical.worktime import beijing_day
from gateway.dashboard.alarms import ELSEWHERE, MEANINGS
from gateway.dashboard.desk import Desk, needs
from gateway.dashboard.figures import Figures
from gateway.dashboard.measured import figures
from gateway.dashboard.rendering import region_name
from gateway.dashboard.texts import N_
from gateway.exchange import watch
from gateway.exchange.watch import Alarm, Code
from gateway.store import growth, months, retention, runs
from gateway.store.engine import single
from gateway.store.months import Held
from gateway.store.runs import Run
from gateway.store.schema import PARTITIONED

router = APIRouter(prefix="/running")
_Viewer = Annotated[Desk, needs("look")]

#: How often the jobs of the schedule run, in seconds; the sweep's own is in the settings.
MAINTENANCE_EVERY_S = 600.0
_STEPS = {
    "months": N_("预建月分区"),
    "rest": N_("缺省分区归位"),
    "retention": N_("清理到期数据"),
    "keys": N_("销毁到期密钥"),
    "receipts": N_("清理流水号记录"),
    "nonces": N_("清理一次性随机数"),
    "tallies": N_("合并统计"),
    "counters": N_("清理编号计数"),
    "vacuum": N_("检查死行"),
    "gauges": N_("计量大小"),
}
TABLES = {
    "messages": N_("报文"),
    "bodies": N_("报文内容"),
    "events": N_("办件经过"),
    "attempts": N_("投递记录"),
    "cases": N_("办件"),
    "receipts": N_("流水号记录"),
    "deliveries": N_("待投递"),
    "tallies": N_("统计"),
    "audit": N_("审计记录"),
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


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long a table is kept: its oldest month, when that may go, and how far it is on its way."""

    table: str
    name: str
    months: int
    oldest: date | None
    goes_on: date | None
    share: float
    rows: int
    bytes: int


@router.get("")
async def running(desk: _Viewer) -> Response:
    """The page."""
    now, held, waiting, versions = await asyncio.gather(
        _now(desk),
        months.held(desk.rt.engine),
        months.waiting(desk.rt.engine, sorted(desk.rt.regions)),
        months.versions(desk.rt.engine),
    )
    return desk.page(
        "running/running.html",
        **now,
        waiting=waiting,
        most=months.MOST,
        keeping=_keeping(desk, held),
        tables=TABLES,
        sizes=sorted(now["growth"].sizes.items(), key=lambda each: -each[1].bytes),
        partitions=_by_month(desk, held),
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
    return JSONResponse(_curve(desk, await runs.sizes_since(desk.rt.engine, since)))


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
        "jobs": _schedule(desk, jobs),
        "growth": grown,
        "resting": resting,
        "redis": redis,
    }


async def _growth(desk: Desk) -> growth.Growth:
    policy = desk.rt.settings.retention
    async with single(desk.rt.engine) as connection:
        return await growth.look(
            connection, _months_kept(policy), timedelta(days=policy.receipts_days), desk.now
        )


def _months_kept(policy: Any) -> dict[str, int]:
    return {table: getattr(policy, f"{table}_months") for table in PARTITIONED}


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


def _schedule(desk: Desk, jobs: Any) -> list[dict[str, Any]]:
    """The jobs in order, each with its last run; what never ran has none."""
    sweep_s = min(desk.rt.settings.delivery.sweep_s, 2.0)
    never = Run("", 0.0)
    rows = [(N_("巡检"), sweep_s, jobs.get(runs.SWEEP, never))]
    rows += [
        (name, MAINTENANCE_EVERY_S, jobs.get(f"{runs.MAINTAIN}.{step}", never))
        for step, name in _STEPS.items()
    ]
    return [
        {
            "name": name,
            "every_s": every_s,
            "run": run,
            "next_s": None if run.ago_s is None else max(0.0, every_s - run.ago_s),
            "is_late": run.ago_s is not None and run.ago_s > max(60.0, 6 * every_s),
        }
        for name, every_s, run in rows
    ]


def _keeping(desk: Desk, held: Any) -> list[Keeping]:
    found, today = [], desk.now.date()
    for table, kept in _months_kept(desk.rt.settings.retention).items():
        mine: list[Held] = [each for each in held if each.table == table and each.month and each.rows]
        oldest = min((each.month for each in mine if each.month), default=None)
        goes = None if oldest is None else retention.due_since(oldest, kept).date()
        share = 0.0
        if oldest is not None and goes is not None:
            share = min(1.0, max(0.0, (today - oldest.start).days / max(1, (goes - oldest.start).days)))
        lot = [each for each in mine if each.month == oldest]
        found.append(
            Keeping(
                table,
                TABLES[table],
                kept,
                None if oldest is None else oldest.start,
                goes,
                share,
                sum(each.rows for each in lot),
                sum(each.bytes for each in lot),
            )
        )
    return found


def _by_month(desk: Desk, held: Any) -> dict[str, Any]:
    """Rows of every month partition as a chart and a table."""
    rows: dict[date, dict[str, int]] = defaultdict(dict)
    for each in held:
        if each.month is not None:
            rows[each.month.start][each.table] = each.rows
    this = beijing_day(desk.now).replace(day=1)
    shown = [month for month in sorted(rows) if month <= this or any(rows[month].values())][-24:]
    option = {
        "grid": {"left": 8, "right": 12, "top": 34, "bottom": 4, "containLabel": True},
        "legend": {"top": 0, "left": 0, "itemWidth": 12, "itemHeight": 8},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": [f"{month:%Y-%m}" for month in shown]},
        "yAxis": {"type": "value"},
        "series": [
            {
                "name": desk.say(TABLES[table]),
                "type": "bar",
                "barMaxWidth": 18,
                "data": [rows[month].get(table, 0) for month in shown],
            }
            for table in PARTITIONED
        ],
    }
    return {"option": option, "rows": [(month, rows[month]) for month in reversed(shown)]}


def _curve(desk: Desk, sizes: Any) -> dict[str, Any]:
    days = sorted({day for day, *_ in sizes})
    by_table: dict[str, dict[date, int]] = defaultdict(dict)
    for day, name, _, size in sizes:
        by_table[name][day] = size
    largest = sorted(by_table, key=lambda name: -max(by_table[name].values()))[:6]
    return {
        "grid": {"left": 8, "right": 16, "top": 34, "bottom": 4, "containLabel": True},
        "legend": {"top": 0, "left": 0, "itemWidth": 12, "itemHeight": 8},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "boundaryGap": False, "data": [f"{day:%m-%d}" for day in days]},
        "yAxis": {"type": "value", "name": "MB", "nameGap": 10},
        "series": [
            {
                "name": desk.say(TABLES.get(name, name)),
                "type": "line",
                "stack": "all",
                "areaStyle": {"opacity": 0.35},
                "symbol": "circle",
                "showSymbol": len(days) < 3,
                "data": [round(by_table[name].get(day, 0) / 1e6, 1) for day in days],
            }
            for name in largest
        ],
    }


async def _version(desk: Desk) -> str:
    versions = {each.last.version for each in await desk.rt.workers.all() if each.alive}
    own = _own_version()
    # Of a rolling update both are shown: it is the first thing to know when something behaves oddly.
    return " / ".join([own, *sorted(versions - {own})])


def _own_version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - asked once a page

    try:
        return version("tongban")
    except PackageNotFoundError:
        return "?"
