"""A side is gone while the other one flows: what grows with the queue, who feels it, how fast it runs off.

The flowing side is measured at one steady rate without a queue, with half of it and with all of it; between these
the queue is filled through the real door.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from bench import load, rounds
from bench.contenders import Contender, Textbook, Tongban
from bench.figures import middle, three
from bench.meter import memory_mb

if TYPE_CHECKING:
    from bench.ground import Ground
    from bench.sheets import Sheet

#: Requests proven at a time: their proofs must not grow old.
CHUNK = 2_000
#: The textbook queues so many fewer: it takes them in more slowly, and loses its breath.
FEWER = 20
LEAST = 100
#: What fewer cases say about a hundred thousand is chance.
ENOUGH = 1_000
#: Share of the queue whose running off is timed; the last few wait for their own hour of the schedule.
TIMED = 0.98
PATIENCE_S = 180.0
#: When nothing came for so many windows, no more is waited for.
QUIET = 5.0


async def measure(ground: Ground) -> dict[str, Any]:
    """Ours, then the textbook with a smaller queue."""
    with Tongban(ground.second_config("backlog")) as ours:
        found = {ours.name: await _story(ground, ours, ground.asked.queued)}
    fewer = ground.asked.queued // FEWER
    if not ground.asked.alone and fewer >= LEAST:
        with Textbook(ground.config, ground.tuning) as theirs:
            found[theirs.name] = await _story(ground, theirs, fewer)
    return found


async def _story(ground: Ground, contender: Contender, queue: int) -> dict[str, Any]:
    alive, dead = ground.peers.ports
    await rounds.warm(ground, contender)
    capacity = await rounds.saturated(ground, contender, ground.asked.cases or 600, of=dead)
    per_s = capacity["end_to_end_per_s"] / 2
    stages = [await _stage(ground, contender, per_s, of=dead, queued=0)]
    ground.peers.close(dead)
    queued: list[str] = []
    began = time.monotonic()
    loading_s = 0.0
    try:
        for part in (0.5, 1.0):
            while len(queued) < int(queue * part):
                more = min(CHUNK, int(queue * part) - len(queued))
                requests = ground.applicants.make(more, of=alive)
                volley = await load.closed(contender.url, requests, ground.asked.connections)
                queued += [one.case_no for one in volley.given]
                loading_s += volley.ended - volley.began
            ground.say(f"{contender.name}: {len(queued):,} queued")
            stages.append(await _stage(ground, contender, per_s, of=dead, queued=len(queued)))
        gone_s = time.monotonic() - began
    finally:
        ground.peers.open(dead)
    return {
        "queued": len(queued),
        "per_s": round(per_s, 1),
        "queueing_per_s": round(len(queued) / loading_s, 1),
        "gone_s": round(gone_s, 1),
        "stages": stages,
        "running_off": await _run_off(ground, queued),
    }


async def _stage(
    ground: Ground, contender: Contender, per_s: float, *, of: str, queued: int
) -> dict[str, Any]:
    windows = [
        await rounds.paced(ground, contender, per_s, ground.asked.seconds, of=of, all_=False)
        for _ in range(ground.asked.windows)
    ]
    memory = memory_mb(contender.pids())
    return {
        "queued": queued,
        "memory_mb": memory,
        "kept_mb": await contender.kept_mb(),
        **rounds.pooled(windows),
    }


async def _run_off(ground: Ground, queued: list[str]) -> dict[str, Any]:
    """From the moment the side is back."""
    back = last = time.monotonic()
    waiting, moments = set(queued), list[float]()
    enough, quiet_s = int(len(queued) * TIMED), QUIET * ground.asked.seconds
    while len(moments) < enough and time.monotonic() - last < (quiet_s if moments else PATIENCE_S):
        await asyncio.sleep(0.25)
        came = {case: at for case, at in (await ground.peers.seen()).items() if case in waiting}
        if came:
            last = time.monotonic()
            waiting -= came.keys()
            moments += came.values()
    if len(moments) < 2:
        return {"arrived": len(moments)}
    moments.sort()
    timed = moments[: max(2, enough)]
    return {
        "arrived": len(moments),
        "first_after_s": round(moments[0] - back, 1),
        "per_s": round((len(timed) - 1) / max(timed[-1] - timed[0], 1e-3), 1),
        "again": ground.peers.again,
    }


def sheets(found: dict[str, Any]) -> list[Sheet]:
    """The tables."""
    return [
        (
            "One side gone: the other one at half of what it can; change of the median of the windows",
            [_latency_row(name, story, stage) for name, story in found.items() for stage in story["stages"]],
        ),
        (
            "One side gone: memory (PSS) and files, MB",
            [_memory_row(name, stage) for name, story in found.items() for stage in story["stages"]],
        ),
        (
            "Growth per 100,000 queued, MB: with the first half of the queue and with the second",
            [
                _growth_row(name, story, half)
                for name, story in found.items()
                for half in (0, 1)
                if story["queued"] >= ENOUGH
            ],
        ),
        ("The side is back", [_back_row(name, story) for name, story in found.items()]),
    ]


def _latency_row(name: str, story: dict[str, Any], stage: dict[str, Any]) -> dict[str, Any]:

    def against(which: str, place: str) -> str:
        usual = middle(story["stages"][0][f"{which}_windows"], place)
        return f"{middle(stage[f'{which}_windows'], place) / max(usual, 0.1) - 1:+.0%}"

    return {
        "": name,
        "queued": stage["queued"],
        "cases/s": round(stage["per_s"]),
        "accept p50/p95/p99 ms": three(stage["accept_ms"]),
        "end to end p50/p95/p99 ms": three(stage["end_to_end_ms"]),
        "accept p95": against("accept", "p95"),
        "end to end p95": against("end_to_end", "p95"),
        "end to end p99": against("end_to_end", "p99"),
        "not within 15 s": stage["missing"],
        "busy %": stage["busy_percent"],
        "others %": stage["others_percent"],
    }


def _memory_row(name: str, stage: dict[str, Any]) -> dict[str, Any]:
    memory = {part: round(mb) for part, mb in stage["memory_mb"].items()}
    return {"": name, "queued": stage["queued"], **memory, **stage["kept_mb"]}


def _growth_row(name: str, story: dict[str, Any], half: int) -> dict[str, Any]:
    # what grows with the queue does so in both halves; what only warms up does not in the second
    before, after = story["stages"][half : half + 2]
    more = after["queued"] - before["queued"]
    grown = {
        part: round((after[kind].get(part, 0.0) - before[kind].get(part, 0.0)) / more * 1e5)
        for kind in ("memory_mb", "kept_mb")
        for part in after[kind]
    }
    return {"": name, "queued": f"{before['queued']:,} to {after['queued']:,}", **grown}


def _back_row(name: str, story: dict[str, Any]) -> dict[str, Any]:
    off = story["running_off"]
    return {
        "": name,
        "queued": story["queued"],
        "taken in/s": round(story["queueing_per_s"]),
        "side gone for s": round(story["gone_s"]),
        "first arrival after s": off.get("first_after_s", ""),
        "running off/s": round(off.get("per_s", 0)),
        "arrived": off["arrived"],
        "came twice": off.get("again", ""),
    }
