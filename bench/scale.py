"""python -m bench.scale: does it grow with its worker processes, and what does a network between the parts cost?

A backlog is handed in at the door of two web processes, kept aside, and put back for every round; workers are real
processes, the peer is one more, and counts. Nothing is asserted but that no message comes twice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx
from rich.console import Console
from rich.table import Table

from bench import load
from bench.fleet import Fleet, database_behind, redis_behind
from bench.meter import cpu_seconds, memory_mb
from gateway.conformance import keys
from gateway.conformance.simulator import stand_in_of
from gateway.regions import discover
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LATENCY_S = 0.2
#: Small enough that the latency and not the CPU is the limit of four workers: what is shown is the scaling.
NARROW = 16
#: Per destination; both together are the calls a worker process may have in flight.
WIDE = 600
_PATIENCE_S = 90.0


@dataclass(frozen=True)
class Round:
    """Units: ``window`` calls in flight per worker and destination; seconds. ``delay_s``: None without a proxy."""

    name: str
    workers: int
    window: int
    cases: int
    latency_s: float = LATENCY_S
    delay_s: float | None = None


@dataclass
class Bench:
    """The fleet, the far side, and the backlog that is put back."""

    fleet: Fleet
    ports: Mapping[str, int]
    peer: httpx.Client
    rows: list[dict[str, Any]] = field(default_factory=list)

    async def play(self, each: Round) -> dict[str, Any]:
        """One round: fresh workers, the backlog at once, everything delivered and counted."""
        with ExitStack() as proxies:
            names = self.fleet.workers(self._environments(each), **_through(self.fleet, each, proxies))
            try:
                self.peer.get(f"/forget?{each.latency_s}")
                before = cpu_seconds(self.fleet.pids(names))
                began = time.monotonic()
                await self._put_back(each.cases)
                told = await self._until_told(each.cases)
                counted = await self._counted(each.cases)
                after = cpu_seconds(self.fleet.pids(names))
                memory = memory_mb(self.fleet.pids(names))
            finally:
                self.fleet.end(names)
        row = {
            "round": each.name,
            "workers": each.workers,
            "window": f"2 × {each.window}",
            "latency ms": round(each.latency_s * 1e3),
            "deliveries": told["messages"],
            "deliveries/s": round(_steady(told["at"]), 1),
            "last after s": round(max(told["at"]) - began, 1),
            "most in flight, each": " ".join(str(n) for n in sorted(told["most"].values(), reverse=True)),
            "worker CPU ms": round(sum(after[n] - before[n] for n in names) / told["messages"] * 1e3, 2),
            "MB, each": round(max(memory.values())),
            "twice": told["twice"],
        }
        _check(each, told, counted)
        self.rows.append(row)
        return row

    def _environments(self, each: Round) -> Iterator[dict[str, str]]:
        for number in range(1, each.workers + 1):
            yield {
                "TONGBAN_DELIVERY_WINDOW": str(each.window),
                **{
                    f"TONGBAN_REGIONS_{slug.upper()}_BASE_URL": f"http://127.0.0.1:{port}/w{number}"
                    for slug, port in self.ports.items()
                },
            }

    async def _put_back(self, cases: int) -> None:
        connection = await asyncpg.connect(self.fleet.database_url)
        try:
            async with connection.transaction():
                await connection.execute("TRUNCATE attempts")
                await connection.execute(
                    f"INSERT INTO deliveries SELECT * FROM bench_backlog ORDER BY id LIMIT {cases}"
                )
                await connection.execute("UPDATE deliveries SET due_at = now()")
            await connection.execute("ANALYZE deliveries")
        finally:
            await connection.close()

    async def _until_told(self, cases: int) -> dict[str, Any]:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            await asyncio.sleep(0.5)
            told: dict[str, Any] = self.peer.get("/told").json()
            if told["keys"] >= cases:
                await asyncio.sleep(2 * LATENCY_S)  # whatever comes twice comes now
                return dict(self.peer.get("/told").json())
            if time.monotonic() > deadline:
                raise TimeoutError(f"{cases - told['keys']} of {cases} did not arrive")

    async def _counted(self, cases: int) -> tuple[int, int, int]:
        """Attempts, messages attempted, deliveries still open; waits for the last verdicts."""
        connection = await asyncpg.connect(self.fleet.database_url)
        try:
            deadline = time.monotonic() + _PATIENCE_S
            while True:
                found = await connection.fetchrow(
                    "SELECT count(*) AS n, count(DISTINCT message_id) AS m,"
                    " (SELECT count(*) FROM deliveries) AS open FROM attempts"
                )
                if found["open"] == 0 or time.monotonic() > deadline:
                    return int(found["n"]), int(found["m"]), int(found["open"])
                await asyncio.sleep(0.2)
        finally:
            await connection.close()


def _through(fleet: Fleet, each: Round, proxies: ExitStack) -> dict[str, str]:
    """The URLs of a round: straight, or behind proxies that delay each way."""
    if each.delay_s is None:
        return {}
    database, url = database_behind(fleet.database_url, each.delay_s)
    broker, broker_url = redis_behind(fleet.redis_url, each.delay_s)
    proxies.enter_context(database)
    proxies.enter_context(broker)
    return {
        "database_url": url.format(port=database.port),
        "redis_url": broker_url.format(port=broker.port),
    }


def _steady(at: list[float]) -> float:
    """Deliveries a second between the first and the last fifth: without ramp-up and tail."""
    at = sorted(at)
    first, last = len(at) // 5, len(at) * 4 // 5
    return (last - first) / (at[last] - at[first])


def _check(each: Round, told: Mapping[str, Any], counted: tuple[int, int, int]) -> None:
    """No double claim: the far side saw each message once, and the record has one attempt for each."""
    if told["twice"] or told["messages"] != each.cases or counted != (each.cases, each.cases, 0):
        raise AssertionError(f"{each.name}: the peer {dict(told) | {'at': '…'}}, attempts {counted}")


async def _hand_in(fleet: Fleet, home: Path, cases: int) -> float:
    """Through the door of the web processes, both directions; kept aside. Returns receipts per second."""
    sides = {slug: (stand_in_of(slug), _keys(slug, home)) for slug in discover()}
    applicants = load.Applicants(sides, seed=20)
    spent = 0.0
    for first in range(0, cases, 1000):
        requests = applicants.make(min(1000, cases - first))
        began = time.monotonic()
        await load.closed(fleet.url, requests)
        spent += time.monotonic() - began
    connection = await asyncpg.connect(fleet.database_url)
    try:
        await connection.execute("CREATE TABLE bench_backlog AS TABLE deliveries")
        await connection.execute("DELETE FROM deliveries")  # or the first worker begins before its round
    finally:
        await connection.close()
    return cases / spent


def rounds(cases: int, latency_s: float) -> list[Round]:
    """What is played: the workers' number, then the network, then the calls in flight."""
    share = {1: 0.3, 2: 0.6, 4: 1.0}
    narrow = [Round(f"{n} worker{'s' * (n > 1)}", n, NARROW, int(cases * share[n]), latency_s) for n in share]
    straight = narrow[-1]
    behind = [
        Round(f"4, proxy {ms} ms each way", 4, NARROW, straight.cases, latency_s, ms / 1e3)
        for ms in (0, 1, 2)
    ]
    return [
        *narrow,
        *behind,
        Round("wide", 1, WIDE, cases, latency_s),
        Round("wide, 4 workers", 4, WIDE, cases, latency_s),
        Round("wide, slow peer", 1, WIDE, cases, 2.0),
        Round("wide, 2 workers, slow peer", 2, WIDE, cases, 4.0),
    ]


