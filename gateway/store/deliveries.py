"""The queue: claim under a lease, settle under a fence, let the next of a case go; operators' verbs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import text

from gateway.canonical.kinds import Kind
from gateway.store import releases, settling, statements
from gateway.store.direct import Direct
from gateway.store.engine import Also, nothing_else, single
from gateway.store.records import Delivery, OpenDelivery, Seen, Settlement
from gateway.store.rows import case_of
from gateway.store.vault import BODY, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from gateway.canonical.tracking import Move, TrackedCase
    from gateway.store.vault import Vault

_CLAIM = Direct(statements.CLAIM_WHOLE)


@dataclass(frozen=True, slots=True)
class Settled:
    """What counted, and what came too late to: somebody else holds those deliveries now."""

    counted: tuple[Settlement, ...]
    late: tuple[Settlement, ...]


class Deliveries:
    """Open deliveries by destination.

    Leases and waits run on the database's clock, one for all workers. ``clock`` is the gateway's own: by
    it the first attempt is dated, because the promise to give up after days is made in its time.
    """

    def __init__(self, engine: AsyncEngine, vault: Vault, *, clock: Callable[[], datetime]) -> None:
        self._engine, self._vault, self._clock = engine, vault, clock

    async def claim(self, destination: str, places: int, lease_s: float) -> list[Delivery]:
        """At most ``places`` due deliveries, ours for ``lease_s`` seconds; two claimers never share one.

        One whose bytes do not open is dead and does not keep the others.
        """
        wanted = {"destination": destination, "places": places, "lease_s": lease_s, "now": self._clock()}
        claimed = await _CLAIM.fetch(self._engine, wanted)
        if not claimed:
            return []
        await self._vault.learn(row["rendered"] for row in claimed)
        opened: list[Delivery] = []
        for row in claimed:
            try:
                opened.append(self._delivery(row))
            except UnreadableError:
                await self._bury(row["message_id"], row["fence"])
        return opened

    async def settle(
        self,
        settlements: Sequence[Settlement],
        *,
        on_end: Callable[[TrackedCase, Settlement], Move],
    ) -> Settled:
        """Write what attempts led to, in one transaction; a settlement with an old fence touches nothing.

        ``on_end`` moves the case of a settlement that is no retry, on the locked row.
        """
        if not settlements:
            return Settled((), ())
        latest = {settlement.delivery.id: settlement for settlement in settlements}
        await self._vault.prepare(
            row_id
            for settlement in latest.values()
            for row_id in (settlement.delivery.id, settlement.delivery.case_id)
        )
        if len(latest) == len(settlements) and await settling.settle_together(
            self._engine, self._vault, settlements, on_end
        ):
            return Settled(tuple(settlements), ())
        async with self._engine.begin() as connection:
            counted = await settling.settle(connection, self._vault, list(latest.values()), on_end)
        late = [settlement for settlement in settlements if settlement.delivery.id not in counted]
        return Settled(tuple(s for s in latest.values() if s.delivery.id in counted), tuple(late))

    async def due(self) -> dict[str, float]:
        """Seconds the oldest due delivery has waited, by destination; destinations without one are left out."""
        async with single(self._engine) as connection:
            return {row.destination: row.overdue_s for row in await connection.execute(statements.DUE)}

    async def next_due_in(self, destination: str) -> float | None:
        """Seconds until something is due (0 or less: now), None when nothing waits for a time."""
        async with single(self._engine) as connection:
            found = await connection.execute(statements.NEXT_DUE, {"destination": destination})
            seconds: float | None = found.scalar_one_or_none()
            return seconds

    async def promote_stranded(self) -> int:
        """Let go whatever waits behind nothing; how many cases it looked at. The sweep's backstop."""
        async with self._engine.begin() as connection:
            cases = sorted((await connection.execute(statements.STRANDED)).scalars())
            if cases:
                await connection.execute(statements.LOCK_CASES, {"ids": cases})
                await connection.execute(statements.PROMOTE, {"cases": cases})
        return len(cases)

    async def retry(self, message_id: UUID, *, also: Also = nothing_else) -> str:
        """Send a dead or refused delivery again under the same message id, or a waiting one at once.

        It goes back to its place in the order of its case; attempts are counted anew. ``also`` is done in
        the same transaction. Returns its destination. Errors: `LookupError` when it is gone, being sent,
        parked, or behind another.
        """
        async with self._engine.begin() as connection:
            destination = await reopen(connection, message_id, ("dead", "refused", "ready"))
            await also(connection)
            return destination

    async def cancel(self, message_id: UUID, *, also: Also = nothing_else) -> str:
        """Take a delivery out; the next of its case may go. Returns its destination.

        ``also`` is done in the same transaction. Errors: `LookupError` when it is gone or being sent.
        """
        async with self._engine.begin() as connection:
            held = await _held(connection, message_id, ("behind", "ready", "parked", "dead", "refused"))
            await connection.execute(statements.DROP_DELIVERY, {"id": message_id})
            await connection.execute(statements.PROMOTE, {"cases": [held.standing.case.id]})
            await also(connection)
            return str(held.delivery["destination"])

    async def cancel_case(self, case_id: UUID, destination: str) -> int:
        """Take out all that waits for a case towards a side, but for what is being sent; how many."""
        async with self._engine.begin() as connection:
            await connection.execute(statements.LOCK_CASES, {"ids": [case_id]})
            dropped = await connection.execute(
                statements.DROP_DELIVERIES, {"case_id": case_id, "destination": destination}
            )
            return int(dropped.rowcount)

    async def open(
        self,
        state: str | None = None,
        *,
        destination: str | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> tuple[list[OpenDelivery], str | None]:
        """Deliveries as operators see them, oldest first. Errors: `ValueError` for a bad cursor."""
        async with single(self._engine) as connection:
            query = _OPEN if state is None else _OPEN_IN
            which = {"after": UUID(after or _FIRST), "destination": destination, "places": limit + 1}
            found = await connection.execute(query, which if state is None else {**which, "state": state})
            rows = found.mappings().all()
        await self._vault.learn(row["last_error"] for row in rows)
        more = len(rows) > limit
        return [self._open(row) for row in rows[:limit]], str(rows[limit - 1]["id"]) if more else None

    async def _bury(self, message_id: UUID, fence: int) -> None:
        async with single(self._engine) as connection:
            await connection.execute(statements.BURY, {"id": message_id, "fence": fence})

    def _delivery(self, row: Mapping[str, Any]) -> Delivery:
        message_id, sealed = row["message_id"], row["rendered"]
        return Delivery(
            id=message_id,
            message_id=message_id,
            case_id=row["id"],
            destination=row["destination"],
            kind=Kind(row["message_kind"]),
            native_kind=row["native_kind"],
            attempt=row["attempt"],
            fence=row["fence"],
            rendered=self._vault.decrypt(BODY, message_id, "bodies.rendered", sealed or b""),
            first_attempt_at=row["first_attempt_at"],
            case_no=row["case_no"],
            seen=Seen(case_of(row), row["last_seq"], row["last_event"]),
        )

    def _open(self, row: RowMapping) -> OpenDelivery:
        return OpenDelivery(
            message_id=row["id"],
            case_no=row["case_no"],
            destination=row["destination"],
            native_kind=row["native_kind"],
            state=row["state"],
            attempt=row["attempt"],
            due_at=row["due_at"],
            last_error=self._vault.open_text(row["id"], "deliveries.last_error", row["last_error"]),
        )


#: Before every id. No "IS NULL OR" about it: that would keep the planner from the range it opens.
_FIRST = "00000000-0000-0000-0000-000000000000"
_TO = "(CAST(:destination AS text) IS NULL OR destination = CAST(:destination AS text))"
_OPEN = text(f"SELECT * FROM deliveries WHERE id > :after AND {_TO} ORDER BY id LIMIT :places")  # noqa: S608
#: What waits for staff has an index of its own (state, id); the others are read in order of the key.
_OPEN_IN = text(
    f"SELECT * FROM deliveries WHERE state = :state AND id > :after AND {_TO} ORDER BY id LIMIT :places"  # noqa: S608
)


async def reopen(connection: AsyncConnection, message_id: UUID, states: tuple[str, ...]) -> str:
    """Within a transaction: back to its place in the order of its case, attempts counted anew.

    Returns its destination. Errors: `LookupError` when it is in none of these states.
    """
    held = await _held(connection, message_id, states)
    place = {name: held.delivery[name] for name in ("case_id", "destination", "seq")}
    await connection.execute(statements.AFRESH, {"id": message_id})
    await connection.execute(statements.HOLD_FOLLOWERS, place)
    await connection.execute(statements.REOPEN, {"id": message_id})
    return str(held.delivery["destination"])


async def _held(connection: AsyncConnection, message_id: UUID, states: tuple[str, ...]) -> releases.Held:
    held = await releases.hold(connection, message_id)
    if held is None or held.delivery["state"] not in states:
        raise LookupError(str(message_id))
    return held
