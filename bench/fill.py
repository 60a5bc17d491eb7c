"""Many concluded cases in the store within minutes, written by the database itself; nothing is sent.

``python -m bench.fill URL --cases N``: the rows have the shape and size of real ones and lie in the past
months. A case has an application and a report, three events, two attempts, two receipts. Bodies are bytes
that no key opens, so their ``trace`` stays empty: case pages of filled cases open, with no trace.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING

import asyncpg

from gateway.store.engine import first_id
from gateway.store.schema import PARTITIONED

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Cases of one transaction: large enough to pay for it, small enough to lose little when interrupted.
CHUNK = 10_000
LARGE = 10_000_000
_HANDS = 2
_TIMEOUT_S = 900

_SEED = """
WITH seed AS MATERIALIZED (
  SELECT n, uuidv7(ago) AS case_id, uuidv7(ago) AS message_id, uuidv7(ago + '3 s') AS report_id,
         now() + ago AS at, n % 2 = 0 AS north,
         (ARRAY['pension_transfer','resident_pension_transfer','public_pension_transfer',
                'employee_resident_conversion'])[1 + n % 4] AS item,
         (ARRAY['50','50','50','50','50','50','40','30','20','22'])[1 + n / 4 % 10] AS state
    FROM (SELECT n, -(interval '1 hour' + n * $4::interval) AS ago
            FROM generate_series($2::bigint, $3::bigint) n) AS numbered),
sides AS MATERIALIZED (
  SELECT *, CASE WHEN north THEN 'sichuan' ELSE 'chongqing' END AS origin,
            CASE WHEN north THEN 'chongqing' ELSE 'sichuan' END AS target,
            CASE WHEN north THEN '51' ELSE '50' END || to_char(101 + n / 40 % 90, 'FM0000') AS home,
            CASE WHEN north THEN '50' ELSE '51' END || to_char(101 + n / 40 % 90, 'FM0000') AS away,
            md5($1 || n) AS key
    FROM seed),
both_ways AS MATERIALIZED (
  SELECT message_id AS id, case_id, 1 AS seq, origin AS region, target AS destination, at,
         'transfer.apply' AS kind, key FROM sides
  UNION ALL
  SELECT report_id, case_id, 2, target, origin, at + '3 s', 'status.report', reverse(key) FROM sides)
"""

_CASES = """,
c AS (INSERT INTO cases
  SELECT case_id, 'CYTB99' || $1 || to_char(n, 'FM000000000000'), 'transfer.apply', origin, target,
         'fill-' || $1 || '-' || n, 'fill-' || $1 || '-' || n || '-t', at, state, item, '110', home, away,
         false, CAST(at AS date) + 7,
         jsonb_build_object('accepted_at', at, 'accepted_on', CAST(at AS date), 'accepted_by_target', true,
           'limit', jsonb_build_array(5, '工作日'), 'legal_limit', jsonb_build_array(45, '工作日'),
           'last_report', jsonb_build_object(target, jsonb_build_array(at, '50')),
           'clock', jsonb_build_object('started_on', CAST(at AS date), 'stopped', true)),
         2, 3, NULL, decode(key, 'hex')
    FROM sides)
"""

_HISTORY = """,
m AS (INSERT INTO messages
  SELECT id, case_id, seq, region, destination, kind, 'tbzy0001', 'ZYSQ', key, md5(key) || md5(region || key),
         'accepted', '[]', md5('tables') || md5('tables'), at, 202, decode(repeat(md5(key), 8), 'hex')
    FROM both_ways),
r AS (INSERT INTO receipts SELECT region, key, md5(key) || md5(region || key), id, at FROM both_ways),
e AS (INSERT INTO events (id, case_id, n, at, kind, from_state, to_state, actor)
  SELECT uuidv7(at - now() + i * interval '1 s'), case_id, i, at + i * interval '1 s',
         (ARRAY['application','delivery','status'])[i], (ARRAY[NULL,'10','22'])[i],
         (ARRAY['10','22',state])[i], origin
    FROM sides, generate_series(1, 3) i),
a AS (INSERT INTO attempts (id, message_id, case_id, attempt, fence, began_at, took_s, http_status, outcome, code)
  SELECT uuidv7(at - now()), id, case_id, 1, 1, at, 0.1 + seq * 0.05, 200, 'delivered', '' FROM both_ways)
"""

_BODIES = """,
b AS (INSERT INTO bodies (message_id, raw, canonical, rendered)
  SELECT id, decode(repeat(key, 75), 'hex'), decode(repeat(md5(key), 42), 'hex'),
         decode(repeat(reverse(key), 75), 'hex') FROM both_ways)
