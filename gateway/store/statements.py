"""The SQL that locks, in one file, so that its order can be reviewed in one sitting.

Order of locks, everywhere: receipts by key, new cases by origin's number, existing cases by id,
deliveries.
"""

from __future__ import annotations

from sqlalchemy import TextClause, text

from gateway.store import tallies
from gateway.store.shapes import (
    ATTEMPT,
    BODY,
    CASE,
    CASE_MOVING,
    DELIVERY,
    ENDED,
    EVENT,
    KEY,
    MESSAGE,
    NEW_CASE,
    NONCE,
    SEEN_CASE,
    TALLY,
    Shape,
    insert,
    rows,
)


def _update_cases(where: str = "", shape: Shape = CASE) -> str:
    instead = {"tracking": "CAST(c.tracking AS jsonb)"}
    values = ", ".join(f"{name} = {instead.get(name, f'c.{name}')}" for name in CASE_MOVING)
    return f"UPDATE cases SET {values} FROM {rows('c', shape)} WHERE cases.id = c.id{where}"  # noqa: S608


#: Moves cases nobody has touched since they were seen; the others it leaves.
MOVE_SEEN = _update_cases(" AND cases.last_seq = c.seen_seq AND cases.last_event = c.seen_event", SEEN_CASE)

# -- the door ------------------------------------------------------------------------------------

#: A nonce is fresh when unseen, or seen longer ago than the window (both its sides).
TAKE_NONCES: TextClause = text(
    insert("nonces", "n", NONCE) + " ON CONFLICT (region, nonce) DO UPDATE SET seen_at = excluded.seen_at"
    " WHERE nonces.seen_at < excluded.seen_at - CAST(:window AS interval)"
    " RETURNING region, nonce"
)

PRUNE_NONCES = text("DELETE FROM nonces WHERE seen_at < :before")

#: The receipts once given for these keys.
KNOWN_KEYS = text(
    "SELECT r.region, r.idempotency_key, r.digest, m.receipt_status, m.receipt"
    " FROM unnest(CAST(:regions AS text[]), CAST(:keys AS text[])) AS k(region, key)"
    " JOIN receipts r ON r.region = k.region AND r.idempotency_key = k.key"
    " JOIN messages m ON m.id = r.message_id"
)

# -- acceptance, one transaction in this order -----------------------------------------------------

#: 1. Waits for whoever is storing the same key; what is not returned was there before.
TAKE_KEYS = text(insert("receipts", "r", KEY) + " ON CONFLICT DO NOTHING RETURNING message_id")

#: 2. What is not returned is a case number its origin has used before.
NEW_CASES = text(
    insert("cases", "c", NEW_CASE, tracking="CAST(c.tracking AS jsonb)")
    + " ON CONFLICT (origin, origin_case_no) DO NOTHING RETURNING id"
)

#: 3. A statement of its own: only a later one sees what the former holder of the lock has written.
LOCK_CASES = text("SELECT * FROM cases WHERE id = ANY(CAST(:ids AS uuid[])) ORDER BY id FOR UPDATE")

#: 4. Only messages answered 202 are remembered (crossing §1).
FORGET_KEYS = text(
    "DELETE FROM receipts r USING unnest(CAST(:regions AS text[]), CAST(:keys AS text[])) AS k(region, key)"
    " WHERE r.region = k.region AND r.idempotency_key = k.key"
)

_OPEN_BEFORE = (
    "EXISTS (SELECT FROM deliveries e WHERE e.case_id = {d}.case_id AND e.destination = {d}.destination"
    " AND e.seq < {d}.seq AND e.state <> 'refused')"
)
#: The state of a new delivery ``d`` that wants to be ``state``.
IF_FIRST = "CASE WHEN {d}.{state} = 'ready' AND " + _OPEN_BEFORE + " THEN 'behind' ELSE {d}.{state} END"

_FIRST_HERE = IF_FIRST.format(d="d", state="state")

#: 5. Everything else; under the case locks nobody can slip in between.
WRITE = text(
    f"""
    WITH m AS ({insert("messages", "m", MESSAGE, findings="CAST(m.findings AS jsonb)")}),
         b AS ({insert("bodies", "b", BODY)}),
         e AS ({insert("events", "e", EVENT)}),
         t AS ({insert("tally_deltas", "t", TALLY)}),
         d AS (INSERT INTO deliveries ({", ".join(DELIVERY)}, due_at)
               SELECT t.*, CASE WHEN t.state = 'ready' THEN now() END
                 FROM (SELECT {", ".join(_FIRST_HERE if name == "state" else f"d.{name}" for name in DELIVERY)}
                         FROM {rows("d", DELIVERY)}) AS t({", ".join(DELIVERY)}))
    {_update_cases()}
    """  # noqa: S608
)

