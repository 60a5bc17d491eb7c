"""A regional desk that writes down what it says and hears, loses receipts, gives up, and turns away."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import aiohttp

from gateway.canonical.rehearsal import Told, Unheard
from gateway.conformance.desk import _STALE, Desk, _outcome, _seconds
from gateway.conformance.script import Habits

if TYPE_CHECKING:
    from gateway.canonical.kinds import Kind
    from gateway.canonical.rehearsal import Heard, Said, Turn
    from gateway.conformance.books import Case, Place, Sent
    from tests.chaos.history import Book

#: Quick hands: the other messages of a case follow while the first are still under way.
HABITS = Habits(work_s=0.08)
#: Shares of the messages: receipts their sender claims not to have seen; of the applications whose line
#: broke: never repeated; of the applications: turned away for good.
LOST, GAVE_UP, TURNED = 0.04, 0.03, 0.01
_CALL_WITHIN_S = 6.0


def word_of(kind: str, state: str | None) -> str:
    return f"{kind} {state or ''}".strip()


class Witness(Desk):
    """One side. ``doors``: the addresses of the gateway; ``skew_s``: its clock against ours."""

    def __init__(
        self, place: Place, http: aiohttp.ClientSession, book: Book, seed: int, doors: list[str]
    ) -> None:
        super().__init__(place, None, Random(seed), HABITS)  # type: ignore[arg-type]
        self.slug, self.book, self.skew_s = place.stand_in.slug, book, 0.0
        self.content_type = place.stand_in.content_type
        self._http, self._seed, self._doors = http, seed, doors
        self._serial, self._luck, self._next = 0, Random(f"luck {seed}"), 0
        self._first_told: dict[str, tuple[int, bytes]] = {}
        self.decided: set[str] = set()
        self.calls = 0

    # -- the same case plays the same play, whatever happens around it ---------------------

    def apply(self, to: str = "", kind: Kind | None = None) -> Said:
        self._chance = Random(f"{self._seed} {self.slug} {self._serial}")
        return super().apply(to, kind)

    def _react(self, case: Case, heard: Heard) -> None:
        self._chance = self._of(heard.case_ref, heard.kind, heard.state)
        super()._react(case, heard)

    def _follow(self, case: Case, turn: Turn) -> Said:
        self._chance = self._of(case.facts.case_ref, turn.kind, turn.state)
        return super()._follow(case, turn)

    def _of(self, *what: Any) -> Random:
        return Random(f"{self._seed} {what}")

    def turns_away(self, case_ref: str) -> bool:
        """Whether the plan wants this application refused."""
        return self._of("turned", case_ref).random() < TURNED

    # -- what the gateway delivers -----------------------------------------------------------

    def deliver(self, native_kind: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Status and receipt; what it was is written down."""
        effects, repeats = len(self.effects), self.repeats
        status, answer = self.receive(native_kind, headers, body, refuse=True)
        if len(self.effects) > effects:
            told = next(reversed(self.effects.values()))
            self._write("heard", told.case_ref, told.key, told.meaning, told.state)
            if told.meaning.opens_case:
                self.decided.add(told.case_ref)
        elif self.repeats > repeats:
            self.book.note("again", side=self.slug)
        return status, answer

    def turn_down(self, heard: Heard | None, refusal: Unheard) -> tuple[int, bytes]:
        wanted = heard is not None and heard.facts is not None and refusal.code == "9043"
        if heard is not None and wanted:
            if not self.turns_away(heard.case_ref):
                return 202, self._take_in(heard)
            self.decided.add(heard.case_ref)
            self._write("turned", heard.case_ref, heard.key, heard.kind, heard.state)
        else:
            ref = heard.case_ref if heard else ""
            self.book.note("unheard", side=self.slug, case=ref, code=refusal.code, path=refusal.path)
        return super().turn_down(heard, refusal)

    # -- what it hands in --------------------------------------------------------------------

    async def _attempt(self, said: Said, sent: Sent) -> tuple[Told | None, float]:
        place = self._place
        async with self._lines:
            now = place.clock() + timedelta(seconds=self.skew_s)
            headers, body = place.stand_in.request(said, place.keys, now, place.nonce())
            sent.attempts += 1
            self._write("send", said.case_ref, said.key, said.kind, said.state, n=sent.attempts)
            try:
                status, headers, answer = await self._call(body, headers)
            except (aiohttp.ClientError, OSError, TimeoutError):
                return self._unanswered(said)
        sent.status = status
        told = place.stand_in.read(status, answer)
        if status >= 500 or status == 429 or told.taken is None or told.code in _STALE:
            state = {"status": status, "code": told.code, "readable": told.taken is not None}
            self._write("put_off", said.case_ref, said.key, said.kind, said.state, **state)
            return None, _seconds(headers.get("retry-after", ""))
        first = self._first_told.pop(said.key, None)
        if first is None and told.taken and self._luck.random() < LOST:
            self._first_told[said.key] = (status, answer)
            self._write("lost", said.case_ref, said.key, said.kind, said.state)
            return None, 0.0
        if first is not None and first != (status, answer):
            self._write(
                "differs", said.case_ref, said.key, said.kind, said.state, status=status, text=told.text
            )
        outcome = _outcome(told)
        self._write(
            "told", said.case_ref, said.key, said.kind, said.state,
            outcome=outcome, code=told.code, case_no=told.case_no, text="" if told.taken else told.text,
        )  # fmt: skip
        return told, 0.0

    async def _call(self, body: bytes, headers: Any) -> tuple[int, Any, bytes]:
        self._next += 1
        url = self._doors[self._next % len(self._doors)] + self._place.stand_in.outbox
        timeout = aiohttp.ClientTimeout(total=_CALL_WITHIN_S)
        self.calls += 1
        async with self._http.post(url, data=body, headers=headers, timeout=timeout) as reply:
            return reply.status, reply.headers, await reply.read()

    def _unanswered(self, said: Said) -> tuple[Told | None, float]:
        if said.facts is not None and said.key not in self._first_told and self._luck.random() < GAVE_UP:
            self._write("gave_up", said.case_ref, said.key, said.kind, said.state)
            self.decided.add(said.case_ref)
            return Told(taken=False, code="gave_up"), 0.0
        return None, 0.0

    def _write(self, e: str, case: str, key: str, kind: Any, state: Any, **more: Any) -> None:
        self.book.note(e, side=self.slug, case=case, key=key, word=word_of(kind, state), **more)

    def end(self) -> None:
        """How it holds every case."""
        for ref, case in self.cases.items():
            role = "origin" if case.facts.origin else "target"
            self.book.note("end", side=self.slug, case=ref, state=case.state, role=role, case_no=case.case_no)
        self.book.flush()
