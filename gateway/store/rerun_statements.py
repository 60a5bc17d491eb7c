"""The SQL of bulk reruns. Locks, everywhere: the job, then the case, then its deliveries."""

from __future__ import annotations

from sqlalchemy import TextClause, text

from gateway.store.parked import PATH

#: What can be run again; each has its way: dead and refused are retried, parked are released.
STATES = ("dead", "refused", "parked")

_LAST_ATTEMPT = (
    "SELECT a.code, a.outcome FROM attempts a WHERE a.case_id = {row}.case_id AND a.message_id = {row}.{id}"
    " ORDER BY a.id DESC LIMIT 1"
)
#: The code a delivery ended with; a parked one waits for what its findings name.
_CAUSE = {
    "dead": f"({_LAST_ATTEMPT.format(row='d', id='id')})",
    "refused": f"({_LAST_ATTEMPT.format(row='d', id='id')})",
    "parked": "(SELECT m.findings->0->>'code' AS code, 'parked' AS outcome)",
}
_HAS_CAUSE = {
    "dead": "COALESCE(w.code, '') = CAST(:cause AS text)",
    "refused": "COALESCE(w.code, '') = CAST(:cause AS text)",
    "parked": f"""EXISTS (SELECT FROM jsonb_array_elements(m.findings) AS f
        WHERE f->>'code' = CAST(:cause AS text)
          AND (CAST(:path AS text) IS NULL OR {PATH} = CAST(:path AS text))
          AND (CAST(:value AS text) IS NULL OR COALESCE(f->>'value', '') = CAST(:value AS text)))""",
}


def matching(state: str) -> TextClause:
    """Resting deliveries of one state, oldest first; every filter may be NULL.

    The state is a constant so that the planner knows the partial index of resting rows serves.
    """
    if state not in STATES:
        raise ValueError(state)
    return text(
        f"""
        SELECT d.id AS message_id, d.case_id, d.case_no, d.seq, d.destination, d.native_kind,
               d.state AS before_state, COALESCE(w.code, '') AS before_cause
          FROM deliveries d
          JOIN messages m ON m.id = d.id
          JOIN cases c ON c.id = d.case_id
          LEFT JOIN LATERAL {_CAUSE[state]} AS w ON TRUE
         WHERE d.state = '{state}'
           AND (CAST(:destination AS text) IS NULL OR d.destination = CAST(:destination AS text))
           AND (CAST(:kind AS text) IS NULL OR CAST(:kind AS text) IN (d.kind, d.native_kind))
           AND (CAST(:item AS text) IS NULL OR c.item = CAST(:item AS text))
           AND (CAST(:cause AS text) IS NULL OR {_HAS_CAUSE[state]})
           AND (CAST(:since AS timestamptz) IS NULL OR m.received_at >= CAST(:since AS timestamptz))
           AND (CAST(:until AS timestamptz) IS NULL OR m.received_at <= CAST(:until AS timestamptz))
           AND (CAST(:case_nos AS text[]) = '{{}}' OR d.case_no = ANY(CAST(:case_nos AS text[])))
         ORDER BY d.id LIMIT CAST(:places AS int)
        """  # noqa: S608 - a word of STATES
    )


MATCHING = {state: matching(state) for state in STATES}

CREATE = text(
    "INSERT INTO reruns (id, state, created_at, created_by, reason, filter, per_second, total, capped,"
    " needs_approval) VALUES (:id, :state, :created_at, :created_by, :reason, CAST(:filter AS jsonb),"
    " :per_second, :total, :capped, :needs_approval)"
)

#: In the order of cases, and of messages within each.
ADD_ITEMS = text(
    """
    INSERT INTO rerun_items (rerun_id, n, message_id, case_id, case_no, destination, native_kind,
                             before_state, before_cause)
    SELECT :id, row_number() OVER (ORDER BY i.case_id, i.seq), i.message_id, i.case_id, i.case_no,
           i.destination, i.native_kind, i.before_state, i.before_cause
      FROM unnest(CAST(:message_id AS uuid[]), CAST(:case_id AS uuid[]), CAST(:seq AS int[]),
                  CAST(:case_no AS text[]), CAST(:destination AS text[]), CAST(:native_kind AS text[]),
                  CAST(:before_state AS text[]), CAST(:before_cause AS text[]))
        AS i(message_id, case_id, seq, case_no, destination, native_kind, before_state, before_cause)
    """
)

