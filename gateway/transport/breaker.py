"""When a side cannot be reached, calls are held back instead of burning attempts. A pure value."""

from __future__ import annotations

from dataclasses import dataclass, replace

#: Failures one after the other that open it, and the share of the last calls that does (architecture §6).
IN_A_ROW = 5
RECENT = 20

_ALL_WELL = (True,) * RECENT


@dataclass(frozen=True, slots=True)
class Breaker:
    """What the last calls to one destination tell.

    Units: ``rest_s`` seconds between probes while open; moments are seconds of one monotonic clock.
    A *failure* is a call that did not reach the peer's application (no connection, timeout); an answer of
    any status shows that the side is there.
    """

    rest_s: float
    recent: tuple[bool, ...] = ()
    open_until: float | None = None

    @property
    def is_open(self) -> bool:
        """True from the failure that opened it to the first answer."""
        return self.open_until is not None

    def places(self, free: int, *, flying: int, now: float) -> int:
        """How many of ``free`` places may be used: all when closed, one probe at a time when open."""
        if self.open_until is None:
            return free
        return 1 if now >= self.open_until and not flying and free else 0

    def resting(self, *, now: float) -> Breaker:
        """The open breaker when another worker has the turn to probe."""
        return replace(self, open_until=now + self.rest_s)

    def after(self, *, reached: bool, now: float) -> Breaker:
        """The breaker after one more call."""
        if reached and self.is_open:
            return replace(self, recent=(True,), open_until=None)
        if reached and self.recent == _ALL_WELL:
            return self
        recent = (*self.recent, reached)[-RECENT:]
        if reached:
            return replace(self, recent=recent)
        opens = self.is_open or _too_many(recent)
        return replace(self, recent=recent, open_until=now + self.rest_s if opens else None)


def _too_many(recent: tuple[bool, ...]) -> bool:
    in_a_row = len(recent) >= IN_A_ROW and not any(recent[-IN_A_ROW:])
    return in_a_row or (len(recent) == RECENT and recent.count(False) * 2 >= RECENT)
