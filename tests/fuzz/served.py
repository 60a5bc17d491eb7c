"""The gateway's web process over a real store, with something in it, for a fuzzer that comes over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import random
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

import httpx
import uvicorn

from gateway.canonical.rehearsal import Draw
from gateway.cli.token import SCOPES
from gateway.conformance import keys, simulator
from gateway.regions import discover
from gateway.runtime import Runtime, configure
from gateway.settings import Settings
from gateway.web.app import create
from tests.ports import HOST, free_port
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastapi import FastAPI

    from gateway.canonical.rehearsal import Said, StandIn

#: May do everything: what is refused then is refused for what was asked.
TOKEN = "fuzz-token"
#: May collect cases; the configuration of a gateway that knows of channels.
CHANNEL_TOKEN = "fuzz-channel-token"
CHANNEL = f"""
[[channels]]
name = "bank"
title = "示例银行"
side = "sichuan"
items = ["unemployment_benefit_claim", "pension_transfer"]
divisions = ["51"]
[[channels.credentials]]
token = "{CHANNEL_TOKEN}"
"""
#: Applications each region hands in before the fuzzer comes.
HANDED_IN = 6


@dataclass(frozen=True)
class Served:
    """Where it answers, where the regions' keys lie, and the application itself."""

    url: str
    home: Path
    app: FastAPI


@contextmanager
def served(home: Path, database: str, redis: str) -> Iterator[Served]:
    """A web process in a thread of its own; its store holds cases, waiting deliveries and a parked message."""
    # nobody is there: deliveries wait, a connection test fails at once
    config = keys.write(home, dict.fromkeys(discover(), f"http://{HOST}:9"))
    token = f'[[tokens]]\nname = "fuzzer"\ntoken = "{TOKEN}"\nscopes = {list(SCOPES)}\n'.replace("'", '"')
    channel = CHANNEL if "channels" in Settings.model_fields else ""
    config.write_text(f"{config.read_text()}\n{token}{channel}")
    urls = {"TONGBAN_DATABASE_URL": database, "TONGBAN_REDIS_URL": redis, "TONGBAN_DATA_DIR": str(home)}
    settings = configure(config, urls)
    app = create(lambda: Runtime.open(settings, environ={}))
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host=HOST, port=port, log_level="warning", access_log=False))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), name="served")
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive(), 20, "the web process")
        place = Served(f"http://{HOST}:{port}", home, app)
        _fill(place)
        yield place
    finally:
        server.should_exit = True
        thread.join(20)


def _fill(place: Served) -> None:
    with httpx.Client(base_url=place.url) as client:
        for slug in discover():
            stand_in, counter = simulator.stand_in_of(slug), simulator.errands_of(slug)
            chance, now = random.Random(slug), place.app.state.runtime.clock.now()
            for serial in range(HANDED_IN):
                errand = counter.next(chance, now.date())
                _hand_in(client, place, slug, stand_in.apply(errand, Draw(chance, serial, now)))
        slug, body = "sichuan", resources.files("adapters.sichuan") / "examples" / "tbzy0001.native.json"
        nobody_knows = body.read_bytes().replace(b'"aac005": "01"', b'"aac005": "88"')
        stand_in = simulator.stand_in_of(slug)
        receipt = _hand_in(client, place, slug, stand_in.adopt(nobody_knows))
        assert "PARKED" in receipt


def _hand_in(client: httpx.Client, place: Served, slug: str, said: Said) -> str:
    stand_in: StandIn = simulator.stand_in_of(slug)
    own = stand_in.keys(json.loads((place.home / f"{slug}.json").read_text()))
    headers, body = stand_in.request(said, own, place.app.state.runtime.clock.now(), os.urandom(8).hex())
    answer = client.post(stand_in.outbox, content=body, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.text
