"""A simulated region at work: its inbox, its cases, and its own messages until they have a receipt."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx

from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Draw, Facts, Heard, Said, Told, Turn, Unheard
from gateway.canonical.worktime import beijing_day
from gateway.conformance import script
from gateway.conformance.books import Case, Effect, Place, Sent

if TYPE_CHECKING:
    from datetime import date
    from random import Random

    from gateway.conformance.script import Habits, Step

#: Refusals of a proof that a new attempt mends: outside the window, nonce used.
_STALE = frozenset({"9002", "9003"})
_MOST_WAIT_S = 5.0
#: Cases in which a desk asks for materials whatever its luck: one to be withdrawn, one to be supplemented.
_ASKED_AT_LEAST = 2


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
        #: worked messages that still wait for their case
        self.worked_left = {kind: body for kind, body in place.worked.items() if not kind.opens_case}
        #: in a rehearsal of everything: cases in which we asked, or were asked, for materials
        self._rehearses, self._have_asked, self._were_asked = False, 0, 0
        self._worked_on: set[Kind] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    # -- applications of our own -------------------------------------------------

    def apply(self, to: str = "", kind: Kind | None = None) -> Said:
        """Hands in an application for the next item, to a chosen region or of a kind; sent until a receipt."""
        errands, today = self._place.errands, self._today()
        errand = errands.any(kind, self._chance, today) if kind else errands.next(self._chance, today, to)
        said = self._place.stand_in.apply(errand, self._draw())
        self._hand_in(said)
        return said

    def rehearse(self) -> list[Said]:
        """Hands in what makes every kind of message cross; the follow-ups come in time.

        The worked applications, bytes as published; one of our own for each kind they leave out; two more
        for which materials are asked: one is withdrawn, the other supplemented.
        """
        self._rehearses = True
        adopted = [self._place.stand_in.adopt(body) for body in self._place.worked.values()]
        handed_in = [said for said in adopted if said.facts and said.key not in self.sent]
        for said in handed_in:
            self._hand_in(said, worked=True)
        place = self._place
        left_out = [kind for kind in Kind if kind.opens_case and kind not in place.worked]
        for kind in filter(place.errands.reached, (*left_out, *[Kind.GENERAL_APPLY] * _ASKED_AT_LEAST)):
            said = self._of_our_own(kind)
            self._hand_in(said)
            handed_in.append(said)
        return handed_in

    def pending(self) -> int:
        """Cases on which something is still to be done without anything new happening."""
        return len(self._tasks)

    def _of_our_own(self, kind: Kind) -> Said:
        """One for which the other side has to send something: never a transfer that starts at its old place."""
        while True:
            errand = self._place.errands.any(kind, self._chance, self._today(), with_papers=True)
            said = self._place.stand_in.apply(errand, self._draw())
            if said.facts is None or not said.facts.old_place:
                return said

    def _hand_in(self, said: Said, *, worked: bool = False) -> None:
        if said.facts is None:
            raise ValueError("an application has facts")
        case = self.cases[said.case_ref] = Case(said.facts, worked=worked)
        self._start(case, self._first(case, said))

    async def _first(self, case: Case, said: Said) -> None:
        told = await self._post(said)
        case.case_no = told.case_no or ""
        if told.taken and case.state is None:
            certified = case.facts.kind is Kind.CERTIFICATION_NOTICE
            case.state = State.CONCLUDED if certified else State.ACCEPTED
        await self._work(case)

    # -- deliveries of the gateway -----------------------------------------------

    def receive(
        self,
        native_kind: str,
        headers: dict[str, str],
        body: bytes,
        *,
        refuse: bool,
        spare_first: bool = False,
    ) -> tuple[int, bytes]:
        """Takes a delivery in: status and receipt. A key seen before gets its first receipt again.

        ``refuse`` turns an application down; with ``spare_first`` never the first one for its item, nor a
        worked one.
        """
        place = self._place
        try:
            heard = place.stand_in.hear(native_kind, headers, body, place.keys, place.clock())
        except Unheard as refusal:
            return self.turn_down(None, refusal)
        known = self.effects.get(heard.key)
        if known:
            known.count += 1
            self.repeats += 1
            return 202, known.answer
        if refuse and heard.facts and not (spare_first and self._is_first(heard, heard.facts)):
            return self.turn_down(heard, Unheard(422, "9043", "", "业务系统核验未通过，请联系经办机构"))
        if heard.facts is None and heard.case_ref not in self.cases:
            return self.turn_down(heard, Unheard(422, "9044", "", "没有这个办件"))
        return 202, self._take_in(heard)

    def _is_first(self, heard: Heard, facts: Facts) -> bool:
        taken = {case.facts.item for case in self.cases.values() if not case.facts.origin}
        return facts.item not in taken or self._is_worked(heard.kind, facts)

    def _is_worked(self, kind: Kind, facts: Facts) -> bool:
        return (kind, facts.id_no) in self._place.worked_people

    def _take_in(self, heard: Heard) -> bytes:
        answer = self._place.stand_in.answer(heard, None, self._draw())
        if heard.facts:
            worked = self._is_worked(heard.kind, heard.facts)
            self.cases[heard.case_ref] = Case(heard.facts, State.RECEIVED, worked=worked)
        case = self.cases[heard.case_ref]
        case.heard[heard.kind] += 1
        order = len(self.effects) + 1
        self.effects[heard.key] = Effect(
            heard.key,
            heard.native_kind,
            heard.kind,
            heard.case_ref,
            order,
            case.heard.total(),
            answer,
            heard.state,
        )
        self._react(case, heard)
        return answer

    def _react(self, case: Case, heard: Heard) -> None:
        if heard.facts:
            if heard.kind is Kind.CERTIFICATION_NOTICE:
                case.state = State.CONCLUDED
            case.steps.extend(self._plan(case))
        else:
            case.state = script.became(heard.kind, heard.state, case.state)
            if heard.kind is Kind.TRANSFER_SHEET:
                case.steps.clear()  # what was planned before the record came is out of season
            habits = self._habits_on_hearing(case, heard)
            case.steps.extend(script.on_hearing(case.facts, heard.kind, heard.state, self._chance, habits))
        if heard.kind is Kind.CASE_WITHDRAW:
            case.steps.clear()
        if case.steps and (case.work is None or case.work.done()):
            self._start(case, self._work(case))

    def _plan(self, case: Case) -> list[Step]:
        """A desk asks for materials in its first cases, and declines none of a kind before it has worked on one.

        So every rehearsal, however short, shows every kind.
        """
        facts, habits = case.facts, self._habits_for(case)
        must = facts.kind is Kind.GENERAL_APPLY and bool(facts.papers)
        if not case.worked:
            must = must and self.habits.correct_rate > 0 and self._have_asked < _ASKED_AT_LEAST
            self._have_asked += must
            if self._rehearses and facts.kind not in self._worked_on:
                habits = replace(habits, decline_rate=0.0)
            self._worked_on.add(facts.kind)
        return script.as_target(facts, self._chance, habits, must_correct=must)

    def _habits_for(self, case: Case) -> Habits:
        # what is published is played to its end
        return replace(script.PLAIN, work_s=self.habits.work_s) if case.worked else self.habits

    def _habits_on_hearing(self, case: Case, heard: Heard) -> Habits:
        """In a rehearsal the first case we are asked for materials in is withdrawn, the next is not."""
        habits = self._habits_for(case)
        if not self._rehearses or case.worked or heard.state not in script.ASKED or not case.facts.origin:
            return habits
        self._were_asked += 1
        return replace(habits, withdraw_rate={1: 1.0, 2: 0.0}.get(self._were_asked, habits.withdraw_rate))

    def turn_down(self, heard: Heard | None, refusal: Unheard) -> tuple[int, bytes]:
        """Status and receipt of a refusal."""
        self.refused[refusal.code] += 1
        return refusal.status, self._place.stand_in.answer(heard, refusal, self._draw())

    # -- working on a case ---------------------------------------------------------

    def _start(self, case: Case, work: Any) -> None:
        case.work = asyncio.get_running_loop().create_task(work)
        self._tasks.add(case.work)
        case.work.add_done_callback(self._tasks.discard)

    async def _work(self, case: Case) -> None:
        """One step after the other: the next begins when the former has its receipt."""
        while case.steps and (case.steps[0].awaits is None or case.heard[case.steps[0].awaits]):
            self._maybe_swap(case)
            step = case.steps[0]
            await asyncio.sleep(step.after_s)
            if not case.steps or case.steps[0] is not step:
                continue  # withdrawn meanwhile
            said, heard = self._follow(case, step.turn), case.heard.total()
            told = await self._post(said)
            if case.steps and case.steps[0] is step:
                case.steps.popleft()
            if not told.taken:
                # a clerk would look into it; a machine that goes on would make it worse
                case.steps.clear()
            elif _outcome(told) != "ignored" and case.heard.total() == heard:
                # what was heard while the receipt was on its way is later than what was said
                case.state = script.became(said.kind, said.state, case.state)

    def _maybe_swap(self, case: Case) -> None:
        if len(case.steps) > 1 and self._place.hooks.swaps(case.facts.case_ref):
            first, second = case.steps.popleft(), case.steps.popleft()
            case.steps.extendleft((first, second))

    def _follow(self, case: Case, turn: Turn) -> Said:
        stand_in, worked = self._place.stand_in, self.worked_left.get(turn.kind)
        if worked and self._fits(case, turn, worked):
            del self.worked_left[turn.kind]
            return stand_in.address(worked, case.facts, self._place.clock())
        return stand_in.follow(case.facts, turn, self._draw())

    def _fits(self, case: Case, turn: Turn, worked: bytes) -> bool:
        """A worked follow-up belongs to its worked application; the withdrawal has none."""
        if turn.kind is Kind.CASE_WITHDRAW:
            return self._rehearses
        return case.worked and self._place.stand_in.adopt(worked).state is turn.state

    async def _post(self, said: Said) -> Told:
        """Sends until there is a receipt, under the same key, with a new proof each time."""
        sent = self.sent[said.key] = Sent(said.key, said.native_kind, said.case_ref, said.state)
        wait_s = 0.2
        while True:
            told, asked_s = await self._attempt(said, sent)
            if told is not None:
                sent.outcome = _outcome(told)
                sent.code, sent.text, sent.case_no = told.code, told.text, told.case_no or ""
                if self._place.hooks.doubles(said):
                    await self._attempt(said, sent)
                return told
            await asyncio.sleep(min(max(wait_s, asked_s), _MOST_WAIT_S))
            wait_s = min(wait_s * 2, 2.0)

    async def _attempt(self, said: Said, sent: Sent) -> tuple[Told | None, float]:
        place = self._place
        async with self._lines:
            made, body = place.stand_in.request(said, place.keys, place.clock(), place.nonce())
            headers = place.hooks.sealed(said, made)
            sent.attempts += 1
            try:
                url = place.gateway_url + place.stand_in.outbox
                reply = await self._client.post(url, content=body, headers=dict(headers))
            except httpx.HTTPError:
                place.hooks.sent(said, headers, body, 0, b"", None)
                return None, 0.0
        sent.status = reply.status_code
        told = place.stand_in.read(reply.status_code, reply.content)
        place.hooks.sent(said, headers, body, reply.status_code, reply.content, told)
        if reply.status_code >= 500 or reply.status_code == 429 or told.taken is None or told.code in _STALE:
            return None, _seconds(reply.headers.get("retry-after", ""))
        return told, 0.0

    def _draw(self) -> Draw:
        self._serial += 1
        return Draw(self._chance, self._serial, self._place.clock())

    def _today(self) -> date:
        return beijing_day(self._place.clock())

    def forget(self, key: str) -> None:
        """A message is taken in anew when it comes again."""
        self.effects.pop(key, None)

    async def clear(self) -> None:
        """Ends all work and forgets every case and message; numbers go on."""
        await self.close()
        for kept in (self.effects, self.sent, self.cases, self.refused):
            kept.clear()
        self.repeats = 0

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
