"""The operators' list of one channel's cases: its filters and both orders, of collected cases alone."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_CHANNEL = "(tracking ->> 'channel')"
_FILTERS = f"{_CHANNEL}, item, state, origin, target"
_RUNS = "due_on IS NOT NULL AND state IN ('10', '11', '20', '22', '28', '30', '31', '32', '33')"


def upgrade() -> None:
    op.execute(
        f"CREATE INDEX cases_channel_list ON cases ({_FILTERS}, received_at, case_no) WHERE {_CHANNEL} IS NOT NULL"
    )
    op.execute(
        f"CREATE INDEX cases_channel_due ON cases ({_FILTERS}, due_on, case_no) INCLUDE (received_at)"
        f" WHERE {_CHANNEL} IS NOT NULL AND {_RUNS}"
    )


def downgrade() -> None:
    op.execute("DROP INDEX cases_channel_due")
    op.execute("DROP INDEX cases_channel_list")
