"""Stored messages translated again, by any tables and on any day, and what comes out differently (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.canonical.worktime import beijing_day, due
from gateway.errors import Finding, Level
from gateway.exchange import casework, translate
from gateway.exchange.canonical_side import party
from gateway.exchange.rules import apply_rules
from gateway.mapping.fieldmap import Sight, TraceEntry
from gateway.mapping.plan import left_over, worst_level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from gateway.canonical.tracking import TrackedCase
    from gateway.exchange.translate import Maps
    from gateway.mapping.fieldmap import CaseContext, FieldMap, Heads, Reading, Spelling
    from gateway.mapping.plan import Plan
    from gateway.region import Opened, Region, Tree
    from gateway.store.records import CaseRecord

_INDEX = re.compile(r"\[\d+\]")


class Verdict(StrEnum):
    """What becomes of a message when it is read again."""

    ACCEPTED = "accepted"
    PARKED = "parked"
    REFUSED = "refused"

    @property
    def label(self) -> str:
        """The Chinese word for it."""
        return {"accepted": "转递", "parked": "挂起", "refused": "退回"}[self]


class Aspect(StrEnum):
    """What a change is about."""

    VERDICT = "verdict"
    VALUE = "value"
    MATERIAL = "material"
    DEADLINE = "deadline"


class Change(NamedTuple):
    """One thing that comes out differently; ``path`` in the receiver's spelling, "" for the whole message."""

    aspect: Aspect
    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """What a replay needs of a stored message: its case, who sent it, and the message read into a tree."""

    record: CaseRecord
    sender: str
    opened: Opened = field(repr=False)

    @property
    def receiver(self) -> str:
        """Who it went to, or was to go to: the other party of its case."""
        return casework.other_party(self.record.case, self.sender)


