"""What was promised, held against the history written outside and the gateway's own account (pure)."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.canonical.kinds import State
from gateway.canonical.transitions import FINAL, MATRIX, RATEABLE, SUPPLEMENTED, UNDECIDED, WITHDRAWABLE, Take

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.chaos.history import Line

#: The bound that is published: nothing deliverable waits longer while the other side is well.
STUCK_S = 60.0
#: What a side's mood keeps from it: waiting for it is nobody's fault.
_UNWELL = frozenset({"refuse", "hang", "e5xx", "garbage", "busy", "late"})
#: A side and the number it gives a case.
Ref = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise; ``ref``: the case as the gateway numbers it, or as a side does."""

    law: str
    ref: str
    text: str

    def __str__(self) -> str:
        return f"[{self.law}] {self.ref}: {self.text}"


@dataclass(frozen=True, slots=True)
class Step:
    """A line of a timeline as the store numbers it."""

    n: int
    kind: str
    before: str | None
    after: str


@dataclass(frozen=True, slots=True)
class Known:
    """A case as the gateway tells of it."""

    case_no: str
    origin: Ref
    target: Ref
    state: str
    steps: tuple[Step, ...]
    #: deliveries still there: (destination, state)
    open: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Book:
    """The history, sorted by case and side."""

    #: case → messages with a receipt, in order: (word, key, told at)
    said: dict[Ref, list[tuple[str, str, float]]] = field(default_factory=lambda: defaultdict(list))
    heard: dict[Ref, list[tuple[str, str, float]]] = field(default_factory=lambda: defaultdict(list))
    turned: set[Ref] = field(default_factory=set)
    gave_up: set[Ref] = field(default_factory=set)
    #: case → the number its origin's receipt names
    named: dict[Ref, str] = field(default_factory=dict)
    states: dict[Ref, tuple[str, str | None]] = field(default_factory=dict)
    unwell: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    found: list[Violation] = field(default_factory=list)
    #: key → case of what has no receipt yet; key → when a receipt was given that its sender denies
    _sent: dict[str, Ref] = field(default_factory=dict)
    _given: dict[str, float] = field(default_factory=dict)
    #: seconds from a call to its receipt
    accept_s: list[float] = field(default_factory=list)
    _called: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, lines: Iterable[Line]) -> Book:
        book = cls()
        for line in lines:
            add = getattr(book, f"_on_{line['e']}", None)
            if add is not None:
                add((line.get("side", ""), line.get("case", "")), line)
        for key, ref in book._sent.items():
            book.found.append(Violation("receipt", ref[1], f"{ref[0]} {key} never got a receipt"))
        return book

    def _on_send(self, ref: Ref, line: Line) -> None:
        self._sent.setdefault(line["key"], ref)
        self._called[line["key"]] = line["t"]

    def _on_lost(self, _: Ref, line: Line) -> None:
        self._given.setdefault(line["key"], line["t"])

    def _on_gave_up(self, ref: Ref, line: Line) -> None:
        self._sent.pop(line["key"], None)
        self.gave_up.add(ref)

    def _on_differs(self, ref: Ref, line: Line) -> None:
        text = f"{line['key']}: a repeat got another one"
        self.found.append(Violation("first receipt", ref[1], text))

    def _on_put_off(self, ref: Ref, line: Line) -> None:
        if line["status"] == 500 or not line["readable"]:
            text = f"{line['key']}: {line['status']}, a receipt in its own format: {line['readable']}"
            self.found.append(Violation("answer", ref[1], text))

    def _on_heard(self, ref: Ref, line: Line) -> None:
        self.heard[ref].append((line["word"], line["key"], line["t"]))

    def _on_turned(self, ref: Ref, _: Line) -> None:
        self.turned.add(ref)

    def _on_unheard(self, ref: Ref, line: Line) -> None:
        text = f"{ref[0]} refused a delivery: {line['code']} {line.get('path', '')}"
        self.found.append(Violation("deliverable", ref[1], text))

    def _on_end(self, ref: Ref, line: Line) -> None:
        self.states[ref] = (line["role"], line["state"])

    def _on_told(self, ref: Ref, line: Line) -> None:
        self._sent.pop(line["key"], None)
        self.accept_s.append(line["t"] - self._called.pop(line["key"], line["t"]))
        at = self._given.pop(line["key"], line["t"])
        if line["outcome"] == "accepted":
            self.said[ref].append((line["word"], line["key"], at))
            if line["case_no"] and ref not in self.named:
                self.named[ref] = line["case_no"]
        elif line["outcome"] != "ignored":
            text = (
                f"{line['word']} {line['key']} was {line['outcome']}: {line['code']} {line.get('text', '')}"
            )
            self.found.append(Violation("acceptable", ref[1], text))

    def _on_fault(self, _: Ref, line: Line) -> None:
        verb, _, what = line.get("kind", "").partition(" ")
        if what == "peer" and verb in _UNWELL:
            self.unwell[line["target"]].append((line["t"], line["t"] + line["lasts_s"]))


