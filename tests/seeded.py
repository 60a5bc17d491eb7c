"""Faults of one line, put into a copy of adapters and tables, and the law that has to name the place."""

from __future__ import annotations

import importlib
import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from gateway.conformance.law import Level
from gateway.conformance.loading import Asked, check

ROOT = Path(__file__).parents[1]


class Fault(NamedTuple):
    """One line changed: in which file, from what, to what; the law that has to find it, and what it names."""

    what: str
    slug: str
    file: str
    old: str
    new: str
    law: str
    names: str
    level: Level = Level.FULL


@contextmanager
def installed(copy):
    """The copy's adapters in the place of ours."""
    ours = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "adapters"}
    for name in ours:
        del sys.modules[name]
    sys.path.insert(0, str(copy))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(copy))
        for name in [name for name in sys.modules if name.partition(".")[0] == "adapters"]:
            del sys.modules[name]
        sys.modules.update(ours)


def said_of(fault, folder):
    """What the law says of a copy with this fault: sentence, remedy and path of each breach, in one."""
    skip = shutil.ignore_patterns("__pycache__")
    for name in ("adapters", "mappings"):
        shutil.copytree(ROOT / name, folder / name, ignore=skip)
    file = folder / fault.file
    text = file.read_text(encoding="utf-8")
    assert fault.old in text
    file.write_text(text.replace(fault.old, fault.new, 1), encoding="utf-8")
    with installed(folder):
        found = check(Asked(fault.slug, fault.level, folder / "mappings", only=frozenset({fault.law})))
    broken = {result.law.id: result.breaches for result in found.results if result.breaches}
    assert fault.law in broken, list(broken)
    return [f"{b.sentence} {b.remedy} {b.path}" for b in broken[fault.law]]
