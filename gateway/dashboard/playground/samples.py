"""Messages at hand: every region's worked examples, and what it adds in ``samples/`` to learn from.

``samples/index.json`` of a region: a list of ``{file, name?, name_en?, context?}``, ``file`` below the region's
folder, ``context`` as in spec/gateway.md §4. Without it every ``examples/*.native.*`` is a sample.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway import regions as regions_

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

    from gateway.region import Region


@dataclass(frozen=True, slots=True)
class Sample:
    """A message at hand. ``id``: how addresses name it; ``name`` by language, {} where its kind is its name."""

    id: str
    region: str
    native_kind: str
    body: bytes = field(repr=False)
    name: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict, repr=False)


def samples(regions: Mapping[str, Region]) -> Mapping[str, Sample]:
    """All of them by id, region by region."""
    return {sample.id: sample for slug in regions for sample in of_region(slug)}


@functools.cache
def of_region(slug: str) -> tuple[Sample, ...]:
    """A region's own, in its order; they come with the program, so they are read once."""
    return tuple(_read(slug, regions_.folder(slug)))


def _read(slug: str, folder: Traversable) -> Iterator[Sample]:
    for entry in _index(folder):
        file = folder.joinpath(*entry["file"].split("/"))
        stem = file.name.split(".native.")[0]
        names = {"zh": entry.get("name", ""), "en": entry.get("name_en", "")}
        yield Sample(
            id=f"{slug}-{stem}",
            region=slug,
            native_kind=stem.split(".")[0],
            body=file.read_bytes(),
            name={language: name for language, name in names.items() if name},
            context=entry.get("context", {}),
        )


def _index(folder: Traversable) -> list[dict[str, Any]]:
    listed = folder.joinpath("samples", "index.json")
    if listed.is_file():
        found: list[dict[str, Any]] = json.loads(listed.read_text(encoding="utf-8"))
        return found
    examples = folder.joinpath("examples")
    names = sorted(file.name for file in examples.iterdir()) if examples.is_dir() else []
    return [{"file": f"examples/{name}"} for name in names if ".native." in name]
