"""The law that maps and published schema judge the form of a message alike."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.conformance.law import Breach
from gateway.conformance.laws.needs import at_a_border, sight_of
from gateway.conformance.laws.rulebook import holds
from gateway.conformance.pointing import bare, declared_at, leaves, value_at, with_value
from gateway.conformance.published import Schema
from gateway.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.conformance.laws.rulebook import Tally
    from gateway.conformance.subject import Subject
    from gateway.mapping.fieldmap import FieldMap, Sight
    from gateway.mapping.plan import Plan

#: A member no interface has.
_STRANGER = "x9"
#: Native values put in the place of a good one, beside none and the empty text; schema and map have to agree on each.
_PUT: tuple[Any, ...] = (
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
    good = tuple(_good(subject, sight))
    yield from _counts(subject, schema, sight, good, tally)
    yield from _strangers(subject, schema, sight, good, tally)
    for kind, plan, one, tree in good:
        for path, _ in leaves(tree, one):
            if bare(path) == bare(subject.region.kind_path):
                continue
            for value in (..., "", *chance.sample(_PUT, min(len(_PUT), 2 + subject.rounds))):
                body = _with(subject, kind, tree, path, value)
                if body is None:
                    continue
                tally()
                by_schema = next(iter(schema.faults(kind, body)), None)
                codes = _codes(subject, plan, body, sight)
                lax, strict = bool(by_schema) and not codes, not by_schema and "9042" in codes
                strict = strict and not at_a_border(subject, kind, path)
                if (lax or strict) and (kind, bare(path), lax) not in told:
                    told.add((kind, bare(path), lax))
                    yield _disagreement(subject, kind, path, value, lax=lax)


class _Good(NamedTuple):
    """An example both may be asked about."""

    kind: str
    plan: Plan
    map: FieldMap
    tree: Any


def _good(subject: Subject, sight: Sight) -> Iterator[_Good]:
    """The examples whose form the maps accept: of others B15 tells, and nothing can be compared before."""
    for example in subject.examples:
        plan, one = subject.maps.reader(subject.slug, example.kind), subject.region.maps.get(example.kind)
        if plan is not None and one is not None and "9042" not in _codes(subject, plan, example.body, sight):
            yield _Good(example.kind, plan, one, subject.region.parse(example.body).tree)


def _counts(
    subject: Subject, schema: Schema, sight: Sight, good: tuple[_Good, ...], tally: Tally
) -> Iterator[Breach]:
    """Lists as long as the map allows, and by one longer; told once for each list."""
    told: set[str] = set()
    for kind, plan, one, tree in good:
        for group in one.groups:
            path = group.native.removesuffix("[]")
            found = value_at(tree, path) if group.native != path and "[" not in path else None
            if not found or group.native in told:
                continue
            entry = found[0] if isinstance(found, list) else found
            for many in (group.at_most, group.at_most + 1):
                body = _with(subject, kind, tree, path, [entry] * many)
                if body is None:
                    continue
                tally()
                by_schema = next(iter(schema.faults(kind, body)), None)
                codes = _codes(subject, plan, body, sight)
                if bool(by_schema) is not ("9042" in codes) and group.native not in told:
                    told.add(group.native)
                    place = declared_at(subject, group.native)
                    yield Breach(
                        f"{kind} 的 {path} 有 {many} 项时，"
                        f"schema {'不允许' if by_schema else '允许'}，对应表却{'收下了' if by_schema else '以 9042 拒收'}",
                        f"请核对 {place} 的 at_most（现为 {group.at_most}），使它与公布的 schema 的条数一致",
                        path=place,
                    )


def _strangers(
    subject: Subject, schema: Schema, sight: Sight, good: tuple[_Good, ...], tally: Tally
) -> Iterator[Breach]:
    """A member nobody has published, in each object of each example; told once for each object."""
    told: set[str] = set()
    for kind, plan, one, tree in good:
        objects = dict.fromkeys(path.rpartition(one.spelling.separator)[0] for path, _ in leaves(tree, one))
        for path in objects:
            holder = value_at(tree, path, one.spelling.first_index) if path else tree
            if not isinstance(holder, dict) or bare(path) in told:
                continue
            body = _with(subject, kind, tree, path, {**holder, _STRANGER: "1"}) if path else None
            body = body or subject.region.render({**tree, _STRANGER: "1"}, kind)
            tally()
            by_schema = next(iter(schema.faults(kind, body)), None)
            codes = _codes(subject, plan, body, sight)
            if bool(by_schema) is not ("9042" in codes):
                told.add(bare(path))
                yield Breach(
                    f"{kind} 的 {path or '顶层'} 多出一项时，"
                    f"schema {'不允许' if by_schema else '允许'}，对应表却{'收下了' if by_schema else '以 9042 拒收'}",
                    f"请核对 {subject.where}/{schema.name} 的这一级是否允许多出的成员（additionalProperties），"
                    "使它与对应表一致",
                    path=f"{subject.where}/{schema.name}",
                )


def _disagreement(subject: Subject, kind: str, path: str, value: Any, *, lax: bool) -> Breach:
    how = "缺少这一项" if value is ... else f"写作“{str(value)[:20]}”"
    place = declared_at(subject, path)
    if lax and value == "" and subject.region.maps[kind].spelling.blank_is_absent:
        return Breach(
            f"{kind} 的 {path} {how}时，schema 不允许，对应表却当作没有填而收下了",
            f"接口中空串不等于没有填时，请在 {subject.where}/maps 的 Spelling 中写 blank_is_absent=False，"
            "否则请让 schema 也收下空串",
            path=path,
        )
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
    try:
        changed = with_value(tree, path, value, subject.region.maps[kind].spelling.first_index)
        return subject.region.render(changed, kind)
    except (TypeError, ValueError, AttributeError, LookupError):
        return None  # XML holds texts only


def _codes(subject: Subject, plan: Any, body: bytes, sight: Sight) -> set[str]:
    try:
        opened = subject.region.parse(body)
    except Refusal as refused:
        return {refused.code}
    return {finding.code for finding in (*opened.faults, *plan.read(opened.tree, sight).findings)}
