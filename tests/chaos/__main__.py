"""python -m tests.chaos: break everything on purpose, and check from outside that no promise is broken.

Exit status: 1 when one is, with the whole history of its case.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.chaos import page, report
from tests.chaos.run import run

if TYPE_CHECKING:
    from tests.chaos.plan import Fault


def main() -> int:
    """Run, print, keep."""
    asked = _parser().parse_args()
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(f"seed {asked.seed}, {asked.cases} cases, {asked.faults} faults")
    home = Path(tempfile.mkdtemp(prefix="chaos-"))
    with _progress(console) as progress:
        cases = progress.add_task("cases", total=asked.cases)
        blows = progress.add_task("faults", total=asked.faults)
        began = time.monotonic()

        def show(decided: int, dealt: int, fault: Fault | None) -> None:
            progress.update(cases, completed=decided)
            progress.update(blows, completed=dealt)
            if fault is not None and asked.verbose:
                console.print(
                    f"{time.monotonic() - began:7.2f} s  {decided:6d} cases  {fault}", highlight=False
                )

        outcome = run(home, seed=asked.seed, cases=asked.cases, faults=asked.faults, show=show)
    report.show(console, outcome)
    report.explain(console, outcome, home / "history.jsonl")
    if asked.json:
        asked.json.write_text(json.dumps(outcome.as_json(), ensure_ascii=False, indent=1) + "\n", "utf-8")
    if asked.write:
        page.write(asked.write, outcome, asked)
        if asked.write.resolve() == report.PAGE:
            figures = json.dumps(report.measured(outcome), ensure_ascii=False, indent=1)
            report.MEASURED.write_text(figures + "\n", "utf-8")
    console.print(f"history kept in {home / 'history.jsonl'}", style="dim")
    return 1 if outcome.violations else 0


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, disable=not sys.stdout.isatty())


def _parser() -> argparse.ArgumentParser:
    line = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    seed = os.environ.get("CHAOS_SEED")
    line.add_argument("--seed", type=int, default=int(seed) if seed else SystemRandom().randrange(1 << 31))
    line.add_argument("--cases", type=int, default=20_000)
    line.add_argument("--faults", type=int, default=1_000)
    line.add_argument("--json", type=Path, help="write the figures here")
    line.add_argument(
        "--write",
        type=Path,
        metavar="PAGE",
        help="write the page of the documents here, in English beside it",
    )
    line.add_argument("--verbose", action="store_true", help="name each fault as it is dealt")
    return line


if __name__ == "__main__":
    raise SystemExit(main())
