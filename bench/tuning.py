"""Trials of the textbook's settings, so that it is compared at its best. The last in time is judged like the first:
every round goes through all of them, and each is started anew.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from statistics import median
from typing import TYPE_CHECKING, Any

from bench import rounds
from bench.contenders import Textbook, Tuning

if TYPE_CHECKING:
    from bench.ground import Ground
    from bench.sheets import Sheet

BASE = Tuning()
TRIALS = (
    BASE,
    replace(BASE, web_threads=4),
    replace(BASE, web_threads=40),
    replace(BASE, worker_places=8),
    replace(BASE, worker_pool="prefork", worker_places=2),
    replace(BASE, worker_pool="prefork", worker_places=4),
    replace(BASE, prefetch=1),
    replace(BASE, prefetch=32),
    replace(BASE, db_pool=8),
    replace(BASE, web_processes=2, web_threads=4),
    replace(BASE, web_processes=2, web_threads=4, worker_pool="prefork", worker_places=2),
)
#: A trial replaces the settings in use when it is so much quicker: less is the noise of two rounds.
MARGIN = 1.05


async def measure(ground: Ground) -> dict[str, Any]:
    """Every trial in every round; the quickest runs in what follows."""
    told: dict[Tuning, list[float]] = {trial: [] for trial in TRIALS}
    with Textbook(ground.config) as textbook:
        for turn in range(ground.asked.trial_rounds):
            for trial in TRIALS:
                textbook.tune(trial)
                await rounds.warm(ground, textbook)
                now = await rounds.saturated(ground, textbook, ground.asked.cases or ground.asked.trial_cases)
                told[trial].append(now["end_to_end_per_s"])
                ground.say(f"trial {turn + 1}, {trial}: {now['end_to_end_per_s']:.0f}/s")
    best = max(told, key=lambda trial: median(told[trial]))
    if median(told[best]) > MARGIN * median(told[BASE]):
        ground.tuning = best
    return {
        "chosen": asdict(ground.tuning),
        "trials": [{**asdict(trial), "end_to_end_per_s": each} for trial, each in told.items()],
    }


def sheets(found: dict[str, Any]) -> list[Sheet]:
    """The table of trials; the one chosen is marked."""
    rows = []
    for trial in found["trials"]:
        setting = {name: trial[name] for name in found["chosen"]}
        rows.append(
            {
                "": "chosen" if setting == found["chosen"] else "",
                **{name.replace("_", " "): value for name, value in setting.items()},
                "end to end/s": round(median(trial["end_to_end_per_s"])),
                "rounds": ", ".join(f"{one:.0f}" for one in trial["end_to_end_per_s"]),
            }
        )
    return [("The textbook's settings", rows)]
