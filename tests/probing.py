"""A live server and a check of it on one loop: what the tests of `tongban check endpoint` share."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import secrets
import tempfile
import threading
from argparse import Namespace
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import uvicorn
from endpoint import common
from endpoint.chongqing import server as chongqing
from endpoint.sichuan import server as sichuan
from ports import free_port

from gateway.cli import simulate
from gateway.cli.check_endpoint import _section
from gateway.conformance.endpoint import assemble
from gateway.conformance.endpoint.bench import Options
from gateway.conformance.endpoint.plays import PLAYS
from gateway.conformance.endpoint.run import run
from gateway.conformance.law import Level
from gateway.conformance.mischief import Mischief, rates_of
from gateway.conformance.simulator import new_keys
from gateway.exchange.translate import compile_maps
from gateway.mapping.load import PACKAGED, load_tables
from gateway.regions import discover, look_in
from gateway.runtime import SystemClock

SIDES = ("sichuan", "chongqing")
SERVERS = {"sichuan": sichuan, "chongqing": chongqing}
REGIONS = discover()
TABLES = load_tables(PACKAGED, 2026)
MAPS = compile_maps(REGIONS, TABLES)


def now():
    return SystemClock().now()


@asynccontextmanager
async def served(app, port):
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", access_log=False))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def simulated(slug, *, faults="", gateway_port=9, lenient=False, seed=3, dirs=()):
    """(url, keys of the gateway, the side) of `tongban simulate`, on this loop."""
    look_in(dirs)
    region = discover({slug})[slug]
    home = Path(tempfile.mkdtemp())
    kept = simulate._kept_keys(region, home)
    options = Namespace(
        region=slug,
        gateway_url=f"http://127.0.0.1:{gateway_port}",
        keys=str(kept.own),
        tables=str(PACKAGED),
        clock_offset_s=0.0,
        strict=not lenient,
        regions_dir=[str(each) for each in dirs],
        beside=[],
    )
    mischief = Mischief(random.Random(seed), rates=rates_of(faults))
    stage = simulate._stage(region, options, mischief, (seed, 0.0, 0.01))
    async with served(stage.app(), free_port()) as url:
        yield url, kept.section, stage


async def check(
    slug,
    url,
    section,
    level=Level.HOSTILE,
    *,
    only=(),
    door_port=None,
    patience_s=0.5,
    timeout_s=3.0,
    world=None,
    plays=PLAYS,
):
    """The results by id, and the bench, for a look at what was sent; ``world``: other regions, tables, maps."""
    regions, tables, maps = world or (REGIONS, TABLES, MAPS)
    credentials = regions[slug].credentials(base_url=url, **section)
    serials = itertools.count(secrets.randbelow(10**9))
    bench = assemble.bench(
        assemble.Wanted(
            slug=slug,
            url=url,
            credentials=credentials,
            regions=regions,
            tables=tables,
            maps=maps,
            clock=now,
            nonce=lambda: secrets.token_hex(12),
            number=lambda: next(serials) * 7919 % 10**10,
            options=Options(timeout_s=timeout_s, patience_s=patience_s, in_flight=8),
        )
    )
    try:
        if door_port is None:
            results = await run(bench, level, only=only)
        else:
            async with assemble.listening(bench, ("127.0.0.1", door_port), plays):
                results = await run(bench, level, only=only)
    finally:
        await bench.client.close()
    return {result.law.id: result for result in results}, bench


def broken(results):
    return {id_: [b.sentence for b in each.breaches] for id_, each in results.items() if each.breaches}


def keys_of(slug, file, regions=REGIONS):
    """The gateway's section, as the command reads it."""
    read = _section(Namespace(regions=regions), None, slug, file)
    return {
        name.removesuffix("_file"): value.read_text() if name.endswith("_file") else value
        for name, value in read.items()
        if name != "base_url"
    }


@contextmanager
def written_by_others(slug, fault="", gateway=""):
    """(url, keys of the gateway)."""
    module = SERVERS[slug]
    section, own = new_keys(slug)
    if hasattr(module, "load_keys"):
        own = module.load_keys(Namespace(read_text=lambda _: json.dumps(own)))
    options = Namespace(wait=0.1, delay=0.02, slow=0.4)
    server = common.serve(module.Office(own, fault=fault, gateway=gateway, options=options))
    threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", section
    finally:
        server.shutdown()
        server.server_close()
