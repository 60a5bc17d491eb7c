"""The gateway's door, opened for one server: proof, form, rules and life cycle as the gateway has them, in memory."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from gateway.canonical.kinds import State
from gateway.canonical.tracking import Conflict, Ignored
from gateway.canonical.transitions import WITHDRAWABLE
from gateway.canonical.worktime import beijing_day
from gateway.conformance.endpoint.mill import Held
from gateway.conformance.endpoint.plays import LATER_S, Play, is_minted
from gateway.crypto import digest
from gateway.errors import Finding, Level, Refusal
from gateway.exchange import casework, translate
from gateway.exchange.crossing import read_follow_up
from gateway.mapping.fieldmap import CaseContext, Sight
from gateway.region import Inbound, Outcome, Receipt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

    from gateway.conformance.endpoint.mill import Mill, Sides
    from gateway.mapping.fieldmap import Reading
    from gateway.region import Opened

#: How often is looked whether something has come.
_TURN_S = 0.05
#: Two messages on one case so close together have crossed on the way.
_CROSSING_S = 1.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """One attempt of the server, and how it was answered. ``at``, ``done`` are monotonic seconds."""

    at: float
    path: str
    kind: str
    key: str
    digest: str
    case_ref: str
    status: int
    done: float = 0.0
    code: str = ""
    text: str = ""
    findings: tuple[Finding, ...] = ()
    #: what it says, whatever its key: two of the same are one message said twice
    essence: str = ""
    play: Play = Play.TAKE
    first: bool = True
    #: the gateway's number of the case, where the message names it
    case_no: str = ""
    #: seconds that the moment it tells of lies in the past, for reports on a case the server was told of
    behind_s: float = 0.0

    @property
    def taken(self) -> bool:
        """The sender has a receipt that says so."""
        return self.status == 202

    @property
    def words(self) -> str:
        """How a report calls it; numbers of cases and messages are no secrets, persons have none here."""
        if not self.kind and not self.key:
            return "一条报文（网关没有读下去）"
        return f"{self.kind or '种类读不出'}，报文编号 {self.key or '读不出'}"


@dataclass(slots=True)
class Kept:
    """A message that was taken: its digest, its receipt, and what it is parked for."""

    digest: str
    receipt: bytes
    findings: tuple[Finding, ...] = ()
    behind_s: float = 0.0


@dataclass(slots=True)
class Door:
    """What the server may send to. Runs on one loop; nothing is kept on disk."""

    sides: Sides
    mill: Mill = field(repr=False)
    credentials: Any = field(repr=False)
    outbox: str
    plays: Sequence[Play] = ()
    cases: dict[str, Held] = field(default_factory=dict)
    own: dict[str, bytes] = field(default_factory=dict, repr=False)
    arrivals: list[Arrival] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)
    #: about cases of an earlier check: refused, and nobody's fault
    stale: list[Arrival] = field(default_factory=list)
    told: dict[str, float] = field(default_factory=dict)
    #: the states the server has reported of each case, whatever it was answered
    said: dict[str, set[State]] = field(default_factory=dict)
    _kept: dict[str, Kept] = field(default_factory=dict)
    _met: dict[str, Play] = field(default_factory=dict)
    _nonces: set[str] = field(default_factory=set)
    _waited: bool = False

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route(self.outbox, self._receive, methods=["POST"]),
                Route("/{rest:path}", self._stray, methods=["GET", "POST", "PUT"]),
            ]
        )

    async def quiet(self, patience_s: float) -> None:
        """Waits, once, until nothing has come for ``patience_s``; at most six times as long.

        Whoever was told to come later is given that time too, and as much again. Silence is counted in turns of
        the loop: a machine that stands still for a second is not a server that keeps silent.
        """
        if self._waited:
            return
        self._waited = True
        seen, silent_s = len(self.arrivals), 0.0
        end = time.monotonic() + 6 * max(patience_s, LATER_S)
        while time.monotonic() < end:
            if silent_s >= (max(patience_s, 2 * LATER_S) if self._is_awaited() else patience_s):
                return
            await asyncio.sleep(_TURN_S)
            silent_s += _TURN_S
            if len(self.arrivals) != seen:
                seen, silent_s = len(self.arrivals), 0.0

    def _is_awaited(self) -> bool:
        """Whether somebody was told to come later, and has not come yet."""
        return any(
            one.status in {429, 503}
            and not any(other.key == one.key for other in self.arrivals[number + 1 :])
            for number, one in enumerate(self.arrivals)
        )

    def introduce(self, case_ref: str, case: Held, *, goes_on: bool = False) -> None:
        """A case the server is being told of, or told more of."""
        self.cases.setdefault(case_ref, case)
        if goes_on:
            self.told[case_ref] = time.monotonic()

    def crossed(self, arrival: Arrival) -> bool:
        """Whether something of ours was on its way on the same case: then nobody spoke out of turn."""
        return arrival.at - self.told.get(arrival.case_ref, -_CROSSING_S) < _CROSSING_S

    @property
    def is_deaf(self) -> bool:
        """Whether something came that could not be read as far as its key: who knows what it said."""
        return any(not one.key for one in self.arrivals)

    async def has_ended(self, case_ref: str, within_s: float = 2 * LATER_S) -> bool:
        """Whether the server reports, by now or in a moment, a state in which nobody may withdraw (crossing §4.9).

        So it may have, if it reports what cannot be read: that is another law's.
        """
        waited_s = 0.0
        while not self.said.get(case_ref, set()) - WITHDRAWABLE:
            if waited_s >= within_s:
                return any(one.status == 422 and one.case_ref == case_ref for one in self.arrivals)
            await asyncio.sleep(_TURN_S)
            waited_s += _TURN_S
        return True

    async def _stray(self, request: Request) -> Response:
        self.strays.append(f"{request.method} {request.url.path}"[:80])
        return Response(status_code=404)

    async def _receive(self, request: Request) -> Response:
        at, body = time.monotonic(), await request.body()
        headers = {name.lower(): value for name, value in request.headers.items()}
        arrival, answer = self._treated(Inbound(headers, body), at)
        arrival = replace(arrival, path=request.url.path, done=time.monotonic())
        (self.stale if self._is_of_before(arrival) else self.arrivals).append(arrival)
        later = {"retry-after": str(LATER_S)} if arrival.status in {429, 503} else {}
        media = self.sides.region.content_type
        return Response(answer, arrival.status, media_type=media, headers=later)

    def _is_of_before(self, arrival: Arrival) -> bool:
        """A report on a case this door does not know, under numbers only a gateway mints."""
        known = arrival.case_ref in self.cases or arrival.case_no in {
            held.case_no for held in self.cases.values()
        }
        return arrival.code == "9044" and not known and is_minted(self.sides.region, arrival.case_ref)

    # -- what the gateway does with a message ----------------------------------------------

    def _treated(self, inbound: Inbound, at: float) -> tuple[Arrival, bytes]:
        region, now = self.sides.region, self.mill.now()
        opened: Opened | None = None
        seen = Arrival(at, "", "", "", "", "", 202)
        try:
            region.verify(inbound, self.credentials, now)
            opened = region.open(inbound)
            seen = replace(
                seen,
                kind=opened.native_kind,
                key=opened.key,
                digest=opened.digest,
                case_ref=opened.case_ref,
                case_no=opened.gateway_ref,
            )
            self._within_window(opened)
            play, first = self._play(opened)
            seen = replace(seen, play=play, first=first, essence=self._essence(opened))
            if first and play in {Play.AWAY, Play.BUSY}:
                raise _LATER[play]
            kept = self._once(opened, inbound.body, play)
        except Refusal as refused:
            given = Receipt(
                Outcome.REFUSED,
                refused.status,
                refused.code,
                refused.text,
                refused.findings,
                case_ref=seen.case_ref,
                sender=opened.sender if opened else "",
            )
            seen = replace(
                seen,
                status=refused.status,
                code=refused.code,
                text=refused.text,
                findings=refused.findings,
            )
            return seen, region.receipt(given, self.mill.new_key(), now)
        if first and play is Play.LOST:
            return replace(seen, status=502), b""
        return replace(seen, findings=kept.findings, behind_s=kept.behind_s), kept.receipt

    def _once(self, opened: Opened, body: bytes, play: Play) -> Kept:
        kept = self._kept.get(opened.key)
        if kept is None:
            kept = self._kept[opened.key] = self._taken(opened, body, play)
        elif kept.digest != opened.digest:
            raise Refusal(409, "9020", "报文编号已用于另一内容，请使用新的编号")
        return kept

    def _essence(self, opened: Opened) -> str:
        """Its values as the maps read them, without key and time of sending; ``""`` for what has no map.

        What state it reports is noted by the way.
        """
        sides = self.sides
        plan = sides.maps.reader(sides.slug, opened.native_kind)
        if plan is None:
            return ""
        slug, today = sides.slug, beijing_day(self.mill.now())
        case = CaseContext("", "", today, sides.other, slug, {})
        sight = Sight(sides.tables, slug, slug, sides.other, today, case=case, door=False)
        reading = plan.read(opened.tree, sight)
        if reading.findings:
            return ""  # what cannot be read in part looks like others of its kind
        if state := reading.value("status.state"):
            self.said.setdefault(opened.case_ref, set()).add(State(state))
        said = sorted(f"{path}={leaf.value}" for path, leaf in reading.leaves.items())
        return digest.sm3_hex("\n".join((opened.native_kind, opened.case_ref, *said)).encode())

    def _play(self, opened: Opened) -> tuple[Play, bool]:
        """What is done to it; a message about a case nobody knows is answered as it deserves."""
        key = opened.key
        first = key not in self._met
        if first and opened.case_ref not in self.cases and not self._opens(opened):
            return Play.TAKE, True
        if first:
            place = len(self._met)
            self._met[key] = self.plays[place] if place < len(self.plays) else Play.TAKE
        return self._met[key], first

    def _opens(self, opened: Opened) -> bool:
        field_map = self.sides.region.maps.get(opened.native_kind)
        return field_map is not None and field_map.kind.opens_case

    def _within_window(self, opened: Opened) -> None:
        now, window = self.mill.now(), self.sides.region.window_s
        if opened.sent_at is not None and abs((now - opened.sent_at).total_seconds()) > window:
            raise Refusal(401, "9002", f"发送时间与网关时间相差超过 {window} 秒")
        if opened.nonce:
            if opened.nonce in self._nonces:
                raise Refusal(401, "9003", "随机串在时间窗内已使用过")
            self._nonces.add(opened.nonce)

    def _taken(self, opened: Opened, body: bytes, play: Play) -> Kept:
        """What is kept of a message that is good. Errors: `Refusal`."""
        sides = self.sides
        plan = sides.maps.reader(sides.slug, opened.native_kind)
        if plan is None:
            raise translate.unknown_kind(sides.region.kind_path)
        opens = plan.map.kind.opens_case
        case_no, note, behind_s = (
            (*self._application(opened, body), 0.0) if opens else self._follow_up(opened)
        )
        given = Receipt(
            Outcome.ACCEPTED, 202, case_ref=opened.case_ref, case_no=case_no, sender=opened.sender
        )
        if isinstance(note, Ignored):
            given = replace(given, outcome=Outcome.IGNORED, code=note.code, text=note.text)
        elif note or play is Play.PARKED:
            invented = (Finding(sides.region.case_path, "1001", "演练：码表没有这一行", Level.PARK),)
            given = replace(given, outcome=Outcome.PARKED, findings=note or invented)
        elif play is Play.IGNORED:
            given = replace(given, outcome=Outcome.IGNORED, code="1102", text="演练：状态已登记")
        receipt = sides.region.receipt(given, self.mill.new_key(), self.mill.now())
        return Kept(opened.digest, receipt, note if isinstance(note, tuple) else (), behind_s)

    def _application(self, opened: Opened, body: bytes) -> tuple[str, tuple[Finding, ...]]:
        """An application of the server's own. Errors: `Refusal`."""
        sides = self.sides
        if opened.case_ref in self.cases:
            raise Refusal(409, "9021", "办件编号已使用过")
        routes = sides.maps.routes
        plan = sides.maps.reader(sides.slug, opened.native_kind)
        assert plan is not None  # noqa: S101 - looked up by the caller
        on = translate.acceptance_day(plan, opened, beijing_day(self.mill.now()))
        sight = Sight(sides.tables, sides.slug, sides.slug, routes.sole[sides.slug], on)
        reading = translate.read(plan, opened, sight, routes)
        target = sides.regions[reading.sight.receiver or sides.other]
        record = self.mill.record(sides.region, target, opened, reading)
        facts = sides.stand_ins[sides.slug].adopt(body).facts
        if facts is not None:
            self.cases[opened.case_ref] = Held(record, facts)
            if not reading.findings:
                self.own[opened.case_ref] = body
        return record.case.case_no, tuple(reading.findings)

    def _follow_up(self, opened: Opened) -> tuple[str, Ignored | tuple[Finding, ...], float]:
        sides = self.sides
        plan = sides.maps.reader(sides.slug, opened.native_kind)
        assert plan is not None  # noqa: S101 - looked up by the caller
        held = self.cases.get(opened.case_ref)
        sight = Sight(sides.tables, sides.slug, sides.slug, sides.other, beijing_day(self.mill.now()))
        if held is None:
            translate.read(plan, opened, sight)
            right = next((ref for ref, one in self.cases.items() if one.case_no == opened.gateway_ref), "")
            hint = f"：{opened.gateway_ref} 的办件编号是 {right}" if right else ""
            finding = Finding(sides.region.case_path, "9044", f"没有这个办件{hint}")
            raise Refusal(422, "9044", finding.text, findings=(finding,))
        reading = read_follow_up(plan, opened, sight, held.record, sides.maps.routes)
        decided = casework.follow_up(
            held.record.case,
            reading,
            by=sides.slug,
            at=self.mill.now(),
            actor=sides.slug,
            is_parked=bool(reading.findings),
        )
        if isinstance(decided, Conflict):
            raise Refusal(409, decided.code, decided.text)
        if isinstance(decided, Ignored):
            return held.case_no, decided, self._behind_s(opened, reading)
        held.record = replace(held.record, case=decided.case)
        return held.case_no, tuple(reading.findings), self._behind_s(opened, reading)

    def _behind_s(self, opened: Opened, reading: Reading) -> float:
        """How long ago that was which is told: of a case of its own, the server may tell old things."""
        told = (reading.value(path) for path in ("status.at", "supplement.at", "withdrawal.at", "rating.at"))
        at = next((moment for moment in told if moment is not None), None)
        if at is None or opened.case_ref in self.own:
            return 0.0
        return float((self.mill.now() - at).total_seconds())


_LATER: Mapping[Play, Refusal] = {
    Play.AWAY: Refusal(503, "9060", "演练：暂时不能存储，请稍后重发", retry_after=LATER_S),
    Play.BUSY: Refusal(429, "9050", "演练：报文太多，请稍后重发", retry_after=LATER_S),
}
