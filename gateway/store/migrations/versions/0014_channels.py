"""Find the cases of a channel: an index of those alone, by what their tracking says."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # A few cases among many: the rest have no entry, and their writes only ask whether they have the member.
    op.execute(
        "CREATE INDEX cases_channel ON cases ((tracking ->> 'channel'), received_at, case_no)"
        " WHERE (tracking ->> 'channel') IS NOT NULL"
    )


def downgrade() -> None:
    op.execute("DROP INDEX cases_channel")
