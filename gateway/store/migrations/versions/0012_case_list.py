"""The operators' list: an index for every way of asking, so that rare combinations are found without a search."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_RUNS = "due_on IS NOT NULL AND state IN ('10', '11', '20', '22', '28', '30', '31', '32', '33')"
_EARLY = "due_on < CAST(received_at AT TIME ZONE 'Asia/Shanghai' AS date)"

_DDL = (
    "CREATE INDEX cases_list ON cases (item, state, origin, target, received_at, case_no)",
    "CREATE INDEX cases_list_from ON cases (origin_division, item, state, received_at, case_no)",
    "CREATE INDEX cases_list_to ON cases (target_division, item, state, received_at, case_no)",
    # of cases whose clock runs only: what has ended is never overdue; with the receipt, by which a window is cut out
    f"CREATE INDEX cases_due ON cases (item, state, origin, target, due_on, case_no) INCLUDE (received_at) WHERE {_RUNS}",
    f"CREATE INDEX cases_due_from ON cases (origin_division, item, state, due_on, case_no) INCLUDE (received_at) WHERE {_RUNS}",
    f"CREATE INDEX cases_due_to ON cases (target_division, item, state, due_on, case_no) INCLUDE (received_at) WHERE {_RUNS}",
    # due before it was received: hardly any, and the rest is due on the day of its receipt or later
    f"CREATE INDEX cases_due_early ON cases (due_on, case_no) WHERE {_EARLY}",
    # a list that is being written, and its parts once it is: seen by every web process, gone after a day
    """
    CREATE TABLE exports (
      id uuid PRIMARY KEY, name text NOT NULL, format text NOT NULL CHECK (format IN ('xlsx', 'csv')),
      state text NOT NULL CHECK (state IN ('running', 'done', 'failed', 'cancelled')),
      title text NOT NULL, expected integer, written integer NOT NULL DEFAULT 0,
      created_at timestamptz NOT NULL, beat_at timestamptz NOT NULL, finished_at timestamptz)
    WITH (fillfactor = 70)
    """,
    "CREATE INDEX exports_name ON exports (name, id)",
    """
    CREATE TABLE export_parts (
      export_id uuid NOT NULL REFERENCES exports (id) ON DELETE CASCADE, n integer NOT NULL, bytes bytea NOT NULL,
      PRIMARY KEY (export_id, n))
    """,
    "ALTER TABLE export_parts ALTER bytes SET STORAGE EXTERNAL",
)


def upgrade() -> None:
    for statement in _DDL:
        op.execute(statement)


def downgrade() -> None:
    for table in ("export_parts", "exports"):
        op.execute(f"DROP TABLE {table}")
    for index in ("list", "list_from", "list_to", "due", "due_from", "due_to", "due_early"):
        op.execute(f"DROP INDEX cases_{index}")
