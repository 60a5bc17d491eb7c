"""Where the first page leads: the filtered list or the one place where a thing is mended."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from gateway.exchange.overview import Kind
from gateway.store.overview import SOON_DAYS

if TYPE_CHECKING:
    from datetime import date

    from gateway.exchange.overview import Need

ROUTES, STUCK, RERUNS, RULES, RUNNING = (
    "/ops/routes",
    "/ops/stuck",
    "/ops/reruns",
    "/ops/rules",
    "/ops/running",
)
_FIXED = {
    Kind.UNMANNED: RUNNING,
    Kind.WORKER_GONE: RUNNING,
    Kind.PARTITION: RUNNING,
    Kind.BROKEN: ROUTES,
    Kind.LONG_PAUSED: ROUTES,
    Kind.PAUSED: ROUTES,
    Kind.SLOW: ROUTES,
    Kind.PARKED_REST: STUCK,
    Kind.DEAD: f"{STUCK}#dead",
    Kind.REFUSED: f"{STUCK}#refused",
}


def to(need: Need, today: date, other: str) -> str:
    """The page on which a need is met; ``other``: the side the parked messages of ``about`` go to."""
    if need.kind is Kind.PARKED and need.group is not None:
        cause = need.group.cause
        named = {"state": "parked", "destination": other, "code": cause.code, "path": cause.path}
        return f"{STUCK}/group?{urlencode(named | ({'value': cause.value} if cause.value else {}))}"
    match need.kind:
        case Kind.OVERDUE:
            return overdue(today)
        case Kind.DUE_TODAY:
            return due(today, today)
        case Kind.RERUN:
            return f"{RERUNS}/{need.about}"
        case Kind.RELEASE:
            return f"{RULES}/releases/{need.about}"
        case _:
            return _FIXED[need.kind]


def received(today: date) -> str:
    """Cases received on a Beijing day."""
    return _cases(received_from=today.isoformat())


def due(since: date, until: date) -> str:
    """Cases under way that are due within these days."""
    return _cases(due_from=since.isoformat(), due_to=until.isoformat())


def due_soon(today: date) -> str:
    """Cases under way that are due soon."""
    return due(today, today + timedelta(days=SOON_DAYS))


def overdue(today: date) -> str:
    """Cases under way whose due date has passed."""
    return _cases(due_to=(today - timedelta(days=1)).isoformat())


def in_state(*states: str) -> str:
    """Cases in these states."""
    return f"/ops/cases?{urlencode([('state', each) for each in states])}"


def _cases(**asked: str) -> str:
    return f"/ops/cases?{urlencode(asked)}"
