"""One run: the ground, the plan, the wait for quiet, the check; and what came of it."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg

from tests.chaos import account, plan
from tests.chaos.checker import Book, Violation, check, waits
from tests.chaos.ground import Ground
from tests.chaos.history import read
from tests.chaos.saboteur import Saboteur

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.chaos.plan import Fault

#: Cases begun before the next blow must have fallen.
_IN_PLAY = 150
_TICK_S = 0.05
#: Nothing moves for so long: the run is broken off, and what is stuck is told.
_STANDSTILL_S = 150.0

#: Tells of (cases through, blows dealt, the blow just dealt).
Show = "Callable[[int, int, Fault | None], None]"


@dataclass
class Outcome:
    """What a run showed."""

    seed: int
    cases: int
    faults: Counter[str]
    moved: dict[str, int]
    took_s: float
    restarts: int
    #: from a call to its receipt: median, 99 of 100, slowest
    accept_s: tuple[float, float, float] = (0.0, 0.0, 0.0)
    longest_s: float = 0.0
    longest_net_s: float = 0.0
    violations: list[Violation] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "cases": self.cases,
            "faults": sum(self.faults.values()),
            "faults_by_kind": dict(sorted(self.faults.items())),
            **self.moved,
            **self.outcomes,
            "restarts": self.restarts,
            "took_s": round(self.took_s, 1),
            "accept_ms": [round(one * 1000, 1) for one in self.accept_s],
            "longest_wait_s": round(self.longest_s, 2),
            "longest_wait_while_well_s": round(self.longest_net_s, 2),
            "violations": [str(one) for one in self.violations],
        }


def run(
    home: Path,
    *,
    seed: int,
    cases: int,
    faults: int,
    show: Callable[[int, int, Fault | None], None] = lambda *_: None,
    planned: list[Fault] | None = None,
) -> Outcome:
    """Break everything, wait until all is quiet, check. ``planned``: these faults and none drawn."""
    with Ground(home, seed) as ground:
        blows = plan.draw(seed, faults, targets_of(ground)) if planned is None else planned
        return carry_out(ground, Saboteur(ground, blows, cases), show)


def carry_out(
    ground: Ground, saboteur: Saboteur, show: Callable[[int, int, Fault | None], None] = lambda *_: None
) -> Outcome:
    """The cases and the blows on a ground that stands."""
    began = time.monotonic()
    broken_off = _drive(ground, saboteur, saboteur.cases, show)
    took = time.monotonic() - began
    moved = ground.tell("end")
    book, known = Book.of(read(ground.book)), account.read(ground)
    outcome = Outcome(ground.seed, saboteur.cases, saboteur.done, moved, took, ground.restarts)
    outcome.violations = [*broken_off, *check(book, known)]
    outcome.outcomes = Counter(
        {"turned_away": len(book.turned), "given_up": len(book.gave_up), "known_cases": len(known)}
    )
    given = sorted(book.accept_s) or [0.0]
    outcome.accept_s = (given[len(given) // 2], given[len(given) * 99 // 100], given[-1])
    for case in known:
        for raw, net, _ in waits(book, case):
            outcome.longest_s = max(outcome.longest_s, raw)
            outcome.longest_net_s = max(outcome.longest_net_s, net)
    return outcome


def targets_of(ground: Ground) -> dict[str, list[str]]:
    """What a plan may hit."""
    names = [*ground.children, *ground.proxies]
    named = {what: [name for name in names if name.startswith(what)] for what in ("web", "worker", "door")}
    return named | {"peer": list(ground.sides)}


def _drive(
    ground: Ground, saboteur: Saboteur, cases: int, show: Callable[[int, int, Fault | None], None]
) -> list[Violation]:
    moved, moved_at, quiet = {}, time.monotonic(), 0
    while True:
        ground.tend()
        now = ground.tell("allow", cases=saboteur.allowed(_IN_PLAY))
        if now != moved:
            moved, moved_at = now, time.monotonic()
        fault = saboteur.turn(now["decided"])
        show(now["decided"], sum(saboteur.done.values()), fault)
        if saboteur.over and now["started"] == cases and now["pending"] == 0:
            # twice in a row: between a delivery and the other side's next step nothing is open
            quiet = quiet + 1 if _nothing_at_work(ground) else 0
            if quiet >= 3:
                return []
        else:
            quiet = 0
        if time.monotonic() - moved_at > _STANDSTILL_S:
            return [
                Violation("standstill", "-", f"nothing moved for {_STANDSTILL_S:.0f} s: {json.dumps(now)}")
            ]
        time.sleep(_TICK_S)


def _nothing_at_work(ground: Ground) -> bool:
    try:
        return account.at_work(ground) == 0
    except psycopg.Error:
        return False
