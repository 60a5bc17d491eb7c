"""A regional system in a process of its own, for rehearsals: receives, answers, works, sends.

python -m gateway.conformance.simulator --region R --port 9001 --gateway-url URL --keys FILE
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import json
import random
import secrets
import time
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn
from httpx_aiohttp import AiohttpTransport
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.canonical.rehearsal import StandIn
from gateway.canonical.worktime import beijing_day
from gateway.conformance.books import Place
from gateway.conformance.desk import Desk
from gateway.conformance.endpoint.mill import Mill, Sides
from gateway.conformance.errands import Errands
from gateway.conformance.hooks import Hooks
from gateway.conformance.script import Habits
from gateway.conformance.strict import Strict
from gateway.conformance.yardstick import Yardstick
from gateway.exchange.translate import compile_maps
from gateway.mapping.load import PACKAGED, tables_of
from gateway.regions import discover, in_folders, package_of, table_files
from gateway.transport.http1 import Http1

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from starlette.requests import Request

    from gateway.canonical.kinds import Kind

_HABITS = {"work_s": "mean seconds a step takes"}
#: What the gateway's own message keys begin with, on every side.
_GATEWAY = "TB"


@dataclass(frozen=True, slots=True)
class Faults:
    """How the side misbehaves. Rates are shares of the deliveries; ``refuse_rate`` of applications only.

    ``spare_first``: the first application for an item is not refused, so that every item crosses.
    """

    refuse_rate: float = 0.0
    spare_first: bool = False
    slow_rate: float = 0.0
    slow_s: float = 2.0
    down: bool = False
    drop_after_processing_rate: float = 0.0
    e5xx_rate: float = 0.0


def stand_in_of(slug: str) -> StandIn:
    """The stand-in a region declares in its ``simulated`` module."""
    package = package_of(slug)
    found = importlib.import_module(f"{package}.simulated").stand_in
    if not isinstance(found, StandIn):
        raise TypeError(f"{package}.simulated declares no stand_in")
    return found


def errands_of(slug: str, tables: Path = PACKAGED, named: Iterable[str] = ()) -> Errands:
    """What people come for at a region, by a folder of tables. ``named``: regions in force beside the product's."""
    regions = discover({slug, *named})
    held = tables_of(table_files(tables, regions), None, where=str(tables))
    prefixes = {region.slug: region.division_prefix for region in regions.values()}
    speaks = {one.slug: {each.kind for each in one.maps.values()} for one in regions.values()}
    return Errands(held, prefixes, slug, speaks)


def new_keys(slug: str) -> tuple[dict[str, str], dict[str, str]]:
    """Fresh keys of a region: its section of the gateway's settings (without ``base_url``), its own keys."""
    return stand_in_of(slug).pair(lambda: secrets.token_urlsafe(24))


def hardened(
    stand_in: StandIn, clock: Callable[[], datetime], tables: Path = PACKAGED, named: Iterable[str] = ()
) -> StandIn:
    """The stand-in that keeps the whole contract (see `gateway.conformance.strict`)."""
    regions = discover({stand_in.slug, *named})
    read = tables_of(table_files(tables, regions), None, where=str(tables))
    stand_ins = {slug: stand_in_of(slug) for slug in regions}
    sides = Sides(regions, read, compile_maps(regions, read), stand_ins, stand_in.slug)
    mill = Mill(sides, chance=random.Random(1), number=lambda: secrets.randbelow(10**10), clock=clock)  # noqa: S311
    yardstick = Yardstick.of(mill, beijing_day(clock()))
    return Strict(stand_in, regions[stand_in.slug], yardstick).hardened()


