"""How much came and went, and how long it took, over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.dashboard.views.pictures.look import nothing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.dashboard.views.pictures.look import Look, Option
    from gateway.store.tallies import Point

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
    series[0] = {
        "type": "bar",
        "name": told[0][0],
        "data": told[0][2],
        "barWidth": "62%",
        "itemStyle": {"color": work, "opacity": 0.45},
    }
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


def _has_lone(values: Sequence[float | None]) -> bool:
    """Whether a point has no neighbour: no line leads to it, so that without a dot it would not be seen."""
    padded = [None, *values, None]
    return any(
        here is not None and before is None and after is None
        for before, here, after in zip(padded, padded[1:], padded[2:], strict=False)
    )


def _curve(name: str, colour: str, values: Sequence[float | None], look: Look, kind: str) -> Option:
    return {
        "type": "line",
        "name": name,
        "data": list(values),
        "showSymbol": _has_lone(values),
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
        "graphic": nothing(look, "" if told else look.say("这段时间没有报文")),
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
            "boundaryGap": any(each["type"] == "bar" for each in series),
            "data": [look.clock(point.at) for point in points],
            "axisLabel": {**fonts, "hideOverlap": True},
        },
        "yAxis": {
            "type": "value",
            "min": 0,
            **({} if told else {"max": 1}),
            "minInterval": 0 if unit else 1,
            "splitNumber": 4,
            "name": unit,
            "nameTextStyle": {**fonts, "align": "right"},
            "axisLabel": fonts,
        },
        "series": list(series),
    }
