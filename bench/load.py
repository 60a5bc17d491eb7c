"""Hands in applications of both sides, proven and timed, and asks the peer when each arrived."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import aiohttp

from gateway.canonical.kinds import Kind
from gateway.canonical.rehearsal import Draw, StandIn
from gateway.canonical.worktime import beijing_day
from gateway.conformance.simulator import errands_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.canonical.rehearsal import Said

CONNECTIONS = 32
#: The applications of the load, in equal parts.
MIX = (Kind.TRANSFER_APPLY, Kind.UNEMPLOYMENT_CLAIM, Kind.CERTIFICATION_NOTICE)
#: How long after the last receipt an arrival is waited for.
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Ready:
    """A request as it goes over the line."""

    stand_in: StandIn
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Given:
    """A receipt: which case, when asked for (or planned), when given."""

    case_no: str
    at: float
    told_at: float


class Applicants:
    """Invented applications of both sides, in turn, no number twice."""

    def __init__(self, sides: Mapping[str, tuple[StandIn, Any]], seed: int) -> None:
        self._sides, self._chance, self._serial = list(sides.values()), Random(seed), 0
        self._errands = {slug: errands_of(slug) for slug in sides}

    def make(self, count: int) -> list[Ready]:
        """Signed just before they are sent: a proof holds for five minutes."""
        return [self._one(self._sides[place % len(self._sides)]) for place in range(count)]

    def _one(self, side: tuple[StandIn, Any]) -> Ready:
        stand_in, own = side
        self._serial += 1
        now = datetime.now(UTC)  # noqa: TID251 - the load's own clock
        errand = self._errands[stand_in.slug].any(self._chance.choice(MIX), self._chance, beijing_day(now))
        said: Said = stand_in.apply(errand, Draw(self._chance, self._serial, now))
        headers, body = stand_in.request(said, own, now, secrets.token_hex(12))
        return Ready(stand_in, headers, body)


async def closed(url: str, requests: Sequence[Ready]) -> list[Given]:
    """As fast as `CONNECTIONS` callers get their receipts."""
    waiting = list(reversed(requests))
    given: list[Given] = []

    async def caller(http: aiohttp.ClientSession) -> None:
        while waiting:
            given.append(await _post(http, url, waiting.pop(), time.monotonic()))

    async with _session() as http:
        await asyncio.gather(*(caller(http) for _ in range(CONNECTIONS)))
    return given


async def paced(url: str, requests: Sequence[Ready], per_s: float) -> list[Given]:
    """At a steady rate whatever the answers; times count from the planned moment."""
    began = time.monotonic() + 0.1

    async def one(http: aiohttp.ClientSession, place: int, request: Ready) -> Given:
        planned = began + place / per_s
        await asyncio.sleep(max(0.0, planned - time.monotonic()))
        return await _post(http, url, request, planned)

    async with _session() as http:
        return list(await asyncio.gather(*(one(http, n, request) for n, request in enumerate(requests))))


async def arrivals(peer_url: str, given: Sequence[Given]) -> dict[str, float]:
    """When each case took effect at the other side; errors: `TimeoutError` when some do not."""
    seen: dict[str, float] = {}
    wanted = {one.case_no for one in given}
    deadline = time.monotonic() + PATIENCE_S
    async with _session() as http:
        while not wanted <= seen.keys():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(wanted - seen.keys())} of {len(wanted)} did not arrive")
            await asyncio.sleep(0.1)
            async with http.get(f"{peer_url}/seen") as answer:
                seen |= await answer.json(content_type=None)
    return seen


async def _post(http: aiohttp.ClientSession, url: str, request: Ready, at: float) -> Given:
    address = url + request.stand_in.outbox
    async with http.post(address, data=request.body, headers=request.headers) as answer:
        body = await answer.read()
    told = request.stand_in.read(answer.status, body)
    if not told.taken or not told.case_no:
        raise RuntimeError(f"{answer.status} {told.text}")
    return Given(told.case_no, at, time.monotonic())


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=512))
