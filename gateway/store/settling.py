"""What attempts led to, written in one transaction: quickly where nothing came between, else under locks."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter
from typing import TYPE_CHECKING, Any, cast

from gateway.canonical.tracking import Move, TrackedCase
from gateway.store import shapes, statements, tallies
from gateway.store.batch import Standing, event_rows, standing_of
from gateway.store.direct import Direct, may_have_happened
from gateway.store.records import Ending, Settlement

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from gateway.store.records import Seen
    from gateway.store.vault import Vault

OnEnd = Callable[[TrackedCase, Settlement], Move]

#: What an ending makes of the row; None: it leaves.
_STATES = {Ending.DELIVERED: None, Ending.RETRY: "ready", Ending.REFUSED: "refused", Ending.DEAD: "dead"}
#: Endings after which the next of the case may go (gateway §5).
_FREEING = frozenset({Ending.DELIVERED, Ending.REFUSED})

_TOGETHER = Direct(statements.SETTLE_TOGETHER)


async def settle_together(
    engine: AsyncEngine, vault: Vault, settlements: Sequence[Settlement], on_end: OnEnd
) -> bool:
    """All in one statement, on the cases as they were seen at the claim; False when nothing was written.

    That is so when a lease has passed, or a case was changed since. Errors: the line broke; then it may have
    been written after all, and whoever tries again finds the claims gone.
    """
    if any(each.delivery.seen is None for each in settlements):
        return False
    ended = [settlement for settlement in settlements if settlement.ending is not Ending.RETRY]
    if len({each.delivery.case_id for each in settlements}) < len(settlements):
        return False  # two verdicts on one case: the second must see what the first made of it
    events: list[dict[str, Any]] = []
    moved: list[dict[str, Any]] = []
    for settlement in ended:
        seen = cast("Seen", settlement.delivery.seen)
        standing = Standing(seen.case, seen.last_seq, seen.last_event)
        events.extend(_end(vault, standing, settlement, on_end))
        moved.append({**standing.row(), "seen_seq": seen.last_seq, "seen_event": seen.last_event})
    values = {
        **_rows(vault, settlements, events),
        **_counted((each, each.delivery.seen.case) for each in settlements if each.delivery.seen),
        **shapes.arrays("c", shapes.SEEN_CASE, sorted(moved, key=itemgetter("id"))),
        "moves": len(moved),
        "endings": len(settlements),
    }
    try:
        await _TOGETHER.fetch(engine, values)
    except Exception as error:
        if may_have_happened(error):
            raise
        return False
    return True


async def settle(
    connection: AsyncConnection, vault: Vault, settlements: Sequence[Settlement], on_end: OnEnd
) -> set[UUID]:
    """The same under locks, one after the other; the deliveries whose claim still held."""
    cases = sorted({settlement.delivery.case_id for settlement in settlements})
    locked = await connection.execute(statements.LOCK_CASES, {"ids": cases})
    standing = {row["id"]: standing_of(row) for row in locked.mappings()}
    held = await connection.execute(
        statements.LOCK_CLAIMS,
        {
            "ids": [settlement.delivery.id for settlement in settlements],
            "fences": [settlement.delivery.fence for settlement in settlements],
        },
    )
    counted = set(held.scalars())
    valid = [settlement for settlement in settlements if settlement.delivery.id in counted]
    if not valid:
        return counted
    events: list[dict[str, Any]] = []
    moved: dict[UUID, Standing] = {}
    for settlement in valid:
        if settlement.ending is not Ending.RETRY:
            case = standing[settlement.delivery.case_id]
            events.extend(_end(vault, case, settlement, on_end))
            moved[case.case.id] = case
    rows = (case.row() for case in moved.values())
    await connection.execute(
        statements.SETTLE,
        {
            **_rows(vault, valid, events),
            **_counted((each, standing[each.delivery.case_id].case) for each in valid),
            **shapes.arrays("c", shapes.CASE, rows),
        },
    )
    return counted


def _end(vault: Vault, standing: Standing, settlement: Settlement, on_end: OnEnd) -> list[dict[str, Any]]:
    move = on_end(standing.case, settlement)
    rows = event_rows(vault, move.case.id, move.events, after=standing.last_event)
    standing.case, standing.last_event = move.case, standing.last_event + len(rows)
    return rows


def _rows(
    vault: Vault, settlements: Sequence[Settlement], events: Sequence[dict[str, Any]]
) -> dict[str, list[Any]]:
    return {
        **shapes.arrays("s", shapes.ENDED, (_ended_row(vault, each) for each in settlements)),
        **shapes.arrays("a", shapes.ATTEMPT, (_attempt_row(vault, each) for each in settlements)),
        **shapes.arrays("e", shapes.EVENT, events),
    }


def _counted(ends: Iterable[tuple[Settlement, TrackedCase]]) -> dict[str, Any]:
    kept = list(ends)
    return {
        **shapes.arrays("t", shapes.TALLY, tallies.settled(kept)),
        "settled_at": max(each.began_at for each, _ in kept),
    }


def _ended_row(vault: Vault, settlement: Settlement) -> dict[str, Any]:
    delivery, state = settlement.delivery, _STATES[settlement.ending]
    # what leaves takes its last words along, in `attempts`
    words = f"{settlement.code} {settlement.text}".strip() if state else ""
    return {
        "id": delivery.id,
        "case_id": delivery.case_id,
        "destination": delivery.destination,
        "fence": delivery.fence,
        "state": state,
        "due_in_s": settlement.due_in_s,
        "last_error": vault.seal_text(delivery.id, "deliveries.last_error", words),
        "frees": settlement.ending in _FREEING,
    }


def _attempt_row(vault: Vault, settlement: Settlement) -> dict[str, Any]:
    delivery = settlement.delivery
    return {
        "message_id": delivery.message_id,
        "case_id": delivery.case_id,
        "attempt": delivery.attempt,
        "fence": delivery.fence,
        "began_at": settlement.began_at,
        "took_s": settlement.took_s,
        "http_status": settlement.http_status,
        "outcome": settlement.ending.value,
        "code": settlement.code,
        # a peer's words may name a person
        "words": vault.seal_text(delivery.id, f"attempts.words.{delivery.fence}", settlement.text),
    }
