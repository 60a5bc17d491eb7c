"""What is broken when: a list drawn from a seed, placed by progress and not by time (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: kind → (share, shortest and longest time it lasts in seconds); 0: a blow without duration.
KINDS: Mapping[str, tuple[int, float, float]] = {
    "kill web": (45, 0, 0),
    "kill worker": (55, 0, 0),
    "kill beat": (12, 0, 0),
    "term web": (12, 0, 0),
    "term worker": (25, 0, 0),
    "stop web": (25, 0.5, 4),
    # longer and shorter than a lease (5 s here)
    "stop worker": (40, 0.5, 9),
    "stop beat": (8, 1, 8),
    "flush redis": (60, 0, 0),
    "kill redis": (18, 0, 3),
    "silence redis": (22, 0.5, 6),
    "refuse redis": (18, 0.5, 5),
    "cut redis": (40, 0, 0),
    "full redis": (12, 1, 5),
    "read-only redis": (12, 1, 5),
    "restart postgres": (10, 0, 0),
    "kill postgres": (10, 0, 1.5),
    "silence postgres": (12, 0.3, 3),
    "refuse postgres": (12, 0.3, 2.5),
    "read-only postgres": (8, 0.5, 2.5),
    "cut postgres": (35, 0, 0),
    "cut door": (45, 0, 0),
    "silence door": (12, 0.5, 3),
    "refuse peer": (50, 0.5, 4),
    "hang peer": (40, 0.5, 4),
    "e5xx peer": (55, 0.5, 3),
    "drop peer": (60, 0.5, 3),
    "garbage peer": (50, 0.5, 3),
    "busy peer": (40, 0.5, 2),
    "late peer": (50, 0.5, 4),
    "reorder peer": (50, 1, 4),
    "twice peer": (50, 0.5, 3),
    # outside the window of five minutes: refused with 401, signed anew later; inside: taken
    "skew clock": (35, 0.5, 3),
}

#: What each kind may hit; ``web`` and ``worker`` are counted out by the caller.
_FIXED = {"redis": ("redis",), "postgres": ("postgres",), "beat": ("beat",)}


@dataclass(frozen=True, slots=True)
class Fault:
    """One blow. ``at``: share of the cases that are through; ``lasts_s`` seconds, 0 for none."""

    n: int
    at: float
    kind: str
    target: str
    lasts_s: float
    #: of a skewed clock, seconds
    skew_s: float = 0.0

    def __str__(self) -> str:
        lasting = f" for {self.lasts_s:.1f} s" if self.lasts_s else ""
        skewed = f" by {self.skew_s:+.0f} s" if self.skew_s else ""
        return f"#{self.n} {self.kind} ({self.target}){skewed}{lasting}"


def draw(seed: int, faults: int, targets: Mapping[str, Sequence[str]]) -> list[Fault]:
    """The plan: the same for the same arguments. ``targets``: names by the last word of a kind."""
    chance = Random(f"plan {seed}")
    kinds = _kinds(faults, chance)
    places = sorted(chance.uniform(0.01, 0.96) for _ in kinds)
    return [
        _fault(n, at, kind, targets, chance)
        for n, (at, kind) in enumerate(zip(places, kinds, strict=True), 1)
    ]


def _kinds(faults: int, chance: Random) -> list[str]:
    """By share; with enough faults every kind is there."""
    names = list(KINDS)
    chance.shuffle(names)
    total = sum(share for share, *_ in KINDS.values())
    kinds = names[:faults]
    for name in names:
        kinds += [name] * max(0, round(KINDS[name][0] / total * (faults - len(names))))
    kinds += chance.choices(names, [KINDS[name][0] for name in names], k=max(0, faults - len(kinds)))
    kinds = kinds[:faults]
    chance.shuffle(kinds)
    return kinds


def _fault(n: int, at: float, kind: str, targets: Mapping[str, Sequence[str]], chance: Random) -> Fault:
    _, least, most = KINDS[kind]
    what = kind.rsplit(" ", 1)[1]
    target = chance.choice(_FIXED.get(what) or targets["peer" if what == "clock" else what])
    skew = 0.0
    if what == "clock":
        skew = chance.choice((-1, 1)) * (
            chance.uniform(330, 900) if chance.random() < 0.7 else chance.uniform(30, 240)
        )
    return Fault(n, at, kind, target, chance.uniform(least, most) if most else 0.0, skew)
