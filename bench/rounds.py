"""Rounds of load on a contender: as fast as it takes them, then at half of that."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from bench import load
from bench.contenders import cpu_seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.contenders import Baseline, Tongban
    from bench.load import Applicants, Given


@dataclass
class Score:
    """What the rounds of one contender showed; figures are medians over its rounds."""

    name: str
    rounds: list[dict[str, Any]] = field(default_factory=list)
    half: dict[str, Any] = field(default_factory=dict)

    def median(self, figure: str) -> float:
        return float(median(one[figure] for one in self.rounds))

    def cpu_ms(self) -> dict[str, float]:
        parts = self.rounds[0]["cpu_ms"]
        return {part: round(median(one["cpu_ms"][part] for one in self.rounds), 3) for part in parts}


async def saturated(
    contender: Tongban | Baseline, applicants: Applicants, peer_url: str, cases: int
) -> dict[str, Any]:
    """One round at full speed."""
    requests = applicants.make(cases)
    before, began = cpu_seconds(contender.pids()), time.monotonic()
    given = await load.closed(contender.url, requests)
    told = time.monotonic()
    seen = await load.arrivals(peer_url, given)
    arrived = max(seen[one.case_no] for one in given)
    after = cpu_seconds(contender.pids())
    return {
        "cases": cases,
        "accept_per_s": round(cases / (told - began), 1),
        "end_to_end_per_s": round(cases / (max(told, arrived) - began), 1),
        **_latencies(given, seen),
        "cpu_ms": {part: (after[part] - before[part]) / cases * 1e3 for part in before},
    }


async def at_half(
    contender: Tongban | Baseline, applicants: Applicants, peer_url: str, per_s: float, seconds: float
) -> dict[str, Any]:
    """A steady rate; latencies count from the planned moment."""
    given = await load.paced(contender.url, applicants.make(max(20, int(per_s * seconds))), per_s)
    seen = await load.arrivals(peer_url, given)
    return {"per_s": round(per_s, 1), **_latencies(given, seen)}


def _latencies(given: Sequence[Given], seen: dict[str, float]) -> dict[str, dict[str, float]]:
    return {
        "accept_ms": _percentiles([one.told_at - one.at for one in given]),
        "end_to_end_ms": _percentiles([seen[one.case_no] - one.at for one in given]),
    }


def _percentiles(seconds: list[float]) -> dict[str, float]:
    cuts = quantiles(seconds, n=100, method="inclusive")
    return {f"p{place}": round(cuts[place - 1] * 1e3, 1) for place in (50, 95, 99)}
