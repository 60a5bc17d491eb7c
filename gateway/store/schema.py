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
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP

METADATA = MetaData()

#: Ranged by month of their first column, a UUIDv7.
PARTITIONED = ("messages", "bodies", "events", "attempts")


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _at(name: str, *, optional: bool = False) -> Column[object]:
    return Column(name, TIMESTAMP(timezone=True), nullable=optional)


CASES = Table(
    "cases",
    METADATA,
    Column("id", Uuid, primary_key=True),
    _text("case_no"),
    _text("kind"),
    _text("origin"),
    _text("target"),
    _text("origin_case_no"),
    _text("target_case_no"),
    _at("received_at"),
    _text("state"),
    _text("item"),
    _text("scheme"),
    _text("origin_division"),
    _text("target_division"),
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
    "cases_target_no",
    CASES.c.target,
    CASES.c.target_case_no,
    postgresql_where=text("target_case_no <> ''"),
)
Index("cases_newest", CASES.c.received_at, CASES.c.case_no)
Index("cases_division_newest", CASES.c.origin_division, CASES.c.received_at, CASES.c.case_no)
Index("cases_item_newest", CASES.c.item, CASES.c.received_at, CASES.c.case_no)
Index("cases_state_newest", CASES.c.state, CASES.c.received_at, CASES.c.case_no)
Index(
    "cases_provisional",
    CASES.c.id,
    postgresql_where=text("tracking @> CAST('{\"due_provisional\": true}' AS jsonb)"),
)
Index("cases_citizen", CASES.c.citizen_index, CASES.c.id, postgresql_where=text("citizen_index IS NOT NULL"))

MESSAGES = Table(
    "messages",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, nullable=False),
    Column("seq", Integer, nullable=False),
    _text("region"),
    _text("destination"),
    _text("kind"),
    _text("native_kind"),
    _text("out_kind"),
    _text("idempotency_key"),
    _text("digest"),
    _text("outcome"),
    Column("findings", JSONB),
    _text("tables_digest"),
    _at("received_at"),
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
    _text("region"),
    _text("idempotency_key"),
    _text("digest"),
    Column("message_id", Uuid, nullable=False),
    _at("received_at"),
    PrimaryKeyConstraint("region", "idempotency_key"),
)
Index("receipts_oldest", RECEIPTS.c.received_at)

EVENTS = Table(
    "events",
    METADATA,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("case_id", Uuid, nullable=False),
    Column("n", Integer, nullable=False),
    _at("at"),
    _text("kind"),
    Column("from_state", Text),
    _text("to_state"),
    _text("actor"),
    Column("note", LargeBinary),
)
Index("events_case", EVENTS.c.case_id, EVENTS.c.n)

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("case_id", Uuid, nullable=False),
    _text("case_no"),
    Column("seq", Integer, nullable=False),
    _text("destination"),
    _text("kind"),
    _text("native_kind"),
    _text("state"),
    Column("rendered", Boolean, nullable=False),
    _at("due_at", optional=True),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("fence", Integer, nullable=False, server_default=text("0")),
    _at("first_attempt_at", optional=True),
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
    _at("began_at"),
    Column("took_s", Double, nullable=False),
    Column("http_status", SmallInteger),
    _text("outcome"),
    _text("code"),
    Column("words", LargeBinary),
)
Index("attempts_case", ATTEMPTS.c.case_id, ATTEMPTS.c.id)

NONCES = Table(
    "nonces",
    METADATA,
    _text("region"),
    _text("nonce"),
    _at("seen_at"),
    PrimaryKeyConstraint("region", "nonce"),
    prefixes=["UNLOGGED"],
)

COUNTERS = Table(
    "counters",
    METADATA,
    _text("scope"),
    Column("day", Date, nullable=False),
    Column("taken", BigInteger, nullable=False),
    PrimaryKeyConstraint("scope", "day"),
)

DATA_KEYS = Table(
    "data_keys",
    METADATA,
    Column("id", Integer, Identity(always=True), primary_key=True),
    _text("purpose"),
    _text("month"),
    Column("wrapped", LargeBinary, nullable=False),
    _text("wrapped_by"),
    _at("destroyed_at", optional=True),
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
    _at("kept_at"),
)

TALLY_DELTAS = Table(
    "tally_deltas",
    METADATA,
    _at("at"),
    _text("measure"),
    _text("origin"),
    _text("destination"),
    _text("item"),
    _text("kind"),
    Column("slot", SmallInteger, nullable=False, server_default=text("0")),
    Column("n", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False, server_default=text("0")),
)

