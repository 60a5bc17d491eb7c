"""People at the operators' desk: accounts, sessions, saved views."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_DDL = (
    """
    CREATE TABLE staff (
      name text PRIMARY KEY, display text NOT NULL,
      roles text[] NOT NULL CHECK (cardinality(roles) > 0),
      password_hash text NOT NULL, totp bytea, totp_pending bytea, last_step bigint,
      failures integer NOT NULL DEFAULT 0, locked_until timestamptz, disabled_at timestamptz,
      created_at timestamptz NOT NULL, password_changed_at timestamptz NOT NULL)
    """,
    # seen_at is written every half minute of work: room on the page, and no index on it
    """
    CREATE TABLE staff_sessions (
      sha256 text PRIMARY KEY, name text NOT NULL REFERENCES staff (name),
      created_at timestamptz NOT NULL, seen_at timestamptz NOT NULL,
      language text NOT NULL, address text NOT NULL)
    WITH (fillfactor = 70)
    """,
    "CREATE INDEX staff_sessions_name ON staff_sessions (name)",
    """
    CREATE TABLE saved_views (
      id uuid PRIMARY KEY, name text NOT NULL REFERENCES staff (name), page text NOT NULL,
      title text NOT NULL, query text NOT NULL, created_at timestamptz NOT NULL,
      UNIQUE (name, page, title))
    """,
)


def upgrade() -> None:
    for statement in _DDL:
        op.execute(statement)


def downgrade() -> None:
    for table in ("saved_views", "staff_sessions", "staff"):
        op.execute(f"DROP TABLE {table}")