class Simulator:
    """The HTTP face of a desk: the native inbox and the control endpoints under ``/sim``."""

    def __init__(
        self, place: Place, *, habits: Habits, faults: Faults, seed: int, rate: float, limit: int
    ) -> None:
        self._place, self._habits = place, habits
        self.faults, self._rate, self._left = faults, rate, limit
        # two streams: what arrives must not change what is sent
        self._chance, self._luck = random.Random(seed), random.Random(seed + 1)  # noqa: S311
        self._desk: Desk | None = None

    @property
    def desk(self) -> Desk:
        """The desk, once the application has started."""
        if self._desk is None:
            raise RuntimeError("the simulator has not started")
        return self._desk

    def app(self) -> Starlette:
        """The ASGI application."""
        inbox = self._place.stand_in.inbox
        control: list[tuple[str, Any, str]] = [
            ("effects", self._effects, "GET"),
            ("sent", self._sent, "GET"),
            ("cases", self._cases, "GET"),
            ("summary", self._summary, "GET"),
            ("send", self._send, "POST"),
            ("worked", self._worked, "POST"),
            ("faults", self._set_faults, "POST"),
            ("habits", self._set_habits, "POST"),
            ("rate", self._set_rate, "POST"),
            ("drain", self._drain, "POST"),
        ]
        routes = [Route(f"/sim/{name}", face, methods=[method]) for name, face, method in control]
        routes += [Route(path, self._deliver, methods=["POST"]) for path in (f"{inbox}/{{kind}}", inbox)]
        return Starlette(routes=routes, lifespan=self._lifespan)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        async with httpx.AsyncClient(transport=AiohttpTransport(), timeout=35) as client:
            self._desk = Desk(self._place, client, self._chance, self._habits)
            stream = asyncio.create_task(self._stream())
            try:
                yield
            finally:
                stream.cancel()
                await asyncio.gather(stream, return_exceptions=True)
                await self._desk.close()

    async def _stream(self) -> None:
        """New applications at a steady rate, with the gaps of real life."""
        while True:
            if self._rate <= 0 or self._left == 0:
                await asyncio.sleep(0.1)
                continue
            await asyncio.sleep(self._luck.expovariate(self._rate))
            if self._rate > 0 and self._left != 0:
                self._left -= 1
                self.desk.apply()

    async def _deliver(self, request: Request) -> Response:
        faults, luck = self.faults, self._luck
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        if luck.random() < faults.slow_rate:
            await asyncio.sleep(faults.slow_s)
        if faults.down or luck.random() < faults.e5xx_rate:
            return Response(status_code=503)
        refuse = luck.random() < faults.refuse_rate
        kind = request.path_params.get("kind", "")
        status, answer = self.desk.receive(
            kind, dict(request.headers), body, refuse=refuse, spare_first=faults.spare_first
        )
        if luck.random() < faults.drop_after_processing_rate:
            # taken in, but the sender never learns it
            return Response(status_code=504)
        return Response(answer, status, media_type=self._place.stand_in.content_type)

    async def _effects(self, _: Request) -> Response:
        return JSONResponse({"effects": [effect.as_json() for effect in self.desk.effects.values()]})

    async def _sent(self, _: Request) -> Response:
        return JSONResponse({"sent": [sent.as_json() for sent in self.desk.sent.values()]})

    async def _cases(self, _: Request) -> Response:
        return JSONResponse({"cases": [case.as_json() for case in self.desk.cases.values()]})

    async def _summary(self, _: Request) -> Response:
        waiting = max(self._left, 0) if self._rate > 0 else 0
        return JSONResponse({"left": waiting, **summary(self.desk, self.faults)})

    async def _send(self, request: Request) -> Response:
        to = request.query_params.get("to", "")
        handed_in = [self.desk.apply(to) for _ in range(int(request.query_params.get("n", "1")))]
        return JSONResponse({"case_refs": [said.case_ref for said in handed_in]}, 202)

    async def _worked(self, _: Request) -> Response:
        return JSONResponse({"case_refs": [said.case_ref for said in self.desk.rehearse()]}, 202)

    async def _set_faults(self, request: Request) -> Response:
        self.faults = replace(self.faults, **_known(await request.json(), Faults))
        return JSONResponse(asdict(self.faults))

    async def _set_habits(self, request: Request) -> Response:
        self.desk.change(**_known(await request.json(), Habits))
        return JSONResponse(asdict(self.desk.habits))

    async def _set_rate(self, request: Request) -> Response:
        self._rate = float(request.query_params["per_s"])
        self._left = int(request.query_params.get("n", "-1"))
        return JSONResponse({"per_s": self._rate})

    async def _drain(self, _: Request) -> Response:
        self._rate = 0.0
        return JSONResponse({"pending": self.desk.pending()})


def summary(desk: Desk, faults: Faults) -> dict[str, Any]:
    """Counts of everything a desk has sent, heard and finished."""
    cases = desk.cases.values()
    return {
        "pending": desk.pending(),
        "sent": dict(Counter(sent.outcome for sent in desk.sent.values())),
        "sent_by_kind": dict(Counter(sent.kind for sent in desk.sent.values())),
        "attempts": sum(sent.attempts for sent in desk.sent.values()),
        "effects": len(desk.effects),
        "effects_by_kind": dict(Counter(effect.kind for effect in desk.effects.values())),
        "taken_in": dict(Counter(effect.meaning for effect in desk.effects.values())),
        "items": sorted({case.facts.item for case in cases if not case.facts.origin}),
        "worked_left": sorted(desk.worked_left),
        "repeats": desk.repeats,
        "refused": dict(desk.refused),
        "cases": {
            role: {
                "total": sum(case.facts.origin == own for case in cases),
                "final": sum(case.facts.origin == own and case.final for case in cases),
                "states": dict(Counter(case.state or "-" for case in cases if case.facts.origin == own)),
            }
            for role, own in (("origin", True), ("target", False))
        },
        "faults": asdict(faults),
    }


