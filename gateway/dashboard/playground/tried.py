"""A message tried: what became of it, every finding with its line, the three forms with their threads (pure)."""

from __future__ import annotations

import base64
import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID

from gateway.canonical.kinds import Kind
from gateway.canonical.tracking import TrackedCase
from gateway.canonical.worktime import beijing_day
from gateway.dashboard.playground.quote import quoted
from gateway.dashboard.views.case.missing import lack
from gateway.dashboard.views.case.spread import Spread, spread
from gateway.errors import Finding, Level, Refusal
from gateway.exchange import translate
from gateway.exchange.dry_run import BadContext, DryRun, Parked, dry_run
from gateway.exchange.explain import Reader
from gateway.exchange.whose import whose
from gateway.formats.positions import Place, locate
from gateway.store.archive import KeptCase, KeptMessage
from gateway.store.records import CaseRecord, Person

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from gateway.exchange.library import Book
    from gateway.formats.positions import Located
    from gateway.mapping.explain import FieldLine
    from gateway.region import Opened, Region

#: A finding without a place in the context of the case, not in the message.
CONTEXT = "context"


class Outcome(StrEnum):
    """What would become of the message at the door."""

    TAKEN = "taken"
    PARKED = "parked"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Asked:
    """What to try. ``sender``: a region's slug, "" to tell by the bytes; ``on``: rules of this day, not its own."""

    body: bytes = field(repr=False)
    sender: str = ""
    context: Mapping[str, Any] | None = field(default=None, repr=False)
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """What a message is tried by: the regions, what is declared of their fields, a set of tables, the time."""

    regions: Mapping[str, Region]
    lines: Mapping[tuple[str, str, str], FieldLine] = field(repr=False)
    book: Book
    now: datetime


