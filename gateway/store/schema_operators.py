"""The tables of operators' verbs: what holds a destination, bulk reruns, trials of proposed rules."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from gateway.store.columns import METADATA, moment, text_column

PEERS = Table(
    "peers",
    METADATA,
    Column("slug", Text, primary_key=True),
    moment("paused_at", optional=True),
    Column("paused_by", Text),
    Column("paused_line", Uuid),
    Column("per_second", Double),
    Column("concurrency", Integer),
    Column("tokens", Double, nullable=False, server_default=text("0")),
    Column("filled_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    Column("breaker", Text, nullable=False, server_default=text("'closed'")),
    moment("breaker_at", optional=True),
    moment("probe_at", optional=True),
    moment("last_ok_at", optional=True),
    moment("last_error_at", optional=True),
    Column("last_error", Text, nullable=False, server_default=text("''")),
    Column("updated_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
)

RERUNS = Table(
    "reruns",
    METADATA,
    Column("id", Uuid, primary_key=True),
    text_column("state"),
    moment("created_at"),
    text_column("created_by"),
    Column("reason", LargeBinary),
    Column("filter", JSONB, nullable=False),
    Column("per_second", Double, nullable=False),
    Column("total", Integer, nullable=False),
    Column("capped", Boolean, nullable=False),
    Column("needs_approval", Boolean, nullable=False),
    Column("approved_by", Text),
    moment("approved_at", optional=True),
    Column("tried", Integer, nullable=False, server_default=text("0")),
    Column("next_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    Column("looked_at", TIMESTAMP(timezone=True), nullable=False, server_default=text("now()")),
    moment("finished_at", optional=True),
)
Index("reruns_open", RERUNS.c.next_at, postgresql_where=text("state IN ('running', 'paused', 'settling')"))

RERUN_ITEMS = Table(
    "rerun_items",
    METADATA,
    Column("rerun_id", Uuid, nullable=False),
    Column("n", Integer, nullable=False),
    Column("message_id", Uuid, nullable=False),
    Column("case_id", Uuid, nullable=False),
    text_column("case_no"),
    text_column("destination"),
    text_column("native_kind"),
    text_column("before_state"),
    text_column("before_cause"),
    Column("result", Text),
    moment("tried_at", optional=True),
    Column("after_state", Text),
    Column("after_cause", Text),
    moment("ended_at", optional=True),
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

RULE_TRIALS = Table(
    "rule_trials",
    METADATA,
    Column("id", Uuid, primary_key=True),
    text_column("digest"),
    text_column("against"),
    text_column("state"),
    moment("started_at"),
    text_column("started_by"),
    moment("beat_at"),
    moment("ended_at", optional=True),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("report", JSONB),
)
Index("rule_trials_of", RULE_TRIALS.c.digest, RULE_TRIALS.c.started_at)
