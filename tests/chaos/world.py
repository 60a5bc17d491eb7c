"""Both regional systems in one process: hands in, takes in, writes the history. Told what to do line by line.

python -m tests.chaos.world FILE: a JSON object {seed, home, book, control, doors, ports}
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import uvloop

from gateway.conformance.books import Place
from gateway.conformance.simulator import errands_of, stand_in_of
from tests.chaos.door import HOST, Door
from tests.chaos.history import Book
from tests.chaos.witness import Witness

#: Applications under way at a time: not yet taken in by the other side.
_AT_ONCE = 150


class World:
    """Two desks and their doors; ``allowed`` cases may have been begun by now."""

    def __init__(self, asked: dict[str, Any], http: aiohttp.ClientSession) -> None:
        self.book = Book(Path(asked["book"]))
        self.doors: dict[str, Door] = {}
        for n, (slug, port) in enumerate(sorted(asked["ports"].items())):
            place = _place(slug, Path(asked["home"]))
            desk = Witness(place, http, self.book, asked["seed"] * 10 + n, asked["doors"])
            self.doors[slug] = Door(desk, port, Random(f"door {asked['seed']} {slug}"))
        self.desks = [door.desk for door in self.doors.values()]
        self.started = self.allowed = 0
        self.moods: Counter[str] = Counter()

    async def run(self, control: int) -> None:
        for door in self.doors.values():
            await door.open()
        async with await asyncio.start_server(self._hear, HOST, control):
            while True:
                if self.started < self.allowed and self.started - self.decided() < _AT_ONCE:
                    self.desks[self.started % len(self.desks)].apply()
                    self.started += 1
                    await asyncio.sleep(0)
                else:
                    await asyncio.sleep(0.02)

    def decided(self) -> int:
        """Applications that took effect, were turned away, or were given up."""
        return sum(len(desk.decided) for desk in self.desks)

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            asked = json.loads(line)
            answer = await self._do(**asked)
            writer.write(json.dumps(answer).encode() + b"\n")

    async def _do(self, verb: str, **asked: Any) -> Any:
        match verb:
            case "allow":
                self.allowed = asked["cases"]
            case "mood":
                await self.doors[asked["side"]].be(asked["mood"], asked["seconds"])
            case "skew":
                self.doors[asked["side"]].desk.skew_s = asked["seconds"]
            case "note":
                self.book.note("fault", **asked["line"])
            case "end":
                for desk in self.desks:
                    desk.end()
        return self._status()

    def _status(self) -> dict[str, Any]:
        desks = self.desks
        return {
            "started": self.started,
            "decided": self.decided(),
            "pending": sum(desk.pending() for desk in desks),
            "effects": sum(len(desk.effects) for desk in desks),
            "again": sum(desk.repeats for desk in desks),
            "calls": sum(desk.calls for desk in desks),
            "messages": sum(len(desk.sent) for desk in desks),
        }


def _place(slug: str, home: Path) -> Place:
    stand_in = stand_in_of(slug)
    return Place(
        stand_in=stand_in,
        errands=errands_of(slug),
        keys=stand_in.keys(json.loads((home / f"{slug}.json").read_text("utf-8"))),
        gateway_url="",
        clock=lambda: datetime.now(UTC),  # noqa: TID251 - the sides' own clock
        nonce=lambda: secrets.token_hex(12),
    )


async def main(asked: dict[str, Any]) -> None:
    """Live until killed."""
    connector = aiohttp.TCPConnector(limit=256, keepalive_timeout=10)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=False) as http:
        await World(asked, http).run(asked["control"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    uvloop.run(main(json.loads(parser.parse_args(sys.argv[1:]).file.read_text("utf-8"))))