@dataclass(frozen=True, slots=True)
class Pointed:
    """A finding with its place. ``before``, ``value``, ``after``: of its line, cut to what is worth reading.

    ``table``: where a row is missing when it would park; ``place`` None where it is about the whole message;
    ``within``: what should be there is missing, the place is that of what is around it.
    """

    code: str
    text: str
    path: str
    name: str
    parks: bool
    place: Place | None = None
    before: str = ""
    value: str = ""
    after: str = ""
    what: str = ""
    table: str = ""
    within: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of it. ``sender`` is "" when nobody can read it; ``on``: the day whose rules were applied."""

    outcome: Outcome
    text: str = field(repr=False)
    sender: str = ""
    receiver: str = ""
    native_kind: str = ""
    kind: Kind | None = None
    on: date | None = None
    by_own_day: bool = False
    findings: tuple[Pointed, ...] = ()
    spread: Spread | None = field(default=None, repr=False)
    out_kind: str = ""
    written: bytes = field(default=b"", repr=False)
    content_type: str = ""
    result: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def follows_up(self) -> bool:
        """Whether it is a message about a case that is there already."""
        return self.kind is not None and not self.kind.opens_case

    @property
    def ways(self) -> Mapping[str, int]:
        """How many values crossed in which way."""
        return Counter(entry["kind"] for entry in self.result.get("trace", ()))


def attempt(rules: Rules, asked: Asked) -> Tried:
    """Try it. Errors: none, whatever is wrong is told by what is returned."""
    region, opened, refused, nearest = _whose(rules, asked)
    slug = region.slug if region else nearest
    located = locate(asked.body, is_xml=bool(slug) and "xml" in rules.regions[slug].content_type)
    if region is None or opened is None:
        findings = _findings(refused)
        return Tried(
            Outcome.UNKNOWN if not asked.sender else Outcome.REFUSED,
            located.text,
            nearest,
            findings=tuple(_unreadable(each, located) for each in findings),
        )
    return _attempt(rules, asked, region, opened, located)


def _whose(rules: Rules, asked: Asked) -> tuple[Region | None, Opened | None, Refusal | None, str]:
    if not asked.sender:
        return whose(rules.regions, asked.body)
    region = rules.regions[asked.sender]
    try:
        opened = region.parse(asked.body)
    except Refusal as refused:
        return None, None, refused, asked.sender
    if opened.native_kind not in region.maps:
        return None, None, translate.unknown_kind(region.kind_path), asked.sender
    return region, opened, None, asked.sender


def _findings(refused: Refusal | None) -> Sequence[Finding]:
    if refused is None:
        return ()
    return refused.findings or (Finding("", refused.code, refused.text),)


def _unreadable(finding: Finding, located: Located) -> Pointed:
    """What a parser says stands where it gave up."""
    place = located.broken or (located.at(finding.path) if finding.path else None)
    return _pointed(finding, located, place)


def _attempt(rules: Rules, asked: Asked, region: Region, opened: Opened, located: Located) -> Tried:
    plan = rules.book.maps.plans[region.slug, opened.native_kind]
    today = beijing_day(rules.now)
    run = DryRun(
        regions=rules.regions,
        tables=rules.book.tables,
        maps=rules.book.maps,
        sender=region.slug,
        now=rules.now,
        context=asked.context,
        on=asked.on,
    )
    on = asked.on or (
        translate.acceptance_day(plan, opened, today)
        if plan.map.kind.opens_case
        else _day((asked.context or {}).get("accepted_on")) or today
    )
    known: dict[str, Any] = {
        "text": located.text,
        "sender": region.slug,
        "native_kind": opened.native_kind,
        "kind": plan.map.kind,
        "on": on,
        "by_own_day": asked.on is None,
    }
    try:
        result = dry_run(run, asked.body)
    except Refusal as refused:
        told = tuple(_located(each, located, rules, known) for each in _findings(refused))
        return Tried(Outcome.REFUSED, findings=_in_order(told), **known)
    except Parked as parked:
        told = tuple(_located(each, located, rules, known) for each in parked.findings)
        return Tried(Outcome.PARKED, findings=_in_order(told), **known)
    except BadContext as error:
        return Tried(Outcome.REFUSED, findings=(Pointed("", str(error), CONTEXT, "", parks=False),), **known)
    return _taken(rules, asked.body, result, known)


def _day(written: object) -> date | None:
    try:
        return date.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        return None


def _in_order(told: tuple[Pointed, ...]) -> tuple[Pointed, ...]:
    """From the top of the message down; what has no place comes first."""
    return tuple(sorted(told, key=lambda each: each.place.offset if each.place else -1))


@dataclass(frozen=True, slots=True)
class _Way:
    region: str
    native_kind: str
    destination: str = ""
    out_kind: str = ""


def _located(finding: Finding, located: Located, rules: Rules, known: Mapping[str, Any]) -> Pointed:
    def line_of(region: str, kind: str, path: str | None) -> FieldLine | None:
        return reader.line(region, kind, path)

    reader = Reader(rules.regions, rules.lines, {}, rules.book)
    way = _Way(known["sender"], known["native_kind"])
    place = located.at(finding.path) if finding.path else None
    if finding.level is not Level.PARK:
        line = line_of(way.region, way.native_kind, finding.path)
        return _pointed(finding, located, place, name=line.name if line else "")
    found = lack(way, finding.code, finding.path, line_of)
    name = found.line.name if found.line else ""
    return _pointed(finding, located, place, name=name, what=found.what, table=found.table)


def _pointed(
    finding: Finding,
    located: Located,
    place: Place | None,
    *,
    name: str = "",
    what: str = "",
    table: str = "",
) -> Pointed:
    told = Pointed(
        finding.code, finding.text, finding.path, name, finding.level is Level.PARK, what=what, table=table
    )
    if place is None:
        return told
    before, value, after = quoted(located.text, place)
    return replace(
        told,
        place=place,
        within=name != "" and not located.has(finding.path),
        before=before,
        value=value,
        after=after,
    )


# --- taken ---


def _taken(rules: Rules, body: bytes, result: Mapping[str, Any], known: Mapping[str, Any]) -> Tried:
    native, kind = result["native"], known["kind"]
    receiver = native["region"]
    written = base64.b64decode(native["body"])
    out_kind = rules.book.maps.writer(receiver, kind).map.native_kind
    case = TrackedCase(
        UUID(int=0),
        result["case_no"],
        kind,
        known["sender"],
        receiver,
        "",
        rules.now,
        item=result["item"] or "",
        accepted_on=known["on"],
    )
    message = KeptMessage(
        UUID(int=0),
        1,
        known["sender"],
        receiver,
        kind,
        known["native_kind"],
        out_kind,
        "accepted",
        rules.book.digest,
        rules.now,
        body,
        trace=tuple(result["trace"]),
        rendered=written,
    )
    reader = Reader(rules.regions, rules.lines, {rules.book.digest: rules.book}, rules.book)
    canonical = json.dumps(result["canonical"], ensure_ascii=False).encode()
    kept = KeptCase(CaseRecord(case, Person("", "", "")), (message,))
    return Tried(
        Outcome.TAKEN,
        receiver=receiver,
        out_kind=out_kind,
        spread=spread(kept, message, canonical, reader, None),
        written=written,
        content_type=native["content_type"],
        result=result,
        **known,
    )
