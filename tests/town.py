"""A whole gateway between simulated regions, for tests that look at it from outside only."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tomllib
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import asyncpg
import httpx

from gateway.cli.child import Child
from gateway.cli.stack import Stack
from gateway.conformance import keys
from gateway.regions import discover, in_folders
from gateway.runtime import configure
from tests.ports import HOST, free_port
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

#: States in which a case has come to its end.
FINAL = frozenset({"21", "23", "40", "41", "50", "60"})


@dataclass
class Side:
    """A simulated regional system and its doors for the test."""

    slug: str
    child: Child
    client: httpx.Client
    kinds: dict[str, str]

    def ask(self, path: str) -> Any:
        return self.client.get(f"/sim/{path}").raise_for_status().json()

    def tell(self, path: str, body: Any = None, **query: Any) -> Any:
        return self.client.post(f"/sim/{path}", params=query, json=body).raise_for_status().json()


@dataclass
class Town:
    """The gateway as `tongban serve` runs it, and every side as a process of its own."""

    home: Path
    delivery: str = "schedule_s = [0.3, 0.6, 1]\ntimeout_s = 3\nlease_s = 4"
    habits: Sequence[str] = ()
    seed: int = 1
    #: more of the configuration, as TOML sections
    rest: str = ""
    #: a folder of tables other than the packaged one
    tables: Path | None = None
    #: further folders with regions
    regions_dirs: Sequence[Path] = ()
    sides: dict[str, Side] = field(default_factory=dict)
    _running: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        self.regions = discover(in_folders(self.regions_dirs))
        ports = {slug: free_port() for slug in self.regions}
        urls = {slug: f"http://{HOST}:{port}" for slug, port in ports.items()}
        config = keys.write(self.home, urls, self.regions_dirs)
        said = f"\n[server]\nport = 0\n[delivery]\n{self.delivery}\n{self.rest}"
        tables = f"tables_dir = {json.dumps(str(self.tables))}\n" if self.tables else ""
        config.write_text(tables + config.read_text() + said)
        self.config = config
        token = tomllib.loads(config.read_text())["tokens"][0]["token"]
        self.stack = self._running.enter_context(Stack(configure(config, os.environ), config))
        headers = {"authorization": f"Bearer {token}"}
        self.client = self._client(self.stack.url, headers=headers)
        for slug, port in ports.items():
            self.sides[slug] = self._simulate(slug, port)
        for side in self.sides.values():
            until(lambda side=side: _answers(side), 30, side.child.last_words())
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _client(self, url: str, **options: Any) -> httpx.Client:
        return self._running.enter_context(httpx.Client(base_url=url, timeout=20, **options))

    def _simulate(self, slug: str, port: int) -> Side:
        where = ("--region", slug, "--port", str(port), "--gateway-url", self.stack.url)
        command = [sys.executable, "-m", "gateway.conformance.simulator", *where, *self.habits]
        own = ["--keys", str(self.home / f"{slug}.json"), "--seed", str(self.seed)]
        own += [f"--regions-dir={each}" for each in self.regions_dirs]
        child = Child(slug, [*command, *own], env=os.environ, logs=self.home)
        child.start()
        self._running.callback(child.stop, 5.0)
        kinds = {native: field_map.kind.value for native, field_map in self.regions[slug].maps.items()}
        return Side(slug, child, self._client(f"http://{HOST}:{port}"), kinds)

    @property
    def environ(self) -> dict[str, str]:
        """What the command line needs to work on this gateway."""
        return {
            "TONGBAN_DATABASE_URL": self.stack.database_url,
            "TONGBAN_REDIS_URL": self.stack.redis_url,
        }

    # -- what can be seen from outside ---------------------------------------------------

    def cases(self) -> Iterator[dict[str, Any]]:
        """Every case the gateway tells of."""
        after = None
        while True:
            query = {"limit": 200, **({"after": after} if after else {})}
            page = self.client.get("/v1/cases", params=query).raise_for_status().json()
            yield from page["cases"]
            after = page["next"]
            if after is None:
                return

    def effects(self) -> int:
        """Messages that took effect, on all sides."""
        return sum(side.ask("summary")["effects"] for side in self.sides.values())

    def pending(self) -> int:
        """Cases on which a side is still at work."""
        return sum(side.ask("summary")["pending"] for side in self.sides.values())

    def is_quiet(self) -> bool:
        """Nobody is at work, nothing is open, and nothing moved while it was looked at. Not from within a loop."""
        before = self._counts()
        if any(each["pending"] for each in before) or asyncio.run(self.open_deliveries()):
            return False
        return self._counts() == before

    def _counts(self) -> list[dict[str, Any]]:
        return [side.ask("summary") for side in self.sides.values()]

    async def open_deliveries(self) -> dict[str, int]:
        """Rows the delivery engine still has, by state."""
        connection = await asyncpg.connect(self.stack.database_url)
        try:
            rows = await connection.fetch("SELECT state, count(*) AS n FROM deliveries GROUP BY state")
        finally:
            await connection.close()
        return {row["state"]: row["n"] for row in rows}


def _answers(side: Side) -> bool:
    try:
        return bool(side.ask("summary"))
    except httpx.HTTPError:
        return False


# -- the promises ------------------------------------------------------------------------------


def violations(town: Town) -> list[str]:
    """A sentence for every promise that three witnesses (both sides, the gateway) show broken."""
    ledger = Ledger.of(town)
    found = [*ledger.unanswered(), *ledger.unannounced()]
    for case in ledger.cases.values():
        found += [*ledger.not_once_in_order(case), *ledger.disagreeing(case)]
    return found


@dataclass
class Ledger:
    """Everything sent, taken in and known, read once when all is quiet."""

    cases: dict[str, dict[str, Any]]
    sent: dict[str, list[dict[str, Any]]]
    #: (slug, the side's own case number) → messages in order
    said: dict[tuple[str, str], list[str]]
    heard: dict[tuple[str, str], list[str]]
    states: dict[tuple[str, str], str | None]

    @classmethod
    def of(cls, town: Town) -> Ledger:
        sent = {slug: side.ask("sent")["sent"] for slug, side in town.sides.items()}
        said, heard, states = defaultdict(list), defaultdict(list), {}
        for slug, side in town.sides.items():
            for one in sent[slug]:
                if one["outcome"] == "accepted":
                    said[slug, one["case_ref"]].append(_words(side, one))
            for one in sorted(side.ask("effects")["effects"], key=lambda effect: effect["order"]):
                heard[slug, one["case_ref"]].append(_words(side, one))
            states |= {(slug, one["case_ref"]): one["state"] for one in side.ask("cases")["cases"]}
        return cls({case["case_no"]: case for case in town.cases()}, sent, said, heard, states)

    def unanswered(self) -> Iterator[str]:
        """Every message has its receipt, and none was refused or parked."""
        for slug, sent in self.sent.items():
            for one in sent:
                if one["outcome"] not in {"accepted", "ignored"}:
                    yield f"{slug} {one['key']} {one['kind']}: {one['outcome']} {one['code']} {one['text']}"

    def unannounced(self) -> Iterator[str]:
        """A case exists exactly where its application has a receipt that names it."""
        receipts = {
            (slug, one["case_ref"]): one["case_no"]
            for slug, sent in self.sent.items()
            for one in sent
            if one["case_no"] and one["outcome"] == "accepted"
        }
        known = {(case["origin"]["region"], case["origin"]["case_no"]): no for no, case in self.cases.items()}
        for ref, case_no in known.items():
            if receipts.get(ref) != case_no:
                yield f"{case_no}: known to the gateway, its origin has a receipt for {receipts.get(ref)}"
        for ref in self.states:
            if ref in receipts and receipts[ref] not in self.cases:
                yield f"{ref}: receipt for {receipts[ref]}, unknown to the gateway"

    def not_once_in_order(self, case: dict[str, Any]) -> Iterator[str]:
        """What one side has receipts for is what the other took in: each once, none else, in that order."""
        for sender, receiver in (("origin", "target"), ("target", "origin")):
            said = self.said[_ref(case, sender)]
            heard = self.heard[_ref(case, receiver)]
            if said != heard:
                yield f"{case['case_no']} {sender}→{receiver}: accepted {said}, took effect {heard}"

    def disagreeing(self, case: dict[str, Any]) -> Iterator[str]:
        """Both sides and the gateway hold the case in the same, final state."""
        here = case["state"]["code"]
        origin, target = (self.states.get(_ref(case, role)) for role in ("origin", "target"))
        if not (here == origin == target and here in FINAL):
            yield f"{case['case_no']}: gateway {here}, origin {origin}, target {target}"


def _ref(case: dict[str, Any], role: str) -> tuple[str, str]:
    return case[role]["region"], case[role]["case_no"]


def _words(side: Side, message: dict[str, Any]) -> str:
    return f"{side.kinds[message['kind']]} {message['state'] or ''}".strip()
