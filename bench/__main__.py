"""python -m bench: how fast it is on this machine, beside the textbook. Nothing is asserted.

Figures of a shared machine move by a factor of two: compare only what one run shows side by side.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from bench import lists, proofs, rounds, translation
from bench.contenders import Baseline, Tongban, memory_mb
from bench.load import Applicants
from bench.rounds import Score
from gateway.conformance import keys
from gateway.conformance.simulator import stand_in_of
from gateway.regions import discover
from tests.town import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

SECTIONS = ("translation", "proofs", "flow", "lists")


def main() -> None:
    """Measure what was asked for, show it, keep it."""
    parser = _parser()
    asked = parser.parse_args()
    asked.sections = asked.sections or list(SECTIONS[:3])
    if unknown := set(asked.sections) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    console = Console(width=None if sys.stdout.isatty() else 120)
    found: dict[str, Any] = {"machine": machine()}
    console.print("  ".join(f"{name} {value}" for name, value in found["machine"].items()), style="dim")
    if "translation" in asked.sections:
        found["translation_us"] = list(_translations())
        show(console, "Translation, µs per message (median of the quickest fifth)", found["translation_us"])
    if "proofs" in asked.sections:
        found["proofs_us"] = list(proofs.measure())
        show(console, "Proofs and encryption, µs per 3 KB", found["proofs_us"])
    if {"flow", "lists"} & set(asked.sections):
        asyncio.run(_servers(console, asked, found))
    if asked.json:
        asked.json.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")
        console.print(f"kept in {asked.json}")
    else:
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")


async def _servers(console: Console, asked: argparse.Namespace, found: dict[str, Any]) -> None:
    with ExitStack() as running:
        home = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="tongban-bench-")))
        ports = {slug: free_port() for slug in discover()}
        config = keys.write(home, {slug: f"http://127.0.0.1:{port}" for slug, port in ports.items()})
        config.write_text(config.read_text() + "\n[server]\nport = 0\n")
        peer = subprocess.Popen([sys.executable, "-m", "bench.peer", *map(str, ports.values())])  # noqa: ASYNC220
        running.callback(peer.kill)
        sides = {slug: (stand_in_of(slug), _keys(slug, home)) for slug in ports}
        peer_url = f"http://127.0.0.1:{next(iter(ports.values()))}"
        with console.status("starting the servers"):
            contenders: list[Tongban | Baseline] = [Tongban(config, running)]
            if not asked.alone and "flow" in asked.sections:
                contenders.append(Baseline(config, running))
        applicants = Applicants(sides, seed=1)
        if "flow" in asked.sections:
            found["flow"] = await _flow(console, asked, contenders, applicants, peer_url)
        if "lists" in asked.sections:
            first = contenders[0]
            assert isinstance(first, Tongban)
            await rounds.saturated(first, applicants, peer_url, 100)
            token = _token(config)
            found["lists_ms"] = [
                row async for row in lists.measure(first.url, first.database_url, token, asked.rows)
            ]
            show(console, "Lists, ms", found["lists_ms"])


async def _flow(
    console: Console,
    asked: argparse.Namespace,
    contenders: list[Tongban | Baseline],
    applicants: Applicants,
    peer_url: str,
) -> dict[str, Any]:
    scores = [Score(contender.name) for contender in contenders]
    for contender in contenders:
        await rounds.saturated(contender, applicants, peer_url, 100)  # warm
    for turn in range(asked.rounds):
        for contender, score in zip(contenders, scores, strict=True):
            cases = asked.cases if contender.name == "tongban" else max(100, asked.cases // 4)
            score.rounds.append(await rounds.saturated(contender, applicants, peer_url, cases))
            told = score.rounds[-1]
            console.print(
                f"round {turn + 1} {score.name}: accepts {told['accept_per_s']}/s, "
                f"end to end {told['end_to_end_per_s']}/s"
            )
    for contender, score in zip(contenders, scores, strict=True):
        per_s = score.median("end_to_end_per_s") / 2
        score.half = await rounds.at_half(contender, applicants, peer_url, per_s, asked.seconds)
    show(console, "Flow: both directions, real processes, fsync on (medians)", [_flow_row(s) for s in scores])
    memory = {contender.name: memory_mb(contender.pids()) for contender in contenders}
    show(console, "CPU, ms per case", [{"": s.name, "all": _sum(s.cpu_ms()), **s.cpu_ms()} for s in scores])
    show(
        console,
        "Memory, MB",
        [{"": name, **{k: round(v) for k, v in used.items()}} for name, used in memory.items()],
    )
    if len(scores) == 2:
        _ratio(console, *scores)
    return {score.name: {**vars(score), "memory_mb": memory[score.name]} for score in scores}


def _flow_row(score: Score) -> dict[str, Any]:
    half = score.half
    return {
        "": score.name,
        "accept/s": round(score.median("accept_per_s")),
        "end to end/s": round(score.median("end_to_end_per_s")),
        "half load/s": round(half["per_s"]),
        "accept p50/p95/p99 ms": _three(half["accept_ms"]),
        "end to end p50/p95/p99 ms": _three(half["end_to_end_ms"]),
    }


def _translations() -> Iterator[dict[str, Any]]:
    sides = translation.crossings.SIDE
    for kind in sorted(sides, key=lambda each: (sides[each], each)):
        spent = translation.Crossing(kind).measure()
        steps = dict(zip(("parse", "read", "write", "render"), (round(us, 1) for us in spent), strict=True))
        aside = round(spent[1] + spent[2], 1)
        message = f"{kind} → {translation.crossings.PAIR[kind]}"
        yield {"message": message, **steps, "read + write": aside, "all": round(sum(spent), 1)}


def _ratio(console: Console, ours: Score, theirs: Score) -> None:
    pairs = zip(ours.rounds, theirs.rounds, strict=True)
    ratios = sorted(a["end_to_end_per_s"] / b["end_to_end_per_s"] for a, b in pairs)
    console.print(
        f"end to end {ratios[len(ratios) // 2]:.1f}x the textbook (rounds {ratios[0]:.1f} to {ratios[-1]:.1f}), "
        f"CPU per case 1/{_sum(theirs.cpu_ms()) / _sum(ours.cpu_ms()):.1f}"
    )


def _sum(parts: dict[str, float]) -> float:
    return round(sum(parts.values()), 3)


def _three(figures: dict[str, float]) -> str:
    return " / ".join(f"{figure:g}" for figure in figures.values())


def show(console: Console, title: str, rows: list[dict[str, Any]]) -> None:
    """A table of rows; a member that a row has not is left empty."""
    table = Table(title=title, title_justify="left", title_style="bold", min_width=len(title))
    names = list(dict.fromkeys(name for row in rows for name in row))
    for name in names:
        table.add_column(name, justify="left" if isinstance(rows[0].get(name), str) else "right")
    for row in rows:
        cells = (row.get(name, "") for name in names)
        table.add_row(*(f"{cell:g}" if isinstance(cell, float) else str(cell) for cell in cells))
    console.print(table)


def machine() -> dict[str, str]:
    """What the figures depend on."""
    names = (
        "sqlalchemy",
        "asyncpg",
        "celery",
        "fastapi",
        "httpx",
        "aiohttp",
        "tongsuopy",
        "lxml",
        "pydantic",
    )
    model = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "?"
    )
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),  # noqa: TID251 - of the report
        "cpu": f"{os.cpu_count()} × {model}",
        "load": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "kernel": platform.release(),
        **{name: version(name) for name in names},
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def _keys(slug: str, home: Path) -> Any:
    return stand_in_of(slug).keys(json.loads((home / f"{slug}.json").read_text("utf-8")))


def _token(config: Path) -> str:
    text = config.read_text("utf-8")
    return text.split('token = "')[-1].split('"')[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("sections", nargs="*", help=f"of {', '.join(SECTIONS)}; default: all but lists")
    parser.add_argument("--cases", type=int, default=2000, help="per round (the textbook: a quarter)")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds; medians are shown")
    parser.add_argument("--seconds", type=float, default=6.0, help="at half load")
    parser.add_argument("--alone", action="store_true", help="without the textbook")
    parser.add_argument("--rows", type=int, default=1_000_000, help="cases stored for `lists`")
    parser.add_argument("--json", type=Path, help="keep the figures here")
    return parser


if __name__ == "__main__":
    main()
