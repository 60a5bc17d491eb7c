"""Cases with a life behind them, told to the store as its doors would tell it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import orjson
from store_builders import application, bodies, follow_up, new_case
from yards import accept

from gateway.canonical.kinds import Kind, State
from gateway.canonical.stages import Step, entered, timed
from gateway.canonical.tracking import CaseEvent, EventKind, Move, TimeLimit
from gateway.canonical.worktime import BEIJING, WorkCalendar
from gateway.store.records import Part

CALENDAR = WorkCalendar(2026, frozenset(), frozenset())


def day(n, hour=10):
    """The n-th day of November 2026; the 2nd is a Monday."""
    return datetime(2026, 11, n, hour, tzinfo=BEIJING)


def step(at, kind, to, *, start=None, bring=None):
    """A decision: the case enters a state at a time of its own."""

    def decide(case):
        before = case.state
        after = timed(entered(replace(case, **(bring or {})), to, Step(at, "south", CALENDAR)), CALENDAR)
        return Move(after, (CaseEvent(at, kind, None if start else before, to, "south"),))

    return decide


def opening(at, **fields):
    """A case and its application."""
    given = {"received_at": at, "state": State.RECEIVED, "limit": TimeLimit(5, "工作日"), **fields}
    case = new_case(**given)
    told = step(at, EventKind.APPLICATION, State.RECEIVED, start=True)
    return case, application(case=case, received_at=at, decide=told)


def report(case, at, to, told=EventKind.STATUS, **fields):
    """A follow-up after which the case is in this state."""
    decide = step(at, told, to, bring=fields.pop("bring", None))
    return follow_up(case, received_at=at, decide=decide, **fields)


def rating(case, at, grade):
    """The applicant's word."""
    canonical = orjson.dumps({"kind": "case.rating", "rating": {"score": str(grade), "channel": "1"}})
    parts = {**bodies(), Part.CANONICAL: canonical}
    given = {"kind": Kind.CASE_RATING, "bring": {"rated": True}, "bodies": parts}
    return report(case, at, State.RATED, EventKind.RATING, **given)


async def lived(yard, *happened):
    """Messages one after the other."""
    for each in happened:
        await accept(yard, each)
