"""A simulated region at work: its inbox, its cases, and its own messages until they have a receipt."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import httpx

from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Draw, Facts, Heard, Said, StandIn, Told, Turn, Unheard
from gateway.conformance import script

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from random import Random

    from gateway.conformance.script import Habits, Step

#: Refusals of a proof that a new attempt mends: outside the window, nonce used.
_STALE = frozenset({"9002", "9003"})
_MOST_WAIT_S = 5.0


@dataclass(slots=True)
class Effect:
    """A message taken in once, however often it came."""

    key: str
    kind: str
    case_ref: str
    order: int
    case_order: int
    answer: bytes
    state: State | None = None
    count: int = 1

    def as_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "kind": self.kind,
            "case_ref": self.case_ref,
            "order": self.order,
            "case_order": self.case_order,
            "state": self.state,
            "count": self.count,
        }


@dataclass(slots=True)
class Sent:
    """A message of this side: its attempts and what the gateway said to it."""

    key: str
    kind: str
    case_ref: str
    state: State | None = None
    attempts: int = 0
    status: int | None = None
    outcome: str = "waiting"
    code: str = ""
    case_no: str = ""
    text: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "kind": self.kind,
            "case_ref": self.case_ref,
            "state": self.state,
            "attempts": self.attempts,
            "status": self.status,
            "outcome": self.outcome,
            "code": self.code,
            "case_no": self.case_no,
            "text": self.text,
        }


@dataclass(slots=True)
class Case:
    """A case as this side sees it."""

    facts: Facts
    state: State | None = None
    case_no: str = ""
    worked: bool = False
    steps: deque[Step] = field(default_factory=deque)
    work: asyncio.Task[None] | None = None
    heard: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "case_ref": self.facts.case_ref,
            "case_no": self.case_no,
            "kind": self.facts.kind,
            "role": "origin" if self.facts.origin else "target",
            "state": self.state,
            "name": self.state.label if self.state else "",
            "final": self.final,
        }

    @property
    def final(self) -> bool:
        if self.facts.kind is Kind.CERTIFICATION_NOTICE:
            return self.state is State.CONCLUDED
        return self.state in script.FINAL


@dataclass(frozen=True, slots=True)
class Place:
    """Where and as whom a desk works; ``worked`` are the region's worked messages by kind."""

    stand_in: StandIn
    keys: Any
    gateway_url: str
    clock: Callable[[], datetime]
    nonce: Callable[[], str]
    worked: dict[Kind, bytes] = field(default_factory=dict)
    worked_people: frozenset[tuple[Kind, str]] = frozenset()


