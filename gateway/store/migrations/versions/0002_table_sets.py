"""Releases of the tables: kept whole, approved and activated, never altered."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_DDL = (
    """
    CREATE TABLE table_sets (
      digest text PRIMARY KEY CHECK (digest ~ '^[0-9a-f]{64}$'),
      content bytea NOT NULL, effective_from date NOT NULL, note text NOT NULL,
      created_at timestamptz NOT NULL, created_by text NOT NULL,
      approvals jsonb NOT NULL DEFAULT '{}'::jsonb,
      activated_at timestamptz, retired_at timestamptz,
      CHECK (retired_at IS NULL OR activated_at IS NOT NULL))
    """,
    """
    CREATE INDEX table_sets_in_force ON table_sets (effective_from, activated_at)
      WHERE activated_at IS NOT NULL AND retired_at IS NULL
    """,
    # What a side has signed stays what it was; only approvals are added and the two moments set, once each.
    """
    CREATE FUNCTION table_sets_are_immutable() RETURNS trigger LANGUAGE plpgsql AS '
    BEGIN
      IF TG_OP <> ''UPDATE'' THEN
        RAISE EXCEPTION ''releases of tables are never removed'';
      END IF;
      IF (NEW.digest, NEW.content, NEW.effective_from, NEW.note, NEW.created_at, NEW.created_by)
         IS DISTINCT FROM
         (OLD.digest, OLD.content, OLD.effective_from, OLD.note, OLD.created_at, OLD.created_by)
         OR OLD.activated_at IS NOT NULL AND NEW.activated_at IS DISTINCT FROM OLD.activated_at
         OR OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at THEN
        RAISE EXCEPTION ''a release of tables is never altered'';
      END IF;
      RETURN NEW;
    END'
    """,
    """
    CREATE TRIGGER table_sets_immutable BEFORE UPDATE OR DELETE ON table_sets
      FOR EACH ROW EXECUTE FUNCTION table_sets_are_immutable()
    """,
    """
    CREATE TRIGGER table_sets_kept BEFORE TRUNCATE ON table_sets
      FOR EACH STATEMENT EXECUTE FUNCTION table_sets_are_immutable()
    """,
)


def upgrade() -> None:
    for statement in _DDL:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("releases are evidence of what was decided by which rules")
