"""Laws over what lies beside a worked message: its canonical form, its trace."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from gateway.canonical.event import event_of
from gateway.canonical.kinds import Kind, TraceKind
from gateway.canonical.worktime import beijing_day
from gateway.conformance.law import Breach
from gateway.conformance.laws.needs import file_of
from gateway.conformance.laws.rulebook import CannotTell, holds
from gateway.conformance.laws.sayings import of_finding, of_model, of_value
from gateway.conformance.passages import cross_example
from gateway.conformance.pointing import differences
from gateway.errors import Finding, Refusal
from gateway.exchange import translate
from gateway.mapping.fieldmap import Sight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.conformance.laws.rulebook import Tally
    from gateway.conformance.subject import Example, Subject
    from gateway.region import Region


#: States a case may begin in: of an application, of a certification (crossing §3.1, §4.5).
_BEGINS = (frozenset({"10", "20"}), frozenset({"40"}))


@holds("B16", "样例译成旁边写明的规范形式", "Examples have the canonical form beside them", "crossing §7")
def examples_have_their_canonical_form(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Wrong codes, wrong paths and wrong converters show here by value."""
    shown = [example for example in subject.examples if example.canonical is not None]
    if not shown:
        raise CannotTell(
            f"{subject.where}/examples 中没有 *.canonical.json；两项、两个代码互换了只有它看得出："
            "用 tongban translate --format canonical 译出样例，人核对过再存下"
        )
    told: set[tuple[str, str]] = set()
    for example in shown:
        tally()
        tree = subject.region.parse(example.body).tree
        try:
            result, to = _nearest(subject, example)
        except ValidationError as error:
            yield from of_model(subject, example.kind, error, example.name)
            continue
        if not isinstance(result, dict):
            for finding in result:
                if (finding.code, finding.path) not in told:
                    told.add((finding.code, finding.path))
                    yield of_finding(subject, example.kind, finding, tree, example.name, to=to.slug)
            continue
        for path, expected, found in differences(example.canonical, result["canonical"]):
            yield of_value(subject, example, path, expected, found, tree)


def _nearest(subject: Subject, example: Example) -> tuple[dict[str, Any] | tuple[Finding, ...], Region]:
    """The crossing towards the region the example was worked for: the one that gives what is written."""
    crossed = [(cross_example(subject, example, to), to) for to in subject.others]

    def far(pair: tuple[Any, Region]) -> int:
        result = pair[0]
        if not isinstance(result, dict):
            return 1000
        return len(list(differences(example.canonical, result["canonical"]))) + len(
            _entries(result) ^ _written(example)
        )

    return min(crossed, key=far)


@holds("B17", "样例的留痕与旁边写明的一致", "Examples leave the trace beside them", "crossing §1")
def examples_leave_their_trace(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """What became of each value, as it is shown to officials."""
    shown = [example for example in subject.examples if example.trace is not None]
    if not shown:
        raise CannotTell(f"{subject.where}/examples 中没有 *.trace.json")
    for example in shown:
        tally()
        try:
            result, _ = _nearest(subject, example)
        except ValidationError:
            continue  # B16 tells why
        if not isinstance(result, dict):
            continue
        expected, found = _written(example), _entries(result)
        for entry in sorted(expected - found, key=str):
            like = next((e for e in found - expected if e[:2] == entry[:2] or e[0] == entry[0]), None)
            yield Breach(
                f"{entry[0] or entry[1]} 的留痕应为“{entry[4]}”→“{entry[5]}”（{entry[2]}，{entry[3]}），"
                + (f"现为“{like[4]}”→“{like[5]}”（{like[2]}，{like[3]}）" if like else "现在没有"),
                f"请核对 {subject.where} 对应表的这一行及双方码表；若新结果正确，请更新 {file_of(subject, example, 'trace')}",
                path=str(entry[0] or entry[1]),
                example=example.name,
            )
        for entry in sorted((e for e in found - expected if all(e[0] != x[0] for x in expected)), key=str):
            yield Breach(
                f"{entry[0] or entry[1]} 多出留痕“{entry[4]}”→“{entry[5]}”（{entry[2]}，{entry[3]}）",
                f"请核对 {subject.where} 对应表的这一行；若新结果正确，请更新 {file_of(subject, example, 'trace')}",
                path=str(entry[0] or entry[1]),
                example=example.name,
            )


def _entries(result: dict[str, Any]) -> set[tuple[Any, ...]]:
    return {tuple(one.values()) for one in result["trace"] if one["kind"] != TraceKind.EXACT}


def _written(example: Example) -> set[tuple[Any, ...]]:
    return {tuple(entry) for entry in example.trace or ()}


@holds(
    "B22",
    "申请按受理的那一天选用规则表，从收件或受理开始",
    "An application is judged by the tables of its day, and begins a case as received or accepted",
    "crossing §3",
)
def applications_have_their_day(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """What the map says of the day before reading is what is read."""
    for example in subject.examples:
        one = subject.region.maps.get(example.kind)
        plan = subject.maps.reader(subject.slug, example.kind)
        if one is None or plan is None or not one.kind.opens_case or not subject.others:
            continue
        tally()
        tree = subject.region.parse(example.body).tree
        sight = Sight(
            subject.tables, subject.slug, subject.slug, subject.others[0].slug, subject.today, door=False
        )
        reading = plan.read(tree, sight)
        accepted, state = reading.value("accepted_at"), reading.value("_state")
        begins = _BEGINS[one.kind is Kind.CERTIFICATION_NOTICE]
        if state is not None and state not in begins:
            yield Breach(
                f"{example.kind} 开办的办件状态为“{state}”，应为 {'、'.join(sorted(begins))} 之一",
                f"请核对 {subject.where}/irregular.py 给出 _state 的地方：申请只能是收件（10）或受理（20），认证是办结（40）",
                path=f"{subject.where}/irregular.py _state",
                example=example.name,
            )
        day = one.accepted_on(tree) if one.accepted_on else None
        if isinstance(accepted, datetime) and day != beijing_day(accepted):
            yield Breach(
                f"{example.kind} 的受理日是 {beijing_day(accepted)}，accepted_on 给出的是 {day or '空'}，规则表会选错日期",
                f"请核对 {subject.where}/maps 中 {example.kind} 的 accepted_on：由受理时间取年、月、日",
                path=f"{subject.where}/maps {example.kind} accepted_on",
                example=example.name,
            )


@holds(
    "B20",
    "样例读出的规范值是规范模型的类型",
    "Canonical values of the examples have the types of the model",
    "gateway §4",
)
def examples_fit_the_model(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """A date is a date, money is money: another converter shows here by its row."""
    for example in subject.examples:
        plan = subject.maps.reader(subject.slug, example.kind)
        if plan is None or not subject.others:
            continue
        tally()
        peer = subject.others[0].slug
        sight = Sight(subject.tables, subject.slug, subject.slug, peer, subject.today, door=False)
        try:
            reading = translate.read(plan, subject.region.parse(example.body), sight)
            event_of(reading.kind, translate.nested(reading, "-"))
        except Refusal:
            continue  # other laws tell why
        except ValidationError as error:
            yield from of_model(subject, example.kind, error, example.name)
