"""Operators' hold on each destination, and bulk reruns that outlive the process that began them."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_DDL = (
    """
    CREATE TABLE peers (
      slug text PRIMARY KEY,
      paused_at timestamptz, paused_by text, paused_line uuid,
      per_second double precision CHECK (per_second > 0),
      concurrency integer CHECK (concurrency > 0),
      tokens double precision NOT NULL DEFAULT 0,
      filled_at timestamptz NOT NULL DEFAULT now(),
      breaker text NOT NULL DEFAULT 'closed' CHECK (breaker IN ('closed', 'open')),
      breaker_at timestamptz, probe_at timestamptz,
      last_ok_at timestamptz, last_error_at timestamptz, last_error text NOT NULL DEFAULT '',
      updated_at timestamptz NOT NULL DEFAULT now())
      WITH (fillfactor = 50)
    """,
    # Called by the claim, which sees the database as it was when it began. A volatile function looks anew at
    # each of its statements: under the shared lock it sees a pause that was committed while it waited, and a
    # pause, which takes the lock alone, waits for the claims that did not see it. Shared locks of this kind
    # live in memory: a claim that finds nothing still writes nothing.
    """
    CREATE FUNCTION peer_places(peer text, wanted integer, lease_s double precision)
    RETURNS integer LANGUAGE plpgsql VOLATILE AS '
    DECLARE
      held peers;
    BEGIN
      PERFORM pg_advisory_xact_lock_shared(1885693298, hashtext(peer));
      SELECT * INTO held FROM peers WHERE slug = peer;
      IF held.paused_at IS NOT NULL THEN
        RETURN 0;
      END IF;
      IF held.per_second IS NULL AND held.concurrency IS NULL THEN
        RETURN wanted;
      END IF;
      RETURN peer_paced(peer, wanted, lease_s);
    END'
    """,
    # Looks first and locks then, so that a poll which may take nothing writes nothing. From the second look
    # to the commit of the claim the row is ours: what another claimer has taken is seen, or waits for us.
    """
    CREATE FUNCTION peer_paced(peer text, wanted integer, lease_s double precision)
    RETURNS integer LANGUAGE plpgsql VOLATILE SET enable_bitmapscan = off AS '
    DECLARE
      held peers;
      places integer;
      flying integer;
      filled double precision;
    BEGIN
      FOR look IN 1..2 LOOP
        IF look = 1 THEN
          SELECT * INTO held FROM peers WHERE slug = peer;
        ELSE
          SELECT * INTO held FROM peers WHERE slug = peer FOR NO KEY UPDATE;
        END IF;
        SELECT count(*) INTO places FROM (
          SELECT FROM deliveries WHERE destination = peer AND due_at <= now() LIMIT wanted) AS due;
        IF held.concurrency IS NOT NULL AND places > 0 THEN
          SELECT count(*) INTO flying FROM (
            SELECT FROM deliveries
             WHERE destination = peer AND state = ''sending'' AND due_at > now()
               AND due_at <= clock_timestamp() + 2 * lease_s * interval ''1 second''
             LIMIT held.concurrency) AS leased;
          places := least(places, held.concurrency - flying);
        END IF;
        IF held.per_second IS NOT NULL THEN
          filled := least(
            greatest(1, held.per_second / 5),
            held.tokens + extract(epoch FROM clock_timestamp() - held.filled_at) * held.per_second);
          places := least(places, floor(filled));
        END IF;
        IF places <= 0 THEN
          RETURN 0;
        END IF;
      END LOOP;
      IF held.per_second IS NOT NULL THEN
        UPDATE peers SET tokens = filled - places, filled_at = clock_timestamp() WHERE slug = peer;
      END IF;
      RETURN places;
    END'
    """,
    """
    CREATE TABLE reruns (
      id uuid PRIMARY KEY,
      state text NOT NULL
        CHECK (state IN ('unapproved', 'running', 'paused', 'settling', 'done', 'cancelled')),
      created_at timestamptz NOT NULL, created_by text NOT NULL, reason bytea,
      filter jsonb NOT NULL, per_second double precision NOT NULL CHECK (per_second > 0),
      total integer NOT NULL, capped boolean NOT NULL,
      needs_approval boolean NOT NULL, approved_by text, approved_at timestamptz,
      tried integer NOT NULL DEFAULT 0,
      next_at timestamptz NOT NULL DEFAULT now(), looked_at timestamptz NOT NULL DEFAULT now(),
      finished_at timestamptz,
      CHECK (NOT needs_approval OR approved_by IS NOT NULL OR state IN ('unapproved', 'cancelled')),
      CHECK (approved_by <> created_by))
    """,
    """
    CREATE INDEX reruns_open ON reruns (next_at)
      WHERE state IN ('running', 'paused', 'settling')
    """,
    """
    CREATE TABLE rerun_items (
      rerun_id uuid NOT NULL, n integer NOT NULL,
      message_id uuid NOT NULL, case_id uuid NOT NULL, case_no text NOT NULL,
      destination text NOT NULL, native_kind text NOT NULL,
      before_state text NOT NULL, before_cause text NOT NULL,
      result text CHECK (result IN ('tried', 'still_parked', 'skipped', 'failed')), tried_at timestamptz,
      after_state text, after_cause text, ended_at timestamptz,
      PRIMARY KEY (rerun_id, n), UNIQUE (rerun_id, message_id))
    """,
    """
    CREATE INDEX rerun_items_untried ON rerun_items (rerun_id, n) WHERE tried_at IS NULL
    """,
    """
    CREATE INDEX rerun_items_open ON rerun_items (rerun_id, n) WHERE tried_at IS NOT NULL AND ended_at IS NULL
    """,
)


def upgrade() -> None:
    for statement in _DDL:
        op.execute(statement)


def downgrade() -> None:
    for table in ("rerun_items", "reruns"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION peer_places")
    op.execute("DROP FUNCTION peer_paced")
    op.execute("DROP TABLE peers")
