"""How long a translation takes, by message kind: `make bench`. One process, one core, no I/O.

parse and render are bytes to tree and back (JSON, or GB18030 XML); read and write are the field maps, rules,
canonical event and whole trace. Each figure is the median of the quickest fifth of the rounds.
"""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from time import perf_counter_ns

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import crossings

from gateway.exchange import dry_run as steps
from gateway.exchange import translate
from gateway.mapping.fieldmap import Sight

#: Microseconds per message and direction that a map may take on this class of machine.
MAY_TAKE_US = 100.0
SECONDS_PER_KIND = 0.5


class Crossing:
    """One worked message, ready to be translated again and again."""

    def __init__(self, kind: str) -> None:
        self.kind, self.sender = kind, crossings.SIDE[kind]
        self.region = crossings.REGIONS[self.sender]
        self.body = self.region.render(crossings.edited(kind), kind)
        self.run = steps.DryRun(
            crossings.REGIONS,
            crossings.TABLES,
            crossings.MAPS,
            self.sender,
            crossings.NOW,
            crossings.CONTEXT.get(kind),
        )
        receiver = crossings.MAPS.routes.sole[self.sender]
        self.receiver = crossings.REGIONS[receiver]
        self.plan = crossings.MAPS.reader(self.sender, kind)
        opened = self.region.parse(self.body)
        case = None if self.plan.map.kind.opens_case else steps._context(self.run, opened)
        self.sight = Sight(
            crossings.TABLES,
            self.sender,
            self.sender,
            receiver,
            crossings.DAY,
            case=case,
            door=False,
        )
        self.heads = steps._heads(self.run, translate.read(self.plan, opened, self.sight), case)
        self.writer = crossings.MAPS.writer(receiver, self.plan.map.kind)
        self.written = replace(self.sight, region=receiver)

    def once(self) -> tuple[int, int, int, int]:
        """Nanoseconds of parse, read, write, render."""
        began = perf_counter_ns()
        opened = self.region.parse(self.body)
        parsed = perf_counter_ns()
        reading = translate.read(self.plan, opened, self.sight)
        read = perf_counter_ns()
        rendered = translate.write(self.writer, reading, self.written, self.heads)
        wrote = perf_counter_ns()
        self.receiver.render(rendered.tree, rendered.native_kind)
        return parsed - began, read - parsed, wrote - read, perf_counter_ns() - wrote

    def measure(self) -> list[float]:
        """Microseconds of each step."""
        rounds, until = [], perf_counter_ns() + int(SECONDS_PER_KIND * 1e9)
        while perf_counter_ns() < until or len(rounds) < 50:
            rounds.append(self.once())
        quickest = max(10, len(rounds) // 5)
        return [statistics.median(sorted(step)[:quickest]) / 1000 for step in zip(*rounds, strict=True)]


def main() -> int:
    """Print the table; 1 when a map takes longer than it may."""
    shown = Table(title="Translation, microseconds per message")
    for name in ("from", "to", "bytes", "parse", "read", "write", "render", "all"):
        shown.add_column(name, justify="left" if name in {"from", "to"} else "right")
    slow = []
    for kind in sorted(crossings.SIDE, key=lambda each: (crossings.SIDE[each], each)):
        crossing = Crossing(kind)
        spent = crossing.measure()
        figures = [f"{us:.0f}" for us in (*spent, sum(spent))]
        shown.add_row(kind, crossings.PAIR[kind], str(len(crossing.body)), *figures)
        slow += [
            f"{kind}: {name} {us:.0f} µs"
            for name, us in zip(("read", "write"), spent[1:3], strict=True)
            if us > MAY_TAKE_US
        ]
    console = Console(width=max(100, Console().width))
    console.print(shown)
    versions = ", ".join(f"{name} {version(name)}" for name in ("tongban", "pydantic", "lxml"))
    console.print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}, "
        f"{time.strftime('%Y-%m-%d')}"
    )
    console.print(f"over {MAY_TAKE_US:.0f} µs: " + ("; ".join(slow) if slow else "none"))
    return 1 if slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
