"""The whole way, beside the textbook: rounds at full speed in turn, then windows at steady rates in turn."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from bench import rounds
from bench.contenders import Contender, Textbook, Tongban
from bench.figures import middle, middles, peaks, three

if TYPE_CHECKING:
    from bench.ground import Ground
    from bench.sheets import Sheet

#: What the figure "web + worker + database" means; the rest is shown beside it.
OWN = ("web", "worker", "postgres")


async def measure(ground: Ground) -> dict[str, Any]:
    """Both contenders; with ``--alone`` only ours."""
    with ExitStack() as running:
        contenders: list[Contender] = [running.enter_context(Tongban(ground.config))]
        if not ground.asked.alone:
            contenders.append(running.enter_context(Textbook(ground.config, ground.tuning)))
        told = await _full_speed(ground, contenders)
        found = {name: {"rounds": of, **_medians(of)} for name, of in told.items()}
        for name, rate, windows in await _steady(ground, contenders, found):
            found[name][rate] = rounds.pooled(windows)
    return {"connections": ground.asked.connections, "textbook runs": str(ground.tuning), "scores": found}


async def _full_speed(ground: Ground, contenders: list[Contender]) -> dict[str, list[dict[str, Any]]]:
    cases = {}
    for one in contenders:
        ground.say(f"{one.name}: warming up")
        cases[one.name] = rounds.cases_of(ground, await rounds.warm(ground, one))
    told: dict[str, list[dict[str, Any]]] = {one.name: [] for one in contenders}
    for turn in range(ground.asked.rounds):
        # the first of one turn is the last of the next
        for one in contenders[:: -1 if turn % 2 else 1]:
            now = await rounds.saturated(ground, one, cases[one.name])
            told[one.name].append(now)
            ground.say(
                f"round {turn + 1} {one.name}: accepts {now['accept_per_s']:.0f}/s, end to end "
                f"{now['end_to_end_per_s']:.0f}/s, machine busy {now['machine']['busy']} %, "
                f"others {now['machine']['others']} %"
            )
    return told


async def _steady(
    ground: Ground, contenders: list[Contender], found: dict[str, Any]
) -> list[tuple[str, str, list[dict[str, Any]]]]:
    half = {name: score["end_to_end_per_s"] / 2 for name, score in found.items()}
    plans = [(one, "own half", half[one.name]) for one in contenders]
    if "textbook" in half:
        plans.append((contenders[0], "same rate", half["textbook"]))
    told: list[tuple[str, str, list[dict[str, Any]]]] = [(one.name, rate, []) for one, rate, _ in plans]
    for turn in range(ground.asked.rounds):
        for (one, rate, per_s), (_, _, windows) in zip(plans, told, strict=True):
            windows.append(await rounds.paced(ground, one, per_s, ground.asked.seconds))
            ground.say(f"window {turn + 1} {one.name}, {rate}: {per_s:.0f}/s")
    return told


def _medians(told: list[dict[str, Any]]) -> dict[str, Any]:
    cpu = middles(told, "cpu_ms")
    return {
        "accept_per_s": middle(told, "accept_per_s"),
        "end_to_end_per_s": middle(told, "end_to_end_per_s"),
        "cpu_ms": cpu,
        "own_cpu_ms": round(sum(cpu[part] for part in OWN), 3),
        "peak_mb": peaks(told, "peak_mb"),
    }


def ratios(scores: dict[str, Any]) -> dict[str, float]:
    """Ours to the textbook's, within each round; and the CPU per case, the textbook's to ours."""
    ours, theirs = scores["tongban"], scores["textbook"]
    pairs = zip(ours["rounds"], theirs["rounds"], strict=True)
    each = sorted(a["end_to_end_per_s"] / b["end_to_end_per_s"] for a, b in pairs)
    middle_ = each[len(each) // 2]
    return {
        "end to end": round(middle_, 1),
        "least": round(each[0], 1),
        "most": round(each[-1], 1),
        "cpu": round(theirs["own_cpu_ms"] / ours["own_cpu_ms"], 1),
    }


def sheets(found: dict[str, Any]) -> list[Sheet]:
    """The tables."""
    scores = found["scores"]
    speed = [
        {
            "": name,
            "accept/s": round(score["accept_per_s"]),
            "end to end/s": round(score["end_to_end_per_s"]),
            "rounds (end to end/s)": ", ".join(f"{one['end_to_end_per_s']:.0f}" for one in score["rounds"]),
            "busy %": max(one["machine"]["busy"] for one in score["rounds"]),
            "others %": max(one["machine"]["others"] for one in score["rounds"]),
        }
        for name, score in scores.items()
    ]
    steady = [
        {
            "": f"{name}, {'half of its own capacity' if rate == 'own half' else 'at the rate of the textbook'}",
            "cases/s": round(score[rate]["per_s"]),
            "accept p50/p95/p99 ms": three(score[rate]["accept_ms"]),
            "end to end p50/p95/p99 ms": three(score[rate]["end_to_end_ms"]),
            "end to end p99 of the windows": ", ".join(
                f"{one['p99']:.0f}" for one in score[rate]["end_to_end_windows"]
            ),
            "generator late p99 ms": score[rate]["lag_ms"]["p99"],
            "CPU ms per case": round(sum(score[rate]["cpu_ms"][part] for part in OWN), 2),
        }
        for name, score in scores.items()
        for rate in ("own half", "same rate")
        if rate in score
    ]
    cpu = [
        {"": name, "web+worker+postgres": score["own_cpu_ms"], **score["cpu_ms"]}
        for name, score in scores.items()
    ]
    memory = [
        {"": name, **{part: round(mb) for part, mb in score["peak_mb"].items()}}
        for name, score in scores.items()
    ]
    found_sheets: list[Sheet] = [
        ("As fast as it goes: both directions, real processes, fsync on (medians of the rounds)", speed),
        ("Steady rates: latency from the planned moment", steady),
        ("CPU at full speed, ms per case", cpu),
        ("Peak memory (PSS) at full speed, MB", memory),
    ]
    if "textbook" in scores:
        of = ratios(scores)
        found_sheets.append(
            (
                "Beside the textbook, within each round",
                [
                    {
                        "end to end": f"{of['end to end']:g}× (rounds {of['least']:g} to {of['most']:g})",
                        "CPU per case (web+worker+postgres)": f"1/{of['cpu']:g}",
                        "the textbook runs": found["textbook runs"],
                    }
                ],
            )
        )
    return found_sheets
