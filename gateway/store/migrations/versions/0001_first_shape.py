"""The first shape: cases, messages and their bodies, deliveries, events, keys, audit."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Partitioned tables are ranged by id at month bounds of the id's own time (UUIDv7), so the key stays
# unique by itself; a DEFAULT partition takes what no month has. Bodies are encrypted and so do not
# compress: EXTERNAL saves the attempt.
_DDL = (
    """
    CREATE TABLE cases (
      id uuid PRIMARY KEY, case_no text NOT NULL, kind text NOT NULL,
      origin text NOT NULL, target text NOT NULL,
      origin_case_no text NOT NULL, target_case_no text NOT NULL,
      received_at timestamptz NOT NULL, state text NOT NULL,
      item text NOT NULL, scheme text NOT NULL,
      origin_division text NOT NULL, target_division text NOT NULL,
      parked boolean NOT NULL, due_on date, tracking jsonb NOT NULL,
      last_seq integer NOT NULL, last_event integer NOT NULL,
      person bytea, citizen_index bytea)
    WITH (fillfactor = 85)
    """,
    "CREATE UNIQUE INDEX cases_case_no ON cases (case_no)",
    "CREATE UNIQUE INDEX cases_origin_no ON cases (origin, origin_case_no)",
    "CREATE INDEX cases_target_no ON cases (target, target_case_no) WHERE target_case_no <> ''",
    "CREATE INDEX cases_newest ON cases (received_at, case_no)",
    "CREATE INDEX cases_division_newest ON cases (origin_division, received_at, case_no)",
    "CREATE INDEX cases_item_newest ON cases (item, received_at, case_no)",
    "CREATE INDEX cases_state_newest ON cases (state, received_at, case_no)",
    "CREATE INDEX cases_citizen ON cases (citizen_index, id) WHERE citizen_index IS NOT NULL",
    """
    CREATE TABLE messages (
      id uuid PRIMARY KEY, case_id uuid NOT NULL, seq integer NOT NULL,
      region text NOT NULL, destination text NOT NULL,
      kind text NOT NULL, native_kind text NOT NULL, out_kind text NOT NULL,
      idempotency_key text NOT NULL, digest text NOT NULL, outcome text NOT NULL,
      findings jsonb, tables_digest text NOT NULL, received_at timestamptz NOT NULL,
      receipt_status smallint NOT NULL, receipt bytea NOT NULL)
    PARTITION BY RANGE (id)
    """,
    "CREATE INDEX messages_case ON messages (case_id, seq)",
    """
    CREATE TABLE bodies (
      message_id uuid PRIMARY KEY, raw bytea, canonical bytea, trace bytea, rendered bytea)
    PARTITION BY RANGE (message_id)
    """,
    (
        "ALTER TABLE bodies ALTER raw SET STORAGE EXTERNAL, ALTER canonical SET STORAGE EXTERNAL,"
        " ALTER trace SET STORAGE EXTERNAL, ALTER rendered SET STORAGE EXTERNAL"
    ),
    """
    CREATE TABLE receipts (
      region text NOT NULL, idempotency_key text NOT NULL, digest text NOT NULL,
      message_id uuid NOT NULL, received_at timestamptz NOT NULL,
      PRIMARY KEY (region, idempotency_key))
    """,
    """
    CREATE TABLE events (
      id uuid PRIMARY KEY DEFAULT uuidv7(), case_id uuid NOT NULL, n integer NOT NULL,
      at timestamptz NOT NULL, kind text NOT NULL, from_state text, to_state text NOT NULL,
      actor text NOT NULL, note bytea)
    PARTITION BY RANGE (id)
    """,
    "CREATE INDEX events_case ON events (case_id, n)",
    """
    CREATE TABLE deliveries (
      id uuid PRIMARY KEY, case_id uuid NOT NULL, case_no text NOT NULL, seq integer NOT NULL,
      destination text NOT NULL, kind text NOT NULL, native_kind text NOT NULL,
      state text NOT NULL
        CHECK (state IN ('behind', 'ready', 'sending', 'parked', 'dead', 'refused')),
      rendered boolean NOT NULL, due_at timestamptz, attempt integer NOT NULL DEFAULT 0,
      fence integer NOT NULL DEFAULT 0, first_attempt_at timestamptz, last_error bytea)
    WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500,
          autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0)
    """,
    "CREATE UNIQUE INDEX deliveries_order ON deliveries (case_id, destination, seq)",
    "CREATE INDEX deliveries_due ON deliveries (destination, due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX deliveries_resting ON deliveries (state, id) WHERE state IN ('parked', 'dead', 'refused')",
    """
    CREATE TABLE attempts (
      id uuid PRIMARY KEY DEFAULT uuidv7(), message_id uuid NOT NULL, case_id uuid NOT NULL,
      attempt integer NOT NULL, fence integer NOT NULL, began_at timestamptz NOT NULL,
      took_s double precision NOT NULL, http_status smallint, outcome text NOT NULL,
      code text NOT NULL, words bytea)
    PARTITION BY RANGE (id)
    """,
    "CREATE INDEX attempts_case ON attempts (case_id, id)",
    # UNLOGGED: a crash may forget nonces; a replayed message then meets its idempotency key instead
    """
    CREATE UNLOGGED TABLE nonces (
      region text NOT NULL, nonce text NOT NULL, seen_at timestamptz NOT NULL,
      PRIMARY KEY (region, nonce))
    """,
    """
    CREATE TABLE counters (
      scope text NOT NULL, day date NOT NULL, taken bigint NOT NULL, PRIMARY KEY (scope, day))
    """,
    """
    CREATE TABLE data_keys (
      id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, purpose text NOT NULL, month text NOT NULL,
      wrapped bytea NOT NULL, wrapped_by text NOT NULL, UNIQUE (purpose, month))
    """,
    """
    CREATE TABLE api_tokens (
      sha256 text PRIMARY KEY, name text NOT NULL, scopes text[] NOT NULL,
      created_at timestamptz NOT NULL, revoked_at timestamptz)
    """,
    "CREATE UNIQUE INDEX api_tokens_name ON api_tokens (name) WHERE revoked_at IS NULL",
    """
    CREATE TABLE audit (
      id uuid PRIMARY KEY, at timestamptz NOT NULL, actor text NOT NULL, verb text NOT NULL,
      target text NOT NULL, reason bytea, before jsonb, after jsonb)
    """,
    "CREATE INDEX audit_target ON audit (target, id)",
    """
    CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN RAISE EXCEPTION ''audit rows are never changed''; END'
    """,
    (
        "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
        " EXECUTE FUNCTION audit_is_append_only()"
    ),
)


def upgrade() -> None:
    for statement in _DDL:
        op.execute(statement)
    for table in ("messages", "bodies", "events", "attempts"):
        op.execute(f"CREATE TABLE {table}_rest PARTITION OF {table} DEFAULT")


def downgrade() -> None:
    raise NotImplementedError("the first shape has nothing before it")
