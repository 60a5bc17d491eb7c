"""Invented cases and intents for the tests of the store."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import uuid_utils.compat

from gateway.canonical.kinds import Kind, State
from gateway.canonical.tracking import CaseEvent, EventKind, Move, TrackedCase
from gateway.store.records import Intent, Part, Person, StoredReceipt

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
#: Canaries: neither may be found anywhere in the database.
CANARY = Person("测试金丝雀", "id_card", "11010519491231002X")

_serial = count(1)
new_id = uuid_utils.compat.uuid7


def new_case(**fields):
    n = next(_serial)
    given = {
        "id": new_id(),
        "case_no": f"CYTB51010420261123{n:08d}",
        "kind": Kind.TRANSFER_APPLY,
        "origin": "north",
        "target": "south",
        "origin_case_no": f"510104-20261123-{n:06d}",
        "target_case_no": f"S{n}",
        "received_at": NOW + timedelta(seconds=n),
        "state": State.ACCEPTED,
        "item": "pension_transfer",
        "origin_division": "510104",
        "target_division": "500103",
    }
    return TrackedCase(**{**given, **fields})


def taken(case, **fields):
    """The move of a message that is simply taken."""
    event = CaseEvent(NOW, EventKind.STATUS, case.state, fields.get("state", case.state), "north", "已收到")
    return Move(replace(case, **fields), (event,))


def application(**fields):
    case = fields.pop("case", None) or new_case()
    given = {
        "new_case": case,
        "case_id": case.id,
        "person": CANARY,
        "kind": case.kind,
        "decide": taken,
    }
    return intent(**{**given, **fields})


def follow_up(case, **fields):
    return intent(**{"case_id": case.id, "kind": Kind.STATUS_REPORT, "decide": taken, **fields})


def intent(**fields):
    n = next(_serial)
    digest = fields.get("digest", f"digest-{n}")
    given = {
        "message_id": new_id(),
        "region": "north",
        "destination": "south",
        "key": f"key-{n}",
        "digest": digest,
        "native_kind": "in",
        "out_kind": "out",
        "received_at": NOW,
        "tables_digest": "tables",
        "bodies": bodies(),
        "receipt": lambda result: StoredReceipt(202, f"receipt {n}".encode(), digest),
    }
    return Intent(**{**given, **fields})


def bodies(*, rendered=True):
    trace = [{"path_in": "p.aac003", "before": CANARY.name, "kind": "converted"}]
    parts = {
        Part.RAW: f"raw {CANARY.name} {CANARY.id_no}".encode(),
        Part.CANONICAL: json.dumps({"name": CANARY.name}, ensure_ascii=False).encode(),
        Part.TRACE: json.dumps(trace, ensure_ascii=False).encode(),
    }
    if rendered:
        parts[Part.RENDERED] = f"rendered {CANARY.name}".encode()
    return parts
