"""What is wrong right now, as far as the store can tell: the conditions of the alerts, judged without a monitor."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from gateway.store import runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from gateway.store.growth import Growth
    from gateway.store.months import Lately
    from gateway.store.peers import Peer
    from gateway.store.runs import Run
    from gateway.store.workers import Worker

# The thresholds are those of deploy/prometheus/alerts.yml (a test compares them). Seconds and shares.
DUE_AGE_S = 60.0
BREAKER_S = 300.0
SWEEP_S = 60.0
MAINTENANCE_S = 3600.0
OVERDUE_S = 2 * 86_400.0
AHEAD_S = 14 * 86_400.0
PARKED_PER_HOUR = 20
REFUSED_SHARE = 0.05


class Level(StrEnum):
    """How soon somebody is needed."""

    CRITICAL = "critical"
    WARNING = "warning"
    NOTE = "note"


class Code(StrEnum):
    """What is wrong; the value is the alert's name without its prefix where there is such an alert."""

    DUE_AGE = "DueAge"
    BREAKER = "BreakerOpen"
    NOBODY_SERVES = "NobodyServes"
    NO_SWEEP = "NoSweep"
    REDIS_AWAY = "RedisAway"
    DEAD = "DeadLetters"
    WORKER_GONE = "WorkerGone"
    REFUSED = "RefusedByPeer"
    PARKED = "ParkedGrowing"
    MAINTENANCE_SILENT = "MaintenanceSilent"
    MAINTENANCE_FAILED = "MaintenanceFailed"
    RETENTION = "RetentionOverdue"
    NOT_AHEAD = "PartitionNotAhead"
    REST_USED = "DefaultPartitionUsed"
    PAUSED = "Paused"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong: ``about`` a destination, table, job or worker; ``value`` in the unit of its code."""

    code: Code
    level: Level
    about: str = ""
    since: datetime | None = None
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What was looked at. ``due`` and ``held``: seconds; ``redis``: its version, None when it is away."""

    now: datetime
    destinations: Sequence[str]
    due: Mapping[str, float]
    peers: Mapping[str, Peer]
    workers: Sequence[Worker]
    jobs: Mapping[str, Run]
    growth: Growth
    resting: Mapping[str, int]
    lately: Sequence[Lately] = field(default_factory=tuple)
    redis: str | None = ""


def alarms(seen: Seen) -> list[Alarm]:
    """Everything that is wrong, what needs somebody soonest first."""
    found = [*_delivery(seen), *_processes(seen), *_counts(seen), *_store(seen)]
    return sorted(found, key=lambda each: list(Level).index(each.level))


def _delivery(seen: Seen) -> Iterator[Alarm]:
    for slug in seen.destinations:
        peer, waits = seen.peers[slug], seen.due.get(slug, 0.0)
        if peer.is_paused:
            yield Alarm(Code.PAUSED, Level.NOTE, slug, peer.paused_at)
            continue
        if waits > DUE_AGE_S:
            since = seen.now - timedelta(seconds=waits)
            yield Alarm(Code.DUE_AGE, Level.CRITICAL, slug, since, waits)
        opened = peer.breaker_at
        if peer.breaker == "open" and (opened is None or _age(seen, opened) > BREAKER_S):
            yield Alarm(Code.BREAKER, Level.CRITICAL, slug, opened)


def _processes(seen: Seen) -> Iterator[Alarm]:
    served = {slug for each in seen.workers if each.alive for slug in each.last.serves}
    for slug in sorted(set(seen.destinations) - served):
        yield Alarm(Code.NOBODY_SERVES, Level.CRITICAL, slug)
    swept = seen.jobs.get(runs.SWEEP)
    if swept is None or (swept.ago_s or 0.0) > SWEEP_S:
        yield Alarm(Code.NO_SWEEP, Level.CRITICAL, since=None if swept is None else swept.ran_at)
    if seen.redis is None:
        yield Alarm(Code.REDIS_AWAY, Level.CRITICAL)
    for each in seen.workers:
        if not each.alive:
            since = seen.now - timedelta(seconds=each.beat_ago_s)
            yield Alarm(Code.WORKER_GONE, Level.WARNING, each.last.name, since)


def _counts(seen: Seen) -> Iterator[Alarm]:
    if seen.resting.get("dead"):
        yield Alarm(Code.DEAD, Level.CRITICAL, value=seen.resting["dead"])
    for slug in seen.destinations:
        ended = {
            measure: _total(
                each.quarter for each in seen.lately if (each.destination, each.measure) == (slug, measure)
            )
            for measure in ("delivered", "retried", "refused", "dead")
        }
        share = ended["refused"] / max(1, sum(ended.values()))
        if share > REFUSED_SHARE:
            yield Alarm(Code.REFUSED, Level.WARNING, slug, value=share)
        parked = _total(each.hour for each in seen.lately if (each.origin, each.measure) == (slug, "parked"))
        if parked > PARKED_PER_HOUR:
            yield Alarm(Code.PARKED, Level.WARNING, slug, value=parked)


def _store(seen: Seen) -> Iterator[Alarm]:
    steps = [run for job, run in seen.jobs.items() if job.startswith(f"{runs.MAINTAIN}.")]
    latest = max(steps, key=lambda run: -(run.ago_s or 0.0), default=None)
    if latest is not None and (latest.ago_s or 0.0) > MAINTENANCE_S:
        yield Alarm(Code.MAINTENANCE_SILENT, Level.WARNING, since=latest.ran_at)
    for run in steps:
        if run.failed:
            yield Alarm(Code.MAINTENANCE_FAILED, Level.WARNING, run.job.partition(".")[2], run.ran_at)
    for kind, late_s in seen.growth.overdue_s.items():
        if late_s > OVERDUE_S:
            since = seen.now - timedelta(seconds=late_s)
            yield Alarm(Code.RETENTION, Level.WARNING, kind, since, late_s)
    for table, until in seen.growth.ahead_until.items():
        left_s = (until - seen.now).total_seconds()
        if left_s < AHEAD_S:
            yield Alarm(Code.NOT_AHEAD, Level.WARNING, table, value=max(0.0, left_s))
        if seen.growth.rest_rows.get(table):
            yield Alarm(Code.REST_USED, Level.WARNING, table, value=seen.growth.rest_rows[table])


def _age(seen: Seen, at: datetime) -> float:
    return (seen.now - at).total_seconds()


def _total(numbers: Iterable[int]) -> int:
    return sum(numbers)
