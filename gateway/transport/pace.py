"""How fast one destination may be called: a token bucket over calls per second. A pure value."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Pace:
    """Calls a side agreed to take.

    Units: ``per_second`` calls (None: as many as there are places), ``burst`` calls that may go at once after
    a rest; ``at`` seconds of one monotonic clock.
    """

    per_second: float | None = None
    burst: int = 1
    tokens: float = 0.0
    at: float | None = None

    def places(self, free: int, *, now: float) -> int:
        """How many of ``free`` places may be used now."""
        if self.per_second is None:
            return free
        return min(free, int(self._filled(now)))

    def spent(self, calls: int, *, now: float) -> Pace:
        """The pace after ``calls`` more calls."""
        if self.per_second is None:
            return self
        return replace(self, tokens=max(0.0, self._filled(now) - calls), at=now)

    def _filled(self, now: float) -> float:
        if self.at is None or self.per_second is None:
            return float(self.burst)
        return min(float(self.burst), self.tokens + max(0.0, now - self.at) * self.per_second)
