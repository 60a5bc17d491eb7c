"""Impact before effect: the newest stored cases under today's tables and proposed ones; nothing is written.

A message that holds no word the sets could disagree on is let through unread. Every other is translated
once, by tables that notice where the two sets disagree; only when they do on something this message asked is
it translated again, by the proposed set, and compared.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.errors import Refusal
from gateway.exchange.canonical_side import heard, party
from gateway.exchange.replay import Aspect, Change, Message, Replayed, Stage, changes, replay
from gateway.exchange.translate import compile_maps
from gateway.formats.leaf_search import form_of
from gateway.mapping.canonical_maps import is_canonical
from gateway.mapping.sieve import words
from gateway.mapping.twin import Cause, twin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gateway.mapping.sieve import Words
    from gateway.mapping.tables import Tables
    from gateway.region import Region
    from gateway.store.archive import Archive, KeptCase

#: Above so many causes at once they are told together: trying each alone would not be told apart by people.
_MOST_CAUSES = 12
_SAMPLES = 5
TOGETHER = "together"


@dataclass(frozen=True, slots=True)
class Sample:
    """One change of one case, to look at. Values are words of the tables, places and limits: no person's."""

    case_no: str
    native_kind: str
    change: Change


@dataclass(slots=True)
class RuleImpact:
    """What one row, or rows of one meaning, would change."""

    cause: Cause
    changes: dict[Aspect, int] = field(default_factory=dict)
    cases: set[str] = field(default_factory=set)
    samples: list[Sample] = field(default_factory=list)

    def add(self, case_no: str, native_kind: str, found: Iterable[Change]) -> None:
        """Count these changes; the first ones are kept as samples, one of each kind of change per case."""
        self.cases.add(case_no)
        for change in found:
            self.changes[change.aspect] = self.changes.get(change.aspect, 0) + 1
            if len(self.samples) < _SAMPLES:
                self.samples.append(Sample(case_no, native_kind, change))

    def as_json(self) -> dict[str, Any]:
        """``{table, subject, cases, changes{aspect: n}, samples[]}``."""
        return {
            "table": self.cause.table,
            "subject": self.cause.subject,
            "cases": len(self.cases),
            "changes": {aspect.value: self.changes.get(aspect, 0) for aspect in Aspect},
            "samples": [
                {"case_no": each.case_no, "kind": each.native_kind, **each.change._asdict()}
                for each in self.samples
            ],
        }


@dataclass(slots=True)
class Report:
    """What a study found. ``untouched`` messages needed no translation. ``replay_s``: processor seconds of one core; ``read_s``: store and decryption."""

    current: str
    proposed: str
    cases: int = 0
    messages: int = 0
    skipped: int = 0
    untouched: int = 0
    changed_cases: int = 0
    changed_messages: int = 0
    by_cause: dict[Cause, RuleImpact] = field(default_factory=dict)
    read_s: float = 0.0
    replay_s: float = 0.0

    @property
    def rules(self) -> list[RuleImpact]:
        """Those that change most cases first."""
        return sorted(self.by_cause.values(), key=lambda each: (-len(each.cases), each.cause))

    @property
    def cases_per_s(self) -> float:
        """Cases replayed and compared in a second of one core."""
        return self.cases / self.replay_s if self.replay_s else 0.0

    def as_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        return {
            "current": self.current,
            "proposed": self.proposed,
            "cases": self.cases,
            "messages": self.messages,
            "skipped": self.skipped,
            "untouched": self.untouched,
            "changed_cases": self.changed_cases,
            "changed_messages": self.changed_messages,
            "rules": [each.as_json() for each in self.rules],
            "seconds": {"read": round(self.read_s, 3), "replay": round(self.replay_s, 3)},
            "cases_per_s": round(self.cases_per_s),
            "messages_per_s": round(self.messages / self.replay_s) if self.replay_s else 0,
        }


