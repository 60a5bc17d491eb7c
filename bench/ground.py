"""What every section stands on: the console, the keys, the receiving sides, the applicants."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import time
import tomllib
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from bench.contenders import Tuning, end
from bench.load import Applicants, Line, wire
from gateway.conformance import keys
from gateway.conformance.simulator import stand_in_of
from gateway.regions import discover
from tests.ports import free_port

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from pathlib import Path

    from rich.console import Console

#: How long after the last receipt an arrival is waited for.
PATIENCE_S = 120.0


#: The bench signs in to the operators' pages without a telephone.
_DESK = '[dashboard]\nsecond_factor = "optional"\n'


class Peers:
    """Both sides' doors, a process each."""

    def __init__(self) -> None:
        self.ports = {slug: free_port() for slug in discover()}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.again = 0

    def __enter__(self) -> Self:
        for slug in self.ports:
            self.open(slug)
        return self

    def __exit__(self, *_: object) -> None:
        for slug in list(self._running):
            self.close(slug)

    def open(self, slug: str) -> None:
        """Let a side be there."""
        command = [sys.executable, "-m", "bench.peer", str(self.ports[slug])]
        self._running[slug] = subprocess.Popen(command)

    def close(self, slug: str) -> None:
        """Let a side be gone: its port refuses."""
        end(self._running.pop(slug))

    def pids(self) -> dict[str, int]:
        return {f"receiver {slug}": process.pid for slug, process in self._running.items()}

    async def forget(self) -> None:
        """Begin anew: numbers seen before may come again, from another gateway."""
        await self.seen("/new")

    async def seen(self, path: str = "/seen") -> dict[str, float]:
        """What took effect since this was asked last: case number → moment."""
        found: dict[str, float] = {}
        self.again = 0
        for slug in self._running:
            line = await self._reach(f"http://127.0.0.1:{self.ports[slug]}")
            told = json.loads((await line.ask(wire(f"GET {path}")))[1])
            line.transport.close()
            found |= told["seen"]
            self.again += told["again"]
        return found

    async def arrivals(
        self, case_nos: Iterable[str], *, within_s: float = PATIENCE_S, all_: bool = True
    ) -> dict[str, float]:
        """When each of these cases took effect. Errors: `TimeoutError` when some do not, unless ``all_`` is off."""
        wanted, found = set(case_nos), dict[str, float]()
        deadline = time.monotonic() + within_s
        while True:
            found |= await self.seen()
            if wanted <= found.keys():
                return found
            if time.monotonic() > deadline:
                if all_:
                    raise TimeoutError(f"{len(wanted - found.keys())} of {len(wanted)} did not arrive")
                return found
            await asyncio.sleep(0.1)

    async def _reach(self, url: str) -> Line:
        deadline = time.monotonic() + 10
        while True:
            try:
                return await Line.to(url)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.05)


@dataclass
class Ground:
    """One run of the bench. ``tuning``: how the textbook is to run."""

    console: Console
    asked: argparse.Namespace
    home: Path
    tuning: Tuning = field(default_factory=Tuning)

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self.peers = self._stack.enter_context(Peers())
        urls = {slug: f"http://127.0.0.1:{port}" for slug, port in self.peers.ports.items()}
        self.config = keys.write(self.home, urls)
        self.config.write_text(self.config.read_text() + "\n[server]\nport = 0\n" + _DESK)
        self.token = tomllib.loads(self.config.read_text())["tokens"][0]["token"]
        sides = {slug: (stand_in_of(slug), self._keys(slug)) for slug in urls}
        self.applicants = Applicants(sides, seed=self.asked.seed)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def say(self, text: str) -> None:
        self.console.print(f"[dim]{time.strftime('%H:%M:%S')}[/dim] {text}", highlight=False)

    def second_config(self, name: str) -> Path:
        """The same keys and peers, with data of its own."""
        folder = self.home / name
        folder.mkdir()
        for file in ("gateway.toml", "master.key"):
            shutil.copy(self.home / file, folder / file)
        return folder / "gateway.toml"

    def _keys(self, slug: str) -> Any:
        return stand_in_of(slug).keys(json.loads((self.home / f"{slug}.json").read_text("utf-8")))
