"""The dry run: what a message would become, without proof, key or store (pure). Source: gateway §4."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from gateway.canonical.worktime import beijing_day
from gateway.errors import Finding, Refusal
from gateway.exchange import casework, translate
from gateway.exchange.routing import OURS
from gateway.mapping.fieldmap import SCHEMA, CaseContext, Heads, Sight
from gateway.mapping.plan import worst_level

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gateway.exchange.translate import Maps, Rendered
    from gateway.mapping.fieldmap import Reading
    from gateway.mapping.plan import Plan
    from gateway.mapping.tables import Tables
    from gateway.region import Opened, Region
    from gateway.store.records import CaseRecord

MEMBERS = frozenset(
    {"case_no", "item", "accepted_on", "old_place", "claim_place", "applicant", "scheme", "target_division"}
)
_DIVISION = re.compile("[0-9]{6}")


class BadContext(ValueError):  # noqa: N818 - a word of the field, not a programming error
    """The context is no object of the members of gateway §4; ``str`` says which member."""


class Parked(Exception):  # noqa: N818 - an outcome, not an error
    """The message would be parked."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("parked")
        self.findings = findings


@dataclass(frozen=True, slots=True)
class DryRun:
    """A dry run: who sends, when, and what is known of the case.

    ``context`` is the object of gateway §4, ``record`` the stored case its ``case_no`` names.
    """

    regions: Mapping[str, Region]
    tables: Tables
    maps: Maps
    sender: str
    now: datetime
    context: Mapping[str, Any] | None = None
    record: CaseRecord | None = None
    target_division: str = ""
    #: judge by the rules of this day, whatever day the message or its case says
    on: date | None = None
    #: whether what only the door asks for is asked for too: keys and senders of a region's own messages
    door: bool = False


def dry_run(run: DryRun, body: bytes) -> dict[str, Any]:
    """The result object of gateway §4.

    Errors: `Refusal` 422 with every finding, `Parked`, `BadContext`. Nothing is stored or masked.
    """
    return dry_run_of(run, run.regions[run.sender].parse(body))


def dry_run_of(run: DryRun, opened: Opened) -> dict[str, Any]:
    """The same of a message that could be read. Errors: as `dry_run`."""
    sender, routes = run.regions[run.sender], run.maps.routes
    opened = routes.readable(opened)
    plan = run.maps.reader(run.sender, opened.native_kind)
    if plan is None:
        raise translate.unknown_kind(sender.kind_path)
    today = beijing_day(run.now)
    context = _context(run, opened)
    if context is not None and run.on is not None:
        context = replace(context, accepted_on=run.on)
    sight = Sight(run.tables, run.sender, run.sender, routes.sole[run.sender], today, door=run.door)
    if plan.map.kind.opens_case:
        sight = replace(sight, on=run.on or translate.acceptance_day(plan, opened, today))
    elif context is not None:
        other = context.target if run.sender == context.origin else context.origin
        sight = replace(sight, receiver=other, on=context.accepted_on, case=context)
    reading = translate.read(plan, opened, sight, routes)
    if not plan.map.kind.opens_case and context is None:
        raise _unknown_case(sender, "后续报文需要办件的上下文，请在 context 中给出办件编号等内容")
    _stop_if_parked(reading)
    heads, sight = _heads(run, reading, context), reading.sight
    receiver = run.regions[sight.receiver]
    writer = run.maps.writer(receiver.slug, reading.kind)
    rendered = translate.write(writer, reading, replace(sight, region=receiver.slug), heads)
    _stop_if_parked(reading)
    native = receiver.render(rendered.tree, rendered.native_kind)
    if context is not None and not _is_whole(writer, receiver.parse(native), sight):
        raise _unknown_case(sender, "上下文不足以写出对方的报文，请在 context 中补充申请人、转出地等内容")
    return _result(run, reading, rendered, native, heads.case_no)


def _unknown_case(sender: Region, text: str) -> Refusal:
    return Refusal(422, "9044", text, findings=(Finding(sender.case_path, "9044", text),))


def _is_whole(writer: Plan, written: Opened, sight: Sight) -> bool:
    """A context may leave out what the receiver's form must say; a stored case never does."""
    return not any(finding.code == SCHEMA for finding in writer.read(written.tree, sight).findings)


def _stop_if_parked(reading: Reading) -> None:
    if worst_level(reading.findings) is not None:
        raise Parked(tuple(reading.findings))


def _result(run: DryRun, reading: Reading, rendered: Rendered, native: bytes, case_no: str) -> dict[str, Any]:
    case, receiver = reading.sight.case, run.regions[reading.sight.receiver]
    return {
        "kind": reading.kind.value,
        "item": (case.item or None) if case else reading.value("item"),
        "case_no": case_no,
        "canonical": rendered.event.as_json(),
        "native": {
            "region": receiver.slug,
            "content_type": receiver.content_type,
            "encoding": "base64",
            "body": base64.b64encode(native).decode(),
        },
        "trace": [entry.as_json() for entry in rendered.trace],
    }


