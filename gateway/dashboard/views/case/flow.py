"""The life of a case as a picture: stages in columns, the path it took, what may come next (pure).

Units: the picture's own pixels. Its words are the template's.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from gateway.canonical.kinds import Kind
from gateway.canonical.stages import GATEWAY
from gateway.dashboard.views.case.stays import ANSWER, PARKED, SHEET, Stay, is_end

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from gateway.canonical.ahead import Ahead

PITCH_X, PITCH_Y = 138, 124
WIDTH, HEIGHT = 116, 90
#: above there is room for arcs, below for those that lead back
MARGIN, MARGIN_Y, MARGIN_BELOW = 11, 32, 26

_GENERAL = ("10", "20", "22", "30", "40", "50", "60")
_WHOLE = ("10", "20", "22", SHEET, ANSWER, "30", "40", "50", "60")
_LANES: Mapping[Kind, tuple[str, ...]] = {
    Kind.TRANSFER_APPLY: ("10", "20", "22", SHEET, "30", "40", "50", "60"),
    Kind.UNEMPLOYMENT_CLAIM: ("10", "20", "22", ANSWER, "30", "40", "50", "60"),
    Kind.CERTIFICATION_NOTICE: ("40", "50", "60"),
}
#: Stages beside the lane: the stage they hang at, and on which side of it.
_BELOW = {PARKED: "10", "11": "22", "28": "20", "31": "30", "32": "30", "33": "30"}
_ABOVE = {"21": "22", "23": "30", "41": "40", "90": "60"}
#: These hang at the stage the case comes from: they end it from anywhere.
_ENDS_ANYWHERE = ("21", "23")


@dataclass(frozen=True, slots=True)
class Node:
    """A stage. ``visits``: its stays with their numbers on the path; ``ahead``: it may come next."""

    stage: str
    x: int
    y: int
    visits: tuple[tuple[int, Stay], ...]
    is_current: bool
    ahead: Ahead | None = None

    @property
    def look(self) -> str:
        """The class that draws it."""
        if self.is_current:
            return "current"
        if self.visits:
            return "taken"
        return "ahead" if self.ahead else "unseen"

    @property
    def retries(self) -> int:
        """Attempts put off while the case was here."""
        return sum(stay.retries for _, stay in self.visits)

    def seconds(self, now: datetime) -> float | None:
        """How long all visits lasted together; None where length means nothing."""
        counted = [stay for _, stay in self.visits if not (is_end(stay) or stay.stage in {SHEET, ANSWER})]
        return sum(stay.seconds(now) for stay in counted) if counted else None

    @property
    def is_pause(self) -> bool:
        """Whether the case stood still here."""
        return any(stay.is_pause for _, stay in self.visits)


@dataclass(frozen=True, slots=True)
class Edge:
    """A step from stage to stage as the path of an SVG; ``look``: taken, back or ahead."""

    before: str
    after: str
    look: str
    path: str


@dataclass(frozen=True, slots=True)
class Flow:
    """The whole picture with its size."""

    width: int
    height: int
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    steps: tuple[Stay, ...]


def flow(kind: Kind, steps: Sequence[Stay], nexts: Iterable[Ahead]) -> Flow:
    """Place the stages of this kind of case. A stage beside the lane is there when it was seen, or may come."""
    possible = {each.state.value: each for each in nexts}
    seen = tuple(dict.fromkeys(stay.stage for stay in steps))
    lane = _lane(kind, seen)
    places = _places(lane, [*seen, *(stage for stage in possible if stage not in seen)], _sources(steps))
    lift = -min(row for _, row in places.values())
    points = {
        stage: (MARGIN + column * PITCH_X, MARGIN_Y + (row + lift) * PITCH_Y)
        for stage, (column, row) in places.items()
    }
    current = steps[-1].stage if steps else ""
    nodes = tuple(
        Node(
            stage,
            *point,
            visits=tuple((number, stay) for number, stay in enumerate(steps, 1) if stay.stage == stage),
            is_current=stage == current,
            ahead=possible.get(stage),
        )
        for stage, point in points.items()
    )
    right, bottom = (max(point[axis] for point in points.values()) for axis in (0, 1))
    edges = tuple(_edges(steps, current, possible, points))
    return Flow(right + WIDTH + MARGIN, bottom + HEIGHT + MARGIN_BELOW, nodes, edges, tuple(steps))


def whose(by: str) -> str:
    """What an actor of the timeline is to the picture: a slug, ``gateway`` or ``staff``, as who collects a case is too."""
    return "staff" if by.startswith(("staff:", "channel:")) else by or GATEWAY


def _lane(kind: Kind, seen: Sequence[str]) -> tuple[str, ...]:
    """The usual stages; received is left out where the origin accepted at once, and 20 may follow 22."""
    usual = _LANES.get(kind, _GENERAL)
    # a certification skips most stages; one that was seen all the same has its place
    lane = [stage for stage in _WHOLE if stage in usual or (stage in _GENERAL and stage in seen)]
    if "10" not in seen and seen and "10" in lane:
        lane.remove("10")
    if "10" in seen and "20" in lane and "22" in lane:
        accepted_first = "20" in seen and ("22" not in seen or seen.index("20") < seen.index("22"))
        if not accepted_first:
            lane.remove("20")
            lane.insert(lane.index("22") + 1, "20")
    return tuple(lane)


def _sources(steps: Sequence[Stay]) -> dict[str, str]:
    """Where the ends that come from anywhere come from: the stage before, or the one it stands at."""
    found = {after.stage: before.stage for before, after in pairwise(steps) if after.stage in _ENDS_ANYWHERE}
    last = steps[-1].stage if steps else ""
    return {stage: found.get(stage, last) for stage in _ENDS_ANYWHERE}


def _places(
    lane: Sequence[str], wanted: Sequence[str], sources: Mapping[str, str]
) -> dict[str, tuple[int, int]]:
    """Column and row of every stage; the lane is row 0, rows below it are positive."""
    places = {stage: (column, 0) for column, stage in enumerate(lane)}
    taken = set(places.values())
    for hung, step in ((_BELOW, 1), (_ABOVE, -1)):
        for stage in (stage for stage in hung if stage in wanted and stage not in places):
            at = sources.get(stage, "")
            column = places.get(at if at in places else hung[stage], (0, 0))[0]
            places[stage] = _free(column, step, taken)
            taken.add(places[stage])
    return places


def _free(column: int, step: int, taken: set[tuple[int, int]]) -> tuple[int, int]:
    """The nearest free place on one side of the lane: right there; above it also one column on; else further off."""
    row = step
    while True:
        for at in (column, column + 1) if step < 0 else (column,):
            if (at, row) not in taken:
                return at, row
        row += step


_Points = dict[str, tuple[int, int]]


def _edges(
    steps: Sequence[Stay], current: str, possible: Mapping[str, Ahead], points: _Points
) -> Iterable[Edge]:
    pairs = dict.fromkeys((before.stage, after.stage) for before, after in pairwise(steps))
    for before, after in pairs:
        look = "back" if points[after][0] < points[before][0] else "taken"
        yield Edge(before, after, look, _path(points[before], points[after]))
    for stage in possible:
        if stage != current and (current, stage) not in pairs and current:
            yield Edge(current, stage, "ahead", _path(points[current], points[stage]))


def _path(start: tuple[int, int], end: tuple[int, int]) -> str:
    """A line between two boxes: straight to a neighbour, over the top past others, else a bend."""
    (x1, y1), (x2, y2) = start, end
    if x1 == x2:
        return _upright(x1, y1, y2)
    forward = 1 if x2 > x1 else -1
    left, right = (x1 + WIDTH, x2) if forward > 0 else (x1, x2 + WIDTH)
    shift = 0 if forward > 0 else 16
    middle1, middle2 = y1 + HEIGHT // 2 + shift, y2 + HEIGHT // 2 + shift
    if y1 == y2 and abs(x2 - x1) > PITCH_X:
        top, rise = y1 if forward > 0 else y1 + HEIGHT, 30 * forward
        from_x, to_x = x1 + WIDTH // 2 + 20 * forward, x2 + WIDTH // 2 - 20 * forward
        return f"M{from_x} {top} C{from_x} {top - rise} {to_x} {top - rise} {to_x} {top}"
    if y1 == y2:
        return f"M{left} {middle1} L{right} {middle2}"
    return _bent((left, middle1), (right, middle2), columns=abs(x2 - x1) // PITCH_X)


def _upright(x: int, y1: int, y2: int) -> str:
    down = y2 > y1
    at = x + WIDTH // 2 + (-18 if down else 18)
    from_y, to_y = (y1 + HEIGHT, y2) if down else (y1, y2 + HEIGHT)
    if abs(y2 - y1) <= PITCH_Y:
        return f"M{at} {from_y} L{at} {to_y}"
    # past a stage in between: along its side
    side = x + WIDTH
    middle1, middle2, out = y1 + HEIGHT // 2 + 8, y2 + HEIGHT // 2, side + 16
    return f"M{side} {middle1} C{out} {middle1} {out} {middle2} {side} {middle2}"


def _bent(start: tuple[int, int], end: tuple[int, int], *, columns: int) -> str:
    (x1, y1), (x2, y2) = start, end
    reach = (x2 - x1) // 2 if columns == 1 else (18 if x2 > x1 else -18)
    if columns == 1:
        return f"M{x1} {y1} C{x1 + reach} {y1} {x2 - reach} {y2} {x2} {y2}"
    # over more than one column it runs between the rows
    between = (y1 + y2) // 2
    return f"M{x1} {y1} Q{x1 + reach} {y1} {x1 + reach} {between} L{x2 - reach} {between} Q{x2 - reach} {y2} {x2} {y2}"
