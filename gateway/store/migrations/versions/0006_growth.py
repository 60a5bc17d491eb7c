"""Growth: rollup counters, the digests that outlive bodies, destroyed keys, receipts found by their age."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_DDL = (
    # Appended by every acceptance and settlement, emptied by every sweep: no index, so that an append is
    # the cheapest there is, and vacuumed by the number of dead rows.
    """
    CREATE TABLE tally_deltas (
      at timestamptz NOT NULL, measure text NOT NULL, origin text NOT NULL, destination text NOT NULL,
      item text NOT NULL, kind text NOT NULL, slot smallint NOT NULL DEFAULT 0,
      n bigint NOT NULL, seconds double precision NOT NULL DEFAULT 0)
    WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
          autovacuum_vacuum_cost_delay = 0)
    """,
    """
    CREATE TABLE tallies (
      width text NOT NULL CHECK (width IN ('minute', 'hour', 'day')), bucket timestamptz NOT NULL,
      measure text NOT NULL, origin text NOT NULL, destination text NOT NULL,
      item text NOT NULL, kind text NOT NULL, slot smallint NOT NULL,
      n bigint NOT NULL, seconds double precision NOT NULL,
      PRIMARY KEY (width, bucket, measure, origin, destination, item, kind, slot))
    WITH (fillfactor = 70)
    """,
    # SHA-256 of each part of a message whose bodies are gone; sealed: of the ciphertext, as it did not open
    """
    CREATE TABLE evidence (
      message_id uuid PRIMARY KEY, raw bytea, canonical bytea, trace bytea, rendered bytea,
      sealed boolean NOT NULL, kept_at timestamptz NOT NULL)
    """,
    "ALTER TABLE data_keys ADD destroyed_at timestamptz",
    "CREATE INDEX receipts_oldest ON receipts (received_at)",
)


def upgrade() -> None:
    for statement in _DDL:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX receipts_oldest")
    op.execute("ALTER TABLE data_keys DROP destroyed_at")
    for table in ("evidence", "tallies", "tally_deltas"):
        op.execute(f"DROP TABLE {table}")
