"""The cost of what is stored: a gateway with an empty store and one with a million cases, round by round in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench import desk, lists, rounds
from bench.contenders import Tongban
from bench.figures import middle, middles
from bench.fill import LARGE, fill

if TYPE_CHECKING:
    from bench.ground import Ground
    from bench.sheets import Sheet


#: Messages that wait for staff, so that the operators' pages have something to group.
RESTING = 5_000


async def measure(ground: Ground) -> dict[str, Any]:
    """With ``--rows`` cases stored, and with ``--large`` ten million."""
    steps = [ground.asked.rows, *([LARGE] if ground.asked.large else [])]
    found: dict[str, Any] = {"speed": [], "pages": [], "desk": []}
    with (
        Tongban(ground.second_config("empty"), "empty") as empty,
        Tongban(ground.second_config("filled"), "filled") as filled,
    ):
        cases = 0
        for one in (empty, filled):
            cases = rounds.cases_of(ground, await rounds.warm(ground, one))
        found["pages"] += await _pages(ground, empty, 0)
        stored = 0
        for rows in steps:
            ground.say(f"storing {rows:,} cases")
            took = await fill(filled.database_url, rows - stored, bodies=False)
            ground.say(f"stored in {took:.0f} s")
            stored = rows
            found["speed"].append(
                {"stored": rows, "fill_s": round(took), **await _in_turn(ground, empty, filled, cases)}
            )
            found["pages"] += await _pages(ground, filled, rows)
        # last, as what rests never settles: no round could wait for an empty queue any more
        resting = min(RESTING, stored)
        await fill(filled.database_url, resting, bodies=False, resting=resting)
        ground.say(f"{filled.name}: the operators' pages")
        found["desk"] += [row async for row in desk.measure(filled, stored + resting, ground.asked.questions)]
    return found


async def _in_turn(ground: Ground, empty: Tongban, filled: Tongban, cases: int) -> dict[str, Any]:
    await rounds.warm(ground, filled)
    told: dict[str, list[dict[str, Any]]] = {"empty": [], "filled": []}
    # half as long and twice as many as elsewhere: a difference of a tenth has to be seen through the noise
    for turn in range(2 * ground.asked.rounds):
        for one in (empty, filled)[:: -1 if turn % 2 else 1]:
            told[one.name].append(await rounds.saturated(ground, one, max(20, cases // 2)))
    ratios = sorted(
        with_["end_to_end_per_s"] / without["end_to_end_per_s"]
        for without, with_ in zip(told["empty"], told["filled"], strict=True)
    )
    return {
        **{
            name: {
                "accept_per_s": middle(rows, "accept_per_s"),
                "end_to_end_per_s": middle(rows, "end_to_end_per_s"),
                "cpu_ms": middles(rows, "cpu_ms"),
            }
            for name, rows in told.items()
        },
        "ratios": [round(ratio, 3) for ratio in ratios],
        "others_percent": max(one["machine"]["others"] for rows in told.values() for one in rows),
    }


async def _pages(ground: Ground, one: Tongban, stored: int) -> list[dict[str, Any]]:
    ground.say(f"{one.name}: questions")
    return [row async for row in lists.measure(one, ground.token, stored, ground.asked.questions)]


def sheets(found: dict[str, Any]) -> list[Sheet]:
    """The tables."""
    speed = []
    for step in found["speed"]:
        ratios = step["ratios"]
        for name in ("empty", "filled"):
            of = step[name]
            row = {
                "stored cases": step["stored"] if name == "filled" else 0,
                "accept/s": round(of["accept_per_s"]),
                "end to end/s": round(of["end_to_end_per_s"]),
                "CPU ms per case": round(
                    sum(of["cpu_ms"][part] for part in ("web", "worker", "postgres")), 2
                ),
                "of it postgres": round(of["cpu_ms"]["postgres"], 2),
            }
            if name == "filled":
                row["end to end beside empty"] = (
                    f"{ratios[len(ratios) // 2]:.0%} ({ratios[0]:.0%} to {ratios[-1]:.0%})"
                )
                row["others %"] = step["others_percent"]
            speed.append(row)
    return [
        ("Stored cases and speed, in turn with an empty store", speed),
        ("Stored cases and questions, ms", _beside(found["pages"])),
        (
            "The operators' pages over stored cases, ms from request to last byte, kB sent",
            found.get("desk", []),
        ),
    ]


def _beside(pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for page in pages:
        row = rows.setdefault(page["question"], {"question": page["question"]})
        row[f"p50/p95 of {page['stored']:,}"] = f"{page['p50']:g} / {page['p95']:g}"
    return list(rows.values())
