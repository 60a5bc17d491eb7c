"""Where the first page leads: the filtered list or the one place where a thing is mended."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from gateway.exchange.overview import Kind

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
PARKED, DEAD, REFUSED = (f"{STUCK}#{state}" for state in ("parked", "dead", "refused"))
OVERDUE, DUE_SOON = "/ops/cases?due=overdue", "/ops/cases?due=soon"

_FIXED = {
    Kind.UNMANNED: RUNNING,
    Kind.WORKER_GONE: RUNNING,
    Kind.PARTITION: RUNNING,
    Kind.PARKED_REST: PARKED,
    Kind.DEAD: DEAD,
    Kind.REFUSED: REFUSED,
    Kind.OVERDUE: OVERDUE,
}


def to(need: Need, today: date, other: str) -> str:
    """The page on which a need is met; ``other``: the side the parked messages of ``about`` go to."""
    match need.kind:
        case Kind.PARKED if need.group is not None:
            cause = need.group.cause
            told = {"destination": other, "code": cause.code, "path": cause.path, "value": cause.value}
            return f"{STUCK}/group?{urlencode({'state': 'parked'} | {k: v for k, v in told.items() if v})}"
        case Kind.DUE_TODAY:
            return f"/ops/cases?{urlencode({'due_from': today.isoformat(), 'due_to': today.isoformat()})}"
        case Kind.RERUN:
            return f"{RERUNS}/{need.about}"
        case Kind.RELEASE:
            return f"{RULES}/releases/{need.about}"
        case Kind.BROKEN | Kind.LONG_PAUSED | Kind.PAUSED | Kind.SLOW:
            return route(need.about)
        case _:
            return _FIXED[need.kind]


def route(slug: str) -> str:
    """A destination's page."""
    return f"{ROUTES}/{slug}"


def received(today: date) -> str:
    """Cases received on a Beijing day."""
    return f"/ops/cases?{urlencode({'received_from': today.isoformat()})}"
