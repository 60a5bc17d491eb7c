"""What a cause of waiting lacks in the tables in force, found from its code, path and word."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.canonical.worktime import beijing_day
from gateway.dashboard.views.rulebook import fields
from gateway.errors import Refusal
from gateway.exchange.backlog import pattern_of
from gateway.exchange.canonical_side import heard
from gateway.mapping.canonical_maps import is_canonical
from gateway.mapping.gaps import RuleGap, WordGap, rule_gap, word_gap
from gateway.store.parked import Cause
from gateway.store.waiting import waiting

if TYPE_CHECKING:
    from datetime import date

    from gateway.dashboard.desk import Desk
    from gateway.mapping.explain import FieldLine
    from gateway.mapping.tables import Tables
    from gateway.store.waiting import Waiting

#: Codes of crossing §1 whose remedy is one row of a code list, or one recognition rule.
_WORDS, _RULE = {"1001", "1006"}, "1002"
_MATERIAL = "material"


@dataclass(frozen=True, slots=True)
class Missing:
    """A cause with all that is known of it. ``gap``: None where no single row would do.

    ``native``: the word as it is filled in beforehand; ``whole``: it is all of the word, not a part of one that
    several fields make up. ``since``: the first day a new rule must be in force for what waits.
    """

    cause: Cause
    region: str
    peer: str
    waiting: Waiting | None
    line: FieldLine | None
    gap: WordGap | RuleGap | None
    native: str
    whole: bool
    since: date


def cause_of(key: str) -> Cause:
    """``1001:param.aac005=77``, as `tongban release --cause` takes it. Errors: `ValueError`."""
    code, _, rest = key.partition(":")
    path, _, value = rest.partition("=")
    if not (code.isdigit() and len(code) == 4 and path) or "\0" in key:
        raise ValueError("no cause")
    return Cause(code, pattern_of(path), value or None)


async def missing(desk: Desk, cause: Cause, region: str) -> Missing:
    """Look it up. Errors: `LookupError` for a region nobody knows when nothing waits."""
    found = await waiting(desk.rt.engine, cause, region)
    slug = found.region if found else region
    if slug not in desk.rt.regions:
        raise LookupError(slug)
    peer = found.destination if found else next(other for other in desk.rt.regions if other != slug)
    line = _line(slug, cause.path, found.native_kinds if found else ())
    tables = desk.rt.tables
    asked = cause
    if found and line and any(map(is_canonical, found.native_kinds)):
        # a channel writes keys; the rows are looked for by the word of the region it stands in for
        asked = replace(cause, value=_in_words(tables, slug, line.code_list, cause.value))
    gap, native, whole = _gap(tables, asked, (slug, peer), line)
    since = await _since(desk, found) if found else beijing_day(desk.now)
    return Missing(cause, slug, peer, found, line, gap, native, whole, since)


def _line(region: str, path: str, kinds: tuple[str, ...]) -> FieldLine | None:
    """The field a finding is about; one that could only not be written is named by its canonical path."""
    of_region = fields(region)
    at = [line for line in of_region if line.path == path]
    at = at or [line for line in of_region if path in line.canonical]
    return next((line for line in at if line.native_kind in kinds), at[0] if at else None)


def _in_words(tables: Tables, region: str, code_list: str, key: str | None) -> str | None:
    """A key as the region writes it, where it has a word for it."""
    row = tables.codes(region, code_list).write(key) if key and code_list in tables.hubs else None
    return row.native if row else key


def _gap(
    tables: Tables, cause: Cause, sides: tuple[str, str], line: FieldLine | None
) -> tuple[WordGap | RuleGap | None, str, bool]:
    value = cause.value or ""
    if cause.code == _RULE:
        is_material = line is not None and line.code_list == _MATERIAL
        if is_material and not value:
            return None, "", True
        return rule_gap(tables, *sides, value if is_material else None), value, True
    if cause.code not in _WORDS or line is None or line.code_list not in tables.hubs:
        return None, value, True
    width = max((native.count("|") for native in tables.codes(sides[0], line.code_list).reads), default=0)
    if not width or "|" in value:
        return word_gap(tables, line.code_list, *sides, value), value, bool(value)
    parts = [""] * (width + 1)
    parts[min(_place(line), width)] = value
    return word_gap(tables, line.code_list, *sides, ""), "|".join(parts), False


def _place(line: FieldLine) -> int:
    """Which part of a composite word a field holds: they follow each other in the map."""
    same = [
        other.path
        for other in fields(line.region)
        if (other.native_kind, other.code_list) == (line.native_kind, line.code_list)
    ]
    return same.index(line.path)


async def _since(desk: Desk, found: Waiting) -> date:
    """The earliest day of acceptance among what waits, as far as the samples and their cases say."""
    days = [beijing_day(found.first_seen_at)]
    if found.earliest is not None:
        days.append(found.earliest)
    region = desk.rt.regions[found.region]
    for sample in found.samples:
        message = await desk.rt.cases.parked(sample.message_id)
        sender = heard(region, sample.native_kind)
        accepted_on = sender.maps[sample.native_kind].accepted_on
        if message is None or accepted_on is None:
            continue
        try:
            day = accepted_on(sender.parse(message.raw).tree)
        except Refusal:  # unreadable bytes have no day
            day = None
        if day is not None:
            days.append(day)
    return min(days)
