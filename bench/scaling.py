"""Worker processes and a network in between, as a section of the bench; ``bench.scale`` does the work."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.ground import Ground
    from bench.sheets import Sheet

WORK = "bench.scale"


async def measure(ground: Ground) -> dict[str, Any]:
    """Servers of its own; nothing when it is not there."""
    if find_spec(WORK) is None:
        return {}
    return dict(await import_module(WORK).measure(ground.console))


def sheets(found: dict[str, Any]) -> list[Sheet]:
    """Its rounds, and what it concludes."""
    tables: list[Sheet] = []
    if found.get("rounds"):
        tables.append(("Worker processes against one far peer", found["rounds"]))
    tables += [
        (f"Scale: {name.replace('_', ' ')}", [dict(found[name])])
        for name in ("growth", "loss_percent")
        if found.get(name)
    ]
    return tables
