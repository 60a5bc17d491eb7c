"""What the demo shows: a picture for a terminal, a line and a table for everything else (pure)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rich import box
from rich.columns import Columns
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from gateway.canonical.kinds import Kind, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from rich.console import RenderableType

    from gateway.mapping.items import Items
    from gateway.mapping.places import Divisions

#: States in which a case has come to its end: declined, withdrawn, granted, returned, served, rated.
FINAL = frozenset({"21", "23", "40", "41", "50", "60"})
KINDS = {kind: kind.label for kind in Kind}
_COLOURS = {
    "40": "green",
    "50": "green",
    "60": "green",
    "28": "red",
    "21": "yellow",
    "41": "yellow",
    "31": "magenta",
    "32": "magenta",
}
_SAMPLE = re.compile(r"^(tongban_\w+?)(?:\{([^}]*)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Side:
    """One simulated system: applications handed in, its own cases by the state it holds them in.

    ``taken_in``: messages by kind, ``items``: of which it has an application; both from the other side.
    """

    name: str
    total: int
    states: Mapping[str, int]
    taken_in: Mapping[str, int] = field(default_factory=dict)
    items: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Numbers:
    """Counters of ``/metrics`` at a moment. Units: per second over the last look, milliseconds on average."""

    messages: float = 0.0
    delivered: float = 0.0
    at: float = 0.0
    in_per_s: float = 0.0
    out_per_s: float = 0.0
    intake_ms: float = 0.0
    delivery_ms: float = 0.0

    def next(self, text: str, at: float) -> Numbers:
        """The numbers after a new look at ``text``, in Prometheus form."""
        sums: defaultdict[str, float] = defaultdict(float)
        for name, labels, value in _SAMPLE.findall(text):
            found = dict(_LABEL.findall(labels))
            sums[f"{name} {found.get('direction', '')}".strip()] += float(value)
        passed = at - self.at if self.at else 0.0
        messages, delivered = sums["tongban_messages_total in"], sums["tongban_messages_total out"]
        return replace(
            self,
            messages=messages,
            delivered=delivered,
            at=at,
            in_per_s=(messages - self.messages) / passed if passed else 0.0,
            out_per_s=(delivered - self.delivered) / passed if passed else 0.0,
            intake_ms=_mean_ms(sums, "tongban_intake_seconds"),
            delivery_ms=_mean_ms(sums, "tongban_delivery_seconds"),
        )


def _mean_ms(sums: Mapping[str, float], name: str) -> float:
    count = sums.get(f"{name}_count", 0.0)
    return sums.get(f"{name}_sum", 0.0) / count * 1000 if count else 0.0


@dataclass(frozen=True, slots=True)
class Crossing:
    """One case as a person reads it."""

    case_no: str
    origin: str
    target: str
    item: str
    code: str
    state: str
    due: str


@dataclass(frozen=True, slots=True)
class Words:
    """Chinese names for what the interface tells in codes."""

    divisions: Divisions
    items: Items
    on: date

    def line(self, case: Mapping[str, Any]) -> Crossing:
        """A line of ``GET /v1/cases`` in words."""
        versions = self.items.versions(case["item"])
        return Crossing(
            case["case_no"],
            self._place(case["origin"]["division"]),
            self._place(case["target"]["division"]),
            versions[0].name if versions else case["item"],
            case["state"]["code"],
            case["state"]["name"],
            case["due_on"] or "—",
        )

    def _place(self, code: str) -> str:
        place = self.divisions.by_code(code, self.on)
        return code if isinstance(place, str) else place.full_name


@dataclass(frozen=True, slots=True)
class Scene:
    """One look at the whole demo."""

    gateway: str
    token: str = field(repr=False)
    elapsed_s: float
    sides: Sequence[Side]
    latest: Sequence[Crossing]
    numbers: Numbers
    #: items of the catalogue; applications still to be handed in
    items: int = 0
    left: int = 0

    @property
    def covered(self) -> int:
        """Items of which an application has arrived in both directions."""
        return len(frozenset.intersection(*(side.items for side in self.sides))) if self.sides else 0

    @property
    def states(self) -> Counter[str]:
        """Cases by state, over both sides."""
        total: Counter[str] = Counter()
        for side in self.sides:
            total.update(side.states)
        return total


def invitation(gateway: str, password: str) -> RenderableType:
    """Where the dashboard is, and as whom to enter."""
    text = Text.assemble(
        ("运行台  ", "bold cyan"),
        (f"{gateway}/ops/", f"bold underline link {gateway}/ops/"),
        "\n账户  ",
        ("demo", "bold"),
        "（操作）或 ",
        ("second", "bold"),
        "（审批）   密码  ",
        (password, "bold"),
        "\n大屏  ",
        (f"{gateway}/ops/wall", f"link {gateway}/ops/wall"),
    )
    return Panel(text, box=box.ROUNDED, border_style="cyan")


def picture(scene: Scene) -> RenderableType:
    """The live view."""
    return Group(
        _header(scene), Columns([_route(side) for side in scene.sides]), _crossing(scene), _footer(scene)
    )


def _header(scene: Scene) -> RenderableType:
    numbers = scene.numbers
    text = Text.assemble(
        ("通办演示  ", "bold cyan"),
        f"已运行 {scene.elapsed_s:.0f} 秒   收文 {numbers.messages:.0f} 条（{numbers.in_per_s:.0f}/秒，"
        f"回执 {numbers.intake_ms:.0f} 毫秒）   投递 {numbers.delivered:.0f} 条"
        f"（{numbers.out_per_s:.0f}/秒，每次 {numbers.delivery_ms:.0f} 毫秒）   ",
        (
            f"事项双向到达 {scene.covered}/{scene.items}",
            "green" if scene.covered == scene.items else "yellow",
        ),
    )
    return Panel(text, box=box.ROUNDED, border_style="cyan")


def _route(side: Side) -> RenderableType:
    table = Table(title=f"{side.name} 发起", box=box.SIMPLE, title_style="bold", min_width=34)
    table.add_column("状态")
    table.add_column("件数", justify="right")
    for code, count in sorted(side.states.items()):
        name = State(code).label if code in set(State) else "等待回执"
        table.add_row(Text(f"{code} {name}", style=_COLOURS.get(code, "white")), str(count))
    table.add_section()
    table.add_row("合计", str(side.total))
    return table


def _crossing(scene: Scene) -> RenderableType:
    table = Table(title="最近的办件", box=box.SIMPLE, title_style="bold", expand=True)
    table.add_column("通办编号", no_wrap=True)
    for heading in ("来源", "", "去向"):
        table.add_column(heading, no_wrap=True)
    table.add_column("事项", no_wrap=True, ratio=1)
    for heading in ("状态", "到期"):
        table.add_column(heading, no_wrap=True)
    for case in scene.latest:
        state = Text(f"{case.code} {case.state}", style=_COLOURS.get(case.code, "white"))
        table.add_row(case.case_no, case.origin, "→", case.target, case.item, state, case.due)
    return table


def _footer(scene: Scene) -> RenderableType:
    return Text.assemble(
        ("接口 ", "dim"),
        (f"{scene.gateway}", "underline"),
        ("   文档 ", "dim"),
        (f"{scene.gateway}/docs", "underline"),
        ("   令牌 ", "dim"),
        (scene.token, "dim"),
        ("   Ctrl-C 结束", "bold"),
    )


def line(scene: Scene) -> str:
    """Progress where there is no terminal."""
    done = sum(count for code, count in scene.states.items() if code in FINAL)
    total = sum(side.total for side in scene.sides)
    numbers = scene.numbers
    return (
        f"{scene.elapsed_s:5.1f} 秒  办件 {done}/{total}  收文 {numbers.messages:.0f}"
        f"（{numbers.in_per_s:.1f}/秒）  投递 {numbers.delivered:.0f}（{numbers.out_per_s:.1f}/秒）"
        f"  事项 {scene.covered}/{scene.items}"
    )


def summary(scene: Scene, counted: Mapping[str, Counter[str]]) -> RenderableType:
    """The end of the demo: what got where, and what did not. ``counted``: states by origin."""
    table = Table(title="汇总", box=box.ROUNDED, title_style="bold")
    table.add_column("状态")
    for name in counted:
        table.add_column(f"{name} 发起", justify="right")
    for code in sorted(set().union(*counted.values())):
        label = Text(f"{code} {State(code).label}", style=_COLOURS.get(code, ""))
        table.add_row(label, *(str(states[code]) for states in counted.values()))
    table.add_section()
    table.add_row("合计", *(str(states.total()) for states in counted.values()))
    numbers = scene.numbers
    facts = Text(
        f"{scene.elapsed_s:.1f} 秒；收文 {numbers.messages:.0f} 条，回执平均 {numbers.intake_ms:.1f} 毫秒；"
        f"投递 {numbers.delivered:.0f} 条，每次平均 {numbers.delivery_ms:.1f} 毫秒"
    )
    return Group(table, facts)


def kinds(scene: Scene) -> RenderableType:
    """A line per kind: how many messages of it arrived, by direction."""
    table = Table(title="送达的报文", box=box.ROUNDED, title_style="bold")
    table.add_column("种类")
    for side in scene.sides:
        table.add_column(f"→ {side.name}", justify="right")
    for kind, name in KINDS.items():
        table.add_row(name, *(str(side.taken_in.get(kind, 0)) for side in scene.sides))
    return table


def coverage(items: int, missing: Sequence[str]) -> RenderableType:
    """How many items have come to an end in both directions, and which have not."""
    whole = f"{items - len(missing)}/{items} 事项双向已通办"
    if not missing:
        return Text(f"{whole}。", style="bold green")
    few = (
        f"；尚未双向办过：{'、'.join(missing)}"
        if len(missing) <= 5
        else f"（办件不少于 {2 * items} 件时全部办到）"
    )
    return Text(f"{whole}{few}。", style="yellow")


def misplaced(case: Mapping[str, Any], origin: str | None, target: str | None) -> Iterator[str]:
    """A sentence when a case is not at its end, or not in the same state on all three systems."""
    here, number = case["state"]["code"], case["case_no"]
    if here == State.UNDELIVERED:
        # refused by the target, as some are: it has no such case, and staff see why
        if target is not None:
            yield f"{number}: 网关记为投递失败，但目的方已有此办件"
    elif here not in FINAL or not origin == target == here:
        yield f"{number}: 网关 {here} {case['state']['name']}，来源方 {origin}，目的方 {target}"


def verdict(lost: Sequence[str]) -> RenderableType:
    """Whether every case got where it should, and which did not."""
    if not lost:
        return Text("每个办件两侧与网关状态一致，全部到位。", style="bold green")
    shown = [Text(f"  {sentence}", style="red") for sentence in lost[:30]]
    more = [Text(f"  … 另有 {len(lost) - 30} 条", style="red")] if len(lost) > 30 else []
    return Group(Text(f"有 {len(lost)} 处不到位：", style="bold red"), *shown, *more)