# --- numbers and heads ---


def _heads(run: DryRun, reading: Reading, context: CaseContext | None) -> Heads:
    receiver, today = run.regions[reading.sight.receiver], beijing_day(run.now)
    given = run.context or {}
    if reading.kind.opens_case:
        own = casework.origin_division(reading, run.regions[run.sender])
        division = reading.value("target.division")
        case_no = given.get("case_no") or f"CYTB{own}{today:%Y%m%d}00000000"
        minted = receiver.mint_case_no(division, today, 0)
        case_ref = given.get(receiver.context_name) or minted or case_no
    else:
        assert context is not None  # noqa: S101 - checked by the caller
        case_no = context.case_no
        division = _division(run, receiver, context) or f"{receiver.division_prefix}0000"
        # a stored case that is parked has no number of the receiver's yet
        minted = receiver.mint_case_no(division, today, 0)
        case_ref = context.numbers[receiver.slug] or minted or case_no
    return translate.heads_of(
        key=receiver.message_key(0, run.now),
        case_no=case_no,
        case_ref=case_ref,
        division=division,
        now=run.now,
    )


def _division(run: DryRun, receiver: Region, context: CaseContext) -> str:
    asked = _asked_division(run)
    if asked and not _is_division(run, asked):
        raise BadContext("target_division: 应为六位区划代码")
    if asked and asked.startswith(receiver.division_prefix):
        return asked
    return context.origin_division if context.origin == receiver.slug else context.target_division


def _asked_division(run: DryRun) -> str:
    return str(run.target_division or (run.context or {}).get("target_division") or "")


def _is_division(run: DryRun, code: str) -> bool:
    """Six digits that begin as those of a region in force."""
    return _DIVISION.fullmatch(code) is not None and run.maps.routes.of_division(code) != ""


# --- context ---


def _context(run: DryRun, opened: Opened) -> CaseContext | None:
    stored = casework.context_of(run.record) if run.record else None
    if run.context is None:
        return stored
    given = run.context
    _check(run, given)
    known = stored or _made_up(run, given, opened)
    changed: dict[str, Any] = {
        name: given[name] for name in ("item", "old_place", "claim_place", "scheme") if given.get(name)
    }
    if given.get("accepted_on"):
        changed["accepted_on"] = _day(given["accepted_on"])
    if given.get("applicant"):
        changed["applicant"] = given["applicant"]
    numbers = {
        slug: given.get(region.context_name) or known.numbers.get(slug, "")
        for slug, region in run.regions.items()
    }
    return replace(known, numbers=numbers, **changed)


def _check(run: DryRun, given: Mapping[str, Any]) -> None:
    names = MEMBERS | {region.context_name for region in run.regions.values()}
    for name, value in given.items():
        if name not in names:
            raise BadContext(f"context.{name}: 没有这个成员")
        if value is None:
            continue
        if name == "applicant":
            if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
                raise BadContext("context.applicant: 应为由 name、id_type、id_no 组成的对象")
        elif not isinstance(value, str):
            raise BadContext(f"context.{name}: 应为文本")
        elif name == "old_place" and value and not _is_division(run, value):
            raise BadContext(f"context.{name}: 应为六位区划代码")


def _made_up(run: DryRun, given: Mapping[str, Any], opened: Opened) -> CaseContext:
    """A context for a case that is not stored: placeholders where nothing is given."""
    today = beijing_day(run.now)
    case_no = str(given.get("case_no") or opened.gateway_ref or _placeholder(run, opened))
    routes = run.maps.routes
    origin = routes.of_division(case_no[4:6]) or run.sender
    target = _counterpart(run, origin) if origin == run.sender else run.sender
    numbers = {}
    for slug, region in run.regions.items():
        minted = region.mint_case_no(f"{region.division_prefix}0000", today, 0)
        numbers[slug] = opened.case_ref if slug == run.sender and opened.case_ref else minted or case_no
    return CaseContext(case_no, "", today, origin, target, numbers)


def _counterpart(run: DryRun, origin: str) -> str:
    """The target of a made-up case that starts with the sender: the only other region, or the one described.

    Told by ``target_division``, else by the one other region whose number of the case is given.
    """
    routes, given = run.maps.routes, run.context or {}
    if routes.sole[origin]:
        return routes.sole[origin]
    told = routes.of_division(_asked_division(run))
    named = [
        slug for slug, region in run.regions.items() if slug != origin and given.get(region.context_name)
    ]
    if told and told != origin:
        return told
    if len(named) != 1:
        raise BadContext("target_division: 有多个地区可以办理，请写明办理机构的六位区划代码")
    return named[0]


def _placeholder(run: DryRun, opened: Opened) -> str:
    if opened.case_ref.startswith(OURS):
        return opened.case_ref
    prefix = run.regions[run.sender].division_prefix
    return f"CYTB{prefix}0000{beijing_day(run.now):%Y%m%d}00000000"


def _day(written: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise BadContext("context.accepted_on: 应为 yyyy-MM-dd 形式的日期") from None
