"""What releasing parked messages would come to by the tables of now: translated again, nothing written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.errors import Refusal
from gateway.exchange.canonical_side import heard
from gateway.exchange.replay import Message, Stage, Verdict, replay

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from gateway.errors import Finding
    from gateway.exchange.door import Desk


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One parked message: what would become of it, and what would still be missing or wrong."""

    message_id: UUID
    verdict: Verdict
    findings: tuple[Finding, ...] = field(default=())


async def foresee(rt: Desk, message_ids: Iterable[UUID]) -> dict[UUID, Foreseen]:
    """By id; what is parked no more is left out. Takes some milliseconds a message: meant for samples."""
    found = [await _foreseen(rt, message_id) for message_id in message_ids]
    return {each.message_id: each for each in found if each is not None}


async def _foreseen(rt: Desk, message_id: UUID) -> Foreseen | None:
    parked = await rt.cases.parked(message_id)
    record = None if parked is None else await rt.cases.by_no(parked.case_no)
    if parked is None or record is None:
        return None
    try:
        opened = heard(rt.regions[parked.region], parked.native_kind).parse(parked.raw)
        came = replay(Stage(rt.regions, rt.maps), Message(record, parked.region, opened))
    except Refusal as refused:
        return Foreseen(message_id, Verdict.REFUSED, refused.findings)
    return Foreseen(message_id, came.verdict, came.findings)
