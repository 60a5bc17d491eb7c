"""Messages of one round in one statement: all of them are stored, or none and the careful way decides.

Nearly every message is new in every respect and its case untouched since it was looked up, so nothing has to be
asked first: a nonce, a key or a case number that is not new breaks the statement, and so does a case that somebody
has changed meanwhile; with it goes everything it did.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from gateway.store import shapes, statements
from gateway.store.direct import Direct
from gateway.store.records import Acceptance, Stored

if TYPE_CHECKING:
    from datetime import timedelta

    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.store.batch import Batch, Told

#: One row per message: itself, its bodies and its delivery.
_MESSAGE: shapes.Shape = {
    **shapes.MESSAGE,
    **{name: kind for name, kind in shapes.BODY.items() if name != "message_id"},
    "case_no": "text",
    "nonce": "text",
    "delivery": "text",
}
#: The same with the case that it opens.
_APPLICATION: shapes.Shape = {
    **_MESSAGE,
    **{name: kind for name, kind in shapes.NEW_CASE.items() if name not in {"id", "kind", "received_at"}},
    "opened_at": "timestamptz",
}
_CASE = {"id": "case_id", "received_at": "opened_at", "tracking": "CAST(tracking AS jsonb)"}


def _into(table: str, shape: shapes.Shape, **instead: str) -> str:
    values = ", ".join(instead.get(name, name) for name in shape)
    return f"INSERT INTO {table} ({', '.join(shape)}) SELECT {values} FROM a"  # noqa: S608


def _deliver(state: str) -> str:
    instead = {"native_kind": "out_kind", "state": state, "rendered": "rendered IS NOT NULL"}
    values = ", ".join(instead.get(name, name) for name in shapes.DELIVERY)
    return f"""INSERT INTO deliveries ({", ".join(shapes.DELIVERY)}, due_at)
               SELECT d.*, CASE WHEN d.state = 'ready' THEN now() END
                 FROM (SELECT {values} FROM a WHERE delivery IS NOT NULL) AS d({", ".join(shapes.DELIVERY)})
    """  # noqa: S608


#: Without ON CONFLICT: what is not new is an error. A nonce that may not be used yet turns into a null, which is one.
_KEPT = f"""
         n AS (INSERT INTO nonces (region, nonce, seen_at)
               SELECT region, nonce, received_at FROM a WHERE nonce IS NOT NULL
               ON CONFLICT (region, nonce) DO UPDATE
                  SET seen_at = CASE WHEN nonces.seen_at < excluded.seen_at - CAST(:window AS interval)
                                     THEN excluded.seen_at END),
         r AS ({_into("receipts", shapes.KEY, message_id="id")}),
         m AS ({_into("messages", shapes.MESSAGE, findings="CAST(findings AS jsonb)")}),
         b AS ({_into("bodies", shapes.BODY, message_id="id")}),
         t AS ({shapes.insert("tally_deltas", "t", shapes.TALLY)}),
         e AS ({shapes.insert("events", "e", shapes.EVENT)})
"""  # noqa: S608

_OPEN = Direct(
    f"""
    WITH a AS MATERIALIZED (SELECT * FROM {shapes.rows("a", _APPLICATION)}),
         c AS ({_into("cases", shapes.NEW_CASE, **_CASE)}),
         {_KEPT}
    {_deliver("delivery")}
    """  # noqa: S608
)

#: Whether something of the case is still open is read with the case's own numbers: whoever ended it has counted one up.
_APPEND = Direct(
    f"""
    WITH a AS MATERIALIZED (SELECT * FROM {shapes.rows("a", _MESSAGE)}),
         c AS ({statements.MOVE_SEEN} RETURNING cases.id),
         {_KEPT},
         d AS ({_deliver(statements.IF_FIRST.format(d="a", state="delivery"))})
    SELECT 1 / CASE WHEN (SELECT count(*) FROM c) = CAST(:moves AS bigint) THEN 1 ELSE 0 END
    """  # noqa: S608
)


async def open_together(engine: AsyncEngine, batch: Batch, window: timedelta) -> list[Told]:
    """Store a batch of applications only; the end of each, in order.

    Errors: the driver's, with nothing stored: a key, nonce or case number was used before, or the store
    is away (then it may have been stored after all).
    """
    applications = batch.applications()
    if applications:
        values = shapes.arrays("a", _APPLICATION, (row for _, row in applications))
        await _OPEN.fetch(engine, {**values, **batch.told_of(), "window": window})
    return _told(batch)


async def append_together(engine: AsyncEngine, batch: Batch, window: timedelta) -> list[Told | None]:
    """Store a batch of follow-ups, each to another case, as those were seen; the end of each, in order.

    None for one that its case, as seen, does not allow: it is not stored, and the careful way tells why not.
    Errors: as `open_together`, and the driver's when a case was changed since.
    """
    follow_ups, cases = batch.follow_ups()
    if follow_ups:
        values: dict[str, Any] = {
            **shapes.arrays("a", _MESSAGE, follow_ups),
            # in the order in which everybody takes cases
            **shapes.arrays("c", shapes.SEEN_CASE, sorted(cases, key=itemgetter("id"))),
            **batch.told_of(),
        }
        await _APPEND.fetch(engine, {**values, "window": window, "moves": len(cases)})
    return [
        None if isinstance(end, Acceptance) and end.stored is not Stored.STORED else end
        for end in _told(batch)
    ]


def _told(batch: Batch) -> list[Told]:
    for entry in batch.entries:
        if entry.told is None:
            ring = entry.intent.destination if entry.delivery == "ready" else ""
            entry.told = Acceptance(Stored.STORED, receipt=entry.receipt, ring=ring, result=entry.result)
    return [entry.told or LookupError("undecided") for entry in batch.entries]
