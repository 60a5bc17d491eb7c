"""Alarms judged from the store: each condition bites, silence is silence, and the thresholds are the monitor's."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from gateway.dashboard.views.alarms import ELSEWHERE, MEANINGS
from gateway.exchange import watch
from gateway.exchange.watch import Code, Level, Seen
from gateway.store.growth import Growth
from gateway.store.months import Lately
from gateway.store.peers import Peer
from gateway.store.runs import Run
from gateway.store.workers import Beat, Worker

NOW = datetime(2026, 11, 26, 4, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
RULES = {
    rule["alert"]: rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
}
#: Judged here though no monitor asks: it would see the same by another name.
OWN = {Code.NOBODY_SERVES, Code.REDIS_AWAY, Code.WORKER_GONE, Code.MAINTENANCE_FAILED, Code.PAUSED}


def ago(**span):
    return NOW - timedelta(**span)


GROWTH = Growth({}, {"events": 0}, {"events": NOW + timedelta(days=60)}, None, {"events": 0.0})
WELL = Seen(
    now=NOW,
    destinations=["north", "south"],
    due={"north": 3.0},
    peers={slug: Peer(slug) for slug in ("north", "south")},
    workers=[Worker(Beat("w:1", 60.0, ["north", "south"], "1"), 1.0)],
    jobs={
        "sweep": Run("sweep", 0.01, ran_at=ago(seconds=2), ago_s=2.0),
        "maintain.gauges": Run("maintain.gauges", 0.1, ran_at=ago(minutes=9), ago_s=540.0),
    },
    growth=GROWTH,
    resting={"parked": 3, "dead": 0, "refused": 1},
    lately=[Lately("delivered", "south", "north", 100, 400), Lately("parked", "south", "north", 2, 20)],
    redis="7",
)


def codes(**changes):
    return [(each.code, each.about) for each in watch.alarms(replace(WELL, **changes))]


def test_when_all_is_well_there_is_no_alarm():
    assert codes() == []


@pytest.mark.parametrize(
    ("changes", "code", "about"),
    [
        ({"due": {"north": 61.0}}, Code.DUE_AGE, "north"),
        (
            {"peers": {**WELL.peers, "north": Peer("north", breaker="open", breaker_at=ago(minutes=6))}},
            Code.BREAKER,
            "north",
        ),
        ({"workers": [Worker(Beat("w:1", 9.0, ["north"], "1"), 1.0)]}, Code.NOBODY_SERVES, "south"),
        ({"jobs": {**WELL.jobs, "sweep": Run("sweep", 0.1, ago_s=61.0)}}, Code.NO_SWEEP, ""),
        ({"jobs": {"maintain.gauges": WELL.jobs["maintain.gauges"]}}, Code.NO_SWEEP, ""),
        ({"redis": None}, Code.REDIS_AWAY, ""),
        ({"resting": {"dead": 1}}, Code.DEAD, ""),
        (
            {"workers": [*WELL.workers, Worker(Beat("w:2", 9.0, ["north"], "1"), 16.0)]},
            Code.WORKER_GONE,
            "w:2",
        ),
        ({"lately": [*WELL.lately, Lately("refused", "south", "north", 6, 6)]}, Code.REFUSED, "north"),
        ({"lately": [Lately("parked", "south", "north", 0, 21)]}, Code.PARKED, "south"),
        (
            {"jobs": {**WELL.jobs, "maintain.gauges": Run("maintain.gauges", 0.1, ago_s=3601.0)}},
            Code.MAINTENANCE_SILENT,
            "",
        ),
        (
            {"jobs": {**WELL.jobs, "maintain.rest": Run("maintain.rest", 0.1, failed=True, ago_s=5.0)}},
            Code.MAINTENANCE_FAILED,
            "rest",
        ),
        ({"growth": replace(GROWTH, overdue_s={"bodies": 2 * 86_400 + 1})}, Code.RETENTION, "bodies"),
        (
            {"growth": replace(GROWTH, ahead_until={"events": NOW + timedelta(days=13)})},
            Code.NOT_AHEAD,
            "events",
        ),
        ({"growth": replace(GROWTH, rest_rows={"events": 1})}, Code.REST_USED, "events"),
        (
            {"peers": {**WELL.peers, "north": Peer("north", paused_at=ago(minutes=1))}},
            Code.PAUSED,
            "north",
        ),
    ],
)
def test_each_condition_is_seen(changes, code, about):
    assert (code, about) in codes(**changes)


def test_what_waits_before_a_paused_destination_is_nobodys_alarm():
    paused = {
        **WELL.peers,
        "north": Peer("north", paused_at=ago(hours=1), breaker="open", breaker_at=ago(hours=1)),
    }
    assert codes(due={"north": 3600.0}, peers=paused) == [(Code.PAUSED, "north")]


def test_a_breaker_that_has_just_opened_is_left_its_five_minutes():
    assert (
        codes(peers={**WELL.peers, "north": Peer("north", breaker="open", breaker_at=ago(minutes=4))}) == []
    )


def test_what_needs_somebody_soonest_comes_first():
    found = watch.alarms(
        replace(
            WELL,
            peers={**WELL.peers, "north": Peer("north", paused_at=ago(minutes=1))},
            growth=replace(GROWTH, rest_rows={"events": 1}),
            redis=None,
        )
    )
    assert [each.level for each in found] == [Level.CRITICAL, Level.WARNING, Level.NOTE]


def test_every_alert_of_the_monitor_is_judged_here_or_named_as_one_that_is_not():
    here = {f"Tongban{code}" for code in set(Code) - OWN}
    assert here | set(ELSEWHERE) == set(RULES)
    assert not here & set(ELSEWHERE)


@pytest.mark.parametrize(
    ("alert", "threshold"),
    [
        ("TongbanDueAge", watch.DUE_AGE_S),
        ("TongbanNoSweep", watch.SWEEP_S),
        ("TongbanMaintenanceSilent", watch.MAINTENANCE_S),
        ("TongbanParkedGrowing", watch.PARKED_PER_HOUR),
        ("TongbanRefusedByPeer", watch.REFUSED_SHARE),
        ("TongbanRetentionOverdue", watch.OVERDUE_S),
        ("TongbanPartitionNotAhead", watch.AHEAD_S),
    ],
)
def test_the_thresholds_are_the_monitors(alert, threshold):
    (written,) = re.findall(
        r"[<>] ([\d.]+(?: \* \d+)?)(?=\s|$)(?!\))",
        RULES[alert]["expr"].split("\nor")[0].split(" unless")[0].split(" or ")[0],
    )
    first, _, second = written.partition(" * ")
    assert float(first) * float(second or 1) == threshold


def test_every_alarm_has_a_meaning_and_a_runbook_that_exists():
    assert set(MEANINGS) == set(Code)
    for meaning in MEANINGS.values():
        page, _, anchor = meaning.book.partition("#")
        text = (ROOT / page).read_text("utf-8")
        assert not anchor or anchor in {
            line[3:].strip().lower() for line in text.splitlines() if line[:3] == "## "
        }
