"""What the page of routes shows of each destination and of each item within it: figures put together, no SQL."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.canonical.worktime import BEIJING
from gateway.dashboard.views import causes
from gateway.exchange import peers
from gateway.store import routes, tallies

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from gateway.dashboard.desk import Desk
    from gateway.exchange.peers import Standing
    from gateway.store.routes import Answered, DueItem, Lately, Minute, Waiting
    from gateway.store.workers import Worker

#: Minutes a sparkline shows, a share and a latency are told of, and a rate is the mean of.
SHOWN, TOLD, PACED = 60, 15, 5
_ENDINGS = ("delivered", "retried", "refused", "dead")
_WIDTH, _HEIGHT = 240, 36


@dataclass(frozen=True, slots=True)
class Spark:
    """The last hour, minute by minute: ``line`` and ``fails`` are SVG in a box of ``240 × 36``."""

    delivered: tuple[int, ...]
    failed: tuple[int, ...]
    line: str
    area: str
    fails: tuple[tuple[float, float, float], ...]

    @property
    def top(self) -> int:
        """The fullest minute."""
        return max(*self.delivered, *self.failed, 0)


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the last minutes. ``per_minute`` delivered, ``success`` share of attempts, None: there was none."""

    per_minute: float
    success: float | None
    attempts: int


@dataclass(frozen=True, slots=True)
class ItemLine:
    """One item towards one destination. Units: seconds."""

    item: str
    due: int
    oldest_s: float | None
    figures: Figures
    answered: Answered | None


@dataclass(frozen=True, slots=True)
class Lane:
    """One destination. Units: seconds; ``window`` and ``flying`` calls, over all workers."""

    slug: str
    standing: Standing
    broken: str
    mend: str
    waiting: Waiting
    figures: Figures
    p50_s: float | None
    p95_s: float | None
    spark: Spark
    flying: int
    window: int
    workers: tuple[Worker, ...]
    items: tuple[ItemLine, ...]

    @property
    def light(self) -> str:
        """``paused``, ``open``, ``unserved`` or ``clear``: the word and colour of its mark."""
        if self.standing.peer.is_paused:
            return "paused"
        if self.standing.peer.breaker == "open":
            return "open"
        return "clear" if self.workers else "unserved"


async def lanes(desk: Desk, only: str | None = None) -> list[Lane]:
    """Every destination by slug, or one."""
    rt = desk.rt
    slugs = sorted(rt.regions) if only is None else [only]
    now = _minute(desk.now)
    since, told, paced = (now - timedelta(minutes=minutes) for minutes in (SHOWN - 1, TOLD - 1, PACED))
    queues = asyncio.gather(*(_before(desk, slug) for slug in slugs))
    standings, workers, minutes, lately, answered = await asyncio.gather(
        peers.standings(rt),
        rt.workers.all(),
        routes.minutes(rt.engine, since),
        routes.lately(rt.engine, since, told_from=told, paced_from=paced),
        routes.answers(rt.engine, timedelta(minutes=TOLD)),
    )
    by_slug = {each.peer.slug: each for each in standings}
    made = []
    for slug, (waiting, due) in zip(slugs, await queues, strict=True):
        here = _Here(
            waiting=waiting,
            due=due,
            minutes=[each for each in minutes if each.destination == slug],
            lately=[each for each in lately if each.destination == slug],
            answered={item: each for (side, item), each in answered.items() if side == slug},
        )
        alive = tuple(each for each in workers if each.alive and slug in each.last.serves)
        made.append(_lane(desk, by_slug[slug], alive, here))
    return made


async def _before(desk: Desk, slug: str) -> tuple[Waiting, dict[str, DueItem]]:
    return await routes.waiting(desk.rt.engine, slug), await routes.due_items(desk.rt.engine, slug)


