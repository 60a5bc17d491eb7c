"""python -m bench: how fast it is on this machine, beside the textbook. Nothing is asserted.

Figures of a shared machine move by a factor of two: compare only what one run shows side by side.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import inspect
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console

from bench import page
from bench.ground import Ground
from bench.machine import machine
from bench.sheets import show

#: Section → its module: ``measure(ground)`` gives figures, ``sheets(found)`` their tables.
SECTIONS = {
    "translation": "bench.translating",
    "proofs": "bench.proofs",
    "tuning": "bench.tuning",
    "flow": "bench.flow",
    "backlog": "bench.backlog",
    "stored": "bench.stored",
    "scale": "bench.scaling",
    "profile": "bench.profiling",
}
USUAL = ("translation", "proofs", "flow", "backlog", "stored")
FULL = ("translation", "proofs", "tuning", "flow", "backlog", "stored", "scale")


def main() -> None:
    """Measure what was asked for, show it, keep it."""
    asked = parse(sys.argv[1:])
    console = Console(width=None if sys.stdout.isatty() else 160)
    if asked.kept:
        found = json.loads(asked.kept.read_text("utf-8"))
    else:
        found = {
            "machine": machine(),
            "command": " ".join(["python -m bench", *sys.argv[1:]]),
            "sections": {},
        }
        console.print("  ".join(f"{name} {value}" for name, value in found["machine"].items()), style="dim")
        with tempfile.TemporaryDirectory(prefix="tongban-bench-", dir=asked.dir) as home:
            uvloop.run(_measure(console, asked, Path(home), found))
        found["machine"]["load at the end"] = machine()["load"]
    if asked.json:
        asked.json.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
        console.print(f"kept in {asked.json}")
    if asked.write:
        page.write(asked.write, found)
        console.print(f"written: {asked.write}")


async def _measure(console: Console, asked: argparse.Namespace, home: Path, found: dict[str, Any]) -> None:
    with Ground(console, asked, home) as ground:
        for name in asked.sections:
            ground.say(f"[bold]{name}[/bold]")
            section = importlib.import_module(SECTIONS[name])
            told = section.measure(ground)
            found["sections"][name] = await told if inspect.isawaitable(told) else told
            show(console, page.sheets_of(name, found["sections"][name]))
            await asyncio.sleep(1)


def _command(words: list[str]) -> str:
    # where the figures are kept says nothing about them
    kept = {
        n + step for n, word in enumerate(words) if word in {"--json", "--write", "--dir"} for step in (0, 1)
    }
    return " ".join(["python -m bench", *(word for n, word in enumerate(words) if n not in kept)])


def parse(words: list[str]) -> argparse.Namespace:
    """The command line, with what ``--full`` means put in."""
    line = parser()
    asked = line.parse_args(words)
    if unknown := set(asked.sections) - set(SECTIONS):
        line.error(f"no such section: {', '.join(sorted(unknown))}")
    asked.sections = asked.sections or list(FULL if asked.full else USUAL)
    for name, usual, full in AMOUNTS:
        if getattr(asked, name) is None:
            setattr(asked, name, full if asked.full else usual)
    return asked


#: Option, usual amount, amount of a full run.
AMOUNTS = (
    ("rounds", 5, 9),
    ("seconds", 4.0, 6.0),
    ("windows", 3, 5),
    ("queued", 20_000, 100_000),
    ("trial_rounds", 2, 3),
)


def parser() -> argparse.ArgumentParser:
    """The words of the command line."""
    line = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    line.add_argument(
        "sections", nargs="*", metavar="section", help=f"of {', '.join(SECTIONS)}; usual: {', '.join(USUAL)}"
    )
    line.add_argument(
        "--full", action="store_true", help="every section, with all rounds; about half an hour"
    )
    line.add_argument("--large", action="store_true", help="stored: 10 million cases too")
    line.add_argument("--rounds", type=int, help="interleaved rounds; medians are shown")
    line.add_argument("--seconds", type=float, help="of a round or window")
    line.add_argument("--cases", type=int, help="of a round, in place of seconds")
    line.add_argument("--connections", type=int, default=64, help="callers at full speed")
    line.add_argument("--windows", type=int, help="backlog: windows at each length of the queue")
    line.add_argument("--queued", type=int, help="backlog: cases queued behind the dead side")
    line.add_argument("--rows", type=int, default=1_000_000, help="stored: cases")
    line.add_argument("--questions", type=int, default=200, help="stored: how often each is asked")
    line.add_argument("--trial-rounds", type=int, help="tuning: rounds through all trials")
    line.add_argument("--trial-cases", type=int, default=500, help="tuning: cases of a trial")
    line.add_argument("--alone", action="store_true", help="without the textbook")
    line.add_argument("--seed", type=int, default=1, help="of the invented applications")
    line.add_argument(
        "--dir", type=Path, help="where the databases live meanwhile; usual: the temporary folder"
    )
    line.add_argument("--json", type=Path, help="keep the figures here")
    line.add_argument("--write", type=Path, metavar="PAGE", help="write the page and its picture")
    line.add_argument(
        "--from", dest="kept", type=Path, metavar="JSON", help="show kept figures, measure nothing"
    )
    return line


if __name__ == "__main__":
    main()
