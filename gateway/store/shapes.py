"""What travels in rows: the columns of each table a batch writes, and rows as arrays through ``unnest``.

One round trip whatever the size of a batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Shape = dict[str, str]

_CASE_FIXED: Shape = {
    "id": "uuid",
    "case_no": "text",
    "kind": "text",
    "origin": "text",
    "target": "text",
    "origin_case_no": "text",
    "received_at": "timestamptz",
}
CASE_MOVING: Shape = {
    "target_case_no": "text",
    "state": "text",
    "item": "text",
    "scheme": "text",
    "origin_division": "text",
    "target_division": "text",
    "parked": "bool",
    "due_on": "date",
    "tracking": "text",
    "last_seq": "int",
    "last_event": "int",
}
_PERSON: Shape = {"person": "bytea", "citizen_index": "bytea"}

KEY: Shape = {
    "region": "text",
    "idempotency_key": "text",
    "digest": "text",
    "message_id": "uuid",
    "received_at": "timestamptz",
}
NEW_CASE: Shape = {**_CASE_FIXED, **CASE_MOVING, **_PERSON}
CASE: Shape = {"id": "uuid", **CASE_MOVING}
SEEN_CASE: Shape = {**CASE, "seen_seq": "int", "seen_event": "int"}
MESSAGE: Shape = {
    "id": "uuid",
    "case_id": "uuid",
    "seq": "int",
    "region": "text",
    "destination": "text",
    "kind": "text",
    "native_kind": "text",
    "out_kind": "text",
    "idempotency_key": "text",
    "digest": "text",
    "outcome": "text",
    "findings": "text",
    "tables_digest": "text",
    "received_at": "timestamptz",
    "receipt_status": "int",
    "receipt": "bytea",
}
BODY: Shape = {
    "message_id": "uuid",
    "raw": "bytea",
    "canonical": "bytea",
    "trace": "bytea",
    "rendered": "bytea",
}
EVENT: Shape = {
    "case_id": "uuid",
    "n": "int",
    "at": "timestamptz",
    "kind": "text",
    "from_state": "text",
    "to_state": "text",
    "actor": "text",
    "note": "bytea",
}
DELIVERY: Shape = {
    "id": "uuid",
    "case_id": "uuid",
    "case_no": "text",
    "seq": "int",
    "destination": "text",
    "kind": "text",
    "native_kind": "text",
    "state": "text",
    "rendered": "bool",
}
NONCE: Shape = {"region": "text", "nonce": "text", "seen_at": "timestamptz"}
ENDED: Shape = {
    "id": "uuid",
    "case_id": "uuid",
    "destination": "text",
    "fence": "int",
    "state": "text",
    "due_in_s": "float8",
    "last_error": "bytea",
    "frees": "bool",
}
ATTEMPT: Shape = {
    "message_id": "uuid",
    "case_id": "uuid",
    "attempt": "int",
    "fence": "int",
    "began_at": "timestamptz",
    "took_s": "float8",
    "http_status": "int",
    "outcome": "text",
    "code": "text",
    "words": "bytea",
}
TALLY: Shape = {
    "at": "timestamptz",
    "measure": "text",
    "origin": "text",
    "destination": "text",
    "item": "text",
    "kind": "text",
    "n": "int",
}


def arrays(alias: str, shape: Shape, given: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The parameters of `rows`: one array per column."""
    kept = list(given)
    return {f"{alias}_{name}": [row.get(name) for row in kept] for name in shape}


def rows(alias: str, shape: Shape) -> str:
    """`arrays` as a table, by the same alias."""
    casts = ", ".join(f"CAST(:{alias}_{name} AS {kind}[])" for name, kind in shape.items())
    return f"unnest({casts}) AS {alias}({', '.join(shape)})"


def insert(table: str, alias: str, shape: Shape, **instead: str) -> str:
    """Insert what `arrays` of this alias hold; ``instead`` says another expression for a column."""
    values = ", ".join(instead.get(name, f"{alias}.{name}") for name in shape)
    return f"INSERT INTO {table} ({', '.join(shape)}) SELECT {values} FROM {rows(alias, shape)}"  # noqa: S608
