"""The state at a glance, worked out once for all the pages and walls that are told of a change."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar, cast

from gateway.exchange import overview
from gateway.store import tallies
from gateway.store.overview import Overview

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request

    from gateway.dashboard.live import Hub
    from gateway.exchange.overview import Seen
    from gateway.runtime import Runtime
    from gateway.store.overview import ItemFlow, Passage, Today
    from gateway.store.tallies import Point, Span

T = TypeVar("T")

#: How old an answer may be that is given to another page while no change is told. Seconds.
FRESH_S = 1.0
#: Hours the pictures of the flow show.
HOURS = 24


@dataclass(frozen=True, slots=True)
class Now:
    """What the fragment on top shows. Units: seconds from acceptance to delivery, today; None: none delivered."""

    seen: Seen
    today: Today
    p50_s: float | None
    p95_s: float | None


@dataclass(slots=True)
class Glance:
    """Answers with the moment they were made; whoever asks meanwhile waits for the one who works it out."""

    hub: Hub
    _kept: dict[str, tuple[float, Any]] = field(default_factory=dict)
    _turns: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def now(self, rt: Runtime) -> Now:
        """Counts, lights and needs."""

        async def work() -> Now:
            seen = await overview.look(rt)
            now = rt.clock.now()
            day = await tallies.today(rt.engine, now, tallies.Wanted())
            return Now(seen, await Overview(rt.engine).today(now), day.p50_s, day.p95_s)

        return await self._once("now", work)

    async def passages(self, rt: Runtime) -> Sequence[Passage]:
        """Cases between divisions over the last hours."""
        since = rt.clock.now() - timedelta(hours=HOURS)
        return await self._once("passages", lambda: Overview(rt.engine).passages(since))

    async def items(self, rt: Runtime) -> Sequence[ItemFlow]:
        """Applications by item over the last hours."""
        return await self._once("items", lambda: Overview(rt.engine).items(rt.clock.now(), HOURS))

    async def curve(self, rt: Runtime, span: Span) -> Sequence[Point]:
        """The buckets of a span."""
        return await self._once(
            span, lambda: tallies.series(rt.engine, span, rt.clock.now(), tallies.Wanted())
        )

    async def _once(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        async with self._turns.setdefault(name, asyncio.Lock()):
            began = asyncio.get_running_loop().time()
            made, kept = self._kept.get(name, (-FRESH_S, None))
            if began - made < FRESH_S and made >= self.hub.told_at:
                return cast("T", kept)
            answer = await work()
            self._kept[name] = (began, answer)
            return answer


def glance(request: Request) -> Glance:
    """The one of this process."""
    found: Glance | None = getattr(request.app.state, "glance", None)
    if found is None:
        found = request.app.state.glance = Glance(request.app.state.hub)
    return found