#: The same for one case and its events, when nothing new arrives.
SAVE_CASES = text(f"WITH e AS ({insert('events', 'e', EVENT)}) {_update_cases()}")

# -- sending ---------------------------------------------------------------------------------------

#: One range of one index; an expired lease is simply due again. The operators' hold on the destination is
#: looked up first, by key (migration 0004): with no place granted, no row is looked at.
CLAIM = text(
    """
    WITH picked AS (
      SELECT id FROM deliveries WHERE destination = :destination AND due_at <= now()
      ORDER BY due_at LIMIT CAST(:places AS int) FOR UPDATE SKIP LOCKED),
    granted AS (
      SELECT id FROM picked LIMIT (
        SELECT peer_places(:destination, CAST(:places AS int), CAST(:lease_s AS float8))))
    UPDATE deliveries d
       SET state = 'sending', fence = d.fence + 1, attempt = d.attempt + 1,
           due_at = now() + CAST(:lease_s AS float8) * interval '1 second',
           first_attempt_at = COALESCE(d.first_attempt_at, :now)
      FROM granted WHERE d.id = granted.id
    RETURNING d.id, d.case_id, d.case_no, d.destination, d.kind, d.native_kind, d.attempt, d.fence,
              d.first_attempt_at
    """
)

#: The same with all that sending needs: one probe each of the bodies' month and of the case.
CLAIM_WHOLE = text(
    f"""
    WITH claimed AS ({CLAIM.text})
    SELECT d.id AS message_id, d.kind AS message_kind, d.native_kind, d.destination, d.attempt, d.fence,
           d.first_attempt_at, b.rendered, c.*
      FROM claimed d
      LEFT JOIN bodies b ON b.message_id = d.id
      JOIN cases c ON c.id = d.case_id
    """  # noqa: S608
)

#: A claimed delivery that cannot be read: staff must look at it.
BURY = text("UPDATE deliveries SET state = 'dead', due_at = NULL WHERE id = :id AND fence = :fence")

#: After LOCK_CASES: the claims that still hold; an old fence is not returned.
LOCK_CLAIMS = text(
    "SELECT d.id FROM deliveries d"
    " JOIN unnest(CAST(:ids AS uuid[]), CAST(:fences AS int[])) AS s(id, fence)"
    "   ON d.id = s.id AND d.fence = s.fence"
    " WHERE d.state = 'sending' ORDER BY d.id FOR UPDATE OF d"
)

_PROMOTE = """
    UPDATE deliveries d SET state = 'ready', due_at = now()
      FROM (SELECT DISTINCT ON (o.case_id, o.destination) o.id, o.state, o.rendered
              FROM deliveries o
              JOIN {freed} ON o.case_id = f.case_id AND o.destination = f.destination
             WHERE o.state <> 'refused' AND {still_open}
             ORDER BY o.case_id, o.destination, o.seq) AS next
     WHERE d.id = next.id AND next.state = 'behind' AND next.rendered
"""

#: What follows for the deliveries that have ``ended``: they leave or are dated anew, and the next of each case may go.
_AFTER_THE_END = f"""
         gone AS (DELETE FROM deliveries d USING ended s WHERE d.id = s.id AND s.state IS NULL),
         kept AS (UPDATE deliveries d
                     SET state = s.state, last_error = s.last_error,
                         due_at = CASE WHEN s.state = 'ready' THEN now() + s.due_in_s * interval '1 second' END
                    FROM ended s WHERE d.id = s.id AND s.state IS NOT NULL),
         next AS ({
    _PROMOTE.format(
        freed="(SELECT DISTINCT case_id, destination FROM ended WHERE frees) f",
        still_open="o.id NOT IN (SELECT id FROM ended WHERE frees)",
    )
}),
         a AS ({insert("attempts", "a", ATTEMPT)}),
         t AS ({insert("tally_deltas", "t", TALLY)}),
         l AS ({tallies.LATENCIES}),
         e AS ({insert("events", "e", EVENT)})
"""  # noqa: S608

#: After LOCK_CLAIMS: ended rows leave, the others are dated anew, the next of each case may go.
#: All parts of one statement see the rows as they were, so those that leave are named as such.
SETTLE = text(
    f"""
    WITH ended AS MATERIALIZED (SELECT * FROM {rows("s", ENDED)}),
{_AFTER_THE_END}
    {_update_cases()}
    """  # noqa: S608
)

