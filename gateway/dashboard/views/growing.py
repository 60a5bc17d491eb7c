"""How large it is and how long it is kept, as charts and tables show it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from gateway.canonical.worktime import beijing_day
from gateway.dashboard.texts import N_
from gateway.store import retention
from gateway.store.schema import PARTITIONED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.dashboard.desk import Desk
    from gateway.store.months import Held
    from gateway.store.partitions import Month

#: What people call the tables.
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


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long a table is kept: its oldest month, when that may go, and how far it is on its way."""

    table: str
    name: str
    months: int
    oldest: date | None = None
    goes_on: date | None = None
    share: float = 0.0
    rows: int = 0
    bytes: int = 0


def months_kept(policy: Any) -> dict[str, int]:
    """Months of each partitioned table, by ``[retention]``."""
    return {table: getattr(policy, f"{table}_months") for table in PARTITIONED}


def keeping(desk: Desk, held: Sequence[Held], oldest: Mapping[str, Month | None]) -> list[Keeping]:
    """Each kind with its oldest month and when that may go."""
    found, today = list[Keeping](), desk.now.date()
    for table, kept in months_kept(desk.rt.settings.retention).items():
        month = oldest[table]
        if month is None:
            found.append(Keeping(table, TABLES[table], kept))
            continue
        goes = retention.due_since(month, kept).date()
        share = (today - month.start).days / max(1, (goes - month.start).days)
        lot = [each for each in held if (each.table, each.month) == (table, month)]
        rows, size = sum(each.rows for each in lot), sum(each.bytes for each in lot)
        found.append(
            Keeping(table, TABLES[table], kept, month.start, goes, min(1.0, max(0.0, share)), rows, size)
        )
    return found


def by_month(desk: Desk, held: Sequence[Held]) -> dict[str, Any]:
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
    counted = any(any(rows[month].values()) for month in shown)
    listed = [(month, rows[month]) for month in reversed(shown)]
    return {"option": option, "rows": listed, "counted": counted}


def grown(desk: Desk, sizes: Sequence[tuple[date, str, int, int]]) -> list[dict[str, Any]]:
    """What the curve shows, in numbers: the largest tables now, a week and a month ago."""
    days, by_table = _largest(sizes)
    today = days[-1] if days else beijing_day(desk.now)

    def at(table: str, ago: int) -> int | None:
        before = [day for day in by_table[table] if day <= today - timedelta(days=ago)]
        return by_table[table][max(before)] if before else None

    return [
        {"name": TABLES.get(name, name), "sizes": [at(name, ago) for ago in (0, 7, 30)]} for name in by_table
    ]


def _largest(
    sizes: Sequence[tuple[date, str, int, int]],
) -> tuple[list[date], dict[str, dict[date, int]]]:
    """The days, and the bytes by day of the six largest tables, largest first."""
    by_table: dict[str, dict[date, int]] = defaultdict(dict)
    for day, name, _, size in sizes:
        by_table[name][day] = size
    names = sorted(by_table, key=lambda name: -max(by_table[name].values()))[:6]
    return sorted({day for day, *_ in sizes}), {name: by_table[name] for name in names}


def curve(desk: Desk, sizes: Sequence[tuple[date, str, int, int]]) -> dict[str, Any]:
    """The largest tables by day, as an option of the chart."""
    days, by_table = _largest(sizes)
    top = max((sum(of.get(day, 0) for of in by_table.values()) for day in days), default=0)
    unit, divisor = ("GB", 1e9) if top > 2e9 else ("MB", 1e6)
    return {
        "grid": {"left": 8, "right": 16, "top": 34, "bottom": 4, "containLabel": True},
        "legend": {"top": 0, "left": 0, "itemWidth": 12, "itemHeight": 8},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "boundaryGap": len(days) < 3, "data": [f"{day:%m-%d}" for day in days]},
        "yAxis": {"type": "value", "axisLabel": {"formatter": f"{{value}} {unit}"}},
        "series": [
            {
                "name": desk.say(TABLES.get(name, name)),
                "type": "line",
                "stack": "all",
                "areaStyle": {"opacity": 0.35},
                "symbol": "circle",
                "showSymbol": len(days) < 3,
                "data": [round(of.get(day, 0) / divisor, 2) for day in days],
            }
            for name, of in by_table.items()
        ],
    }
