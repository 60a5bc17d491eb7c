"""The legal clock as the case view shows it: the light, the legal due date, the legs and theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.canonical.legs import LegClock, leg_clocks
from gateway.canonical.worktime import beijing_day, due, light
from gateway.web import views

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.mapping.tables import Tables
    from gateway.store.records import CaseHistory


def clock_view(history: CaseHistory, tables: Tables, now: datetime) -> dict[str, Any]:
    """``light`` (null while nothing runs), ``legal_due_on`` and, for items that have them, ``legs``."""
    case, calendar, today = history.record.case, tables.calendar, beijing_day(now)
    members: dict[str, Any] = {
        "light": light(case.clock, case.limit, calendar, today=today),
        "legal_due_on": views.day(due(case.clock, case.legal_limit, calendar).due_on),
    }
    rows = tables.legs.of(case.item, case.accepted_on) if case.accepted_on else ()
    if rows and case.old_region:
        found = leg_clocks(case, history.events, rows, calendar=calendar, today=today)
        members["legs"] = [_leg(each) for each in found]
    return members


def _leg(each: LegClock) -> dict[str, Any]:
    return {
        "leg": each.leg.number,
        "name": each.leg.name,
        "region": each.region,
        "limit": views.limit(each.leg.limit),
        "started_on": views.day(each.started_on),
        "ended_on": views.day(each.ended_on),
        "due_on": views.day(each.due.due_on),
        "due_provisional": each.due.provisional,
        "light": each.light,
    }
