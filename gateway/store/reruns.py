"""Bulk reruns as durable jobs: chosen once, carried out one message at a time, each with its outcome kept."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from gateway.store import rerun_statements as statements
from gateway.store.deliveries import reopen
from gateway.store.engine import Also, nothing_else, single

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from uuid import UUID

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from gateway.store.vault import Vault

#: What came of an item's turn; ``skipped``: it was no longer as it was chosen.
Result = Literal["tried", "still_parked", "skipped", "failed"]

#: From which states a verb may move a job, and to which.
MOVES: Mapping[str, tuple[frozenset[str], str]] = {
    "approve": (frozenset({"unapproved"}), "running"),
    "pause": (frozenset({"running"}), "paused"),
    "resume": (frozenset({"paused"}), "running"),
    "cancel": (frozenset({"unapproved", "running", "paused", "settling"}), "cancelled"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages: one resting state, and whatever else is given.

    ``kind`` canonical or the receiver's own; ``cause`` the code of the last attempt, or of a finding for a
    parked one, and then ``path`` (indices as ``[]``) and ``value`` of that finding; ``since``/``until`` bound
    the time of receipt, both included.
    """

    state: str
    destination: str | None = None
    kind: str | None = None
    item: str | None = None
    cause: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    case_nos: tuple[str, ...] = ()
    path: str | None = None
    value: str | None = None

    def as_json(self) -> dict[str, Any]:
        """What was given, as JSON."""
        written = {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
        }
        return {name: value for name, value in written.items() if value not in (None, ())}


@dataclass(frozen=True, slots=True)
class Chosen:
    """One message a rerun would take."""

    message_id: UUID
    case_id: UUID
    case_no: str
    seq: int
    destination: str
    native_kind: str
    before_state: str
    before_cause: str


@dataclass(frozen=True, slots=True)
class Rerun:
    """A job. ``capped``: more matched than it took. Units: ``per_second`` messages."""

    id: UUID
    state: str
    created_at: datetime
    created_by: str
    reason: str = field(repr=False)
    filter: Mapping[str, Any]
    per_second: float
    total: int
    capped: bool
    needs_approval: bool
    approved_by: str | None
    approved_at: datetime | None
    tried: int
    finished_at: datetime | None

    @property
    def is_over(self) -> bool:
        """Nothing will happen to it any more."""
        return self.state in ("done", "cancelled")


@dataclass(frozen=True, slots=True)
class Item:
    """One message of a job: what it was, and what it became."""

    n: int
    message_id: UUID
    case_no: str
    destination: str
    native_kind: str
    before_state: str
    before_cause: str
    result: Result | None
    after_state: str | None
    after_cause: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """So many messages went from one outcome to another; ``untried`` and ``under_way`` have none yet."""

    before_state: str
    before_cause: str
    after_state: str
    after_cause: str
    messages: int


@dataclass(frozen=True, slots=True)
class Order:
    """A job to be made: who asked for it and why, how fast, how many at most."""

    id: UUID
    wanted: Wanted
    by: str
    reason: str = field(repr=False)
    at: datetime
    per_second: float
    cap: int
    alone_up_to: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One step of a job, in a transaction that holds the job; ``item`` None: all have had their turn."""

    rerun_id: UUID
    by: str
    item: Item | None
    connection: AsyncConnection = field(repr=False)

    async def reopen(self, message_id: UUID, state: str) -> str:
        """Retry in this transaction: either both this and the item's mark are kept, or neither."""
        return await reopen(self.connection, message_id, (state,))

    async def tried(self, result: Result, cause: str = "") -> None:
        """Mark the item; it is never taken again."""
        if self.item is None:
            raise ValueError("there was no item")
        await self.connection.execute(
            statements.TRIED, {"id": self.rerun_id, "n": self.item.n, "result": result, "cause": cause}
        )
        await self.connection.execute(statements.PASS, {"id": self.rerun_id})

    async def all_tried(self) -> None:
        """From now on only the outcomes are awaited."""
        await self.connection.execute(statements.MOVE, {"id": self.rerun_id, "state": "settling"})


