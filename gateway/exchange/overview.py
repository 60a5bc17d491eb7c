"""What a shift looks at first: the light of every destination, and what needs a person, most urgent first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from gateway.canonical.worktime import beijing_day
from gateway.exchange import peers
from gateway.exchange.door import Desk as _Desk
from gateway.store.overview import Overview, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.canonical.worktime import WorkCalendar
    from gateway.exchange.peers import Standing as PeerStanding
    from gateway.store.overview import OpenRelease, OpenRerun
    from gateway.store.parked import ParkedGroup
    from gateway.store.workers import Worker, Workers

#: The oldest due message has waited so long: slow (as the alert TongbanDueAge has it). Seconds.
SLOW_S = 60.0
#: A pause this long was perhaps forgotten. Seconds.
LONG_PAUSE_S = 3600.0
#: Nothing was sent for so long, and nothing is due: idle. Seconds.
IDLE_S = 1800.0
#: Working days within which a case is due soon.
SOON = 3
#: Groups of parked messages that are named one by one; the rest is one line.
GROUPS = 4


class Light(StrEnum):
    """How a destination does; of several the worst that somebody has to know."""

    PAUSED = "paused"
    BROKEN = "broken"
    UNMANNED = "unmanned"
    SLOW = "slow"
    STUCK = "stuck"
    IDLE = "idle"
    FLOWING = "flowing"


@dataclass(frozen=True, slots=True)
class Route:
    """A destination at this moment.

    ``since``: of a pause or an open breaker. ``stuck``: messages at rest, by state. Units: seconds.
    """

    slug: str
    light: Light
    waiting_s: float | None
    workers: int
    stuck: Mapping[str, int]
    since: datetime | None = None
    by: str = ""
    reason: str = ""


class Urgency(StrEnum):
    """When somebody has to act."""

    NOW = "now"
    TODAY = "today"
    SOON = "soon"


class Kind(StrEnum):
    """What has to be done something about, the more urgent first; each has one place where it is mended."""

    UNMANNED = "unmanned"
    BROKEN = "broken"
    LONG_PAUSED = "long_paused"
    DEAD = "dead"
    OVERDUE = "overdue"
    SLOW = "slow"
    PARKED = "parked"
    PARKED_REST = "parked_rest"
    REFUSED = "refused"
    DUE_TODAY = "due_today"
    RERUN = "rerun"
    RELEASE = "release"
    WORKER_GONE = "worker_gone"
    PARTITION = "partition"
    PAUSED = "paused"


_URGENCY = {
    **dict.fromkeys((Kind.UNMANNED, Kind.BROKEN, Kind.LONG_PAUSED, Kind.DEAD, Kind.OVERDUE), Urgency.NOW),
    **dict.fromkeys(
        (Kind.SLOW, Kind.PARKED, Kind.PARKED_REST, Kind.REFUSED, Kind.DUE_TODAY, Kind.RERUN), Urgency.TODAY
    ),
    **dict.fromkeys((Kind.RELEASE, Kind.WORKER_GONE, Kind.PARTITION, Kind.PAUSED), Urgency.SOON),
}
_ORDER = {kind: place for place, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that waits for a person.

    ``count`` messages, cases or rows (0: not counted), ``about`` a destination, worker, rerun id or digest,
    ``group`` the parked messages it is about, ``since`` on the database's clock where known.
    """

    kind: Kind
    count: int = 0
    about: str = ""
    since: datetime | None = None
    seconds: float | None = None
    group: ParkedGroup | None = None
    missing: tuple[str, ...] = ()

    @property
    def urgency(self) -> Urgency:
        """When."""
        return _URGENCY[self.kind]


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything at a glance."""

    standing: Standing
    routes: Sequence[Route]
    needs: Sequence[Need]


class Tower(_Desk, Protocol):
    """What looking around asks of the runtime."""

    @property
    def engine(self) -> AsyncEngine: ...
    @property
    def workers(self) -> Workers: ...


async def look(rt: Tower) -> Seen:
    """The state of this moment."""
    overview = Overview(rt.engine)
    now = rt.clock.now()
    today = beijing_day(now)
    standing = await overview.standing(today, soon(today, rt.tables.calendar))
    resting = await overview.resting()
    workers = await rt.workers.all()
    found = [
        _route(each, workers, _stuck_at(resting, each.peer.slug), now=now)
        for each in await peers.standings(rt)
    ]
    groups, more = await rt.cases.parked_groups(GROUPS) if standing.parked else ([], None)
    needs = [
        *_of_routes(found, standing.at),
        *_of_workers(found, workers),
        *_of_messages(standing, groups, more=more is not None),
        *_of_decisions(await overview.reruns_waiting(), await overview.releases_waiting(), set(rt.regions)),
    ]
    return Seen(standing, found, in_order(needs))


def soon(today: date, calendar: WorkCalendar) -> date:
    """The last day on which a case counts as due soon."""
    day, left = today, SOON
    while left:
        day += timedelta(days=1)
        left -= calendar.is_working(day)
    return day


def in_order(needs: Iterable[Need]) -> list[Need]:
    """Most urgent first; of a kind the larger first."""
    return sorted(needs, key=lambda need: (_ORDER[need.kind], -need.count, need.about))


def _stuck_at(resting: Mapping[tuple[str, str], int], slug: str) -> dict[str, int]:
    return {state: n for (destination, state), n in resting.items() if destination == slug}


def _route(
    each: PeerStanding, workers: Sequence[Worker], stuck: Mapping[str, int], *, now: datetime
) -> Route:
    peer = each.peer
    serving = sum(1 for worker in workers if worker.alive and peer.slug in worker.last.serves)
    light = _light(each, serving, stuck, idle=_is_idle(each, now))
    since = peer.paused_at if light is Light.PAUSED else peer.breaker_at if light is Light.BROKEN else None
    by = peer.paused_by or "" if light is Light.PAUSED else ""
    return Route(peer.slug, light, each.waiting_s, serving, stuck, since, by, each.reason)


def _light(each: PeerStanding, serving: int, stuck: Mapping[str, int], *, idle: bool) -> Light:
    waiting = each.waiting_s or 0.0
    held = [
        (each.peer.is_paused, Light.PAUSED),
        (each.peer.breaker == "open", Light.BROKEN),
        (serving == 0, Light.UNMANNED),
        (waiting > SLOW_S, Light.SLOW),
        (any(stuck.values()), Light.STUCK),
        (idle, Light.IDLE),
    ]
    return next((light for is_so, light in held if is_so), Light.FLOWING)


def _is_idle(each: PeerStanding, now: datetime) -> bool:
    last = each.peer.last_ok_at
    return not each.waiting_s and (last is None or (now - last).total_seconds() > IDLE_S)


_OF_LIGHT = {Light.UNMANNED: Kind.UNMANNED, Light.BROKEN: Kind.BROKEN, Light.SLOW: Kind.SLOW}


def _of_routes(routes: Sequence[Route], at: datetime) -> Iterator[Need]:
    for route in routes:
        if route.light is Light.PAUSED and route.since is not None:
            lasted = at - route.since
            long = lasted.total_seconds() >= LONG_PAUSE_S and bool(route.waiting_s)
            kind = Kind.LONG_PAUSED if long else Kind.PAUSED
            yield Need(kind, about=route.slug, since=route.since, seconds=lasted.total_seconds())
        elif route.light in _OF_LIGHT:
            yield Need(_OF_LIGHT[route.light], about=route.slug, since=route.since, seconds=route.waiting_s)


def _of_workers(routes: Sequence[Route], workers: Sequence[Worker]) -> Iterator[Need]:
    """A worker that stopped without leaving; where nobody is left, the route says so."""
    if all(route.workers for route in routes):
        for worker in workers:
            if not worker.alive:
                yield Need(Kind.WORKER_GONE, about=worker.last.name, seconds=worker.beat_ago_s)


def _of_messages(standing: Standing, groups: Sequence[ParkedGroup], *, more: bool) -> Iterator[Need]:
    counted = {
        Kind.DEAD: standing.dead,
        Kind.REFUSED: standing.refused,
        Kind.OVERDUE: standing.overdue,
        Kind.DUE_TODAY: standing.due_today,
        Kind.PARTITION: standing.rest_rows,
    }
    yield from (Need(kind, count) for kind, count in counted.items() if count)
    for group in groups:
        yield Need(Kind.PARKED, group.messages, group.region, since=group.first_seen_at, group=group)
    if more or (standing.parked and not groups):
        yield Need(Kind.PARKED_REST, standing.parked)


def _of_decisions(
    reruns: Sequence[OpenRerun], releases: Sequence[OpenRelease], sides: set[str]
) -> Iterator[Need]:
    for rerun in reruns:
        yield Need(Kind.RERUN, rerun.total, str(rerun.id), since=rerun.created_at)
    for release in releases:
        missing = tuple(sorted(sides - release.approved))
        yield Need(Kind.RELEASE, about=release.digest, since=release.created_at, missing=missing)
