"""Hands in applications of both sides, proven beforehand and timed, over connections of its own making.

The client is as small as HTTP allows: what it spends is taken from the same two cores. Receipts are read when
the clock has stopped.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

from gateway.canonical.kinds import Kind
from gateway.canonical.rehearsal import Draw, StandIn
from gateway.canonical.worktime import beijing_day
from gateway.conformance.simulator import errands_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.canonical.rehearsal import Said

#: The applications of the load, in equal parts.
MIX = (Kind.TRANSFER_APPLY, Kind.UNEMPLOYMENT_CLAIM, Kind.CERTIFICATION_NOTICE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Ready:
    """A request as it goes over the line, proof and all."""

    stand_in: StandIn
    wire: bytes


@dataclass(frozen=True)
class Given:
    """A receipt: which case, when asked for (or planned), when it went out, when given."""

    case_no: str
    at: float
    sent_at: float
    told_at: float


@dataclass
class Volley:
    """What came of a load. Units: moments of the monotonic clock; ``cpu_s`` of this process meanwhile."""

    given: list[Given] = field(default_factory=list)
    began: float = 0.0
    ended: float = 0.0
    cpu_s: float = 0.0


class Applicants:
    """Invented applications of both sides, in turn, no number twice."""

    def __init__(self, sides: Mapping[str, tuple[StandIn, Any]], seed: int) -> None:
        self._sides, self._chance, self._serial = dict(sides), Random(seed), 0
        self._errands = {slug: errands_of(slug) for slug in sides}

    def make(self, count: int, *, of: str | None = None) -> list[Ready]:
        """Proven now: a proof holds for five minutes. ``of``: from one side only."""
        sides = [self._sides[of]] if of else list(self._sides.values())
        return [self._one(sides[place % len(sides)]) for place in range(count)]

    def _one(self, side: tuple[StandIn, Any]) -> Ready:
        stand_in, own = side
        self._serial += 1
        now = datetime.now(UTC)  # noqa: TID251 - the load's own clock
        errand = self._errands[stand_in.slug].any(self._chance.choice(MIX), self._chance, beijing_day(now))
        said: Said = stand_in.apply(errand, Draw(self._chance, self._serial, now))
        headers, body = stand_in.request(said, own, now, secrets.token_hex(12))
        return Ready(stand_in, wire(f"POST {stand_in.outbox}", headers, body))


def wire(line: str, headers: Mapping[str, str] | None = None, body: bytes = b"") -> bytes:
    """An HTTP/1.1 request of this method and path."""
    fields = {"host": "127.0.0.1", "content-length": str(len(body)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{line} HTTP/1.1\r\n{head}\r\n".encode() + body


class Line(asyncio.Protocol):
    """A kept connection with one request at a time."""

    transport: asyncio.Transport
    _left: bytes = b""
    _answer: asyncio.Future[tuple[int, bytes, float]] | None = None

    @classmethod
    async def to(cls, url: str) -> Line:
        """A new connection."""
        host, port = url.removeprefix("http://").split(":")
        return (await asyncio.get_running_loop().create_connection(cls, host, int(port)))[1]

    async def ask(self, request: bytes) -> tuple[int, bytes, float]:
        """Status, body, and the moment the whole answer was there. Errors: `ConnectionError`."""
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._left += data
        end = self._left.find(b"\r\n\r\n")
        length = _LENGTH.search(self._left, 0, end + 2) if end >= 0 else None
        if length is None or len(self._left) < end + 4 + int(length[1]):
            return
        answer, self._left = self._left, b""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((int(answer[9:12]), answer[end + 4 :], time.monotonic()))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("closed without an answer"))


async def closed(url: str, requests: Sequence[Ready], callers: int = 64) -> Volley:
    """As fast as so many callers get their receipts."""
    waiting, answers = list(reversed(requests)), []
    lines = [await Line.to(url) for _ in range(min(callers, len(requests)))]

    async def caller(line: Line) -> None:
        while waiting:
            request, at = waiting.pop(), time.monotonic()
            answers.append((request, at, at, *await line.ask(request.wire)))

    cpu, began = time.process_time(), time.monotonic()
    await asyncio.gather(*map(caller, lines))
    return _volley(answers, lines, began, cpu)


async def paced(url: str, requests: Sequence[Ready], per_s: float) -> Volley:
    """At a steady rate whatever the answers; a receipt's time counts from the planned moment."""
    answers: list[Any] = []
    free = [await Line.to(url) for _ in range(16)]
    lines = list(free)

    async def one(request: Ready, planned: float) -> None:
        line = free.pop() if free else None
        if line is None or line.transport.is_closing():
            line = await Line.to(url)
            lines.append(line)
        sent = time.monotonic()
        answers.append((request, planned, sent, *await line.ask(request.wire)))
        free.append(line)

    cpu, began = time.process_time(), time.monotonic() + 0.05
    async with asyncio.TaskGroup() as calls:
        for place, request in enumerate(requests):
            planned = began + place / per_s
            if (early := planned - time.monotonic()) > 0:
                await asyncio.sleep(early)
            calls.create_task(one(request, planned))
    return _volley(answers, lines, began, cpu)


def _volley(answers: list[Any], lines: list[Line], began: float, cpu: float) -> Volley:
    volley = Volley([], began, time.monotonic(), time.process_time() - cpu)
    for line in lines:
        line.transport.close()
    for request, at, sent, status, body, told_at in answers:
        told = request.stand_in.read(status, body)
        if not told.taken or not told.case_no:
            raise RuntimeError(f"{status} {told.text}")
        volley.given.append(Given(told.case_no, at, sent, told_at))
    return volley
