"""Trials of the textbook's settings, so that it is compared at its best. The last in time is judged like the first:
every round goes through all of them, and each is started anew.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from bench import rounds
from bench.contenders import Textbook, Tuning
from bench.flow import OWN

if TYPE_CHECKING:
    from bench.ground import Ground
    from bench.sheets import Sheet

BASE = Tuning()
TWO_WEB = replace(BASE, web_processes=2, web_threads=4)
TRIALS = (
    BASE,
    replace(BASE, web_threads=4),
    replace(BASE, web_threads=40),
    replace(BASE, worker_places=3),
    replace(BASE, worker_pool="threads", worker_places=4),
    replace(BASE, worker_pool="threads", worker_places=8),
    replace(BASE, prefetch=1),
    replace(BASE, prefetch=32),
    replace(BASE, db_pool=4),
    TWO_WEB,
    replace(TWO_WEB, web_threads=8),
    replace(TWO_WEB, prefetch=1),
    replace(TWO_WEB, worker_pool="threads", worker_places=4),
)
#: A trial replaces the settings in use when it is so much quicker: less is noise.
MARGIN = 1.05


async def measure(ground: Ground) -> dict[str, Any]:
    """Every trial in every round; the quickest runs in what follows."""
    told: dict[Tuning, list[dict[str, Any]]] = {trial: [] for trial in TRIALS}
    with Textbook(ground.config) as textbook:
        for turn in range(ground.asked.trial_rounds):
            for trial in TRIALS:
                textbook.tune(trial)
                await rounds.warm(ground, textbook)
                now = await rounds.saturated(ground, textbook, ground.asked.cases or ground.asked.trial_cases)
                told[trial].append(now)
                ground.say(
                    f"trial {turn + 1}, {trial}: {now['end_to_end_per_s']:.0f}/s, "
                    f"others {now['machine']['others']} %"
                )
    best = max(told, key=lambda trial: _best(told[trial]))
    if _best(told[best]) > MARGIN * _best(told[BASE]):
        ground.tuning = best
    return {
        "chosen": asdict(ground.tuning),
        "trials": [{**asdict(trial), "rounds": each} for trial, each in told.items()],
    }


def _best(told: list[dict[str, Any]]) -> float:
    # whatever else the machine does only slows a round down
    return max(float(one["end_to_end_per_s"]) for one in told)


def sheets(found: dict[str, Any]) -> list[Sheet]:
    """The table of trials; the one chosen is marked."""
    rows = []
    for trial in found["trials"]:
        setting = {name: trial[name] for name in found["chosen"]}
        rows.append(
            {
                "": "chosen" if setting == found["chosen"] else "",
                **{name.replace("_", " "): value for name, value in setting.items()},
                "end to end/s, best": round(_best(trial["rounds"])),
                "rounds": ", ".join(f"{one['end_to_end_per_s']:.0f}" for one in trial["rounds"]),
                "CPU ms per case": round(
                    min(sum(one["cpu_ms"][part] for part in OWN) for one in trial["rounds"]), 2
                ),
            }
        )
    return [("The textbook's settings", rows)]
