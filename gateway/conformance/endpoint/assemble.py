"""Puts a bench together: sides, keys, chance, and the client the gateway itself calls with."""

from __future__ import annotations

import asyncio
import importlib
import random
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any

import uvicorn

from gateway.canonical.probing import Probes
from gateway.conformance.endpoint.bench import Bench, Options
from gateway.conformance.endpoint.door import Door
from gateway.conformance.endpoint.mill import Mill, Sides
from gateway.conformance.simulator import stand_in_of
from gateway.errors import CannotStart
from gateway.regions import package_of
from gateway.transport.client import PeerClient
from gateway.transport.http1 import Http1

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from datetime import datetime

    from gateway.conformance.endpoint.plays import Play
    from gateway.exchange.translate import Maps
    from gateway.mapping.tables import Tables
    from gateway.region import Region


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be probed, and with what. ``number()`` is an integer by chance, ``nonce()`` a new text."""

    slug: str
    url: str
    credentials: Any = field(repr=False)
    regions: Mapping[str, Region]
    tables: Tables = field(repr=False)
    maps: Maps = field(repr=False)
    clock: Callable[[], datetime]
    nonce: Callable[[], str]
    number: Callable[[], int]
    options: Options = field(default_factory=Options)


def probes_of(slug: str) -> Probes | None:
    """What a region declares in its ``probes`` module; None when it has none."""
    try:
        found = importlib.import_module(f"{package_of(slug)}.probes").probes
    except ModuleNotFoundError:
        return None
    return found if isinstance(found, Probes) else None


def examples_of(slug: str) -> tuple[bytes, ...]:
    """The region's published messages."""
    folder = resources.files(package_of(slug)).joinpath("examples")
    if not folder.is_dir():
        return ()
    names = sorted(entry.name for entry in folder.iterdir() if ".native." in entry.name)
    return tuple(folder.joinpath(name).read_bytes() for name in names if not name.startswith("hostile_"))


@asynccontextmanager
async def listening(bench: Bench, address: tuple[str, int], plays: Sequence[Play] = ()) -> AsyncIterator[str]:
    """The gateway's door at an address, for as long as the block lasts; gives its URL.

    Errors: `CannotStart` when the address cannot be had.
    """
    outbox = bench.sides.stand_ins[bench.sides.slug].outbox
    bench.door = Door(bench.sides, bench.mill, bench.credentials, outbox, plays)
    host, port = address
    try:
        lines = socket.create_server(address, backlog=512)
    except OSError as error:
        raise CannotStart(f"--listen {host}:{port}: 无法打开（{error.strerror}），请换一个端口") from None
    config = uvicorn.Config(
        bench.door.app(), http=Http1, log_level="critical", access_log=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([lines]))
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110 - it has no event to wait for
            await asyncio.sleep(0.01)
        yield f"http://{host}:{lines.getsockname()[1]}{outbox}"
    finally:
        server.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        lines.close()


def bench(wanted: Wanted) -> Bench:
    """A bench; its client is to be closed."""
    stand_ins = {slug: stand_in_of(slug) for slug in wanted.regions}
    sides = Sides(wanted.regions, wanted.tables, wanted.maps, stand_ins, wanted.slug)
    chance = random.Random(wanted.options.seed)  # noqa: S311 - invented people, not secrets
    mill = Mill(sides, chance=chance, number=wanted.number, clock=wanted.clock)
    return Bench(
        url=wanted.url.rstrip("/"),
        sides=sides,
        probes=probes_of(wanted.slug),
        credentials=wanted.credentials,
        mill=mill,
        client=PeerClient(wanted.url, timeout_s=wanted.options.timeout_s, connections=256),
        clock=wanted.clock,
        nonce=wanted.nonce,
        options=wanted.options,
        examples=examples_of(wanted.slug),
    )