@dataclass(frozen=True, slots=True)
class _Here:
    """What was read of one destination."""

    waiting: Waiting
    due: Mapping[str, DueItem]
    minutes: Sequence[Minute]
    lately: Sequence[Lately]
    answered: Mapping[str, Answered]


def _lane(desk: Desk, standing: Standing, workers: tuple[Worker, ...], here: _Here) -> Lane:
    slug, now = standing.peer.slug, desk.now
    told = causes.unanswered(desk, standing.peer.last_error)
    took = _took(here.minutes, now)
    return Lane(
        slug=slug,
        standing=standing,
        broken=told.sentence,
        mend=told.advice,
        waiting=here.waiting,
        figures=_figures(here.lately, now),
        p50_s=tallies.quantile(took, 0.5),
        p95_s=tallies.quantile(took, 0.95),
        spark=_spark(here.minutes, now),
        flying=sum(int(each.last.lanes.get(slug, {}).get("flying", 0)) for each in workers),
        window=desk.rt.settings.delivery.window_of(slug) * len(workers),
        workers=workers,
        items=tuple(_items(here, now)),
    )


def _items(here: _Here, now: datetime) -> list[ItemLine]:
    by_item: defaultdict[str, list[Lately]] = defaultdict(list)
    for each in here.lately:
        by_item[each.item].append(each)
    lines = []
    for item in {*by_item, *here.due}:
        due = here.due.get(item)
        lines.append(
            ItemLine(
                item=item,
                due=due.due if due else 0,
                oldest_s=due.oldest_s if due else None,
                figures=_figures(by_item[item], now),
                answered=here.answered.get(item),
            )
        )
    return sorted(lines, key=_worst_first)


def _worst_first(line: ItemLine) -> tuple[float, ...] | tuple[float | str, ...]:
    success = 1.0 if line.figures.success is None else line.figures.success
    return -line.due, success, -line.figures.per_minute, line.item


def _figures(lately: Iterable[Lately], now: datetime) -> Figures:
    counted: Counter[str] = Counter()
    paced = 0
    for each in lately:
        counted[each.measure] += each.told
        paced += each.paced if each.measure == "delivered" else 0
    attempts = counted.total()
    # the minute that runs counts as far as it has run
    per_minute = paced / (PACED + now.second / 60)
    return Figures(per_minute, counted["delivered"] / attempts if attempts else None, attempts)


def _took(lately: Iterable[Minute], now: datetime) -> list[int]:
    slots = [0] * (len(tallies.BOUNDS_S) + 1)
    for each in lately:
        if each.measure == tallies.LATENCY and _minute(now) - each.at < timedelta(minutes=TOLD):
            slots[each.slot] += each.n
    return slots


def _spark(lately: Iterable[Minute], now: datetime) -> Spark:
    delivered, failed = [0] * SHOWN, [0] * SHOWN
    for each in lately:
        place = SHOWN - 1 - int((_minute(now) - each.at).total_seconds() // 60)
        if 0 <= place < SHOWN:
            if each.measure == "delivered":
                delivered[place] += each.n
            elif each.measure in _ENDINGS:
                failed[place] += each.n
    top, step = max(*delivered, *failed, 1), _WIDTH / (SHOWN - 1)
    points = [(place * step, _HEIGHT - 1 - (_HEIGHT - 3) * n / top) for place, n in enumerate(delivered)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    fails = tuple(
        (round(place * step - 1.2, 1), round(_HEIGHT - _height(n, top), 1), round(_height(n, top), 1))
        for place, n in enumerate(failed)
        if n
    )
    area = f"0,{_HEIGHT} {line} {_WIDTH},{_HEIGHT}"
    return Spark(tuple(delivered), tuple(failed), line, area, fails)


def _height(n: int, top: int) -> float:
    """At least so high that it is seen."""
    return max(3.0, (_HEIGHT - 3) * n / top)


def _minute(at: datetime) -> datetime:
    return at.astimezone(BEIJING).replace(second=0, microsecond=0)