def _known(given: dict[str, Any], form: type[Any]) -> dict[str, Any]:
    names = {one.name for one in fields(form)}
    return {name: value for name, value in given.items() if name in names}


def worked_messages(stand_in: StandIn) -> tuple[dict[Kind, bytes], frozenset[tuple[Kind, str]]]:
    """The side's own worked messages, and the people of those the gateway sends it."""
    own: dict[Kind, bytes] = {}
    people: set[tuple[Kind, str]] = set()
    for entry in resources.files(package_of(stand_in.slug)).joinpath("examples").iterdir():
        if ".native." not in entry.name or entry.name.startswith("hostile_"):
            continue
        body = entry.read_bytes()
        said = stand_in.adopt(body)
        if not said.key.startswith(_GATEWAY):
            own.setdefault(said.kind, body)
        elif said.facts:
            people.add((said.kind, said.facts.id_no))
    return own, frozenset(people)


def place_of(options: argparse.Namespace, hooks: Hooks | None = None) -> Place:
    """Where and as whom a desk works, from the command line."""
    named = (*in_folders(map(Path, options.regions_dir)), *options.beside)
    stand_in = stand_in_of(options.region)
    worked, people = worked_messages(stand_in)

    def clock() -> datetime:
        return datetime.fromtimestamp(time.time() + options.clock_offset_s, UTC)

    if options.strict:
        stand_in = hardened(stand_in, clock, Path(options.tables), named)
    return Place(
        stand_in=stand_in,
        errands=errands_of(options.region, Path(options.tables), named),
        keys=stand_in.keys(json.loads(Path(options.keys).read_text("utf-8"))),
        gateway_url=options.gateway_url.rstrip("/"),
        clock=clock,
        nonce=lambda: secrets.token_hex(12),
        worked=worked,
        worked_people=people,
        hooks=hooks or Hooks(),
    )


def build(options: argparse.Namespace) -> Simulator:
    """A simulator from its command line."""
    return Simulator(
        place_of(options),
        habits=Habits(**_known(vars(options), Habits)),
        faults=Faults(**_known(vars(options), Faults)),
        seed=options.seed,
        rate=options.rate,
        limit=options.limit,
    )


def parser() -> argparse.ArgumentParser:
    """The command line."""
    habits, faults = Habits(), Faults()
    line = argparse.ArgumentParser(prog="python -m gateway.conformance.simulator", description=__doc__)
    line.add_argument("--region", required=True, help="slug of the region to stand in for")
    line.add_argument("--regions-dir", action="append", default=[], help="further folder with regions")
    line.add_argument("--beside", action="append", default=[], help="slug of an installed region in force")
    line.add_argument("--host", default="127.0.0.1")
    line.add_argument("--port", type=int, required=True)
    line.add_argument("--gateway-url", required=True)
    line.add_argument("--keys", required=True, help="JSON file with the stand-in's keys")
    line.add_argument(
        "--tables", default=str(PACKAGED), help="folder of the tables that say what people ask for"
    )
    line.add_argument("--seed", type=int, default=1)
    line.add_argument("--rate", type=float, default=0.0, help="applications per second")
    line.add_argument("--limit", type=int, default=-1, help="applications in all; -1: no limit")
    for habit in fields(Habits):
        word = f"--{habit.name.replace('_', '-')}"
        line.add_argument(word, type=float, default=getattr(habits, habit.name), help=_HABITS.get(habit.name))
    line.add_argument("--refuse-rate", type=float, default=faults.refuse_rate)
    line.add_argument("--spare-first", action="store_true", help="never refuse the first one for an item")
    line.add_argument("--strict", action="store_true", help="judge deliveries by the whole contract")
    line.add_argument("--slow-rate", type=float, default=faults.slow_rate)
    line.add_argument("--slow-s", type=float, default=faults.slow_s)
    line.add_argument("--clock-offset-s", type=float, default=0.0, help="seconds the side's clock is ahead")
    return line


def main() -> None:
    """Serves until SIGTERM or SIGINT."""
    options = parser().parse_args()
    app = build(options).app()
    uvicorn.run(app, host=options.host, port=options.port, http=Http1, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
