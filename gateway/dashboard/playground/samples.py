"""Messages at hand: every region's worked examples, and what it adds in ``samples/`` to learn from.

``samples/index.json`` of a region: a list of ``{file, name?, name_en?, context?}``, ``file`` below the region's
folder, ``context`` as in spec/gateway.md §4. Without it every ``examples/*.native.*`` is a sample.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway import regions as regions_
from gateway.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

    from gateway.region import Opened, Region


@dataclass(frozen=True, slots=True)
class Sample:
    """A message at hand. ``id``: how addresses name it; ``name`` by language, {} where its kind is its name."""

    id: str
    region: str
    native_kind: str
    body: bytes = field(repr=False)
    name: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict, repr=False)


_read: dict[str, tuple[Sample, ...]] = {}


def samples(regions: Mapping[str, Region]) -> Mapping[str, Sample]:
    """All of them by id, region by region; they come with the program, so each region's are read once."""
    for slug, region in regions.items():
        if slug not in _read:
            _read[slug] = tuple(_of(region, regions_.folder(slug)))
    return {sample.id: sample for slug in regions for sample in _read[slug]}


def _of(region: Region, folder: Traversable) -> Iterator[Sample]:
    for entry in _index(folder):
        file = folder.joinpath(*entry["file"].split("/"))
        body = file.read_bytes()
        try:
            opened = region.parse(body)
        except Refusal:  # nothing to learn from
            continue
        if opened.native_kind not in region.maps:
            continue
        names = {"zh": entry.get("name", ""), "en": entry.get("name_en", "")}
        yield Sample(
            id=f"{region.slug}-{file.name.split('.native.')[0]}",
            region=region.slug,
            native_kind=opened.native_kind,
            body=body,
            name={language: name for language, name in names.items() if name},
            context=entry.get("context") or _context(region, opened),
        )


def _context(region: Region, opened: Opened) -> dict[str, str]:
    """What a follow-up says of its case itself."""
    is_follow_up = not region.maps[opened.native_kind].kind.opens_case
    return {"case_no": opened.gateway_ref} if is_follow_up and opened.gateway_ref else {}


def _index(folder: Traversable) -> list[dict[str, Any]]:
    listed = folder.joinpath("samples", "index.json")
    if listed.is_file():
        found: list[dict[str, Any]] = json.loads(listed.read_text(encoding="utf-8"))
        return found
    examples = folder.joinpath("examples")
    names = sorted(file.name for file in examples.iterdir()) if examples.is_dir() else []
    return [{"file": f"examples/{name}"} for name in names if ".native." in name]