class Reruns:
    """The tables ``reruns`` and ``rerun_items``."""

    def __init__(self, engine: AsyncEngine, vault: Vault) -> None:
        self._engine, self._vault = engine, vault

    async def choose(self, wanted: Wanted, cap: int) -> tuple[list[Chosen], bool]:
        """The oldest ``cap`` messages that match, by case and place in it, and whether there are more."""
        async with single(self._engine) as connection:
            return await _choose(connection, wanted, cap)

    async def create(self, order: Order, *, also: Also = nothing_else) -> Rerun | None:
        """Choose and keep, in one transaction; None when nothing matches."""
        await self._vault.prepare([order.id])
        async with self._engine.begin() as connection:
            chosen, capped = await _choose(connection, order.wanted, order.cap)
            if not chosen:
                return None
            needs_approval = len(chosen) > order.alone_up_to
            await connection.execute(
                statements.CREATE,
                {
                    "id": order.id,
                    "state": "unapproved" if needs_approval else "running",
                    "created_at": order.at,
                    "created_by": order.by,
                    "reason": self._vault.seal_text(order.id, "reruns.reason", order.reason),
                    "filter": json.dumps(order.wanted.as_json(), ensure_ascii=False),
                    "per_second": order.per_second,
                    "total": len(chosen),
                    "capped": capped,
                    "needs_approval": needs_approval,
                },
            )
            await connection.execute(statements.ADD_ITEMS, {"id": order.id, **_arrays(chosen)})
            await also(connection)
        return await self.find(order.id)

    async def find(self, rerun_id: UUID) -> Rerun | None:
        """One job."""
        async with single(self._engine) as connection:
            row = (await connection.execute(statements.FIND, {"id": rerun_id})).mappings().one_or_none()
        return None if row is None else (await self._reruns([row]))[0]

    async def page(self, limit: int, after: UUID | None) -> list[Rerun]:
        """Newest first."""
        async with single(self._engine) as connection:
            found = await connection.execute(statements.PAGE, {"after": after, "places": limit})
            return await self._reruns(found.mappings().all())

    async def diff(self, rerun_id: UUID) -> list[Change]:
        """What became of what, most messages first."""
        async with single(self._engine) as connection:
            found = await connection.execute(statements.DIFF, {"id": rerun_id})
            return [Change(**row) for row in found.mappings()]

    async def items(self, rerun_id: UUID, limit: int, after: int = 0) -> list[Item]:
        """The messages of a job in their order, from the one after ``after``."""
        async with single(self._engine) as connection:
            wanted = {"id": rerun_id, "after": after, "places": limit}
            return [_item(row) for row in (await connection.execute(statements.ITEMS, wanted)).mappings()]

    async def move(self, rerun_id: UUID, verb: str, by: str, *, also: Also = nothing_else) -> bool:
        """Approve, pause, resume or cancel; False when the job is in no state for it.

        Waits for the turn under way: after a pause or a cancel no message is taken. Errors: `LookupError`
        for an unknown job, `PermissionError` when the one who asked approves.
        """
        sources, target = MOVES[verb]
        async with self._engine.begin() as connection:
            row = (await connection.execute(statements.LOCK, {"id": rerun_id})).mappings().one_or_none()
            if row is None:
                raise LookupError(str(rerun_id))
            if row["state"] not in sources:
                return False
            if verb == "approve":
                if row["created_by"] == by:
                    raise PermissionError(by)
                await connection.execute(statements.APPROVE, {"id": rerun_id, "by": by})
            await connection.execute(statements.MOVE, {"id": rerun_id, "state": target})
            await also(connection)
            return True

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn | None]:
        """The next step of a job whose time has come; committed at the end, undone by an error or a kill."""
        async with self._engine.begin() as connection:
            job = (await connection.execute(statements.TURN)).mappings().one_or_none()
            if job is None:
                yield None
                return
            row = (await connection.execute(statements.NEXT, {"id": job["id"]})).mappings().one_or_none()
            yield Turn(job["id"], job["created_by"], None if row is None else _item(row), connection)

    async def any_running(self) -> bool:
        """Whether some job has turns to come."""
        async with single(self._engine) as connection:
            return bool((await connection.execute(statements.RUNNING)).scalar_one())

    async def look(self) -> bool:
        """Write down what became of the tried of one job, at most once a second over all workers."""
        async with self._engine.begin() as connection:
            job = (await connection.execute(statements.LOOK)).mappings().one_or_none()
            if job is None:
                return False
            await connection.execute(statements.OUTCOMES, {"id": job["id"]})
            await connection.execute(statements.LOOKED_ONLY, {"id": job["id"]})
            await connection.execute(statements.LOOKED, {"id": job["id"]})
            return True

    async def _reruns(self, rows: Sequence[RowMapping]) -> list[Rerun]:
        await self._vault.learn(row["reason"] for row in rows)
        named = [name for name in Rerun.__dataclass_fields__ if name != "reason"]
        return [
            Rerun(
                **{name: row[name] for name in named},
                reason=self._vault.open_text(row["id"], "reruns.reason", row["reason"]),
            )
            for row in rows
        ]


_WORDS = ("destination", "kind", "item", "cause", "path", "value")


async def _choose(connection: AsyncConnection, wanted: Wanted, cap: int) -> tuple[list[Chosen], bool]:
    filters = {name: getattr(wanted, name) for name in _WORDS}
    times = {"since": wanted.since, "until": wanted.until}
    found = await connection.execute(
        statements.MATCHING[wanted.state],
        {**filters, **times, "case_nos": list(wanted.case_nos), "places": cap + 1},
    )
    rows = [Chosen(**row) for row in found.mappings()]
    return sorted(rows[:cap], key=lambda row: (row.case_id, row.seq)), len(rows) > cap


def _arrays(chosen: Sequence[Chosen]) -> dict[str, list[Any]]:
    return {name: [getattr(one, name) for one in chosen] for name in Chosen.__dataclass_fields__}


def _item(row: RowMapping) -> Item:
    return Item(**{name: row[name] for name in Item.__dataclass_fields__})
