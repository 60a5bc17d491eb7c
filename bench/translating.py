"""Translation of each message kind as a section of the bench; ``bench.translation`` does the work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bench import translation

if TYPE_CHECKING:
    from bench.ground import Ground
    from bench.sheets import Sheet


def measure(_ground: Ground) -> list[dict[str, Any]]:
    """A row per kind."""
    sides = translation.crossings.SIDE
    rows = []
    for kind in sorted(sides, key=lambda each: (sides[each], each)):
        spent = translation.Crossing(kind).measure()
        steps = dict(zip(("parse", "read", "write", "render"), (round(us, 1) for us in spent), strict=True))
        message = f"{kind} → {translation.crossings.PAIR[kind]}"
        aside = round(spent[1] + spent[2], 1)
        rows.append({"message": message, **steps, "read + write": aside, "all": round(sum(spent), 1)})
    return rows


def sheets(found: list[dict[str, Any]]) -> list[Sheet]:
    """The table."""
    return [("Translation, µs per message (median of the quickest fifth)", found)]
