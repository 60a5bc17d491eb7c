"""Applications of one round in one statement: all of them are stored, or none and the careful way decides.

Nearly every application is new in every respect, so nothing has to be asked first: a nonce, a key or a case
number that is not new breaks the statement, and with it everything it did.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.store import statements
from gateway.store.direct import Direct
from gateway.store.records import Acceptance, Stored

if TYPE_CHECKING:
    from datetime import timedelta

    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.store.batch import Batch, Told

#: One row per application: its message, its bodies, its case and its delivery.
_ROW: statements.Shape = {
    **statements.MESSAGE,
    **{name: kind for name, kind in statements.BODY.items() if name != "message_id"},
    **{name: kind for name, kind in statements.NEW_CASE.items() if name not in {"id", "kind", "received_at"}},
    "opened_at": "timestamptz",
    "nonce": "text",
    "delivery": "text",
}
_CASE = {"id": "case_id", "received_at": "opened_at"}
_DELIVERY = {"native_kind": "out_kind", "state": "delivery", "rendered": "rendered IS NOT NULL"}
_TRACKING = {"tracking": "CAST(tracking AS jsonb)"}


def _into(table: str, shape: statements.Shape, **instead: str) -> str:
    values = ", ".join(instead.get(name, name) for name in shape)
    return f"INSERT INTO {table} ({', '.join(shape)}) SELECT {values} FROM a"  # noqa: S608


#: Without ON CONFLICT: what is not new is an error. A nonce that may not be used yet turns into a null, which is one.
_OPEN = Direct(
    f"""
    WITH a AS MATERIALIZED (SELECT * FROM {statements.rows("a", _ROW)}),
         n AS (INSERT INTO nonces (region, nonce, seen_at)
               SELECT region, nonce, received_at FROM a WHERE nonce IS NOT NULL
               ON CONFLICT (region, nonce) DO UPDATE
                  SET seen_at = CASE WHEN nonces.seen_at < excluded.seen_at - CAST(:window AS interval)
                                     THEN excluded.seen_at END),
         r AS ({_into("receipts", statements.KEY, message_id="id")}),
         c AS ({_into("cases", statements.NEW_CASE, **_CASE, **_TRACKING)}),
         m AS ({_into("messages", statements.MESSAGE, findings="CAST(findings AS jsonb)")}),
         b AS ({_into("bodies", statements.BODY, message_id="id")}),
         e AS ({statements.insert("events", "e", statements.EVENT)})
    INSERT INTO deliveries ({", ".join(statements.DELIVERY)}, due_at)
    SELECT {", ".join(_DELIVERY.get(name, name) for name in statements.DELIVERY)},
           CASE WHEN delivery = 'ready' THEN now() END
      FROM a WHERE delivery IS NOT NULL
    """  # noqa: S608
)


async def open_together(engine: AsyncEngine, batch: Batch, window: timedelta) -> list[Told]:
    """Store a batch of applications only; the end of each, in order.

    Errors: the driver's, with nothing stored: a key, nonce or case number was used before, or the store
    is away (then it may have been stored after all).
    """
    applications = batch.applications()
    if applications:
        await _OPEN.fetch(
            engine,
            {
                **statements.arrays("a", _ROW, (row for _, row in applications)),
                **statements.arrays("e", statements.EVENT, batch.events),
                "window": window,
            },
        )
    for entry, _ in applications:
        ring = entry.intent.destination if entry.delivery == "ready" else ""
        entry.told = Acceptance(Stored.STORED, receipt=entry.receipt, ring=ring, result=entry.result)
    return [entry.told or LookupError("undecided") for entry in batch.entries]
