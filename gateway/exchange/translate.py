"""Native bytes of one side become the other side's: read, rules, canonical, write (pure)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gateway.canonical.event import Event, event_of
from gateway.errors import Finding, Level, Refusal
from gateway.exchange.routing import Routes, routes_between
from gateway.exchange.rules import apply_rules
from gateway.mapping.canonical_maps import CANONICAL, native_kind
from gateway.mapping.fieldmap import CaseContext, Heads, Reading, Sight, TraceEntry
from gateway.mapping.plan import Plan, compile_map, left_over, worst_level
from gateway.mapping.times import beijing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from gateway.canonical.kinds import Kind
    from gateway.mapping.tables import Tables
    from gateway.region import Opened, Region, Tree

_STEPS = ("9041", "9042", "9043", "9045", "9044")


@dataclass(frozen=True, slots=True)
class Maps:
    """Every region's maps, bound to one table set, and who receives what."""

    tables: Tables
    plans: Mapping[tuple[str, str], Plan] = field(repr=False)
    by_kind: Mapping[tuple[str, Kind], Plan] = field(repr=False)
    #: canonical JSON itself, by its native kind: the same for whatever region a channel stands in for
    canonical: Mapping[str, Plan] = field(repr=False)
    routes: Routes = field(repr=False)

    def reader(self, region: str, native_kind: str) -> Plan | None:
        return self.plans.get((region, native_kind)) or self.canonical.get(native_kind)

    def writer_to(self, region: Region, kind: Kind) -> Plan:
        """How this region, or who stands in for it, is told a message of this kind."""
        if region.maps is CANONICAL:
            return self.canonical[native_kind(kind)]
        return self.by_kind[region.slug, kind]

    def writer(self, region: str, kind: Kind) -> Plan:
        """How a region is told; `KeyError` for a kind it has no message for: that parks before (`Routes`)."""
        return self.by_kind[region, kind]

    def out_kind(self, region: str, kind: Kind) -> str:
        """What a region calls a kind, ``""`` when it has no message for it."""
        plan = self.by_kind.get((region, kind))
        return plan.map.native_kind if plan else ""

    def told_as(self, region: Region, kind: Kind) -> str:
        """`out_kind`, also of who stands in for a region."""
        return native_kind(kind) if region.maps is CANONICAL else self.out_kind(region.slug, kind)


def compile_maps(regions: Mapping[str, Region], tables: Tables) -> Maps:
    """Compile all maps once; done at start-up and when tables change."""
    prefixes = {slug: region.division_prefix for slug, region in regions.items()}
    plans = {
        (slug, native): compile_map(field_map, tables, slug, prefixes)
        for slug, region in regions.items()
        for native, field_map in region.maps.items()
    }
    by_kind = {(slug, plan.map.kind): plan for (slug, _), plan in plans.items()}
    canonical = {native: compile_map(each, tables, "", prefixes) for native, each in CANONICAL.items()}
    return Maps(tables, plans, by_kind, canonical, routes_between(regions, by_kind))


@dataclass(frozen=True, slots=True)
class Rendered:
    """The other side's message with its proof of how it came about."""

    native_kind: str
    tree: Tree = field(repr=False)
    event: Event = field(repr=False)
    trace: tuple[TraceEntry, ...] = field(repr=False)


def refusal(findings: list[Finding]) -> Refusal:
    """One refusal of all findings; its code is that of the first step that failed (crossing §1)."""
    refused = tuple(f for f in findings if f.level is Level.REFUSE)
    code = min((f.code for f in refused), key=lambda c: _STEPS.index(c) if c in _STEPS else 9)
    return Refusal(422, code, f"报文有 {len(refused)} 处问题，请逐项修改后重新提交", findings=refused)


def unknown_kind(path: str) -> Refusal:
    text = "报文种类不在接口规定之列，请核对后重新提交"
    return Refusal(422, "9042", text, findings=(Finding(path, "9042", text),))


def read(plan: Plan, opened: Opened, sight: Sight, routes: Routes | None = None) -> Reading:
    """Steps 9, 10 and 13 of crossing §1. Errors: `Refusal` 422 with every finding; park findings stay.

    ``routes`` find the receiver where ``sight`` names none; without them it is known to take this kind.
    """
    reading = plan.read(opened.tree, sight)
    reading.findings[:0] = opened.faults
    if not any(f.code == "9042" for f in reading.findings):
        if routes is not None:
            routes.settle(reading)
        apply_rules(reading, plan.map.form)
    if worst_level(reading.findings) is Level.REFUSE:
        raise refusal(reading.findings)
    return reading


def write(plan: Plan, reading: Reading, sight: Sight, heads: Heads) -> Rendered:
    """The receiver's tree, the canonical event and the whole trace; park findings land in ``reading``.

    Errors: `Refusal` 422 for what the receiver cannot be told at all.
    """
    tree, writing = plan.write(reading, sight, heads)
    reading.findings.extend(writing.findings)
    if worst_level(writing.findings) is Level.REFUSE:
        raise refusal(reading.findings)
    trace = (*writing.trace, *reading.notes, *left_over(reading, writing))
    event = event_of(reading.kind, nested(reading, heads.case_no, sight.case))
    return Rendered(plan.map.native_kind, tree, event, trace)


def heads_of(*, key: str, case_no: str, case_ref: str, division: str, now: datetime) -> Heads:
    return Heads(key, case_no, case_ref, division, beijing(now))


def nested(reading: Reading, case_no: str = "", case: CaseContext | None = None) -> dict[str, Any]:
    """Canonical leaves as nested members; crossing-only leaves (``_…``) are left out."""
    root: dict[Any, Any] = {}
    for path, leaf in reading.leaves.items():
        if path[0] == "_":
            continue
        parents, last = _steps(path)
        node = root
        for step in parents:
            node = node.setdefault(step, {})
        node[last] = leaf.value
    for name in reading.counts:
        if name in root:
            root[name] = tuple(entry for _, entry in sorted(root[name].items()))
    if case_no:
        root["case_no"] = case_no
    if case is not None and case.numbers.get(case.origin):
        root["origin_case_no"] = case.numbers[case.origin]
    return root


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[tuple[str | int, ...], str]:
    """``years[0].base`` → (("years", 0), "base"). The paths are those of the maps: few, and always the same."""
    *parents, last = path.split(".")
    steps: list[str | int] = []
    for part in parents:
        name, _, index = part.partition("[")
        steps.append(name)
        if index:
            steps.append(int(index.removesuffix("]")))
    return tuple(steps), last


def acceptance_day(plan: Plan, opened: Opened, fallback: date) -> date:
    """The day whose tables judge an application: its own acceptance date (crossing §3)."""
    found = plan.map.accepted_on(opened.tree) if plan.map.accepted_on else None
    return found or fallback
