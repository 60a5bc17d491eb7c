"""Small rows past their use, dropped in small steps: nonces and counters of serial numbers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

#: Both sides of the clock window of crossing §1, as `gateway.store.intake` counts it.
NONCES = timedelta(seconds=600)
#: A number of a past day is never given again; so many days back nobody's clock is.
COUNTERS = timedelta(days=35)

_STEP = 5_000

_NONCES = text(
    "DELETE FROM nonces WHERE ctid = ANY(ARRAY(SELECT ctid FROM nonces WHERE seen_at < :before LIMIT :most))"
)
_OLD_NONCES = text("SELECT count(*) FROM (SELECT FROM nonces WHERE seen_at < :before LIMIT :most) AS o")
_COUNTERS = text("DELETE FROM counters WHERE day < :before")
_OLD_COUNTERS = text("SELECT count(*) FROM counters WHERE day < :before")


async def nonces(
    connection: AsyncConnection, now: datetime, *, dry_run: bool, in_time: Callable[[], bool]
) -> int:
    """Nonces outside the window; how many (a dry run counts one step's worth). The door prunes too when it is used."""
    which = {"before": now - NONCES, "most": _STEP}
    if dry_run:
        return int((await connection.execute(_OLD_NONCES, which)).scalar_one())
    gone = 0
    while in_time():
        some = (await connection.execute(_NONCES, which)).rowcount
        gone += some
        if some < _STEP:
            break
    return gone


async def counters(connection: AsyncConnection, today: date, *, dry_run: bool) -> int:
    """Serial counters of days long past: some hundred rows a day; how many."""
    which = {"before": today - COUNTERS}
    if dry_run:
        return int((await connection.execute(_OLD_COUNTERS, which)).scalar_one())
    return (await connection.execute(_COUNTERS, which)).rowcount
