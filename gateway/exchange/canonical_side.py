"""A region's place taken by whoever speaks canonical JSON for it: the channels' side of a case (pure).

A channel is no region: it has no system, no codes, no proof of its own. It stands in for its region, whose rules
hold, and only the wire is another. So it is that region's value with the canonical format in place of its own, and
everything that takes a region takes it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gateway.canonical.tracking import Move
from gateway.crypto import digest
from gateway.errors import Finding, Refusal
from gateway.formats import json_bytes
from gateway.formats.tree import Unreadable, text_at
from gateway.mapping.canonical_blocks import PREFIX
from gateway.mapping.canonical_maps import CANONICAL, is_canonical
from gateway.region import Opened, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from gateway.canonical.lifecycle import Decision
    from gateway.canonical.tracking import TrackedCase
    from gateway.region import Inbound, Receipt, Region, Tree

CONTENT_TYPE = "application/json"
#: The word a receipt has for what became of a message.
_OUTCOME = {Outcome.ACCEPTED: "accepted", Outcome.PARKED: "parked", Outcome.IGNORED: "ignored"}


def standing_in(region: Region) -> Region:
    """The region with canonical JSON for its format. Whatever concerns its wire is not to be asked."""
    return replace(
        region,
        content_type=CONTENT_TYPE,
        maps=CANONICAL,
        open=_open,
        parse=parse,
        render=_render,
        receipt=_receipt,
        mint_case_no=_no_number,
        kind_path="kind",
        case_path="case_no",
    )


def heard(region: Region, native_kind: str) -> Region:
    """Who a stored message of this native kind came from, or went to: the region, or one standing in for it."""
    return standing_in(region) if is_canonical(native_kind) else region


def party(region: Region, case: TrackedCase) -> Region:
    """Who is told of a case at this region: for a collected case its origin is the channel, not the region's system."""
    return standing_in(region) if case.channel and region.slug == case.origin else region


def asks_itself(region: Region) -> bool:
    """Whether this side comes and asks what there is, so that nothing is delivered to it."""
    return region.maps is CANONICAL


def unsent(decided: Decision) -> Decision:
    """The same decision about a message for a side that `asks_itself`: it takes effect, and waits for nothing."""
    return replace(decided, forward=False) if isinstance(decided, Move) else decided


def parse(body: bytes) -> Opened:
    """Shape: canonical JSON. Errors: `Refusal` 422 9041."""
    try:
        tree, faults = json_bytes.parse(body)
    except Unreadable as error:
        raise Refusal(422, "9041", error.reason, findings=(Finding("", "9041", error.reason),)) from None
    return Opened(
        native_kind=f"{PREFIX}{text_at(tree, 'kind')}",
        key="",
        digest=digest.sm3_hex(body),
        sent_at=None,
        nonce=None,
        tree=tree,
        case_ref=text_at(tree, "case_no"),
        faults=faults,
    )


def _open(inbound: Inbound) -> Opened:
    return parse(inbound.body)


def _render(tree: Tree, _native_kind: str) -> bytes:
    return json_bytes.write(tree)


def _no_number(_division: str, _day: date, _serial: int) -> None:
    """A channel knows a case by our number."""


def _receipt(given: Receipt, _key: str, _now: datetime) -> bytes:
    """What a channel is told of a message that was taken; a refusal is a problem document instead."""
    told: dict[str, Any] = {
        "case_no": given.case_no,
        "outcome": _OUTCOME[given.outcome],
        "state": _state(given.state),
    }
    if given.code:
        told |= {"code": given.code, "text": given.text}
    if given.findings:
        told["findings"] = [finding.as_json() for finding in given.findings]
    return json_bytes.write(told)


def _state(state: Any) -> Mapping[str, str]:
    return {"code": state.value, "name": state.label}
