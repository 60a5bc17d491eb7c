"""What a run showed: on the terminal, as figures, and the whole history of a case in which a promise broke."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from rich.table import Table

from tests.chaos.history import read

if TYPE_CHECKING:
    from rich.console import Console

    from tests.chaos.run import Outcome

_ROOT = Path(__file__).parents[2]
#: The page of the documents, and the figures an installed gateway shows of its release.
PAGE = _ROOT / "docs" / "reference" / "chaos.md"
MEASURED = _ROOT / "gateway" / "dashboard" / "views" / "measured" / "chaos.json"

#: Cases whose history is printed.
_MOST = 3


def rows(outcome: Outcome) -> list[tuple[str, str]]:
    """The figures, named."""
    told = outcome.as_json()
    return [
        ("seed", str(told["seed"])),
        ("cases", f"{told['cases']:,}"),
        ("faults", f"{told['faults']:,}"),
        ("messages handed in", f"{told['messages']:,}"),
        ("calls it took to hand them in", f"{told['calls']:,}"),
        ("messages that took effect", f"{told['effects']:,}"),
        ("deliveries repeated under the same key", f"{told['again']:,}"),
        ("applications turned away as planned", f"{told['turned_away']:,}"),
        ("senders who gave up without a receipt", f"{told['given_up']:,}"),
        ("processes started anew", f"{told['restarts']:,}"),
        ("time", f"{told['took_s']:,.0f} s"),
        (
            "acceptance: median, 99 of 100, slowest",
            " / ".join(f"{one * 1000:,.0f} ms" for one in outcome.accept_s),
        ),
        ("longest wait of a message that could go", f"{told['longest_wait_s']:.1f} s"),
        ("the same, less the time its other side was unwell", f"{told['longest_wait_while_well_s']:.1f} s"),
        ("violations", str(len(outcome.violations))),
    ]


def show(console: Console, outcome: Outcome) -> None:
    """The figures and the faults by kind."""
    figures = Table("what", "how many", title="Chaos", title_justify="left")
    for row in rows(outcome):
        figures.add_row(*row)
    console.print(figures)
    kinds = sorted(outcome.faults.items())
    console.print("  ".join(f"{kind} {n}" for kind, n in kinds), highlight=False, style="dim")


def explain(console: Console, outcome: Outcome, history: Path) -> None:
    """Every violation, and of the first few cases all that was seen."""
    for one in outcome.violations[:40]:
        console.print(str(one), style="red", markup=False, highlight=False)
    if len(outcome.violations) > 40:
        console.print(f"… and {len(outcome.violations) - 40} more", style="red")
    refs = list(dict.fromkeys(one.ref for one in outcome.violations))[:_MOST]
    for ref in refs:
        console.rule(ref)
        for line in of_case(history, ref):
            console.print(line, markup=False, highlight=False)


def of_case(history: Path, ref: str) -> list[str]:
    """The lines of a case, under either side's number, with the faults of those moments."""
    lines = list(read(history))
    own = {ref} | {line["case"] for line in lines if line.get("case_no") == ref}
    mine = [line for line in lines if line.get("case") in own]
    if not mine:
        return []
    began, ended = mine[0]["t"] - 1, mine[-1]["t"] + 1
    shown = [
        line
        for line in lines
        if line.get("case") in own or (line["e"] == "fault" and began <= line["t"] <= ended)
    ]
    return [f"{line.pop('t') - began:8.3f}  {line.pop('e'):8}  " + _words(line) for line in shown]


def _words(line: dict[str, object]) -> str:
    return "  ".join(f"{name}={value}" for name, value in line.items() if value not in ("", None))


def measured(outcome: Outcome) -> dict[str, object]:
    """The figures an installed gateway shows of this release (`gateway/dashboard/views/measured/chaos.json`)."""
    told = outcome.as_json()
    memory = psutil.virtual_memory().total / 2**30
    names = (
        "cases",
        "faults",
        "messages",
        "restarts",
        "longest_wait_s",
        "longest_wait_while_well_s",
        "took_s",
    )
    return {
        "when": f"{datetime.now(UTC):%Y-%m-%d}",  # noqa: TID251 - the day of the run
        "machine": f"{os.cpu_count()} × {platform.machine()}, {memory:.0f} GiB, {platform.system()}",
        **{name: told[name] for name in names},
        "violations": len(outcome.violations),
    }
