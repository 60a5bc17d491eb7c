"""A row per worker: who lives, what it serves, what is in the air, when it last heard a ring."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE workers (
          name text PRIMARY KEY,
          started_at timestamptz NOT NULL,
          beat_at timestamptz NOT NULL,
          serves text[] NOT NULL,
          version text NOT NULL,
          lanes jsonb NOT NULL,
          lag_s double precision NOT NULL,
          heard_at timestamptz
        ) WITH (fillfactor = 50)
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE workers")