TALLIES = Table(
    "tallies",
    METADATA,
    _text("width"),
    _at("bucket"),
    _text("measure"),
    _text("origin"),
    _text("destination"),
    _text("item"),
    _text("kind"),
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
    _text("name"),
    Column("scopes", ARRAY(Text), nullable=False),
    _at("created_at"),
    _at("revoked_at", optional=True),
)
Index("api_tokens_name", API_TOKENS.c.name, unique=True, postgresql_where=text("revoked_at IS NULL"))

WORKERS = Table(
    "workers",
    METADATA,
    Column("name", Text, primary_key=True),
    _at("started_at"),
    _at("beat_at"),
    Column("serves", ARRAY(Text), nullable=False),
    _text("version"),
    Column("lanes", JSONB, nullable=False),
    Column("lag_s", Double, nullable=False),
    _at("heard_at", optional=True),
)

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", Uuid, primary_key=True),
    _at("at"),
    _text("actor"),
    _text("verb"),
    _text("target"),
    Column("reason", LargeBinary),
    Column("before", JSONB),
    Column("after", JSONB),
)
Index("audit_target", AUDIT.c.target, AUDIT.c.id)

TABLE_SETS = Table(
    "table_sets",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("effective_from", Date, nullable=False),
    _text("note"),
    _at("created_at"),
    _text("created_by"),
    Column("approvals", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    _at("activated_at", optional=True),
    _at("retired_at", optional=True),
    CheckConstraint("digest ~ '^[0-9a-f]{64}$'"),
    CheckConstraint("retired_at IS NULL OR activated_at IS NOT NULL"),
)
Index(
    "table_sets_in_force",
    TABLE_SETS.c.effective_from,
    TABLE_SETS.c.activated_at,
    postgresql_where=text("activated_at IS NOT NULL AND retired_at IS NULL"),
)

PEERS = Table(
    "peers",
    METADATA,
    Column("slug", Text, primary_key=True),
    _at("paused_at", optional=True),
    Column("paused_by", Text),
    Column("paused_line", Uuid),
    Column("per_second", Double),
    Column("concurrency", Integer),
    Column("tokens", Double, nullable=False, server_default=text("0")),
    Column("filled_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    Column("breaker", Text, nullable=False, server_default=text("'closed'")),
    _at("breaker_at", optional=True),
    _at("probe_at", optional=True),
    _at("last_ok_at", optional=True),
    _at("last_error_at", optional=True),
    Column("last_error", Text, nullable=False, server_default=text("''")),
    Column("updated_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
)

RERUNS = Table(
    "reruns",
    METADATA,
    Column("id", Uuid, primary_key=True),
    _text("state"),
    _at("created_at"),
    _text("created_by"),
    Column("reason", LargeBinary),
    Column("filter", JSONB, nullable=False),
    Column("per_second", Double, nullable=False),
    Column("total", Integer, nullable=False),
    Column("capped", Boolean, nullable=False),
    Column("needs_approval", Boolean, nullable=False),
    Column("approved_by", Text),
    _at("approved_at", optional=True),
    Column("tried", Integer, nullable=False, server_default=text("0")),
    Column("next_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    Column("looked_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    _at("finished_at", optional=True),
)
Index("reruns_open", RERUNS.c.next_at, postgresql_where=text("state IN ('running', 'paused', 'settling')"))

RERUN_ITEMS = Table(
    "rerun_items",
    METADATA,
    Column("rerun_id", Uuid, nullable=False),
    Column("n", Integer, nullable=False),
    Column("message_id", Uuid, nullable=False),
    Column("case_id", Uuid, nullable=False),
    _text("case_no"),
    _text("destination"),
    _text("native_kind"),
    _text("before_state"),
    _text("before_cause"),
    Column("result", Text),
    _at("tried_at", optional=True),
    Column("after_state", Text),
    Column("after_cause", Text),
    _at("ended_at", optional=True),
    PrimaryKeyConstraint("rerun_id", "n"),
    UniqueConstraint("rerun_id", "message_id"),
)
Index(
    "rerun_items_untried",
    RERUN_ITEMS.c.rerun_id,
    RERUN_ITEMS.c.n,
    postgresql_where=text("tried_at IS NULL"),
)
Index(
    "rerun_items_open",
    RERUN_ITEMS.c.rerun_id,
    RERUN_ITEMS.c.n,
    postgresql_where=text("tried_at IS NOT NULL AND ended_at IS NULL"),
)