FIND = text("SELECT * FROM reruns WHERE id = :id")
LOCK = text("SELECT * FROM reruns WHERE id = :id FOR UPDATE")
PAGE = text(
    "SELECT * FROM reruns WHERE (CAST(:after AS uuid) IS NULL OR id < CAST(:after AS uuid))"
    " ORDER BY id DESC LIMIT :places"
)
MOVE = text(
    "UPDATE reruns SET state = :state, next_at = now(),"
    " finished_at = CASE WHEN :state IN ('done', 'cancelled') THEN now() END WHERE id = :id"
)
APPROVE = text("UPDATE reruns SET approved_by = :by, approved_at = now() WHERE id = :id")

# -- the workers -------------------------------------------------------------------------------------

#: The job stays locked to the end of the turn: one turn at a time over all workers, and a pause waits for it.
TURN = text(
    "SELECT * FROM reruns WHERE state = 'running' AND next_at <= now()"
    " ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED"
)
NEXT = text("SELECT * FROM rerun_items WHERE rerun_id = :id AND tried_at IS NULL ORDER BY n LIMIT 1")

#: ``tried`` stays open until its outcome is known; the others have theirs already.
TRIED = text(
    """
    UPDATE rerun_items i
       SET tried_at = clock_timestamp(), result = :result,
           after_state = CASE WHEN :result <> 'tried' THEN COALESCE(
             (SELECT d.state FROM deliveries d WHERE d.id = i.message_id), 'gone') END,
           after_cause = CASE WHEN :result <> 'tried' THEN CAST(:cause AS text) END,
           ended_at = CASE WHEN :result <> 'tried' THEN clock_timestamp() END
     WHERE i.rerun_id = :id AND i.n = :n AND i.tried_at IS NULL
    """
)
#: A moment late is made up for, a long rest is not.
PASS = text(
    "UPDATE reruns SET tried = tried + 1, next_at = GREATEST(next_at, clock_timestamp() - interval '0.2 s')"
    " + interval '1 s' / per_second WHERE id = :id"
)
RUNNING = text("SELECT EXISTS (SELECT FROM reruns WHERE state = 'running')")

LOOK = text(
    "SELECT id, state FROM reruns WHERE state IN ('running', 'paused', 'settling')"
    " AND looked_at <= now() - interval '1 s' ORDER BY looked_at LIMIT 1 FOR UPDATE SKIP LOCKED"
)
#: What became of the tried: at rest again, or gone with what its last attempt told.
OUTCOMES = text(
    f"""
    UPDATE rerun_items i
       SET after_state = f.after_state, after_cause = f.after_cause, ended_at = now()
      FROM (
        SELECT o.n, COALESCE(w.code, '') AS after_cause,
               COALESCE(d.state, CASE WHEN w.outcome = 'delivered' THEN 'delivered' ELSE 'cancelled' END)
                 AS after_state
          FROM rerun_items o
          LEFT JOIN deliveries d ON d.id = o.message_id
          LEFT JOIN LATERAL ({_LAST_ATTEMPT.format(row="o", id="message_id")}) AS w ON TRUE
         WHERE o.rerun_id = :id AND o.tried_at IS NOT NULL AND o.ended_at IS NULL
           AND (d.id IS NULL OR d.state IN ('dead', 'refused', 'parked'))) AS f
     WHERE i.rerun_id = :id AND i.n = f.n
    """  # noqa: S608
)
LOOKED = text(
    """
    UPDATE reruns r
       SET looked_at = now(),
           state = CASE WHEN ended THEN 'done' ELSE r.state END,
           finished_at = CASE WHEN ended THEN now() END
      FROM (SELECT NOT EXISTS (
              SELECT FROM rerun_items WHERE rerun_id = :id AND tried_at IS NOT NULL AND ended_at IS NULL)
              AS ended) AS e
     WHERE r.id = :id AND r.state = 'settling'
    """
)
LOOKED_ONLY = text("UPDATE reruns SET looked_at = now() WHERE id = :id")

# -- what is shown -------------------------------------------------------------------------------------

DIFF = text(
    """
    SELECT before_state, before_cause, COALESCE(after_state, CASE WHEN tried_at IS NULL THEN 'untried'
             ELSE 'under_way' END) AS after_state, COALESCE(after_cause, '') AS after_cause,
           count(*) AS messages
      FROM rerun_items WHERE rerun_id = :id GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC, 1, 2, 3, 4
    """
)
ITEMS = text("SELECT * FROM rerun_items WHERE rerun_id = :id AND n > :after ORDER BY n LIMIT :places")