def check(book: Book, known: Sequence[Known]) -> list[Violation]:
    """Every broken promise, once per case and law."""
    found = list(book.found)
    by_origin = {case.origin: case for case in known}
    found += _announced(book, by_origin)
    found += _ghosts(book, known)
    for case in known:
        found += _lanes(book, case)
        found += _chain(book, case)
        found += _ends(book, case)
        found += _stuck(book, case)
    return found


def _announced(book: Book, known: dict[Ref, Known]) -> Iterator[Violation]:
    """The gateway knows exactly the cases whose application has a receipt, and by the number on it."""
    for ref, case_no in book.named.items():
        role, _ = book.states.get(ref, ("origin", None))
        if role == "origin" and (ref not in known or known[ref].case_no != case_no):
            yield Violation("kept", case_no, f"{ref} has a receipt for it, the gateway has {known.get(ref)}")
    for ref, case in known.items():
        if ref not in book.named and ref not in book.gave_up:
            yield Violation("announced", case.case_no, f"{ref} has no receipt for it")


def _ghosts(book: Book, known: Sequence[Known]) -> Iterator[Violation]:
    """Nothing took effect in a case nobody knows."""
    refs = {ref for case in known for ref in (case.origin, case.target)}
    for ref in book.heard:
        if ref not in refs:
            yield Violation("ghost", ref[1], f"{ref[0]} was told of a case the gateway does not know")


def _lanes(book: Book, case: Known) -> Iterator[Violation]:
    """What one side has receipts for is what the other took in: each once, none else, in that order."""
    for sender, receiver in ((case.origin, case.target), (case.target, case.origin)):
        said = [word for word, _, _ in book.said[sender]]
        heard = [word for word, _, _ in book.heard[receiver]]
        if receiver in book.turned:
            said = said[1:]
        elif sender in book.gave_up and sender == case.origin:
            heard = heard[1:]  # stored, though its sender never knew
        if said != heard:
            yield Violation(
                _law(said, heard), case.case_no, f"{sender[0]}: accepted {said}, took effect {heard}"
            )


def _law(said: list[str], heard: list[str]) -> str:
    if sorted(said) == sorted(heard):
        return "order"
    return "lost" if len(heard) < len(said) else "once"


def _chain(book: Book, case: Known) -> Iterator[Violation]:
    """The timeline is whole: numbered without a gap, each step from where the last one ended, none impossible."""
    steps = case.steps
    if [step.n for step in steps] != list(range(1, len(steps) + 1)):
        yield Violation("numbered", case.case_no, f"{[step.n for step in steps]}")
    if not steps or steps[0].kind != "application" or steps[0].before is not None:
        yield Violation("chain", case.case_no, f"it does not begin with its application: {steps[:1]}")
        return
    for one, next_ in itertools.pairwise(steps):
        if one.after != next_.before:
            yield Violation("chain", case.case_no, f"{one} is followed by {next_}")
    for step in steps:
        if not reachable(step):
            yield Violation("reachable", case.case_no, f"{step}")
    if steps[-1].after != case.state:
        yield Violation("chain", case.case_no, f"it is {case.state}, its timeline ends with {steps[-1]}")
    told = sum(step.kind == "delivery" for step in steps)
    effects = len(book.heard[case.origin]) + len(book.heard[case.target])
    if told != effects:
        yield Violation("told", case.case_no, f"its timeline tells {told} deliveries, {effects} took effect")


