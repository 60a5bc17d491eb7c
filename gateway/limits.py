"""How many messages a side may hand in: a token bucket per side, in the memory of one process."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(slots=True)
class Limiter:
    """``per_minute`` messages at once and as many again over a minute; None: no limit (gateway §6)."""

    per_minute: int | None
    _buckets: dict[str, tuple[float, datetime]] = field(default_factory=dict)

    def allow(self, slug: str, now: datetime) -> int | None:
        """None when the message may come in; else whole seconds after which it may (``Retry-After``)."""
        if self.per_minute is None:
            return None
        per_second = self.per_minute / 60
        left, since = self._buckets.get(slug, (float(self.per_minute), now))
        gained = max(0.0, (now - since).total_seconds()) * per_second
        left = min(float(self.per_minute), left + gained)
        if left < 1:
            self._buckets[slug] = (left, now)
            return math.ceil((1 - left) / per_second)
        self._buckets[slug] = (left - 1, now)
        return None
