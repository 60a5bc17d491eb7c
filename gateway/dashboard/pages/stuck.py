"""``/ops/stuck``: what rests until somebody acts, by cause, and one group message by message."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query
from pydantic import BaseModel, ConfigDict, Field

from gateway.dashboard.desk import Desk, Refused, needs
from gateway.dashboard.texts import N_
from gateway.dashboard.views import causes
from gateway.dashboard.views.causes import Told
from gateway.exchange import intervene
from gateway.exchange.masking import mask_words
from gateway.store import parked as parked_
from gateway.store.parked import Cause as ParkedCause
from gateway.store.parked import ParkedGroup
from gateway.store.stuck import GROUPED, STATES, Cause, Resting, RestingGroup, Stuck

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.responses import Response

router = APIRouter(prefix="/stuck")

#: A state's number on the page ends here.
MOST = 10_000
#: Groups of a state shown on one page, and messages of a group.
GROUPS, MESSAGES = 50, 25

_Look = Annotated[Desk, needs("look")]
_Act = Annotated[Desk, needs("act")]
Reason = Annotated[str, Form(min_length=1, max_length=200)]

_DONE = {
    "release": N_("已放行，正在送往对方"),
    "retry": N_("已重新投递"),
    "cancel": N_("已取消这条报文"),
}


class CauseQuery(BaseModel):
    """A group as its address names it."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    state: str = Field(pattern="^(parked|dead|refused)$")
    destination: str = Field(max_length=40)
    code: str = Field(default="", max_length=40)
    path: str = Field(default="", max_length=200)
    value: str = Field(default="", max_length=40)

    @property
    def cause(self) -> Cause:
        """As the store has it."""
        return Cause(self.state, self.destination, self.code, self.path, self.value)


class PlaceQuery(CauseQuery):
    """A page of a group."""

    after: UUID | None = None
    before: UUID | None = None


@dataclass(frozen=True, slots=True)
class Heap:
    """A group as it is shown. ``query`` names it in addresses, ``id`` on the page."""

    id: str
    cause: Cause
    told: Told
    region: str
    messages: int
    first_seen_at: datetime
    last_seen_at: datetime
    agencies: tuple[str, ...]
    sample: Resting | None
    said: str

    @property
    def query(self) -> str:
        """The group, as a query."""
        return query_of(self.cause)

    @property
    def mend(self) -> str:
        """Where the missing row is written; "" when no row would help."""
        if self.cause.state != "parked" or not self.cause.code.startswith("1"):
            return ""
        return causes.mend_address(self.cause, self.region)


@dataclass(frozen=True, slots=True)
class Board:
    """All that is stuck. ``counts`` end at `MOST`; ``cut`` names states with more than was looked at."""

    counts: dict[str, int]
    heaps: dict[str, list[Heap]]
    cut: frozenset[str]


def query_of(cause: Cause) -> str:
    """A group as a query; empty parts are left out."""
    named = {name: getattr(cause, name) for name in Cause.__dataclass_fields__}
    return urlencode({name: value for name, value in named.items() if value})


@router.get("")
async def stuck(desk: _Look) -> Response:
    """The whole page."""
    return desk.page("stuck/stuck.html", board=await _board(desk), **_frame())


@router.get("/groups")
async def groups(desk: _Look) -> Response:
    """The groups alone, asked again whenever something got stuck or went on."""
    return desk.part("stuck/_groups.html", board=await _board(desk), **_frame())


@router.get("/group")
async def group(desk: _Look, asked: Annotated[PlaceQuery, Query()]) -> Response:
    """One group, message by message."""
    cause, store = asked.cause, Stuck(desk.rt.engine, desk.rt.vault)
    page = await store.page(cause, MESSAGES, after=asked.after, before=asked.before)
    heap = await find(desk, cause)
    address = f"/ops/stuck/group?{query_of(cause)}"
    return desk.page(
        "stuck/group.html",
        heap=heap,
        cause=cause,
        told=heap.told if heap else _told(desk, cause, page.messages[0] if page.messages else None),
        messages=[(each, words(each)) for each in page.messages],
        address=address,
        previous=f"{address}&before={page.previous}" if page.previous else "",
        following=f"{address}&after={page.next}" if page.next else "",
        **_frame(),
    )


@router.post("/messages/{message_id}/release")
async def release(
    desk: _Act, message_id: UUID, reason: Reason, back: Annotated[str, Form()] = ""
) -> Response:
    """Treat one parked message again, by the tables of now."""
    try:
        findings = await intervene.release(desk.rt, message_id, desk.actor, reason)
    except LookupError:
        raise _gone(desk) from None
    if findings:
        lacks = desk.say("；").join(
            f"{each['code']} {each['path']} {desk.told(each['text'])}" for each in findings[:3]
        )
        return desk.refuse(409, desk.say("仍不能放行：%(lacks)s", lacks=lacks))
    return desk.done(desk.say(_DONE["release"]), to=_within(back))


