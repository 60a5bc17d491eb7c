"""ECharts options of the first page and the wall, as plain values: what is drawn is decided and tested here."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.dashboard.atlas import Atlas, Spot
    from gateway.store.overview import ItemFlow, Passage
    from gateway.store.tallies import Point

Option = dict[str, Any]

#: Pairs of places that are drawn, and those of them that move: more is a carpet.
LINES, MOVING = 90, 45
LABELS = 14
ITEMS = 8


@dataclass(frozen=True, slots=True)
class Look:
    """How a picture is drawn: ``scale`` 1 for a desk, more for a wall; ``say`` translates, ``number`` writes."""

    say: Callable[..., str]
    number: Callable[[float], str]
    clock: Callable[[Any], str]
    region: Callable[[str], str]
    item: Callable[[str], str]
    scale: float = 1.0
    dark: bool = False

    @property
    def sides(self) -> tuple[str, ...]:
        """A colour for each side, told apart by people who see no red or green too."""
        return ("#58a6ff", "#ffb340", "#5fd0a5") if self.dark else ("#1d5fb4", "#c2701c", "#1f8a5b")

    @property
    def land(self) -> tuple[str, ...]:
        """Each side's ground."""
        return ("#16304f", "#3a2c17", "#17382d") if self.dark else ("#e4edf8", "#f9ecdc", "#e3f2ea")

    @property
    def ink(self) -> str:
        """Of labels."""
        return "#dce7f5" if self.dark else "#1c2530"

    @property
    def quiet(self) -> str:
        """Of what is said by the way."""
        return "#9db2cd" if self.dark else "#55606e"

    @property
    def border(self) -> str:
        """Between divisions."""
        return "#2f5480" if self.dark else "#b9c6d6"

    @property
    def halo(self) -> str:
        """Behind labels on the map."""
        return "#0a1626" if self.dark else "#ffffff"

    def px(self, size: float) -> float:
        """A length on this screen."""
        return round(size * self.scale, 1)


def _nothing(look: Look, text: str, *, top: str = "middle") -> list[Option]:
    """What stands where there is nothing to draw."""
    style = {"text": text, "fill": look.quiet, "fontSize": look.px(13)}
    return [{"type": "text", "left": "center", "top": top, "style": style, "silent": True}]


# -- the map -----------------------------------------------------------------------------------------


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
        "graphic": [] if pairs else _nothing(look, look.say("最近 24 小时没有办件往来"), top="90%"),
        "geo": _geo(atlas, passing, order, look),
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


