"""Where cases go: the map with a line for each pair of places."""

from __future__ import annotations

from collections import Counter
from math import sqrt
from typing import TYPE_CHECKING

from gateway.dashboard.views.pictures.look import nothing

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from gateway.dashboard.views.atlas import Atlas, Spot
    from gateway.dashboard.views.pictures.look import Look, Option
    from gateway.store.overview import Passage

#: Pairs of places that are drawn, and those of them that move: more is a carpet.
LINES, MOVING = 80, 32
#: Places that have their name on the map.
LABELS = 14


def flow_map(passages: Sequence[Passage], atlas: Atlas, order: Sequence[str], look: Look) -> Option:
    """Cases between places: ground by side, a line for each pair of places, dots by how much passes there."""
    pairs = between(passages, atlas)
    passing: Counter[Spot] = Counter()
    for (origin, target), cases in pairs.items():
        passing[origin] += cases
        passing[target] += cases
    shown = pairs.most_common(LINES)
    most = max(pairs.values(), default=1)
    lines = [_line(pair, cases, most, order=order, look=look) for pair, cases in shown]
    return {
        "aria": {"enabled": False},
        "tooltip": {"trigger": "item", "formatter": "{b}"},
        "animation": False,  # the lines move all the same; dots that grow anew at each refresh distract
        "graphic": nothing(look, "" if pairs else look.say("最近 24 小时没有办件往来")),
        "geo": _geo(atlas, order, look, busy={spot.region for spot in passing}),
        "series": [
            _lines(lines[MOVING:], look, moves=False),
            _lines(lines[:MOVING], look, moves=True),
            _dots(passing, order, look),
        ],
    }


def between(passages: Sequence[Passage], atlas: Atlas) -> Counter[tuple[Spot, Spot]]:
    """Cases by the places they are drawn between."""
    pairs: Counter[tuple[Spot, Spot]] = Counter()
    for each in passages:
        origin = atlas.spot(each.origin, each.origin_division)
        pairs[origin, atlas.spot(each.target, each.target_division)] += each.cases
    return pairs


def _geo(atlas: Atlas, order: Sequence[str], look: Look, *, busy: Container[str]) -> Option:
    west, south, east, north = atlas.bounds
    return {
        "map": atlas.name,
        "roam": False,
        "silent": True,
        "aspectScale": 0.86,
        "boundingCoords": [[west, north], [east, south]],
        "left": "2%",
        "right": "2%",
        "top": "2%",
        "bottom": "2%",
        "itemStyle": {"borderWidth": look.px(0.8)},
        "regions": [
            {
                "name": spot.name,
                "itemStyle": {
                    "areaColor": look.land[order.index(spot.region) % len(look.land)],
                    "borderColor": look.borders[order.index(spot.region) % len(look.borders)],
                },
                # a box is told from others by its name alone; where something passes, the dot has it
                "label": {
                    "show": code == spot.region not in busy,
                    "color": look.quiet,
                    "fontSize": look.px(12),
                },
            }
            for code, spot in atlas.spots.items()
        ],
    }


def _line(pair: tuple[Spot, Spot], cases: int, most: int, *, order: Sequence[str], look: Look) -> Option:
    origin, target = pair
    share = sqrt(cases / most)
    return {
        "name": look.say(
            "%(origin)s → %(target)s：%(cases)s 件",
            origin=origin.name,
            target=target.name,
            cases=look.number(cases),
        ),
        "coords": [list(origin.centre), list(target.centre)],
        "value": cases,
        "lineStyle": {
            "color": look.sides[order.index(origin.region) % len(look.sides)],
            "width": look.px(0.6 + 2.2 * share),
            "opacity": round(0.2 + 0.4 * share, 2),
        },
    }


def _lines(lines: Sequence[Option], look: Look, *, moves: bool) -> Option:
    return {
        "type": "lines",
        "coordinateSystem": "geo",
        "zlevel": 2 if moves else 1,
        "data": list(lines),
        "lineStyle": {"curveness": 0.22},
        "effect": {
            "show": moves,
            "period": 5,
            "trailLength": 0.35,
            "symbol": "circle",
            "symbolSize": look.px(3.6),
        },
    }


def _dots(passing: Counter[Spot], order: Sequence[str], look: Look) -> Option:
    most = max(passing.values(), default=1)
    named = {spot for spot, _ in passing.most_common(LABELS)}
    return {
        "type": "scatter",
        "coordinateSystem": "geo",
        "zlevel": 3,
        "symbol": "circle",
        "labelLayout": {"hideOverlap": True},
        "data": [
            {
                "name": look.say("%(place)s：%(cases)s 件往来", place=spot.name, cases=look.number(cases)),
                "value": [*spot.centre, cases],
                "symbolSize": look.px(4 + 10 * sqrt(cases / most)),
                "itemStyle": {
                    "color": look.sides[order.index(spot.region) % len(look.sides)],
                    "borderColor": look.halo,
                    "borderWidth": look.px(1),
                },
                "label": {
                    "show": spot in named,
                    "position": "right",
                    "formatter": spot.name,
                    "fontSize": look.px(12),
                    "color": look.ink,
                    "textBorderColor": look.halo,
                    "textBorderWidth": look.px(2.5),
                },
            }
            for spot, cases in passing.most_common()
        ],
    }
