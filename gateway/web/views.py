"""Stored values as the members of the JSON API: times in Beijing, absent is null (gateway §2, §3)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from gateway.canonical.identifiers import mask_id, mask_name
from gateway.exchange.masking import Masker, mask_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from gateway.canonical.tracking import CaseEvent, TimeLimit, TrackedCase
    from gateway.mapping.items import ItemVersion
    from gateway.store.parked import ParkedGroup
    from gateway.store.records import CaseHistory, ParkedMessage, ToldMessage

BEIJING = timezone(timedelta(hours=8))


def moment(at: datetime | None) -> str | None:
    """RFC 3339 with ``+08:00``, whole seconds as the life cycle knows them."""
    return None if at is None else at.astimezone(BEIJING).isoformat(timespec="seconds")


def day(on: date | None) -> str | None:
    return None if on is None else on.isoformat()


def limit(value: TimeLimit) -> dict[str, Any]:
    return {"value": value.value, "unit": value.unit}


def case_line(case: TrackedCase) -> dict[str, Any]:
    """A case in the list."""
    return {
        "case_no": case.case_no,
        "origin": _side(case.origin, case.origin_division, case.origin_case_no),
        "target": _side(case.target, case.target_division, case.target_case_no),
        "item": case.item or None,
        "state": {"code": case.state.value, "name": case.state.label},
        "due_on": day(case.due_on),
        "received_at": moment(case.received_at),
    }


def case_view(history: CaseHistory, *, masker: Masker, full: bool) -> dict[str, Any]:
    """A case with its timeline and trace; masked unless ``full``."""
    case, person = history.record.case, history.record.person
    view = case_line(case) | {
        "kind": case.kind.value,
        "accepted_at": moment(case.accepted_at),
        "due_provisional": case.due_provisional,
        "parked": case.parked,
        "applicant": {
            "name": person.name if full else mask_name(person.name),
            "id_type": person.id_type,
            "id_no": person.id_no if full else mask_id(person.id_no),
        },
        "timeline": [_event(event, full=full) for event in history.events],
        "trace": [dict(entry) if full else masker.entry(entry) for entry in history.trace],
    }
    if case.channel:
        view["collected_at"] = collected_at(case)
    if case.remaining is not None:
        view["remaining"] = limit(case.remaining)
    return view


def collected_at(case: TrackedCase) -> dict[str, Any]:
    """Where a channel collected the case, for which agency, and the sentence that says so."""
    told = case.collected
    parts = ("由", told["organisation"], told["outlet_name"], "代", told["agency"] or "经办机构", "收取")
    return {
        "channel": case.channel,
        "organisation": told["organisation"],
        "outlet": {"code": told["outlet"], "name": told["outlet_name"]},
        "agency": {"division": case.origin_division or None, "name": told["agency"] or None},
        "reference": told.get("reference"),
        "text": " ".join(parts),
    }


def told_line(message: ToldMessage, masks: Masker) -> dict[str, Any]:
    """What a channel is told, masked."""
    return {
        "seq": message.seq,
        "kind": message.kind.value,
        "received_at": moment(message.received_at),
        "message": _masked(json.loads(message.body), "", masks),
    }


def _masked(node: Any, path: str, masks: Masker) -> Any:
    match node:
        case dict():
            return {
                name: _masked(each, f"{path}.{name}" if path else name, masks) for name, each in node.items()
            }
        case list():
            return [_masked(each, f"{path}[]", masks) for each in node]
        case str():
            return masks.value(path, node)
    return node


def parked_line(message: ParkedMessage) -> dict[str, Any]:
    """A parked message."""
    return {
        "id": str(message.id),
        "region": message.region,
        "message_key": message.key,
        "kind": message.kind.value,
        "case_no": message.case_no,
        "findings": [finding_line(finding) for finding in message.findings],
        "received_at": moment(message.received_at),
    }


def finding_line(finding: Mapping[str, str]) -> dict[str, str]:
    """A finding as pinned (gateway §1): what more is kept of it shows in the groups."""
    return {name: finding[name] for name in ("path", "code", "text")}


def parked_group(group: ParkedGroup) -> dict[str, Any]:
    """Messages that wait for the same thing."""
    return {
        "code": group.cause.code,
        "path": group.cause.path,
        "value": group.cause.value,
        "region": group.region,
        "text": group.text,
        "messages": group.messages,
        "agencies": list(group.agencies),
        "first_seen_at": moment(group.first_seen_at),
        "last_seen_at": moment(group.last_seen_at),
        "sample_id": str(group.sample),
    }


def item_version(version: ItemVersion) -> dict[str, Any]:
    """One version of an item, with the base code of every region."""
    return {
        "item": version.item,
        "name": version.name,
        "form": version.form,
        "kind": version.kind,
        **{f"{slug}_base_code": code for slug, code in sorted(version.base_codes.items(), reverse=True)},
        "schemes": list(version.schemes),
        "applicants": list(version.applicants),
        "legal_limit": limit(version.legal),
        "promised_limit": limit(version.promised),
        "effective_from": day(version.effective_from),
        "effective_to": day(version.effective_to),
        "mode": version.mode,
        "materials": list(version.materials),
    }


def item_view(versions: Sequence[ItemVersion], current: ItemVersion | None) -> dict[str, Any]:
    """The item as it is in force, or as it last was, with all its versions."""
    return item_version(current or versions[-1]) | {
        "versions": [item_version(version) for version in versions]
    }


def _side(region: str, division: str, case_no: str) -> dict[str, Any]:
    return {"region": region, "division": division or None, "case_no": case_no or None}


def _event(event: CaseEvent, *, full: bool) -> dict[str, Any]:
    return {
        "at": moment(event.at),
        "kind": event.kind.value,
        "from_state": None if event.from_state is None else event.from_state.value,
        "to_state": event.to_state.value,
        "actor": event.actor,
        "note": event.note if full else mask_words(event.note),
    }