async def measure(
    console: Console, *, cases: int = 4000, latency_s: float = LATENCY_S, only: str = ""
) -> dict[str, Any]:
    """Start everything, hand the backlog in, play the rounds; the figures as rows."""
    with ExitStack() as running:
        home = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="tongban-scale-")))
        ports = {slug: free_port() for slug in discover()}
        config = keys.write(home, {slug: f"http://127.0.0.1:{port}/w0" for slug, port in ports.items()})
        peer = subprocess.Popen([sys.executable, "-m", "bench.far_peer", *map(str, ports.values())])  # noqa: ASYNC220
        running.callback(peer.kill)
        http = running.enter_context(
            httpx.Client(base_url=f"http://127.0.0.1:{next(iter(ports.values()))}", timeout=20)
        )
        with console.status("starting the servers"):
            fleet = running.enter_context(Fleet(home, config))
            await fleet.migrate()
            fleet.web(2)
            _wait_for(f"{fleet.url}/readyz")
        with console.status(f"handing in {cases} cases"):
            accepted = await _hand_in(fleet, home, cases)
        console.print(f"2 web processes, {cases} cases handed in: {accepted:.0f} receipts/s")
        fleet.beat()
        bench = Bench(fleet, ports, http)
        for each in rounds(cases, latency_s):
            if only in each.name:
                row = await bench.play(each)
                console.print("  ".join(f"{name} {value}" for name, value in row.items()), style="dim")
        _show(console, bench.rows)
        return {"accept_per_s": round(accepted, 1), "rounds": bench.rows, **_conclusions(console, bench.rows)}


def _conclusions(console: Console, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How it grew, and what the network took."""
    rate = {row["round"]: row["deliveries/s"] for row in rows}
    said: dict[str, Any] = {}
    if {"1 worker", "4 workers"} <= rate.keys():
        said["growth"] = {
            n: round(rate[n] / rate["1 worker"], 2) for n in rate if n[1:].startswith(" worker")
        }
        console.print(f"growth with the workers: {said['growth']}")
    control = rate.get("4, proxy 0 ms each way")
    if control:
        said["loss_percent"] = {
            name: round(100 * (1 - rate[name] / control), 1) for name in rate if "proxy" in name
        }
        console.print(f"loss by the network, against a proxy that adds nothing, %: {said['loss_percent']}")
    return said


def _show(console: Console, rows: list[dict[str, Any]]) -> None:
    table = Table(title="Worker processes against one far peer", title_justify="left", title_style="bold")
    for name in rows[0]:
        table.add_column(name, justify="left" if isinstance(rows[0][name], str) else "right")
    for row in rows:
        table.add_row(*map(str, row.values()))
    console.print(table)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(url, timeout=2).is_success:
                return
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.1)


def _keys(slug: str, home: Path) -> Any:
    return stand_in_of(slug).keys(json.loads((home / f"{slug}.json").read_text("utf-8")))


def main() -> None:
    """Measure and show; ``--json`` keeps the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--cases", type=int, default=4000, help="the backlog of the largest rounds")
    parser.add_argument("--latency", type=float, default=LATENCY_S, help="of the peer, seconds")
    parser.add_argument("--only", default="", help="rounds whose name holds this")
    parser.add_argument("--json", type=Path, help="keep the figures here")
    asked = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 200)
    found = asyncio.run(measure(console, cases=asked.cases, latency_s=asked.latency, only=asked.only))
    if asked.json:
        asked.json.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
