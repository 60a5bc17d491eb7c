"""Where the time goes: web and worker sampled by py-spy, and the database's busy statements, at full speed.

`python -m bench profile`. The sampler takes its share of the two cores: read shares, not rates.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from bench import rounds
from bench.contenders import Tongban

if TYPE_CHECKING:
    from bench.ground import Ground
    from bench.sheets import Sheet

PARTS = ("web", "worker")
RATE = 250
SHOWN = 30
_LOOK_S = 0.01
_BUSY = """
SELECT coalesce(wait_event_type || ':' || wait_event, 'running') AS doing, application_name, query
  FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


async def measure(ground: Ground) -> dict[str, Any]:
    """One round under the sampler."""
    spy = shutil.which("py-spy") or shutil.which("py-spy", path=str(Path(sys.executable).parent))
    if spy is None:
        raise SystemExit("py-spy is needed for this: .venv/bin/python -m pip install py-spy")
    with Tongban(ground.config) as tongban:
        per_s = await rounds.warm(ground, tongban)
        cases = rounds.cases_of(ground, per_s)
        spies = {part: await _spy(spy, tongban.pids()[part], ground.home / f"{part}.txt") for part in PARTS}
        looking = asyncio.create_task(_look(tongban.database_url))
        told = await rounds.saturated(ground, tongban, cases)
        looking.cancel()
        for one in spies.values():
            if one.returncode is None:
                one.send_signal(signal.SIGINT)  # it writes what it saw and ends
            await one.wait()
        statements = await asyncio.gather(looking, return_exceptions=True)
    stacks = {part: _read(ground.home / f"{part}.txt") for part in PARTS}
    return {
        "round": told,
        "functions": {part: _functions(of) for part, of in stacks.items()},
        "statements": statements[0] if isinstance(statements[0], list) else [],
    }


async def _spy(spy: str, pid: int, file: Path) -> asyncio.subprocess.Process:
    command = (spy, "record", "--pid", str(pid), "--format", "raw", "--output", str(file))
    how = ("--function", "--rate", str(RATE), "--duration", "unlimited", "--nonblocking")
    quiet = asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(*command, *how, stdout=quiet, stderr=quiet)


async def _look(url: str) -> list[dict[str, Any]]:
    seen: Counter[tuple[str, str]] = Counter()
    looks = 0
    connection = await asyncpg.connect(url)
    try:
        while True:
            for row in await connection.fetch(_BUSY):
                seen[_short(row["query"]), row["doing"]] += 1
            looks += 1
            await asyncio.sleep(_LOOK_S)
    except asyncio.CancelledError:
        await connection.close()
        return [
            {"statement": statement, "doing": doing, "busy on average": round(count / max(looks, 1), 3)}
            for (statement, doing), count in seen.most_common(SHOWN // 2)
        ]


def _short(query: str) -> str:
    words = re.sub(r"\s+", " ", query).strip()
    return words[:70]


def _read(file: Path) -> Counter[tuple[str, ...]]:
    stacks: Counter[tuple[str, ...]] = Counter()
    for line in file.read_text("utf-8").splitlines() if file.exists() else ():
        frames, _, count = line.rpartition(" ")
        stacks[tuple(frame or "?" for frame in frames.split(";"))] += int(count)
    return stacks


def _functions(stacks: Counter[tuple[str, ...]]) -> list[dict[str, Any]]:
    """By the time inside it and all it calls; ``self`` without what it calls. Units: percent of the samples."""
    whole = sum(stacks.values()) or 1
    alone: Counter[str] = Counter()
    inside: Counter[str] = Counter()
    for stack, count in stacks.items():
        alone[stack[-1]] += count
        for frame in set(stack):
            inside[frame] += count
    names = {name for name, _ in alone.most_common(SHOWN)} | {name for name, _ in inside.most_common(SHOWN)}
    return [
        {
            "function": name,
            "self %": round(100 * alone[name] / whole, 1),
            "all %": round(100 * inside[name] / whole, 1),
        }
        for name in sorted(names, key=lambda name: (-alone[name], -inside[name]))
    ]


def sheets(found: dict[str, Any]) -> list[Sheet]:
    """The functions by themselves and with what they call, and the statements."""
    tables: list[Sheet] = []
    for part, functions in found["functions"].items():
        by_all = sorted(functions, key=lambda row: -row["all %"])
        tables += [(f"{part}: alone", functions[:SHOWN]), (f"{part}: with what it calls", by_all[:SHOWN])]
    if found["statements"]:
        tables.append(("database: statements at work", found["statements"]))
    return tables