class Screen:
    """Lets messages through that hold nothing the two sets could disagree on: they need no translation."""

    def __init__(self, regions: Mapping[str, Region], found: Mapping[str, Words]) -> None:
        self._by_region = {
            slug: (texts, frozenset(map(encode, told.whole)), tuple(map(encode, sorted(told.part))))
            for slug, told in found.items()
            if not told.every and slug in regions and (form := form_of(regions[slug].content_type))
            for texts, encode in (form,)
        }

    def lets_through(self, region: str, raw: bytes) -> bool:
        """True only when the message cannot come out differently."""
        known = self._by_region.get(region)
        if known is None:
            return False
        texts, whole, parts = known
        if any(part in raw for part in parts):
            return False
        held = texts(raw)
        return held is not None and whole.isdisjoint(held)


class Study:
    """Replays cases under two sets of tables and keeps the report. Pure but for the clock of its figures."""

    def __init__(self, regions: Mapping[str, Region], current: Tables, proposed: Tables) -> None:
        self._screen = Screen(regions, words(current, proposed))
        both, self._choice = twin(current, proposed)
        self._stage = Stage(regions, compile_maps(regions, both))
        self.report = Report(current.digest, proposed.digest)

    def look_at(self, case: KeptCase) -> bool:
        """Replay a case's messages; True when something would come out differently."""
        report, case_no, changed = self.report, case.record.case.case_no, False
        report.cases += 1
        for kept in case.messages:
            report.messages += 1
            region = self._stage.regions.get(kept.region)
            if not kept.raw or region is None:  # the gateway's own word to the origin
                report.skipped += 1
                continue
            # the screen looks for words of regions: canonical JSON has the keys behind them
            if not is_canonical(kept.native_kind) and self._screen.lets_through(kept.region, kept.raw):
                report.untouched += 1
                continue
            try:
                opened = heard(region, kept.native_kind).parse(kept.raw)
                message = Message(case.record, kept.region, opened)
            except Refusal:
                report.skipped += 1
                continue
            if self._message(message, case_no):
                report.changed_messages += 1
                changed = True
        report.changed_cases += changed
        return changed

    def _message(self, message: Message, case_no: str) -> bool:
        first = self._by(message, frozenset())
        if not self._choice.met:
            return False
        second = self._by(message, None)
        found = self._compared(message, first, second)
        for cause, part in self._shared_out(message, first, found):
            impact = self.report.by_cause.setdefault(cause, RuleImpact(cause))
            impact.add(case_no, message.opened.native_kind, part)
        return bool(found)

    def _by(self, message: Message, adopted: frozenset[Cause] | None) -> Replayed:
        self._choice.adopted = adopted
        if adopted == frozenset():
            self._choice.met.clear()
        return replay(self._stage, message)

    def _compared(self, message: Message, first: Replayed, second: Replayed) -> tuple[Change, ...]:
        receiver = party(self._stage.regions[message.receiver], message.record.case)
        return changes(first, second, receiver.maps.get(first.native_kind))

    def _shared_out(
        self, message: Message, first: Replayed, found: tuple[Change, ...]
    ) -> Iterator[tuple[Cause, tuple[Change, ...]]]:
        """Changes by the row that makes them: each row tried alone, what none makes alone told together."""
        causes = sorted(self._choice.met)
        if not found:
            return
        if len(causes) == 1:
            yield causes[0], found
            return
        left = set(found)
        for cause in causes if len(causes) <= _MOST_CAUSES else ():
            with suppress(KeyError):  # half of a change, such as a code of an item not yet there
                alone = self._compared(message, first, self._by(message, frozenset({cause})))
                part = tuple(change for change in found if change in alone)
                left -= set(part)
                if part:
                    yield cause, part
        if left:
            together = Cause(TOGETHER, " + ".join(f"{cause.table} {cause.subject}" for cause in causes))
            yield together, tuple(change for change in found if change in left)


async def impact(
    archive: Archive, study: Study, last: int, *, watch: Callable[[int], None] = lambda _: None
) -> Report:
    """Replay the newest ``last`` cases. ``watch`` is told how many more are done, after each batch."""
    report = study.report
    began = time.perf_counter()
    async for batch in archive.newest(last):
        report.read_s += time.perf_counter() - began
        busy = time.process_time()
        for case in batch:
            study.look_at(case)
        report.replay_s += time.process_time() - busy
        watch(len(batch))
        began = time.perf_counter()
    return report