class Desk:
    """One side's people and machines. Everything runs on one loop; nothing is kept on disk."""

    def __init__(self, place: Place, client: httpx.AsyncClient, chance: Random, habits: Habits) -> None:
        self._place, self._client, self._chance, self.habits = place, client, chance, habits
        now = place.clock()
        # starts by the time of day, so that a desk started anew does not use its numbers again
        self._serial = (now.hour * 3600 + now.minute * 60 + now.second) * 10
        self._lines = asyncio.Semaphore(64)
        self.effects: dict[str, Effect] = {}
        self.sent: dict[str, Sent] = {}
        self.cases: dict[str, Case] = {}
        self.refused: Counter[str] = Counter()
        self.repeats = 0
        self._tasks: set[asyncio.Task[None]] = set()

    # -- applications of our own -------------------------------------------------

    def apply(self, kind: Kind | None = None) -> Said:
        """Hands in a new application; returns at once, the sending goes on until there is a receipt."""
        stand_in = self._place.stand_in
        said = stand_in.apply(kind or self._chance.choice(stand_in.offers), self._draw())
        self._hand_in(said)
        return said

    def apply_worked(self) -> list[Said]:
        """Hands in the worked applications of this side, bytes as published."""
        adopted = [self._place.stand_in.adopt(body, None) for body in self._place.worked.values()]
        handed_in = [said for said in adopted if said.kind in self._place.stand_in.offers]
        for said in handed_in:
            if said.key not in self.sent:
                self._hand_in(said)
        return handed_in

    def pending(self) -> int:
        """Cases on which something is still to be done without anything new happening."""
        return len(self._tasks)

    def _hand_in(self, said: Said) -> None:
        if said.facts is None:
            raise ValueError("an application has facts")
        case = self.cases[said.case_ref] = Case(said.facts)
        self._start(case, self._first(case, said))

    async def _first(self, case: Case, said: Said) -> None:
        told = await self._post(said)
        case.case_no = told.case_no
        if told.taken and case.state is None:
            certified = case.facts.kind is Kind.CERTIFICATION_NOTICE
            case.state = State.CONCLUDED if certified else State.ACCEPTED
        await self._work(case)

    # -- deliveries of the gateway -----------------------------------------------

    def receive(
        self, native_kind: str, headers: dict[str, str], body: bytes, *, refuse: bool
    ) -> tuple[int, bytes]:
        """Takes a delivery in: status and receipt. A key seen before gets its first receipt again."""
        place = self._place
        try:
            heard = place.stand_in.hear(native_kind, headers, body, place.keys, place.clock())
        except Unheard as refusal:
            return self._refuse(None, refusal)
        known = self.effects.get(heard.key)
        if known:
            known.count += 1
            self.repeats += 1
            return 202, known.answer
        if refuse and heard.facts:
            return self._refuse(heard, Unheard(422, "9043", "", "业务系统核验未通过，请联系经办机构"))
        if heard.facts is None and heard.case_ref not in self.cases:
            return self._refuse(heard, Unheard(422, "9044", "", "没有这个办件"))
        return 202, self._take_in(heard)

    def _take_in(self, heard: Heard) -> bytes:
        answer = self._place.stand_in.answer(heard, None, self._draw())
        if heard.facts:
            worked = (heard.kind, heard.facts.id_no) in self._place.worked_people
            self.cases[heard.case_ref] = Case(heard.facts, State.RECEIVED, worked=worked)
        case = self.cases[heard.case_ref]
        case.heard += 1
        order = len(self.effects) + 1
        self.effects[heard.key] = Effect(
            heard.key, heard.native_kind, heard.case_ref, order, case.heard, answer, heard.state
        )
        self._react(case, heard)
        return answer

    def _react(self, case: Case, heard: Heard) -> None:
        if heard.state:
            case.state = heard.state
        if heard.facts:
            if heard.kind is Kind.CERTIFICATION_NOTICE:
                case.state = State.CONCLUDED
            case.steps.extend(script.as_target(case.facts, self._chance, self.habits))
        else:
            steps = script.on_hearing(case.facts, heard.kind, heard.state, self._chance, self.habits)
            case.steps.extend(steps)
        if case.steps and (case.work is None or case.work.done()):
            self._start(case, self._work(case))

    def _refuse(self, heard: Heard | None, refusal: Unheard) -> tuple[int, bytes]:
        self.refused[refusal.code] += 1
        return refusal.status, self._place.stand_in.answer(heard, refusal, self._draw())

    # -- working on a case ---------------------------------------------------------

    def _start(self, case: Case, work: Any) -> None:
        case.work = asyncio.get_running_loop().create_task(work)
        self._tasks.add(case.work)
        case.work.add_done_callback(self._tasks.discard)

    async def _work(self, case: Case) -> None:
        """One step after the other: the next begins when the former has its receipt."""
        while case.steps:
            step = case.steps[0]
            await asyncio.sleep(step.after_s)
            said = self._follow(case, step.turn)
            told = await self._post(said)
            case.steps.popleft()
            if not told.taken:
                # a clerk would look into it; a machine that goes on would make it worse
                case.steps.clear()
            elif said.state:
                case.state = said.state

    def _follow(self, case: Case, turn: Turn) -> Said:
        worked = self._place.worked.get(turn.kind)
        # a worked status report belongs to another case than the worked sheets and answers
        if worked and case.worked and turn.state is None:
            return self._place.stand_in.adopt(worked, case.facts)
        return self._place.stand_in.follow(case.facts, turn, self._draw())

    async def _post(self, said: Said) -> Told:
        """Sends until there is a receipt, under the same key, with a new proof each time."""
        sent = self.sent[said.key] = Sent(said.key, said.native_kind, said.case_ref, said.state)
        wait_s = 0.2
        while True:
            told, asked_s = await self._attempt(said, sent)
            if told is not None:
                sent.outcome = _outcome(told)
                sent.code, sent.text, sent.case_no = told.code, told.text, told.case_no
                return told
            await asyncio.sleep(min(max(wait_s, asked_s), _MOST_WAIT_S))
            wait_s = min(wait_s * 2, 2.0)

    async def _attempt(self, said: Said, sent: Sent) -> tuple[Told | None, float]:
        place = self._place
        async with self._lines:
            headers, body = place.stand_in.request(said, place.keys, place.clock(), place.nonce())
            sent.attempts += 1
            try:
                url = place.gateway_url + place.stand_in.outbox
                reply = await self._client.post(url, content=body, headers=dict(headers))
            except httpx.HTTPError:
                return None, 0.0
        sent.status = reply.status_code
        told = place.stand_in.read(reply.status_code, reply.content)
        if reply.status_code >= 500 or reply.status_code == 429 or told.taken is None or told.code in _STALE:
            return None, _seconds(reply.headers.get("retry-after", ""))
        return told, 0.0

    def _draw(self) -> Draw:
        self._serial += 1
        return Draw(self._chance, self._serial, self._place.clock())

    async def close(self) -> None:
        """Ends all work under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def change(self, **habits: float) -> None:
        """Changes habits from now on."""
        self.habits = replace(self.habits, **habits)


def _outcome(told: Told) -> str:
    if not told.taken:
        return "refused"
    word = told.text.partition(" ")[0]
    return word.lower() if word in {"PARKED", "IGNORED"} else "accepted"


def _seconds(written: str) -> float:
    return float(written) if written.isdecimal() else 0.0
