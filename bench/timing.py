"""The clock of the micro-benchmarks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def best_us(work: Callable[[], object], *, rounds: int = 15, each: int = 20) -> float:
    """Microseconds of one call in the best round."""
    best = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(each):
            work()
        best = min(best, time.perf_counter() - began)
    return best / each * 1e6
