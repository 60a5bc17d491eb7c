"""Months past their time are dropped whole; what open work still needs is put into a month of its own first.

DETACH … CONCURRENTLY is not possible beside a default partition. So everything slow is done before, while
everybody works on: digests are written and rows that stay are copied. Then one short transaction locks the
table, refreshes those rows and changes the partitions; what was taken out is dropped after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

from gateway.canonical.transitions import FINAL
from gateway.store import evidence
from gateway.store.audit import Audit, Line
from gateway.store.engine import single
from gateway.store.partitions import ID, Month, attach, create_aside, months
from gateway.store.schema import METADATA
from gateway.store.vault import BODY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from gateway.store.vault import Vault

#: Open work on a case keeps all of its rows: a release reads its messages, a page its history.
_OPEN_WORK = "p.case_id IN (SELECT d.case_id FROM deliveries d)"
#: A known message key is answered with the receipt in ``messages``.
_REMEMBERED = (
    "EXISTS (SELECT FROM receipts r WHERE r.region = p.region AND r.idempotency_key = p.idempotency_key)"
)
_OPEN_BODIES = (
    "p.message_id IN (SELECT m.id FROM deliveries d JOIN messages m ON m.case_id = d.case_id"
    " WHERE m.id >= '{first}' AND m.id < '{end}')"
)

#: Why a row stays, and the part of it that can come anew while it is looked at.
_NEEDED = {
    "bodies": (_OPEN_BODIES, _OPEN_BODIES),
    "messages": (f"({_OPEN_WORK} OR {_REMEMBERED})", _OPEN_WORK),
    "events": (_OPEN_WORK, _OPEN_WORK),
    "attempts": (_OPEN_WORK, _OPEN_WORK),
}

FINAL_STATES = sorted(state.value for state in FINAL)


@dataclass(frozen=True, slots=True)
class Who:
    """On whose account something is dropped."""

    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """A month that was dropped: ``kept`` rows stay for open work; ``unfinished``: time ran out, nothing is lost."""

    partition: str
    kept: int = 0
    digests: int = 0
    unfinished: bool = False


def past(known: list[Month], keep_months: int, now: datetime) -> list[Month]:
    """The months whose last row is older than ``keep_months``, oldest first."""
    last = Month.of(now.astimezone(UTC).date()).plus(-keep_months - 1)
    return [month for month in known if month <= last]


def due_since(month: Month, keep_months: int) -> datetime:
    """When a month may be dropped."""
    day = month.plus(keep_months + 1).start
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


async def droppable(connection: AsyncConnection, table: str, keep_months: int, now: datetime) -> list[Month]:
    """Months past their time that hold a row nobody needs, or none at all."""
    found = []
    for month in past(await months(connection, table), keep_months, now):
        name, (needed, _) = month.of_table(table), _conditions(table, month)
        query = (
            f"SELECT EXISTS (SELECT FROM {name} p WHERE NOT {needed})"  # noqa: S608
            f" OR NOT EXISTS (SELECT FROM {name})"
        )
        if (await connection.execute(text(query))).scalar_one():
            found.append(month)
    return found


async def drop(
    engine: AsyncEngine,
    vault: Vault,
    table: str,
    month: Month,
    who: Who,
    *,
    at: datetime,
    in_time: Callable[[], bool],
) -> Dropped:
    """Drop a month of a table but for what is needed.

    Errors: `DBAPIError` (lock timeout) when the table is busy: nothing has changed, try again later.
    """
    name, (needed, _) = month.of_table(table), _conditions(table, month)
    digests: int | None = 0
    async with single(engine) as connection:
        await connection.execute(text(f"DROP TABLE IF EXISTS {name}_kept"))
        await create_aside(connection, table, f"{name}_kept", month)
        await connection.execute(text(f"INSERT INTO {name}_kept SELECT p.* FROM {name} p WHERE {needed}"))  # noqa: S608
        if table == "bodies":  # whatever is not copied by now gets its digest: no row can fall between
            digests = await evidence.keep(connection, vault, name, f"{name}_kept", at=at, in_time=in_time)
            if digests is None:
                return Dropped(name, unfinished=True)
    async with engine.begin() as connection:
        kept = await _swap(connection, table, month)
        after: Mapping[str, object] = {"kept": kept, "digests": digests}
        line = Line(who.actor, "retention.drop", name, who.reason, after=after)
        await Audit(engine, vault).write(connection, line)
    async with single(engine) as connection:
        await connection.execute(text(f"DROP TABLE IF EXISTS {name}_gone"))
    return Dropped(name, kept, digests or 0)


def _conditions(table: str, month: Month) -> tuple[str, str]:
    whole, moving = _NEEDED[table]
    bounds = {"first": month.first, "end": month.end}
    return whole.format(**bounds), moving.format(**bounds)


async def _swap(connection: AsyncConnection, table: str, month: Month) -> int:
    """The short transaction; how many rows stay."""
    name, column = month.of_table(table), ID[table]
    await connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
    others = [each.name for each in METADATA.tables[table].columns if each.name != column]
    written = ", ".join(f"{each} = excluded.{each}" for each in others)
    # what is open may have changed, or come to be needed, since the copy
    await connection.execute(
        text(
            f"INSERT INTO {name}_kept SELECT p.* FROM {name} p WHERE {_conditions(table, month)[1]}"  # noqa: S608
            f" ON CONFLICT ({column}) DO UPDATE SET {written}"
        )
    )
    kept = int((await connection.execute(text(f"SELECT count(*) FROM {name}_kept"))).scalar_one())  # noqa: S608
    if table == "bodies":  # one that came to be needed may change: its digest is written when it goes
        again = f"SELECT message_id FROM {name}_kept"  # noqa: S608
        await connection.execute(text(f"DELETE FROM evidence WHERE message_id IN ({again})"))  # noqa: S608
    await connection.execute(text(f"ALTER TABLE {table} DETACH PARTITION {name}"))
    await connection.execute(text(f"ALTER TABLE {name} RENAME TO {name}_gone"))
    if kept:
        await connection.execute(text(f"ALTER TABLE {name}_kept RENAME TO {name}"))
        await attach(connection, table, name, month)
    else:
        await connection.execute(text(f"DROP TABLE {name}_kept"))
    return kept


# -- keys ----------------------------------------------------------------------------------------------

_KEYS = text(
    "SELECT month FROM data_keys WHERE purpose = :purpose AND month <> '' AND destroyed_at IS NULL ORDER BY month"
)
_DESTROY = text(
    "UPDATE data_keys SET wrapped = '', destroyed_at = :at"
    " WHERE purpose = :purpose AND month = :month AND destroyed_at IS NULL"
)


async def useless_keys(connection: AsyncConnection, keep_months: int, now: datetime) -> list[Month]:
    """Months past their time of whose bodies no row is left: their key opens nothing any more.

    Only the key of bodies has an end: the keys of notes open the audit too, those of persons the cases.
    """
    found = []
    written = (await connection.execute(_KEYS, {"purpose": BODY})).scalars()
    known = [Month.named(f"keys_{each.replace('-', '_')}") for each in written]
    for month in past([each for each in known if each is not None], keep_months, now):
        held = await connection.execute(
            text("SELECT EXISTS (SELECT FROM bodies WHERE message_id >= :first AND message_id < :end)"),
            {"first": month.first, "end": month.end},
        )
        if not held.scalar_one():
            found.append(month)
    return found


async def destroy_key(engine: AsyncEngine, vault: Vault, month: Month, who: Who, *, at: datetime) -> None:
    """Destroy the key of a month's bodies. What backups hold of it ends with the backups."""
    async with engine.begin() as connection:
        await connection.execute(_DESTROY, {"purpose": BODY, "month": month.key_month, "at": at})
        target = f"{BODY}:{month.key_month}"
        await Audit(engine, vault).write(
            connection, Line(who.actor, "retention.destroy_key", target, who.reason)
        )


