"""What the running page and the audit's filters ask for: when each job last ran, sizes by day, three indexes."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_DDL = (
    # Written by every sweep: one row, with room on its page.
    """
    CREATE TABLE runs (
      job text PRIMARY KEY, ran_at timestamptz NOT NULL, took_s double precision NOT NULL,
      failed boolean NOT NULL, said text NOT NULL)
    WITH (fillfactor = 50)
    """,
    """
    CREATE TABLE sizes (
      day date NOT NULL, name text NOT NULL, rows bigint NOT NULL, bytes bigint NOT NULL,
      PRIMARY KEY (day, name))
    """,
    "CREATE INDEX audit_actor ON audit (actor, id)",
    "CREATE INDEX audit_verb ON audit (verb, id)",
    "CREATE INDEX audit_actor_verb ON audit (actor, verb, id)",
)


def upgrade() -> None:
    for statement in _DDL:
        op.execute(statement)


def downgrade() -> None:
    for index in ("audit_actor_verb", "audit_verb", "audit_actor"):
        op.execute(f"DROP INDEX {index}")
    for table in ("sizes", "runs"):
        op.execute(f"DROP TABLE {table}")
