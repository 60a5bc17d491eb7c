"""What a drain tells operators of its destination, and whose turn it is to try one that is out of reach."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from gateway.store.peers import Sighting
from gateway.store.records import Ending

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from gateway.store.records import Settlement

#: Without news of the breaker the row is written so often: it is for people, and every write costs a commit.
TELL_EVERY_S = 10.0

_log = structlog.get_logger(__name__)


class Kept(Protocol):
    """What this needs of ``store.peers.Peers``."""

    async def may_probe(self, slug: str, rest_s: float, /) -> bool: ...

    async def saw(self, slug: str, seen: Sighting, /) -> None: ...


@dataclass(slots=True)
class Sight:
    """One worker's view of one destination.

    ``now`` is the gateway's clock, ``ticks`` a monotonic one in seconds.
    """

    destination: str
    kept: Kept
    now: Callable[[], datetime]
    ticks: Callable[[], float]
    _seen: Sighting = field(default_factory=lambda: Sighting(is_open=False))
    _told: bool | None = None
    _told_at: float = 0.0

    async def may_probe(self, rest_s: float) -> bool:
        """While the breaker is open: whether the one call of all workers is ours."""
        return await self.kept.may_probe(self.destination, rest_s)

    async def saw(self, settlements: Sequence[Settlement], *, is_open: bool) -> None:
        """Fold in what calls led to; told at once when the breaker has turned, else now and then."""
        self._seen = replace(self._seen, is_open=is_open, **self._news(settlements))
        if is_open == self._told and self.ticks() - self._told_at < TELL_EVERY_S:
            return
        try:
            await self.kept.saw(self.destination, self._seen)
        except Exception as error:  # noqa: BLE001 - a view for people must never stop a delivery
            _log.warning("sighting_not_kept", destination=self.destination, cause=type(error).__name__)
            return
        self._told, self._told_at = is_open, self.ticks()

    def _news(self, settlements: Sequence[Settlement]) -> dict[str, Any]:
        """Of calls that ended together the last good and the last bad one; a refusal says nothing of the side."""
        news: dict[str, Any] = {}
        for settlement in settlements:
            if settlement.ending is Ending.DELIVERED:
                news["ok_at"] = True
            elif settlement.ending is not Ending.REFUSED:
                news |= {"error_at": True, "error": settlement.code}
        now = self.now()
        return {name: now if name.endswith("_at") else value for name, value in news.items()}
