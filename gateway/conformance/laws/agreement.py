"""The law that maps and published schema judge the form of a message alike."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gateway.conformance.law import Breach
from gateway.conformance.laws.needs import at_a_border, sight_of
from gateway.conformance.laws.rulebook import holds
from gateway.conformance.pointing import bare, declared_at, leaves, steps_of
from gateway.conformance.published import Schema
from gateway.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.conformance.laws.rulebook import Tally
    from gateway.conformance.subject import Subject
    from gateway.mapping.fieldmap import Sight

#: Native values put in the place of a good one; the schema and the map have to agree on each.
_PUT: tuple[Any, ...] = (
    "",
    " ",
    "x",
    "１",
    "0",
    "-1",
    "1.234",
    "20260230",
    "2026-02-30",
    "2026-02-30 10:00:00",
    "202613",
    "x" * 1001,
    "\t",
    0,
    -1,
    10**20,
    Decimal("0.001"),
    True,
    [],
    {},
)


@holds(
    "F24",
    "对应表对格式的判断与公布的 schema 一致",
    "Maps and schema agree on what has the right form",
    "ADR 0015",
)
def maps_agree_with_the_schema(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Each value of each example put wrong in several ways, or taken out."""
    schema, chance, sight = Schema.of(subject), subject.chance("schema"), sight_of(subject)
    told: set[tuple[str, str, bool]] = set()
    for example in subject.examples:
        plan = subject.maps.reader(subject.slug, example.kind)
        if plan is None:
            continue
        tree, one = subject.region.parse(example.body).tree, subject.region.maps[example.kind]
        if "9042" in _codes(subject, plan, example.body, sight):
            continue  # B15 tells; nothing can be compared before
        for path, _ in leaves(tree, one):
            if bare(path) == bare(subject.region.kind_path):
                continue
            for value in (..., *chance.sample(_PUT, min(len(_PUT), 2 + subject.rounds))):
                body = _with(subject, example.kind, tree, path, value)
                if body is None:
                    continue
                tally()
                by_schema = next(iter(schema.faults(example.kind, body)), None)
                codes = _codes(subject, plan, body, sight)
                lax, strict = bool(by_schema) and not codes, not by_schema and "9042" in codes
                strict = strict and not at_a_border(subject, example.kind, path)
                if (lax or strict) and (example.kind, bare(path), lax) not in told:
                    told.add((example.kind, bare(path), lax))
                    yield _disagreement(subject, example.kind, path, value, lax=lax)


def _disagreement(subject: Subject, kind: str, path: str, value: Any, *, lax: bool) -> Breach:
    how = "缺少这一项" if value is ... else f"写作“{str(value)[:20]}”"
    place = declared_at(subject, path)
    if lax:
        return Breach(
            f"{kind} 的 {path} {how}时，schema 不允许，对应表却收下了",
            f"请核对 {place} 的写法（ok、need），使它与公布的 schema 一样严",
            path=path,
        )
    return Breach(
        f"{kind} 的 {path} {how}时，schema 允许，对应表却以 9042 拒收",
        f"请核对 {place} 的写法（ok、need），使它与公布的 schema 一样宽",
        path=path,
    )


def _with(subject: Subject, kind: str, tree: Any, path: str, value: Any) -> bytes | None:
    """The message with another value at a path (``...`` takes it out); None where the format cannot say it."""
    changed = copy.deepcopy(tree)
    node, steps = changed, steps_of(path, subject.region.maps[kind].spelling.first_index)
    for step in steps[:-1]:
        if isinstance(step, int) and not isinstance(node, list):
            continue
        node = node[step]
    last = steps[-1]
    if isinstance(last, int) and not isinstance(node, list):
        return None
    if value is ...:
        del node[last]
    else:
        node[last] = value
    try:
        return subject.region.render(changed, kind)
    except (TypeError, ValueError, AttributeError):
        return None  # XML holds texts only


def _codes(subject: Subject, plan: Any, body: bytes, sight: Sight) -> set[str]:
    try:
        opened = subject.region.parse(body)
    except Refusal as refused:
        return {refused.code}
    return {finding.code for finding in (*opened.faults, *plan.read(opened.tree, sight).findings)}