"""

_OPEN = """
WITH some AS (SELECT m.*, c.case_no FROM messages m JOIN cases c ON c.id = m.case_id
               WHERE m.seq = 1 AND c.case_no BETWEEN $1 || '000000000000' AND $1 || '999999999999'
               ORDER BY c.case_no LIMIT $2),
found AS (UPDATE messages m SET outcome = 'parked',
       findings = jsonb_build_array(jsonb_build_object('code', '1001', 'text', '没有对应的代码',
         'path', 'param.aac' || right(m.idempotency_key, 2), 'value', left(m.idempotency_key, 1)))
  FROM some WHERE m.id = some.id)
INSERT INTO deliveries (id, case_id, case_no, seq, destination, kind, native_kind, state, rendered)
SELECT id, case_id, case_no, seq, destination, kind, out_kind,
       (ARRAY['parked','dead','refused'])[1 + (row_number() OVER ()) % 3], true FROM some
"""


async def fill(
    connection_url: str, cases: int, *, bodies: bool, days: float = 180.0, resting: int = 0
) -> float:
    """Store ``cases`` concluded cases received over the last ``days``; the seconds it took, analyse included.

    ``bodies``: about 3 KB of bytes for each of the two messages of a case, 7 GB per million cases.
    ``resting``: of these cases, so many get a delivery that waits for staff. Called again it adds as many more.
    Partitions for the months are made first; the indexes stay, so that a running gateway may go on.
    """
    began = time.monotonic()
    run = f"{time.time_ns() // 1_000_000 % 100_000_000:08d}"
    statement = f"{_SEED}{_CASES}{_HISTORY}{_BODIES if bodies else ''} SELECT count(*) FROM sides"
    connections = [await asyncpg.connect(connection_url) for _ in range(_HANDS)]
    try:
        await _make_months(connections[0], days)
        starts = iter(range(1, cases + 1, CHUNK))
        every = timedelta(days=days) / max(cases, 1)
        await asyncio.gather(*(_write(c, statement, run, starts, cases, every) for c in connections))
        if resting:
            await connections[0].execute(_OPEN, f"CYTB99{run}", resting, timeout=_TIMEOUT_S)
        for table in ("cases", "messages", "bodies", "receipts", "events", "attempts", "deliveries"):
            await connections[0].execute(f"VACUUM (ANALYZE) {table}", timeout=_TIMEOUT_S)
    finally:
        for connection in connections:
            await connection.close()
    return time.monotonic() - began


async def _write(
    connection: asyncpg.Connection,
    statement: str,
    run: str,
    starts: Iterator[int],
    cases: int,
    every: timedelta,
) -> None:
    # a crash loses the fill's last moments only, as nobody has a receipt for them
    await connection.execute("SET synchronous_commit = off")
    await connection.execute("SET jit = off")
    for start in starts:
        last = min(start + CHUNK - 1, cases)
        await connection.execute(statement, run, start, last, every, timeout=_TIMEOUT_S)


async def _make_months(connection: asyncpg.Connection, days: float) -> None:
    """A partition for each month of the filled time; where the rest already has rows of it, they share it."""
    today: date = await connection.fetchval("SELECT current_date")
    month = (today - timedelta(days=days + 1)).replace(day=1)
    while month <= today:
        after = (month + timedelta(days=32)).replace(day=1)
        for table in PARTITIONED:
            with suppress(asyncpg.DuplicateTableError, asyncpg.CheckViolationError):
                await connection.execute(
                    f"CREATE TABLE {table}_{month:%Y_%m} PARTITION OF {table}"
                    f" FOR VALUES FROM ('{first_id(month)}') TO ('{first_id(after)}')"
                )
        month = after


def main() -> None:
    """Fill a migrated database by hand."""
    parser = argparse.ArgumentParser(prog="python -m bench.fill", description=__doc__)
    parser.add_argument("url", help="of a migrated database")
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--large", action="store_true", help=f"{LARGE:,} cases")
    parser.add_argument("--bodies", action="store_true", help="with 3 KB for each message")
    parser.add_argument("--days", type=float, default=180.0, help="how far back the cases reach")
    asked = parser.parse_args()
    cases = LARGE if asked.large else asked.cases
    took = asyncio.run(fill(asked.url, cases, bodies=asked.bodies, days=asked.days))
    sys.stdout.write(f"{cases:,} cases in {took:.0f} s ({cases / took:,.0f}/s)\n")


if __name__ == "__main__":
    main()
