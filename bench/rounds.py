"""Rounds of load on a contender: as fast as it takes them, or at a given rate."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from bench import load
from bench.figures import curve, percentiles
from bench.meter import Machine, Peak

if TYPE_CHECKING:
    from bench.contenders import Contender
    from bench.ground import Ground
    from bench.load import Volley

WARM = 200


async def warm(ground: Ground, contender: Contender) -> float:
    """A first round nobody counts: connections, caches, plans. The cases per second it came to."""
    cases = min(WARM, ground.asked.cases or WARM)
    await saturated(ground, contender, cases)
    told = await saturated(ground, contender, cases)
    return float(told["end_to_end_per_s"])


async def saturated(
    ground: Ground, contender: Contender, cases: int, *, of: str | None = None
) -> dict[str, Any]:
    """One round at full speed, from the first request to the last verdict on disk."""
    requests = ground.applicants.make(cases, of=of)
    await ground.peers.forget()
    machine = Machine(_parts(ground, contender))
    with Peak(contender.pids()) as peak:
        volley = await load.closed(contender.url, requests, ground.asked.connections)
        seen = await ground.peers.arrivals(one.case_no for one in volley.given)
        arrived = max(seen[one.case_no] for one in volley.given)
        await contender.settled()
        shares, spent = machine.shares(), machine.spent()
    spent["generator"] = volley.cpu_s
    return {
        "cases": cases,
        "accept_per_s": round(cases / (volley.ended - volley.began), 1),
        "end_to_end_per_s": round(cases / (max(volley.ended, arrived) - volley.began), 1),
        "cpu_ms": {part: round(seconds / cases * 1e3, 3) for part, seconds in spent.items()},
        "peak_mb": peak.mb,
        "machine": shares,
        "again": ground.peers.again,
    }


async def paced(
    ground: Ground,
    contender: Contender,
    per_s: float,
    seconds: float,
    *,
    of: str | None = None,
    all_: bool = True,
) -> dict[str, Any]:
    """A steady rate for so long. ``samples``: latencies in seconds, from the planned moment."""
    cases = max(20, int(per_s * seconds))
    requests = ground.applicants.make(cases, of=of)
    await ground.peers.forget()
    machine = Machine(_parts(ground, contender))
    volley = await load.paced(contender.url, requests, per_s)
    patience_s = 120.0 if all_ else 15.0
    seen = await ground.peers.arrivals((one.case_no for one in volley.given), within_s=patience_s, all_=all_)
    if all_:
        await contender.settled()
    shares, spent = machine.shares(), machine.spent()
    spent["generator"] = volley.cpu_s
    samples = _samples(volley, seen)
    return {
        "per_s": round(per_s, 1),
        "samples": samples,
        "missing": cases - len(samples["end_to_end"]),
        "cpu_ms": {part: round(seconds / cases * 1e3, 3) for part, seconds in spent.items()},
        "machine": shares,
    }


def pooled(windows: list[dict[str, Any]]) -> dict[str, Any]:
    """The windows at one rate as one: percentiles over all samples, and of each window to show the spread."""
    told: dict[str, Any] = {"per_s": windows[0]["per_s"], "missing": sum(one["missing"] for one in windows)}
    for name in ("accept", "end_to_end", "lag"):
        everything = [sample for one in windows for sample in one["samples"][name]]
        told[f"{name}_ms"] = percentiles(everything)
        told[f"{name}_windows"] = [percentiles(one["samples"][name]) for one in windows]
        if name != "lag":
            told[f"{name}_curve"] = curve(everything)
        told[f"{name}_samples"] = len(everything)
    told["cpu_ms"] = {
        part: round(sum(one["cpu_ms"][part] for one in windows) / len(windows), 3)
        for part in windows[0]["cpu_ms"]
    }
    told["busy_percent"] = max(one["machine"]["busy"] for one in windows)
    told["others_percent"] = max(one["machine"]["others"] for one in windows)
    return told


def _samples(volley: Volley, seen: dict[str, float]) -> dict[str, list[float]]:
    return {
        "accept": [one.told_at - one.at for one in volley.given],
        "end_to_end": [seen[one.case_no] - one.at for one in volley.given if one.case_no in seen],
        "lag": [one.sent_at - one.at for one in volley.given],
    }


def _parts(ground: Ground, contender: Contender) -> dict[str, int]:
    return {**contender.pids(), **ground.peers.pids(), "generator": os.getpid()}


def cases_of(ground: Ground, per_s: float) -> int:
    """So many that a round takes as long as was asked for, or as many as were asked for."""
    return int(ground.asked.cases or max(100.0, per_s * ground.asked.seconds))
