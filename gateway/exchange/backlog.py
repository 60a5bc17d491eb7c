"""Release what waits for one thing, or everything, oldest first, and say what still waits and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.exchange import intervene

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from gateway.exchange.door import Desk
    from gateway.store.parked import Cause

_PAGE = 100
_INDEX = re.compile(r"\[[0-9]+\]")


@dataclass(frozen=True, slots=True)
class Tried:
    """One parked message treated again; ``findings`` empty = released."""

    message_id: UUID
    findings: list[dict[str, str]]


def pattern_of(path: str) -> str:
    """A path with its indices left out, as causes have it: ``param.clist[0].clbm`` → ``param.clist[].clbm``."""
    return _INDEX.sub("[]", path)


async def release(rt: Desk, actor: str, cause: Cause | None) -> AsyncIterator[Tried]:
    """Treat again all messages of a cause, or all there are, in order; each is told as soon as it is done."""
    after: UUID | None = None
    while True:
        page = await _page(rt, cause, after)
        for message_id in page:
            try:
                yield Tried(message_id, await intervene.release(rt, message_id, actor))
            except LookupError:  # someone else was quicker
                continue
        if len(page) < _PAGE:
            return
        after = page[-1]


async def _page(rt: Desk, cause: Cause | None, after: UUID | None) -> list[UUID]:
    if cause is not None:
        return [*await rt.cases.parked_for(cause, _PAGE, after)]
    found, _ = await rt.cases.parked_page(_PAGE, None if after is None else str(after))
    return [message.id for message in found]