@router.post("/messages/{message_id}/retry")
async def retry(desk: _Act, message_id: UUID, reason: Reason, back: Annotated[str, Form()] = "") -> Response:
    """Send one dead or refused message again, under the same key."""
    return await _acted(desk, "retry", message_id, reason, back)


@router.post("/messages/{message_id}/cancel")
async def cancel(desk: _Act, message_id: UUID, reason: Reason, back: Annotated[str, Form()] = "") -> Response:
    """Give one message up; what follows in its case goes on."""
    return await _acted(desk, "cancel", message_id, reason, back)


async def find(desk: Desk, cause: Cause) -> Heap | None:
    """A group by its cause; None when nothing of it rests any more."""
    return next((heap for heap in await _heaps(desk, cause.state) if heap.cause == cause), None)


def words(message: Resting) -> str:
    """What was said at the last attempt, without the code it begins with and without numbers of persons."""
    return mask_words(message.said.removeprefix(message.code).strip())


async def _acted(desk: Desk, verb: str, message_id: UUID, reason: str, back: str) -> Response:
    act = intervene.retry if verb == "retry" else intervene.cancel
    try:
        await act(desk.rt, message_id, desk.actor, reason)
    except LookupError:
        raise _gone(desk) from None
    return desk.done(desk.say(_DONE[verb]), to=_within(back))


def _gone(desk: Desk) -> Refused:
    return Refused(404, desk.say("这条报文已不在这里：可能已由他人处理，或正在发送；请返回列表刷新"))


def _within(back: str) -> str:
    is_ours = back.startswith(("/ops/stuck", "/ops/cases")) and "//" not in back and "\\" not in back
    return back if is_ours and back.isprintable() else "/ops/stuck"


async def _board(desk: Desk) -> Board:
    store = Stuck(desk.rt.engine, desk.rt.vault)
    heaps = asyncio.gather(*(_heaps(desk, state) for state in STATES))
    counts = await store.counts(MOST)
    return Board(
        counts,
        dict(zip(STATES, await heaps, strict=True)),
        frozenset(state for state in STATES if counts[state] > GROUPED),
    )


async def _heaps(desk: Desk, state: str) -> list[Heap]:
    store = Stuck(desk.rt.engine, desk.rt.vault)
    if state == "parked":
        parked, _ = await parked_.groups(desk.rt.engine, GROUPS, None, looked_at=GROUPED)
        samples = await store.samples([each.sample for each in parked])
        return [_parked(desk, each, samples.get(each.sample)) for each in parked]
    resting = (await store.groups(state))[:GROUPS]
    samples = await store.samples([each.sample for each in resting])
    return [_rested(desk, each, samples.get(each.sample)) for each in resting]


def _parked(desk: Desk, each: ParkedGroup, sample: Resting | None) -> Heap:
    cause = Cause("parked", each.destination, each.cause.code, each.cause.path, each.cause.value or "")
    return Heap(
        id=_id(cause),
        cause=cause,
        told=causes.lacking(desk, each, sample),
        region=each.region,
        messages=each.messages,
        first_seen_at=each.first_seen_at,
        last_seen_at=each.last_seen_at,
        agencies=each.agencies,
        sample=sample,
        said="",
    )


def _rested(desk: Desk, each: RestingGroup, sample: Resting | None) -> Heap:
    return Heap(
        id=_id(each.cause),
        cause=each.cause,
        told=causes.unanswered(desk, each.cause.code),
        region=sample.region if sample else "",
        messages=each.messages,
        first_seen_at=each.first_seen_at,
        last_seen_at=each.last_seen_at,
        agencies=(),
        sample=sample,
        said=words(sample) if sample else "",
    )


def _told(desk: Desk, cause: Cause, sample: Resting | None) -> Told:
    """Of a group that is not among the first, or is empty by now."""
    if cause.state != "parked" or sample is None:
        return causes.unanswered(desk, cause.code) if cause.state != "parked" else Told("", "")
    lack = ParkedCause(cause.code, cause.path, cause.value or None)
    texts = (each["text"] for each in sample.findings if each["code"] == cause.code)
    moments = (sample.received_at, sample.received_at)
    made = ParkedGroup(lack, sample.region, next(texts, ""), 1, (), *moments, sample.id, sample.destination)
    return causes.lacking(desk, made, sample)


def _id(cause: Cause) -> str:
    """An id for a group's row: keyboards find their place again after a refresh."""
    return f"g{zlib.crc32(query_of(cause).encode()):x}"


def _frame() -> dict[str, Any]:
    return {"MOST": MOST, "GROUPED": GROUPED}