def reachable(step: Step) -> bool:
    """Whether the life cycle knows such a step (crossing §4, §5.3, §7; gateway §2)."""
    before, after = step.before and State(step.before), State(step.after)
    if before is None:
        return step.kind == "application" and after in _FIRST
    if step.kind == "status":
        return _reported(before, after)
    if step.kind in _STAYING and before is after:
        return True
    return before in _FROM.get((step.kind, after), frozenset())


_FIRST = frozenset({State.RECEIVED, State.ACCEPTED, State.CONCLUDED})
_STAYING = frozenset({"delivery", "delivery_failed", "ignored", "parked"})
_UNDER_WAY = frozenset({State.RECEIVED, State.ACCEPTED})
#: (kind of step, state reached) → where it may come from
_FROM = {
    ("delivery", State.FORWARDED): _UNDER_WAY,
    ("delivery_failed", State.UNDELIVERED): _FIRST,
    ("sheet", State.IN_REVIEW): UNDECIDED,
    ("answer", State.IN_REVIEW): UNDECIDED,
    ("withdrawal", State.WITHDRAWN): WITHDRAWABLE,
    ("rating", State.RATED): RATEABLE,
    **{
        ("supplement", after): frozenset(one for one, to in SUPPLEMENTED.items() if to is after)
        for after in SUPPLEMENTED.values()
    },
}


def _reported(before: State, after: State) -> bool:
    # 20 by the origin's acceptance counts as not accepted by the target (§7)
    held = {before, State.FORWARDED} if before is State.ACCEPTED else {before}
    taken = any(MATRIX.get((one, after)) in {Take.TAKEN, Take.NOTE} for one in held)
    # a stage that was skipped is entered with the same time (§5.3)
    return taken or (before not in FINAL and after in {State.ACCEPTED, State.IN_REVIEW})


def _ends(book: Book, case: Known) -> Iterator[Violation]:
    """Nothing is open but what was refused as planned; all three hold the same, final state."""
    turned = case.target in book.turned
    allowed = ((case.target[0], "refused"),) if turned else ()
    if case.open != allowed:
        yield Violation("open", case.case_no, f"deliveries left {case.open}, expected {allowed}")
    if turned:
        if case.state != State.UNDELIVERED:
            yield Violation("state", case.case_no, f"its application was refused, it is {case.state}")
        return
    held = [case.state, *(book.states.get(ref, ("", None))[1] for ref in (case.origin, case.target))]
    if held[1] is None and case.origin in book.gave_up:
        held[1] = case.state  # it never learnt that its application was taken, and heard of it no more
    if len(set(held)) > 1 or case.state not in FINAL:
        yield Violation("state", case.case_no, f"gateway {held[0]}, origin {held[1]}, target {held[2]}")


def waits(book: Book, case: Known) -> Iterator[tuple[float, float, str]]:
    """Of each message: seconds from when it could go to its effect, the same without the other side's own
    trouble, and which it was."""
    for sender, receiver in ((case.origin, case.target), (case.target, case.origin)):
        said, heard = list(book.said[sender]), list(book.heard[receiver])
        if receiver in book.turned:
            said = said[1:]
        elif sender in book.gave_up and sender == case.origin:
            heard = heard[1:]
        free = 0.0
        for (word, key, told), (_, _, took) in zip(said, heard, strict=False):
            since = max(told, free)
            free = took
            if took > since:
                excused = overlap(book.unwell[receiver[0]], since, took)
                yield took - since, took - since - excused, f"{sender[0]} {word} {key}"


def _stuck(book: Book, case: Known) -> Iterator[Violation]:
    for raw, net, which in waits(book, case):
        if net > STUCK_S:
            yield Violation("stuck", case.case_no, f"{which} waited {net:.1f} s ({raw:.1f} s in all)")


def overlap(spans: Iterable[tuple[float, float]], since: float, until: float) -> float:
    """Seconds of (since, until) covered by the spans, which may overlap each other."""
    covered, reached = 0.0, since
    for began, ended in sorted(spans):
        here, there = max(began, reached), min(ended, until)
        if there > here:
            covered, reached = covered + there - here, there
    return covered
