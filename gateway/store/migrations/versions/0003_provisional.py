"""Cases whose due date counts on an unpublished calendar are found at once when it is published."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX cases_provisional ON cases (id) WHERE tracking @> '{\"due_provisional\": true}'::jsonb"
    )


def downgrade() -> None:
    op.execute("DROP INDEX cases_provisional")
