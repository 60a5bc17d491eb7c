"""Group commit: callers that come while a round is under way go together in the next.

No timer: a lone caller waits for nothing. A second round opens beside the first only when enough wait.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar, cast

from gateway.errors import Refusal

Asked = TypeVar("Asked")
Told = TypeVar("Told")

#: Answers one round, in order; an exception in a place is raised to that caller alone.
Round = Callable[[list[Asked]], Awaitable[Sequence[Told | BaseException]]]

_SECOND_ROUND_AT = 8


class Gather(Generic[Asked, Told]):
    """Collects callers of `ask` into rounds of at most ``cap``; at most ``rounds`` at a time."""

    def __init__(
        self, do: Round[Asked, Told], *, cap: int = 128, rounds: int = 2, waiting: int = 2048
    ) -> None:
        self._do, self._cap, self._rounds, self._limit = do, cap, rounds, waiting
        self._waiting: deque[tuple[Asked, asyncio.Future[Told]]] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._closed = False

    async def ask(self, asked: Asked) -> Told:
        """The answer of the round this caller fell into. Errors: `Refusal` 503 9060 when too many wait."""
        if self._closed or len(self._waiting) >= self._limit:
            raise busy()
        answer: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        self._open_round()
        return await answer

    async def close(self) -> None:
        """Take no more; answer all who wait."""
        self._closed = True
        while self._running:
            await asyncio.wait(self._running)

    def _open_round(self) -> None:
        running = len(self._running)
        if running == 0 or (running < self._rounds and len(self._waiting) >= _SECOND_ROUND_AT):
            task = asyncio.create_task(self._go())
            self._running.add(task)

    async def _go(self) -> None:
        try:
            await self._answer_all()
        finally:
            # Here and not in a done callback: that runs a turn later, and who asks between the two would
            # count on a round that has already ended.
            self._running.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _answer_all(self) -> None:
        while self._waiting:
            taken = [self._waiting.popleft() for _ in range(min(self._cap, len(self._waiting)))]
            try:
                told: Sequence[Told | BaseException] = await self._do([asked for asked, _ in taken])
            except Exception as error:  # noqa: BLE001 (it is handed to the callers, who raise it)
                told = [error] * len(taken)
            for (_, answer), value in zip(taken, told, strict=True):
                if answer.done():
                    continue
                if isinstance(value, BaseException):
                    answer.set_exception(value)
                else:
                    answer.set_result(value)


def busy() -> Refusal:
    """Step 14 of crossing §1."""
    return Refusal(503, "9060", "网关暂时无法保存报文，请稍后用同一报文键重发", retry_after=2)