# -- receipts, in small steps ---------------------------------------------------------------------------

#: Remembered at least for the window, and as long as the case is open (crossing §1). Keyset: by age.
_PRUNE_RECEIPTS = """
    WITH old AS (
      SELECT region, idempotency_key, message_id, received_at FROM receipts
       WHERE received_at < :before AND (received_at, idempotency_key) > (:at, :key)
       ORDER BY received_at, idempotency_key LIMIT :most),
    over AS (
      SELECT o.region, o.idempotency_key FROM old o
       WHERE NOT EXISTS (SELECT FROM messages m JOIN cases c ON c.id = m.case_id
                          WHERE m.id = o.message_id AND c.state <> ALL(CAST(:final AS text[]))))
"""
_GONE = text(
    _PRUNE_RECEIPTS  # noqa: S608 - constants
    + """, gone AS (DELETE FROM receipts r USING over o
             WHERE r.region = o.region AND r.idempotency_key = o.idempotency_key RETURNING 1)
    SELECT (SELECT count(*) FROM gone) AS n, last.* FROM (
      SELECT received_at, idempotency_key FROM old ORDER BY 1 DESC, 2 DESC LIMIT 1) AS last
"""
)
_WOULD_GO = text(
    _PRUNE_RECEIPTS  # noqa: S608 - constants
    + """SELECT (SELECT count(*) FROM over) AS n, last.* FROM (
      SELECT received_at, idempotency_key FROM old ORDER BY 1 DESC, 2 DESC LIMIT 1) AS last
"""
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RECEIPTS_STEP = 1_000


async def prune_receipts(
    connection: AsyncConnection,
    window: timedelta,
    now: datetime,
    *,
    dry_run: bool,
    in_time: Callable[[], bool],
) -> int:
    """Forget the keys that need not be remembered; how many."""
    gone, at, key = 0, _EPOCH, ""
    while in_time():
        found = await connection.execute(
            _WOULD_GO if dry_run else _GONE,
            {"before": now - window, "at": at, "key": key, "most": _RECEIPTS_STEP, "final": FINAL_STATES},
        )
        row = found.one_or_none()
        if row is None:
            break
        gone, at, key = gone + row.n, row.received_at, row.idempotency_key
    return gone


_OLDEST_OVER = text(
    _PRUNE_RECEIPTS  # noqa: S608 - constants
    + "SELECT min(o.received_at) FROM old o JOIN over USING (region, idempotency_key)"
)


async def receipts_overdue_s(connection: AsyncConnection, window: timedelta, now: datetime) -> float:
    """How long ago the oldest key that need not be remembered should have been forgotten; looks at a step's worth."""
    which = {"before": now - window, "at": _EPOCH, "key": "", "most": _RECEIPTS_STEP, "final": FINAL_STATES}
    oldest = (await connection.execute(_OLDEST_OVER, which)).scalar_one_or_none()
    return 0.0 if oldest is None else (now - window - oldest).total_seconds()
