"""The schematic maps of the regions say what the table of divisions says, and stay small."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest

from gateway import regions

ROOT = Path(__file__).parents[2]
REGIONS = regions.discover()
MAPPED = [slug for slug in REGIONS if regions.outline(slug)]


def features(slug):
    return regions.outline(slug)["features"]


def in_force():
    """Divisions right below a province, by code: what a region is drawn by."""
    with (ROOT / "mappings/places/divisions.csv").open(encoding="utf-8") as file:
        return {
            row["code"]: row["name"]
            for row in csv.DictReader(file)
            if row["parent"].endswith("0000") and not row["valid_to"]
        }


def borders(slug):
    """Every piece of border, whichever way it runs, with the divisions it belongs to."""
    for feature in features(slug):
        for ring in feature["geometry"]["coordinates"]:
            for piece in itertools.pairwise(ring):
                yield frozenset(map(tuple, piece))


def test_every_region_has_a_map():
    assert set(MAPPED) == set(REGIONS)


@pytest.mark.parametrize("slug", MAPPED)
def test_a_map_has_each_division_in_force_once_under_its_name(slug):
    drawn = [(each["properties"]["code"], each["properties"]["name"]) for each in features(slug)]
    prefix = REGIONS[slug].division_prefix
    wanted = [(code, name) for code, name in in_force().items() if code.startswith(prefix)]
    assert sorted(drawn) == sorted(wanted)
    assert len(drawn) > 20


@pytest.mark.parametrize("slug", MAPPED)
def test_shapes_are_closed_rings_in_degrees_with_their_centre_among_them(slug):
    for feature in features(slug):
        rings = feature["geometry"]["coordinates"]
        assert feature["geometry"]["type"] == "Polygon", feature["properties"]
        assert all(ring[0] == ring[-1] and len(ring) >= 4 for ring in rings)
        east = [place[0] for place in rings[0]]
        north = [place[1] for place in rings[0]]
        centre = feature["properties"]["centre"]
        assert 97 < min(east) < centre[0] < max(east) < 111
        assert 26 < min(north) < centre[1] < max(north) < 35


def test_neighbours_share_one_border_and_nobody_else_has_it():
    """No gap and no overlap: a piece of border belongs to two divisions, or to one at the edge of the map."""
    owners = Counter(piece for slug in MAPPED for piece in borders(slug))
    assert set(owners.values()) == {1, 2}
    across = set(borders(MAPPED[0])) & set(borders(MAPPED[-1]))
    assert len(across) > 10


@pytest.mark.parametrize("slug", MAPPED)
def test_a_map_is_small_and_says_where_it_is_from(slug):
    file = resources.files(f"adapters.{slug}") / "map.geo.json"
    assert len(file.read_bytes()) < 32_000
    assert "Apache-2.0" in regions.outline(slug)["source"]


def test_a_region_without_a_map_has_none(tmp_path, monkeypatch):
    package = tmp_path / "islands" / "atoll"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert regions.outline("atoll", "islands") is None