def _geo(atlas: Atlas, passing: Mapping[Spot, int], order: Sequence[str], look: Look) -> Option:
    west, south, east, north = atlas.bounds
    busy = {spot.name for spot, cases in passing.items() if cases}
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
        "itemStyle": {"borderColor": look.border, "borderWidth": look.px(0.7)},
        "regions": [
            {
                "name": spot.name,
                "itemStyle": {
                    "areaColor": look.land[order.index(spot.region) % len(look.land)],
                    "borderColor": look.sides[order.index(spot.region) % len(look.sides)]
                    if spot.name in busy
                    else look.border,
                },
            }
            for spot in atlas.spots.values()
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
            "width": look.px(0.8 + 2.6 * share),
            "opacity": round(0.22 + 0.4 * share, 2),
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
                "symbolSize": look.px(4 + 11 * sqrt(cases / most)),
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


# -- items -------------------------------------------------------------------------------------------


def item_sankey(flows: Sequence[ItemFlow], order: Sequence[str], look: Look) -> Option:
    """Applications from each side through their items to the other side; rare items together."""
    shown = rare_together(flows, look)
    left, right, through = Counter[str](), Counter[str](), Counter[str]()
    links: defaultdict[tuple[str, str], int] = defaultdict(int)
    for origin, item, destination, cases in shown:
        links[f"<{origin}", item] += cases
        links[item, f">{destination}"] += cases
        left[origin] += cases
        right[destination] += cases
        through[item] += cases
    ends = [("<", slug, look.say("%(region)s 发出", region=look.region(slug)), n) for slug, n in left.items()]
    ends += [
        (">", slug, look.say("送往 %(region)s", region=look.region(slug)), n) for slug, n in right.items()
    ]
    nodes = [
        _node(f"{way}{slug}", f"{text} {look.number(n)}", _side_colour(slug, order, look), look)
        for way, slug, text, n in ends
    ] + [
        _node(item, f"{item} {look.number(n)}", "#8a97a6", look, width=look.px(190))
        for item, n in through.items()
    ]
    return {
        "tooltip": {"trigger": "item"},
        "graphic": [] if flows else _nothing(look, look.say("最近 24 小时没有新办件")),
        "series": [
            {
                "type": "sankey",
                "left": look.px(96),
                "right": look.px(106),
                "top": look.px(8),
                "bottom": look.px(8),
                "nodeWidth": look.px(10),
                "nodeGap": look.px(12),
                "draggable": False,
                "emphasis": {"focus": "adjacency"},
                "lineStyle": {"color": "gradient", "opacity": 0.32, "curveness": 0.5},
                "data": nodes,
                "links": [{"source": a, "target": b, "value": n} for (a, b), n in links.items()],
            }
        ],
    }


def rare_together(flows: Sequence[ItemFlow], look: Look) -> list[tuple[str, str, str, int]]:
    """(origin, name of the item, destination, cases): the most frequent items by name, the others as one."""
    totals: Counter[str] = Counter()
    for each in flows:
        totals[each.item] += each.cases
    named = {item for item, _ in totals.most_common(ITEMS if len(totals) <= ITEMS else ITEMS - 1)}
    summed: Counter[tuple[str, str, str]] = Counter()
    for each in flows:
        known = look.item(each.item) if each.item else look.say("事项未识别")
        name = known if each.item in named else look.say("其他事项")
        summed[each.origin, name, each.destination] += each.cases
    return [(origin, name, destination, n) for (origin, name, destination), n in summed.most_common()]


def _side_colour(slug: str, order: Sequence[str], look: Look) -> str:
    return look.sides[order.index(slug) % len(look.sides)] if slug in order else "#8a97a6"


def _node(name: str, text: str, colour: str, look: Look, width: float | None = None) -> Option:
    position = {"<": "left", ">": "right"}.get(name[0], "right")
    cut = {} if width is None else {"width": width, "overflow": "truncate"}
    return {
        "name": name,
        "itemStyle": {"color": colour, "borderWidth": 0},
        "label": {"position": position, "formatter": text, "fontSize": look.px(12), "color": look.ink, **cut},
        "tooltip": {"formatter": text},
    }


# -- curves ------------------------------------------------------------------------------------------

RECEIVED = ("accepted", "parked", "ignored")


def throughput(points: Sequence[Point], look: Look) -> Option:
    """Messages received, delivered and gone wrong in each bucket."""
    good, work, bad = ("#4fd18b", "#58a6ff", "#ff8a7a") if look.dark else ("#1f8a5b", "#1d5fb4", "#b1261a")
    told = [
        (look.say("收件"), work, [sum(point.counts[name] for name in RECEIVED) for point in points], "solid"),
        (look.say("已送达"), good, [point.counts["delivered"] for point in points], "dashed"),
        (
            look.say("挂起、拒收、死信"),
            bad,
            [sum(point.counts[name] for name in ("parked", "refused", "dead")) for point in points],
            "dotted",
        ),
    ]
    series = [_curve(name, colour, values, look, kind) for name, colour, values, kind in told]
    series[0]["areaStyle"] = {"opacity": 0.12}
    return _curves(points, series, look, unit="")


def latency(points: Sequence[Point], look: Look) -> Option:
    """From acceptance to delivery: half and 95 of 100 were quicker; gaps where nothing was delivered."""
    longest = max((point.p95_s or 0.0 for point in points), default=0.0)
    divisor, unit = (1.0, look.say("秒"))
    for limit, length, word in ((300, 60.0, look.say("分钟")), (18_000, 3600.0, look.say("小时"))):
        if longest > limit:
            divisor, unit = length, word
    series = [
        _curve(
            look.say("一半不超过"),
            _tone(look, 0),
            [_in(point.p50_s, divisor) for point in points],
            look,
            "solid",
        ),
        _curve(
            look.say("95% 不超过"),
            _tone(look, 1),
            [_in(point.p95_s, divisor) for point in points],
            look,
            "dashed",
        ),
    ]
    return _curves(points, series, look, unit=unit)


def _tone(look: Look, place: int) -> str:
    return (("#b9a2ff", "#ff9fd0") if look.dark else ("#6a45b0", "#a3336f"))[place]


def _in(seconds: float | None, divisor: float) -> float | None:
    return None if seconds is None else round(seconds / divisor, 3)


def _curve(name: str, colour: str, values: Sequence[float | None], look: Look, kind: str) -> Option:
    return {
        "type": "line",
        "name": name,
        "data": list(values),
        "showSymbol": False,
        "symbolSize": look.px(6),
        "smooth": 0.25,
        "smoothMonotone": "x",
        "lineStyle": {"width": look.px(2), "color": colour, "type": kind},
        "itemStyle": {"color": colour},
        "connectNulls": False,
    }


def _curves(points: Sequence[Point], series: Sequence[Option], look: Look, *, unit: str) -> Option:
    fonts = {"fontSize": look.px(12)}
    told = any(value for each in series for value in each["data"])
    return {
        "tooltip": {"trigger": "axis"},
        "graphic": [] if told else _nothing(look, look.say("这段时间没有报文")),
        "legend": {
            "top": 0,
            "right": 0,
            "icon": "roundRect",
            "itemWidth": look.px(18),
            "itemHeight": look.px(4),
            "textStyle": fonts,
        },
        "grid": {
            "left": look.px(6),
            "right": look.px(12),
            "top": look.px(34),
            "bottom": look.px(4),
            "containLabel": True,
        },
        "xAxis": {
            "type": "category",
            "boundaryGap": False,
            "data": [look.clock(point.at) for point in points],
            "axisLabel": {**fonts, "hideOverlap": True},
        },
        "yAxis": {
            "type": "value",
            "min": 0,
            "minInterval": 0 if unit else 1,
            "splitNumber": 4,
            "name": unit,
            "nameTextStyle": {**fonts, "align": "right"},
            "axisLabel": fonts,
        },
        "series": list(series),
    }
