"""Cases under way by their due date: what is overdue or soon due is counted without reading what is concluded."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE INDEX cases_open_due ON cases (due_on)"
        " WHERE due_on IS NOT NULL AND state NOT IN ('21', '23', '40', '41', '50', '60', '90')"
    )


def downgrade() -> None:
    op.execute("DROP INDEX cases_open_due")
