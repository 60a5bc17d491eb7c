"""Who confirmed a release where no side has a key, and trials of proposed releases on stored cases."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_DDL = (
    "ALTER TABLE table_sets ADD COLUMN confirmed_by text",
    # A confirmation belongs to the moment of activation: neither comes without the other, nor later.
    """
    CREATE OR REPLACE FUNCTION table_sets_are_immutable() RETURNS trigger LANGUAGE plpgsql AS '
    BEGIN
      IF TG_OP <> ''UPDATE'' THEN
        RAISE EXCEPTION ''releases of tables are never removed'';
      END IF;
      IF (NEW.digest, NEW.content, NEW.effective_from, NEW.note, NEW.created_at, NEW.created_by)
         IS DISTINCT FROM
         (OLD.digest, OLD.content, OLD.effective_from, OLD.note, OLD.created_at, OLD.created_by)
         OR OLD.activated_at IS NOT NULL AND NEW.activated_at IS DISTINCT FROM OLD.activated_at
         OR OLD.activated_at IS NOT NULL AND NEW.confirmed_by IS DISTINCT FROM OLD.confirmed_by
         OR NEW.activated_at IS NULL AND NEW.confirmed_by IS NOT NULL
         OR OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at THEN
        RAISE EXCEPTION ''a release of tables is never altered'';
      END IF;
      RETURN NEW;
    END'
    """,
    """
    CREATE TABLE rule_trials (
      id uuid PRIMARY KEY,
      digest text NOT NULL, against text NOT NULL,
      state text NOT NULL CHECK (state IN ('running', 'done', 'failed', 'cancelled')),
      started_at timestamptz NOT NULL, started_by text NOT NULL,
      beat_at timestamptz NOT NULL, ended_at timestamptz,
      total integer NOT NULL, done integer NOT NULL DEFAULT 0,
      report jsonb)
    """,
    "CREATE INDEX rule_trials_of ON rule_trials (digest, started_at)",
)


def upgrade() -> None:
    for statement in _DDL:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE rule_trials")
    raise NotImplementedError("who confirmed a release is evidence")
