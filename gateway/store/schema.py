"""The tables as they are now; the migrations say how they came to be (a test compares the two)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    and_,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from gateway.store.columns import METADATA, moment, text_column
from gateway.store.schema_exports import EXPORT_PARTS, EXPORTS
from gateway.store.schema_operators import PEERS, RERUN_ITEMS, RERUNS
from gateway.store.schema_performance import CASE_FACTS, PERFORMANCE, PERFORMANCE_MARKS
from gateway.store.schema_staff import RUNS, SAVED_VIEWS, SIZES, STAFF, STAFF_SESSIONS

#: Ranged by month of their first column, a UUIDv7.
PARTITIONED = ("messages", "bodies", "events", "attempts")

CASES = Table(
    "cases",
    METADATA,
    Column("id", Uuid, primary_key=True),
    text_column("case_no"),
    text_column("kind"),
    text_column("origin"),
    text_column("target"),
    text_column("origin_case_no"),
    text_column("target_case_no"),
    moment("received_at"),
    text_column("state"),
    text_column("item"),
    text_column("scheme"),
    text_column("origin_division"),
    text_column("target_division"),
    Column("parked", Boolean, nullable=False),
    Column("due_on", Date),
    Column("tracking", JSONB, nullable=False),
    Column("last_seq", Integer, nullable=False),
    Column("last_event", Integer, nullable=False),
    Column("person", LargeBinary),
    Column("citizen_index", LargeBinary),
)
Index("cases_case_no", CASES.c.case_no, unique=True)
Index("cases_origin_no", CASES.c.origin, CASES.c.origin_case_no, unique=True)
Index(
    "cases_target_no", CASES.c.target, CASES.c.target_case_no, postgresql_where=text("target_case_no <> ''")
)
Index("cases_newest", CASES.c.received_at, CASES.c.case_no)
Index("cases_division_newest", CASES.c.origin_division, CASES.c.received_at, CASES.c.case_no)
Index("cases_item_newest", CASES.c.item, CASES.c.received_at, CASES.c.case_no)
Index("cases_state_newest", CASES.c.state, CASES.c.received_at, CASES.c.case_no)
Index(
    "cases_list", *(CASES.c[name] for name in ("item", "state", "origin", "target", "received_at", "case_no"))
)
Index(
    "cases_list_from",
    *(CASES.c[name] for name in ("origin_division", "item", "state", "received_at", "case_no")),
)
Index(
    "cases_list_to",
    *(CASES.c[name] for name in ("target_division", "item", "state", "received_at", "case_no")),
)
_CLOCK_RUNS = text("due_on IS NOT NULL AND state IN ('10', '11', '20', '22', '28', '30', '31', '32', '33')")
Index(
    "cases_due",
    *(CASES.c[name] for name in ("item", "state", "origin", "target", "due_on", "case_no")),
    postgresql_where=_CLOCK_RUNS,
    postgresql_include=["received_at"],
)
Index(
    "cases_due_from",
    *(CASES.c[name] for name in ("origin_division", "item", "state", "due_on", "case_no")),
    postgresql_where=_CLOCK_RUNS,
    postgresql_include=["received_at"],
)
Index(
    "cases_due_to",
    *(CASES.c[name] for name in ("target_division", "item", "state", "due_on", "case_no")),
    postgresql_where=_CLOCK_RUNS,
    postgresql_include=["received_at"],
)
Index(
    "cases_due_early",
    CASES.c.due_on,
    CASES.c.case_no,
    postgresql_where=text("due_on < CAST(received_at AT TIME ZONE 'Asia/Shanghai' AS date)"),
)
Index(
    "cases_provisional",
    CASES.c.id,
    postgresql_where=text("tracking @> CAST('{\"due_provisional\": true}' AS jsonb)"),
)
Index(
    "cases_open_due",
    CASES.c.due_on,
    postgresql_where=text("due_on IS NOT NULL AND state NOT IN ('21', '23', '40', '41', '50', '60', '90')"),
)
#: The channel of a case; of few cases, and asked for by channels only: an index of those alone (ADR 0028).
CHANNEL = CASES.c.tracking["channel"].astext
_CHANNELS = CHANNEL.isnot(None)
_OF_ONE = (CHANNEL.label("channel"), *(CASES.c[name] for name in ("item", "state", "origin", "target")))
_BY_RECEIPT = (CASES.c.received_at, CASES.c.case_no)
Index("cases_channel", CHANNEL.label("channel"), *_BY_RECEIPT, postgresql_where=_CHANNELS)
Index("cases_channel_list", *_OF_ONE, *_BY_RECEIPT, postgresql_where=_CHANNELS)
Index(
    "cases_channel_due",
    *(*_OF_ONE, CASES.c.due_on, CASES.c.case_no),
    postgresql_where=and_(_CHANNELS, _CLOCK_RUNS),
    postgresql_include=["received_at"],
)
Index("cases_citizen", CASES.c.citizen_index, CASES.c.id, postgresql_where=text("citizen_index IS NOT NULL"))

MESSAGES = Table(
    "messages",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, nullable=False),
    Column("seq", Integer, nullable=False),
    text_column("region"),
    text_column("destination"),
    text_column("kind"),
    text_column("native_kind"),
    text_column("out_kind"),
    text_column("idempotency_key"),
    text_column("digest"),
    text_column("outcome"),
    Column("findings", JSONB),
    text_column("tables_digest"),
    moment("received_at"),
    Column("receipt_status", SmallInteger, nullable=False),
    Column("receipt", LargeBinary, nullable=False),
)
Index("messages_case", MESSAGES.c.case_id, MESSAGES.c.seq)

BODIES = Table(
    "bodies",
    METADATA,
    Column("message_id", Uuid, primary_key=True),
    Column("raw", LargeBinary),
    Column("canonical", LargeBinary),
    Column("trace", LargeBinary),
    Column("rendered", LargeBinary),
)

RECEIPTS = Table(
    "receipts",
    METADATA,
    text_column("region"),
    text_column("idempotency_key"),
    text_column("digest"),
    Column("message_id", Uuid, nullable=False),
    moment("received_at"),
    PrimaryKeyConstraint("region", "idempotency_key"),
)
Index("receipts_oldest", RECEIPTS.c.received_at)

EVENTS = Table(
    "events",
    METADATA,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("case_id", Uuid, nullable=False),
    Column("n", Integer, nullable=False),
    moment("at"),
    text_column("kind"),
    Column("from_state", Text),
    text_column("to_state"),
    text_column("actor"),
    Column("note", LargeBinary),
)
Index("events_case", EVENTS.c.case_id, EVENTS.c.n)

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, nullable=False),
    text_column("case_no"),
    Column("seq", Integer, nullable=False),
    text_column("destination"),
    text_column("kind"),
    text_column("native_kind"),
    text_column("state"),
    Column("rendered", Boolean, nullable=False),
    moment("due_at", optional=True),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("fence", Integer, nullable=False, server_default=text("0")),
    moment("first_attempt_at", optional=True),
    Column("last_error", LargeBinary),
    CheckConstraint("state IN ('behind', 'ready', 'sending', 'parked', 'dead', 'refused')"),
)
Index(
    "deliveries_order",
    DELIVERIES.c.case_id,
    DELIVERIES.c.destination,
    DELIVERIES.c.seq,
    unique=True,
)
Index(
    "deliveries_due",
    DELIVERIES.c.destination,
    DELIVERIES.c.due_at,
    postgresql_where=text("due_at IS NOT NULL"),
)
Index(
    "deliveries_resting",
    DELIVERIES.c.state,
    DELIVERIES.c.id,
    postgresql_where=text("state IN ('parked', 'dead', 'refused')"),
)

ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("message_id", Uuid, nullable=False),
    Column("case_id", Uuid, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("fence", Integer, nullable=False),
    moment("began_at"),
    Column("took_s", Double, nullable=False),
    Column("http_status", SmallInteger),
    text_column("outcome"),
    text_column("code"),
    Column("words", LargeBinary),
)
Index("attempts_case", ATTEMPTS.c.case_id, ATTEMPTS.c.id)

NONCES = Table(
    "nonces",
    METADATA,
    text_column("region"),
    text_column("nonce"),
    moment("seen_at"),
    PrimaryKeyConstraint("region", "nonce"),
    prefixes=["UNLOGGED"],
)

COUNTERS = Table(
    "counters",
    METADATA,
    text_column("scope"),
    Column("day", Date, nullable=False),
    Column("taken", BigInteger, nullable=False),
    PrimaryKeyConstraint("scope", "day"),
)

DATA_KEYS = Table(
    "data_keys",
    METADATA,
    Column("id", Integer, Identity(always=True), primary_key=True),
    text_column("purpose"),
    text_column("month"),
    Column("wrapped", LargeBinary, nullable=False),
    text_column("wrapped_by"),
    moment("destroyed_at", optional=True),
    UniqueConstraint("purpose", "month"),
)

EVIDENCE = Table(
    "evidence",
    METADATA,
    Column("message_id", Uuid, primary_key=True),
    Column("raw", LargeBinary),
    Column("canonical", LargeBinary),
    Column("trace", LargeBinary),
    Column("rendered", LargeBinary),
    Column("sealed", Boolean, nullable=False),
    moment("kept_at"),
)

TALLY_DELTAS = Table(
    "tally_deltas",
    METADATA,
    moment("at"),
    text_column("measure"),
    text_column("origin"),
    text_column("destination"),
    text_column("item"),
    text_column("kind"),
    Column("slot", SmallInteger, nullable=False, server_default=text("0")),
    Column("n", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False, server_default=text("0")),
)

TALLIES = Table(
    "tallies",
    METADATA,
    text_column("width"),
    moment("bucket"),
    text_column("measure"),
    text_column("origin"),
    text_column("destination"),
    text_column("item"),
    text_column("kind"),
    Column("slot", SmallInteger, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    PrimaryKeyConstraint("width", "bucket", "measure", "origin", "destination", "item", "kind", "slot"),
    CheckConstraint("width IN ('minute', 'hour', 'day')"),
)

API_TOKENS = Table(
    "api_tokens",
    METADATA,
    Column("sha256", Text, primary_key=True),
    text_column("name"),
    Column("scopes", ARRAY(Text), nullable=False),
    moment("created_at"),
    moment("revoked_at", optional=True),
)
Index("api_tokens_name", API_TOKENS.c.name, unique=True, postgresql_where=text("revoked_at IS NULL"))

WORKERS = Table(
    "workers",
    METADATA,
    Column("name", Text, primary_key=True),
    moment("started_at"),
    moment("beat_at"),
    Column("serves", ARRAY(Text), nullable=False),
    text_column("version"),
    Column("lanes", JSONB, nullable=False),
    Column("lag_s", Double, nullable=False),
    moment("heard_at", optional=True),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", Uuid, primary_key=True),
    moment("at"),
    text_column("actor"),
    text_column("verb"),
    text_column("target"),
    Column("reason", LargeBinary),
    Column("before", JSONB),
    Column("after", JSONB),
)
Index("audit_target", AUDIT.c.target, AUDIT.c.id)
Index("audit_actor", AUDIT.c.actor, AUDIT.c.id)
Index("audit_verb", AUDIT.c.verb, AUDIT.c.id)
Index("audit_actor_verb", AUDIT.c.actor, AUDIT.c.verb, AUDIT.c.id)

TABLE_SETS = Table(
    "table_sets",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("effective_from", Date, nullable=False),
    text_column("note"),
    moment("created_at"),
    text_column("created_by"),
    Column("approvals", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    moment("activated_at", optional=True),
    moment("retired_at", optional=True),
    Column("confirmed_by", Text),
    CheckConstraint("digest ~ '^[0-9a-f]{64}$'"),
    CheckConstraint("retired_at IS NULL OR activated_at IS NOT NULL"),
)
Index(
    "table_sets_in_force",
    TABLE_SETS.c.effective_from,
    TABLE_SETS.c.activated_at,
    postgresql_where=text("activated_at IS NOT NULL AND retired_at IS NULL"),
)

__all__ = [
    "CASE_FACTS",
    "EXPORTS",
    "EXPORT_PARTS",
    "METADATA",
    "PARTITIONED",
    "PEERS",
    "PERFORMANCE",
    "PERFORMANCE_MARKS",
    "RERUNS",
    "RERUN_ITEMS",
    "RUNS",
    "SAVED_VIEWS",
    "SIZES",
    "STAFF",
    "STAFF_SESSIONS",
]