@dataclass(frozen=True, slots=True)
class Replayed:
    """The end of a replay. ``tree`` is None when nothing would be sent; ``due``: limit and due date."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    tree: Tree | None = field(default=None, repr=False)
    trace: tuple[TraceEntry, ...] = field(default=(), repr=False)
    deadline: str = ""
    native_kind: str = ""

    @property
    def said(self) -> str:
        """Verdict with the codes and paths that led to it."""
        why = sorted({f"{each.code} {each.path}" for each in self.findings})
        return f"{self.verdict.label} {'; '.join(why)}" if why else self.verdict.label


@dataclass(frozen=True, slots=True)
class Stage:
    """Where replays run: the regions and the maps bound to one set of tables."""

    regions: Mapping[str, Region]
    maps: Maps

    def plan(self, message: Message) -> Plan:
        """How a stored message is read. Errors: `LookupError` for one no map knows."""
        found = self.maps.reader(message.sender, message.opened.native_kind)
        if found is None:
            raise LookupError(message.opened.native_kind)
        return found


def replay(stage: Stage, message: Message, *, on: date | None = None, heads: Heads | None = None) -> Replayed:
    """Translate a message again. ``on``: another day than the acceptance day; ``heads``: minted ones to keep.

    Errors: none; what is refused or parked is told by the verdict.
    """
    sender, plan = message.sender, stage.plan(message)
    receiver = party(stage.regions[message.receiver], message.record.case)
    out_kind = stage.maps.told_as(receiver, plan.map.kind)
    case = None if plan.map.kind.opens_case else casework.context_of(message.record)
    day = on or _day(plan, message, case)
    sight = Sight(stage.maps.tables, sender, sender, receiver.slug, day, case=case, door=False)
    reading = plan.read(message.opened.tree, sight)
    stage.maps.routes.settle(reading)
    apply_rules(reading, plan.map.form)
    if reading.findings or (case is not None and message.record.case.parked):
        return _ended(reading, message, out_kind)
    made = heads or _heads(message.record.case, reading, receiver)
    to = Sight(stage.maps.tables, receiver.slug, sender, receiver.slug, day, case=case, door=False)
    tree, writing = stage.maps.writer_to(receiver, plan.map.kind).write(reading, to, made)
    if writing.findings:
        reading.findings.extend(writing.findings)
        return _ended(reading, message, out_kind)
    trace = (*writing.trace, *reading.notes, *left_over(reading, writing))
    return _ended(reading, message, out_kind, tree=tree, trace=trace)


def _day(plan: Plan, message: Message, case: CaseContext | None) -> date:
    if case is not None:
        return case.accepted_on
    received = beijing_day(message.record.case.received_at)
    return translate.acceptance_day(plan, message.opened, received)


def _ended(
    reading: Reading,
    message: Message,
    native_kind: str,
    *,
    tree: Tree | None = None,
    trace: tuple[TraceEntry, ...] = (),
) -> Replayed:
    level = worst_level(reading.findings)
    verdict = Verdict.ACCEPTED
    if level is not None:
        verdict = Verdict.REFUSED if level is Level.REFUSE else Verdict.PARKED
    findings = tuple(f for f in reading.findings if f.level is level)
    deadline = _deadline(reading, message.record.case) if reading.kind.opens_case else ""
    return Replayed(verdict, findings, tree, trace, deadline, native_kind)


def _deadline(reading: Reading, case: TrackedCase) -> str:
    """The promised limit, the due date by the clock as it ran, and the legs."""
    tables, item = reading.sight.tables, reading.value("item")
    version = tables.items.version(item, reading.sight.on) if item else None
    if version is None:
        return ""
    legs = tables.legs.of(version.item, reading.sight.on)
    said = [f"{version.promised.value} {version.promised.unit}"]
    found = due(case.clock, version.promised, tables.calendar)
    if found.due_on is not None:
        said.append(found.due_on.isoformat())
    said += [f"第 {leg.number} 段 {leg.limit.value} {leg.limit.unit}" for leg in legs]
    return " · ".join(said)


def _heads(case: TrackedCase, reading: Reading, receiver: Region) -> Heads:
    """Minted parts, the same in every replay of the message."""
    day = beijing_day(case.received_at)
    if reading.kind.opens_case:
        division = reading.value("target.division")
    else:
        division = case.origin_division if case.origin == receiver.slug else case.target_division
    known = case.origin_case_no if case.origin == receiver.slug else case.target_case_no
    division = division or f"{receiver.division_prefix}0000"
    case_ref = known or receiver.mint_case_no(division, day, 0) or case.case_no
    return translate.heads_of(
        key=receiver.message_key(0, case.received_at),
        case_no=case.case_no,
        case_ref=case_ref,
        division=division,
        now=case.received_at,
    )


# --- what differs ---


def changes(now: Replayed, then: Replayed, writer: FieldMap | None) -> tuple[Change, ...]:
    """What the second replay has otherwise than the first; ``writer`` None: nothing is written in either."""
    found = []
    if now.said != then.said:
        found.append(Change(Aspect.VERDICT, "", now.said, then.said))
    if now.deadline != then.deadline:
        found.append(Change(Aspect.DEADLINE, "", now.deadline or None, then.deadline or None))
    if writer and now.tree is not None and then.tree is not None and now.tree != then.tree:
        aspects = _aspects(writer)
        found += [
            Change(aspects.get(_INDEX.sub("[]", path), Aspect.VALUE), path, before, after)
            for path, before, after in differing(now.tree, then.tree, writer.spelling)
        ]
    return tuple(found)


def _aspects(writer: FieldMap) -> dict[str, Aspect]:
    """Native path → what a change there is about, where it is more than a value."""
    lists = tuple(group.native for group in writer.groups if group.to == "materials[]")
    found = {row.native: Aspect.MATERIAL for row in writer.rows if lists and row.native.startswith(lists)}
    limits = {
        row.native: Aspect.DEADLINE for row in writer.rows if (row.write_from or "").startswith("limit.")
    }
    return found | limits


def differing(now: Tree, then: Tree, spelling: Spelling) -> Iterator[tuple[str, str | None, str | None]]:
    """Paths whose values differ, with both in the native spelling; None where a side has none."""
    yield from _differing(now, then, "", spelling)


def _differing(
    now: Any, then: Any, path: str, spelling: Spelling
) -> Iterator[tuple[str, str | None, str | None]]:
    if now == then:
        return
    if isinstance(now, list) or isinstance(then, list):
        pairs = zip_longest(_listed(now), _listed(then))
        for number, (one, other) in enumerate(pairs, start=spelling.first_index):
            yield from _differing(one, other, f"{path}[{number}]", spelling)
        return
    if isinstance(now, dict) or isinstance(then, dict):
        one, other = (node if isinstance(node, dict) else {} for node in (now, then))
        for name in dict.fromkeys((*one, *other)):
            below = f"{path}{spelling.separator}{name}" if path else name
            yield from _differing(one.get(name), other.get(name), below, spelling)
        return
    yield path, None if now is None else str(now), None if then is None else str(then)


def _listed(node: Any) -> list[Any]:
    if node is None:
        return []
    return node if isinstance(node, list) else [node]
