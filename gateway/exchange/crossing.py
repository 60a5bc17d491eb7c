"""One message on its way over: numbers minted, bytes rendered, forms kept. Shared by the verbs."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import orjson

from gateway.canonical.worktime import beijing_day
from gateway.exchange import casework, translate
from gateway.store.records import CaseRecord, Part

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.exchange.door import Door
    from gateway.exchange.routing import Routes
    from gateway.exchange.translate import Rendered
    from gateway.mapping.fieldmap import CaseContext, Reading, Sight
    from gateway.mapping.plan import Plan
    from gateway.region import Opened, Region


async def target_number(rt: Door, target: Region, division: str, case_no: str, now: datetime) -> str:
    """The number by which the target will know the case: its own kind of number, or ours."""
    today = beijing_day(now)
    if target.mint_case_no(division, today, 1) is None:
        return case_no
    serial = await rt.serials.take(f"{target.slug}:{division}", today)
    return target.mint_case_no(division, today, serial) or case_no


async def render(
    rt: Door, to: Region, reading: Reading, case_no: str, case_ref: str, now: datetime
) -> Rendered:
    """The other side's message under a new message key. Park findings land in ``reading``."""
    sight = replace(reading.sight, region=to.slug)
    plan = rt.maps.writer_to(to, reading.kind)
    serial = await rt.serials.take(f"message:{to.slug}", beijing_day(now))
    case = sight.case
    own_division = _division_of(case, to) if case else reading.value("target.division")
    heads = translate.heads_of(
        key=to.message_key(serial, now),
        case_no=case_no,
        case_ref=case_ref,
        division=own_division or f"{to.division_prefix}0000",
        now=now,
    )
    return translate.write(plan, reading, sight, heads)


def _division_of(case: CaseContext, to: Region) -> str:
    return case.origin_division if case.origin == to.slug else case.target_division


def read_follow_up(plan: Plan, opened: Opened, sight: Sight, record: CaseRecord, routes: Routes) -> Reading:
    """A follow-up is read by the tables of its case's acceptance day (crossing §3.3)."""
    context = casework.context_of(record)
    return translate.read(plan, opened, replace(sight, case=context, on=context.accepted_on), routes)


async def render_follow_up(
    rt: Door, to: Region, reading: Reading, record: CaseRecord, now: datetime
) -> Rendered | None:
    """None while the case itself is parked: it has no form of the other side yet, the message waits."""
    if reading.findings or record.case.parked:
        return None
    context = casework.context_of(record)
    return await render(rt, to, reading, context.case_no, context.numbers[to.slug], now)


def bodies_of(to: Region, reading: Reading, rendered: Rendered | None, case_no: str) -> dict[Part, bytes]:
    """The kept forms beside the raw bytes; without ``rendered`` the trace holds what is known so far."""
    if rendered is None:
        canonical = translate.nested(reading, case_no, reading.sight.case)
        return {Part.CANONICAL: json.dumps(canonical, ensure_ascii=False, default=str).encode()}
    return {
        Part.CANONICAL: rendered.event.as_json_bytes(),
        # as rows, not objects: the names of the members are the same for every value of every message
        Part.TRACE: orjson.dumps([tuple(entry) for entry in rendered.trace]),
        Part.RENDERED: to.render(rendered.tree, rendered.native_kind),
    }