#: The same in one round trip, for verdicts whose claims hold and whose cases nobody has touched since they were
#: claimed: where that is not so it fails as a whole (division by zero), and the careful way decides. The cases come
#: first, so that whoever waits for them sees what their former holder wrote, or finds them changed.
SETTLE_TOGETHER = text(
    f"""
    WITH moved AS ({MOVE_SEEN} RETURNING cases.id),
         ended AS MATERIALIZED (
           SELECT s.* FROM {rows("s", ENDED)} JOIN deliveries d ON d.id = s.id
            WHERE d.fence = s.fence AND d.state = 'sending'
              AND (SELECT count(*) FROM moved) = CAST(:moves AS bigint)
              FOR UPDATE OF d),
{_AFTER_THE_END}
    SELECT 1 / CASE WHEN (SELECT count(*) FROM ended) = CAST(:endings AS bigint) THEN 1 ELSE 0 END
    """  # noqa: S608
)

#: Under the case lock: whoever is now first of these cases and waits may go.
PROMOTE = text(
    _PROMOTE.format(
        freed="(SELECT DISTINCT case_id, destination FROM deliveries"
        " WHERE case_id = ANY(CAST(:cases AS uuid[]))) f",
        still_open="TRUE",
    )
)

#: Backstop of the sweep: cases whose first waiting delivery has nothing before it.
STRANDED = text(
    f"""
    SELECT DISTINCT b.case_id FROM deliveries b
     WHERE b.state = 'behind' AND b.rendered AND NOT {_OPEN_BEFORE.format(d="b")} LIMIT 500
    """  # noqa: S608
)

_NOT_PAUSED = "NOT EXISTS (SELECT FROM peers p WHERE p.slug = {slug} AND p.paused_at IS NOT NULL)"

#: One probe per destination, however many rows are due; a paused side keeps its work on purpose.
DUE = text(
    f"""
    WITH RECURSIVE lane(destination) AS (
      (SELECT destination FROM deliveries WHERE due_at IS NOT NULL ORDER BY destination LIMIT 1)
      UNION ALL
      SELECT (SELECT d.destination FROM deliveries d
               WHERE d.due_at IS NOT NULL AND d.destination > lane.destination
               ORDER BY d.destination LIMIT 1)
        FROM lane WHERE lane.destination IS NOT NULL)
    SELECT lane.destination, CAST(extract(epoch FROM now() - f.due_at) AS float8) AS overdue_s
      FROM lane CROSS JOIN LATERAL (
        SELECT due_at FROM deliveries d
         WHERE d.destination = lane.destination AND d.due_at <= now() ORDER BY d.due_at LIMIT 1) f
     WHERE {_NOT_PAUSED.format(slug="lane.destination")}
    """  # noqa: S608
)

NEXT_DUE = text(
    f"""
    SELECT CAST(extract(epoch FROM due_at - now()) AS float8) FROM deliveries
     WHERE destination = :destination AND due_at IS NOT NULL AND {_NOT_PAUSED.format(slug=":destination")}
     ORDER BY due_at LIMIT 1
    """  # noqa: S608
)

# -- operators and releases, all under LOCK_CASES ----------------------------------------------------

CASE_OF_MESSAGE = text("SELECT case_id, region, received_at FROM messages WHERE id = :id")

LOCK_DELIVERY = text("SELECT * FROM deliveries WHERE id = :id FOR UPDATE")

#: Back into its place in the order: first of its case → ready, else behind.
REOPEN = text(
    f"""
    UPDATE deliveries d
       SET state = CASE WHEN {_OPEN_BEFORE.format(d="d")} OR NOT d.rendered THEN 'behind' ELSE 'ready' END,
           due_at = CASE WHEN {_OPEN_BEFORE.format(d="d")} OR NOT d.rendered THEN NULL ELSE now() END
     WHERE d.id = :id
    """  # noqa: S608
)

#: A delivery that comes back overtakes those of its case that were let pass and are not under way.
HOLD_FOLLOWERS = text(
    "UPDATE deliveries SET state = 'behind', due_at = NULL"
    " WHERE case_id = :case_id AND destination = :destination AND seq > :seq AND state = 'ready'"
)

#: Attempts and the days until giving up are counted anew.
AFRESH = text("UPDATE deliveries SET attempt = 0, first_attempt_at = NULL, last_error = NULL WHERE id = :id")

DROP_DELIVERIES = text(
    "DELETE FROM deliveries WHERE case_id = :case_id AND destination = :destination AND state <> 'sending'"
)

DROP_DELIVERY = text("DELETE FROM deliveries WHERE id = :id")

SET_BODIES = text(
    "UPDATE bodies SET canonical = COALESCE(:canonical, canonical), trace = COALESCE(:trace, trace),"
    " rendered = COALESCE(:rendered, rendered) WHERE message_id = :id"
)

SET_MESSAGE = text(
    "UPDATE messages SET outcome = :outcome, out_kind = :out_kind, tables_digest = :tables_digest"
    " WHERE id = :id"
)

SET_RENDERED = text("UPDATE deliveries SET rendered = TRUE, native_kind = :out_kind WHERE id = :id")
