"""What cases are about: from each side through their items to the other."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from gateway.dashboard.views.pictures.look import nothing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.dashboard.views.pictures.look import Look, Option
    from gateway.store.overview import ItemFlow

#: Items that have a place of their own.
ITEMS = 8
#: How much of an item's name has room on a line, in Latin letters; a Chinese one is as wide as two.
LINE = 20


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
    ends = [("<", slug, look.say("%(side)s发出", side=look.region(slug)), n) for slug, n in left.items()]
    ends += [(">", slug, look.say("送往%(side)s", side=look.region(slug)), n) for slug, n in right.items()]
    nodes = [
        _node(f"{way}{slug}", f"{text}\n{look.number(n)}", _side_colour(slug, order, look), look, look.px(84))
        for way, slug, text, n in ends
    ]
    for item, n in through.items():
        node = _node(item, f"{item} {look.number(n)}", "#8a97a6", look, look.px(124))
        # which breaks its lines itself
        node["label"] |= {"formatter": _two_lines(item, look.number(n)), "overflow": "none"}
        nodes.append(node)
    return {
        "tooltip": {"trigger": "item"},
        "graphic": nothing(look, "" if flows else look.say("最近 24 小时没有新办件")),
        "series": [
            {
                "type": "sankey",
                "left": look.px(92),
                "right": look.px(92),
                "top": look.px(8),
                "bottom": look.px(22),
                "nodeWidth": look.px(10),
                "nodeGap": look.px(22),
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


def _node(name: str, text: str, colour: str, look: Look, width: float) -> Option:
    return {
        "name": name,
        "itemStyle": {"color": colour, "borderWidth": 0},
        "label": {
            "position": "left" if name.startswith("<") else "right",
            "formatter": text,
            "fontSize": look.px(12),
            "lineHeight": look.px(14),
            "color": look.ink,
            "width": width,
            "overflow": "break",
            "textBorderColor": look.halo,
            "textBorderWidth": look.px(2),
        },
        "tooltip": {"formatter": text},
    }


def _two_lines(name: str, number: str) -> str:
    """As much as two lines hold, as a third would run into the next item; the tooltip has the whole name."""
    whole = f"{name} {number}"
    end = _fitting(whole, LINE)
    if end == len(whole):
        return whole
    space = name.rfind(" ", 0, end + 1)
    end = space if space > 0 else min(end, len(name))
    first, second = name[:end], name[end:].lstrip()
    room = LINE - len(number) - 1
    if _fitting(second, room) < len(second):
        second = f"{second[: _fitting(second, room - 1)].rstrip()}…"
    return f"{first}\n{f'{second} {number}'.lstrip()}"


def _fitting(text: str, room: int) -> int:
    """How many letters of a text have room."""
    for place, letter in enumerate(text):
        room -= 2 if east_asian_width(letter) in "WF" else 1
        if room < 0:
            return place
    return len(text)
