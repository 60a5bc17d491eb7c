"""Bulk reruns: what would be run again, the job that does it, one message at a time in case order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from gateway.exchange import intervene
from gateway.store.audit import Line
from gateway.store.engine import is_away
from gateway.store.reruns import MOVES, Order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.exchange.door import Desk
    from gateway.store.reruns import Chosen, Item, Rerun, Turn, Wanted

#: A job never takes more than this; what is left over is for the next one.
MOST = 10_000
SAMPLE = 10

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rerun would take. ``capped``: there are more than ``messages``."""

    messages: int
    capped: bool
    needs_approval: bool
    causes: Mapping[str, int]
    sample: Sequence[Chosen]


async def preview(rt: Desk, wanted: Wanted, cap: int, alone_up_to: int) -> Preview:
    """The dry run: nothing is written."""
    chosen, capped = await rt.reruns.choose(wanted, cap)
    causes = Counter(each.before_cause for each in chosen)
    return Preview(
        messages=len(chosen),
        capped=capped,
        needs_approval=len(chosen) > alone_up_to,
        causes=dict(causes.most_common()),
        sample=chosen[:SAMPLE],
    )


async def start(rt: Desk, order: Order) -> Rerun | None:
    """Make the job; workers carry it out. None when nothing matches."""
    detail: dict[str, object] = {"filter": order.wanted.as_json(), "per_second": order.per_second}
    line = Line(order.by, "rerun.start", str(order.id), order.reason, after=detail)

    async def record(connection: AsyncConnection) -> None:
        await rt.audit.write(connection, line)

    return await rt.reruns.create(order, also=record)


async def move(rt: Desk, rerun_id: UUID, verb: str, actor: str, reason: str) -> bool:
    """Approve, pause, resume, cancel: a key of ``store.reruns.MOVES``. False: in no state for it.

    Errors: as ``Reruns.move``.
    """
    line = Line(actor, f"rerun.{verb}", str(rerun_id), reason, after={"state": MOVES[verb][1]})

    async def record(connection: AsyncConnection) -> None:
        await rt.audit.write(connection, line)

    return await rt.reruns.move(rerun_id, verb, actor, also=record)


async def step(rt: Desk) -> bool:
    """Give one message of one job its turn; False when none has its time come.

    A retry and the mark of its item are one transaction: killed before the commit neither happened, after it
    the item is done with. A release is a transaction of its own, and cannot happen twice: what was released
    is no longer parked.
    """
    async with rt.reruns.turn() as turn:
        if turn is None:
            return False
        if turn.item is None:
            await turn.all_tried()
            return True
        destination = await _act(rt, turn, turn.item)
    if destination:
        await rt.bell.ring(destination)
    return True


async def _act(rt: Desk, turn: Turn, item: Item) -> str:
    act = _release if item.before_state == "parked" else _retry
    try:
        async with turn.connection.begin_nested():
            return await act(rt, turn, item)
    except Exception as error:
        if is_away(error):
            raise
        if type(error) is LookupError:  # retried, cancelled or released meanwhile; a `KeyError` is a bug
            await turn.tried("skipped")
        else:
            _log.exception("rerun_item_failed", rerun=str(turn.rerun_id), message_id=str(item.message_id))
            await turn.tried("failed", type(error).__name__)
    return ""


async def _retry(rt: Desk, turn: Turn, item: Item) -> str:
    destination = await turn.reopen(item.message_id, item.before_state)
    await rt.audit.write(turn.connection, _line(turn, "retry", item))
    await turn.tried("tried")
    return destination


async def _release(rt: Desk, turn: Turn, item: Item) -> str:
    findings = await intervene.release(rt, item.message_id, turn.by, f"rerun {turn.rerun_id}")
    if findings:
        await turn.tried("still_parked", findings[0]["code"])
        return ""
    await turn.tried("tried")
    return item.destination


def _line(turn: Turn, verb: str, item: Item) -> Line:
    before = {"state": item.before_state, "cause": item.before_cause}
    return Line(turn.by, verb, str(item.message_id), f"rerun {turn.rerun_id}", before=before)
