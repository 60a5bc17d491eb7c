"""Tracked cases and what happens to them, for the tests of the life cycle (pure)."""

from datetime import date, datetime, timedelta, timezone
from uuid import UUID

from gateway.canonical import lifecycle
from gateway.canonical.kinds import Kind, State
from gateway.canonical.lifecycle import StatusReport
from gateway.canonical.tracking import (
    Clock,
    Move,
    TimeLimit,
    TrackedCase,
)
from gateway.mapping.load import work_calendar

BEIJING = timezone(timedelta(hours=8))
CALENDAR = work_calendar(2026)
ORIGIN, TARGET = "sichuan", "chongqing"


def at(day: str, time: str = "09:00:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=BEIJING)


NOW = at("2026-11-24")


def case(state: str = "22", **known) -> TrackedCase:
    usual = {
        "id": UUID(int=1),
        "case_no": "CYTB5101042026112300000017",
        "kind": Kind.GENERAL_APPLY,
        "origin": ORIGIN,
        "target": TARGET,
        "origin_case_no": "510104-20261123-000017",
        "received_at": at("2026-11-23"),
        "accepted_on": date(2026, 11, 23),
        "limit": TimeLimit(5, "工作日"),
    }
    return TrackedCase(state=State(state), **{**usual, **known})


def accepted(state: str, **known) -> TrackedCase:
    """A case the target accepted on 2026-11-23."""
    return case(state, accepted_by_target=True, clock=Clock(date(2026, 11, 23)), **known)


def transfer(state: str = "22", **known) -> TrackedCase:
    return case(state, kind=Kind.TRANSFER_APPLY, old_region=TARGET, **known)


def claim(state: str = "22", place: str = "household_place", **known) -> TrackedCase:
    return case(state, kind=Kind.UNEMPLOYMENT_CLAIM, claim_place=place, **known)


def do(tracked, event, by=TARGET, received=NOW):
    return lifecycle.apply(tracked, event, by=by, at=received, actor=by, calendar=CALENDAR)


def report(tracked, key, *, by=TARGET, when=NOW, words="new words"):
    return do(tracked, StatusReport.of(key, when, words), by)


def stages(move: Move):
    return [(line.from_state, line.to_state, line.note) for line in move.events]
