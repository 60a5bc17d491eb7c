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


def said_of(faults, folder):
    """What each fault's law says of a copy with these faults: sentence, remedy and path of each breach, in one."""
    skip = shutil.ignore_patterns("__pycache__")
    for name in ("adapters", "mappings"):
        shutil.copytree(ROOT / name, folder / name, ignore=skip)
    for fault in faults:
        file = folder / fault.file
        text = file.read_text(encoding="utf-8")
        assert fault.old in text
        file.write_text(text.replace(fault.old, fault.new, 1), encoding="utf-8")
    slug, level, laws = faults[0].slug, faults[0].level, frozenset(fault.law for fault in faults)
    with installed(folder):
        found = check(Asked(slug, level, folder / "mappings", only=laws))
    broken = {result.law.id: result.breaches for result in found.results if result.breaches}
    assert laws <= set(broken), list(broken)
    return [[f"{b.sentence} {b.remedy} {b.path}" for b in broken[fault.law]] for fault in faults]


def crowds(faults, most):
    """The same in groups that do not hide each other: of one region and level, each found by a law of its own."""
    found = []
    for fault in faults:
        fitting = (
            crowd
            for crowd in found
            if len(crowd) < most
            and (crowd[0].slug, crowd[0].level) == (fault.slug, fault.level)
            and fault.law not in {"R-B00", "R-B07", *(one.law for one in crowd)}
            and not {one.law for one in crowd} & {"R-B00", "R-B07"}
        )
        crowd = next(fitting, None)
        if crowd is None:
            found.append([fault])
        else:
            crowd.append(fault)
    return found
