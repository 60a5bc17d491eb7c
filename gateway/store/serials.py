"""Serial numbers of the gateway: per scope and day, from 1, never the same twice in any process."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.store.direct import Direct
from gateway.store.engine import is_away
from gateway.store.gather import Gather, busy

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.ext.asyncio import AsyncEngine

_LARGEST_BLOCK = 512

#: Sorted, so that two processes never wait for each other.
_TAKE = Direct(
    "INSERT INTO counters (scope, day, taken)"
    " SELECT * FROM unnest(CAST(:scopes AS text[]), CAST(:days AS date[]), CAST(:blocks AS bigint[])) AS w(scope, day, n)"
    " ORDER BY scope, day"
    " ON CONFLICT (scope, day) DO UPDATE SET taken = counters.taken + excluded.taken RETURNING scope, day, taken"
)

_Wanted = tuple[str, "date", int]


@dataclass(slots=True)
class _Block:
    """Numbers taken from the database and not yet given: ``next`` up to and with ``last``."""

    next: int = 1
    last: int = 0
    size: int = 1


class Serials:
    """Takes numbers from the table in blocks that grow with the day's traffic.

    What is left of a block when the process ends is not given again: numbers are unique, not gapless.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._day: date | None = None
        self._blocks: defaultdict[tuple[str, date], _Block] = defaultdict(_Block)
        self._locks: defaultdict[tuple[str, date], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._refills: Gather[_Wanted, int] = Gather(self._take_all)

    async def take(self, scope: str, day: date) -> int:
        """The next number of a scope (``case``, ``message:<region>``) on a day (Beijing).

        Errors: `Refusal` 503 9060 when the store is away.
        """
        self._forget_before(day)
        block = self._blocks[scope, day]
        if block.next > block.last:
            async with self._locks[scope, day]:
                if block.next > block.last:
                    await self._refill(block, scope, day)
                return _next(block)
        return _next(block)

    async def _refill(self, block: _Block, scope: str, day: date) -> None:
        last = await self._refills.ask((scope, day, block.size))
        block.next, block.last = last - block.size + 1, last
        block.size = min(block.size * 2, _LARGEST_BLOCK)

    async def _take_all(self, wanted: list[_Wanted]) -> list[int]:
        """The blocks of several scopes in one round trip; no scope twice, as each waits for its own lock."""
        scopes, days, blocks = zip(*wanted, strict=True)
        try:
            rows = await _TAKE.fetch(self._engine, {"scopes": scopes, "days": days, "blocks": blocks})
        except Exception as error:
            if is_away(error):
                raise busy() from None
            raise
        taken = {(row["scope"], row["day"]): int(row["taken"]) for row in rows}
        return [taken[scope, day] for scope, day, _ in wanted]

    def _forget_before(self, day: date) -> None:
        if self._day is None or day > self._day:
            self._day = day
            for kept in [key for key in self._blocks if (day - key[1]).days > 1]:
                del self._blocks[kept]
                self._locks.pop(kept, None)


def _next(block: _Block) -> int:
    number = block.next
    block.next += 1
    return number
