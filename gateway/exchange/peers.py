"""What staff do to a destination: pause it, let it go on, set its pace; each on record with its reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from gateway.store.audit import Line

if TYPE_CHECKING:
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.exchange.door import Desk
    from gateway.store.peers import Pace, Peer, Record


@dataclass(frozen=True, slots=True)
class Standing:
    """A destination, why it is paused, and what waits there. Units: seconds; None: nothing is due."""

    peer: Peer
    reason: str
    waiting_s: float | None


async def standings(rt: Desk) -> list[Standing]:
    """All destinations, by slug."""
    due, held = await rt.deliveries.due(), await rt.peers.held()
    found = []
    for slug in sorted(rt.regions):
        peer = await rt.peers.find(slug)
        reason = await rt.audit.reason(peer.paused_line) if peer.paused_line else ""
        found.append(Standing(peer, reason, held.get(slug) if peer.is_paused else due.get(slug)))
    return found


async def pause(rt: Desk, slug: str, actor: str, reason: str) -> bool:
    """Once this has returned no worker claims for it; what is in flight ends by itself.

    False when it is paused already. Errors: `LookupError` for an unknown destination.
    """
    _known(rt, slug)
    return await rt.peers.pause(slug, actor, _record(rt, Line(actor, "pause", slug, reason)))


async def resume(rt: Desk, slug: str, actor: str, reason: str) -> bool:
    """What was held goes at once. False when it is not paused. Errors: as `pause`."""
    _known(rt, slug)
    changed = await rt.peers.resume(slug, _record(rt, Line(actor, "resume", slug, reason)))
    if changed:
        await rt.bell.ring(slug, loudly=True)
    return changed


async def set_pace(rt: Desk, slug: str, pace: Pace, actor: str, reason: str) -> None:
    """Calls per second and in flight, over all workers together. Errors: as `pause`."""
    _known(rt, slug)
    before = (await rt.peers.find(slug)).pace
    line = Line(actor, "pace", slug, reason, before=asdict(before), after=asdict(pace))
    await rt.peers.set_pace(slug, pace, _record(rt, line))
    await rt.bell.ring(slug, loudly=True)


async def ask_probe(rt: Desk, slug: str, actor: str, reason: str) -> UUID:
    """Put on record that a connection test is asked for; the line's id. Errors: as `pause`."""
    _known(rt, slug)
    return await rt.audit.append(actor, "probe", slug, reason)


def _known(rt: Desk, slug: str) -> None:
    if slug not in rt.regions:
        raise LookupError(slug)


def _record(rt: Desk, line: Line) -> Record:
    async def record(connection: AsyncConnection) -> UUID:
        return await rt.audit.write(connection, line)

    return record
