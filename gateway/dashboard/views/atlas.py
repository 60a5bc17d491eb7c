"""The map all sides are drawn on: each region's own outline, side by side, and where a division lies on it."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass, field
from math import ceil, log
from typing import TYPE_CHECKING, Any

from gateway import regions as regions_

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.region import Region

#: A region without an outline is a box of this size, in degrees, east of what there is.
_BOX = (4.0, 3.0)
_GAP = 0.6
#: Width by height of a map, in degrees, that fills the place it is drawn in.
_FILLS = 1.57
_NOWHERE = (100.0, 28.0, 100.0, 31.0)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the map: its name there, and longitude and latitude of its middle."""

    region: str
    name: str
    centre: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Atlas:
    """``name`` tells the content, so that ``shapes`` (GeoJSON, UTF-8) may be kept for good."""

    name: str
    shapes: bytes = field(repr=False)
    spots: Mapping[str, Spot] = field(repr=False)
    middles: Mapping[str, Spot] = field(repr=False)
    bounds: tuple[float, float, float, float]

    @property
    def order(self) -> list[str]:
        """The regions from west to east: they have their colours, and are named, in this order."""
        return sorted(self.middles, key=lambda slug: self.middles[slug].centre)

    def spot(self, region: str, division: str) -> Spot:
        """Where a division is drawn: itself, the prefecture it lies in, else the middle of its region."""
        for code in (division, f"{division[:4]}00"):
            if code in self.spots:
                return self.spots[code]
        return self.middles[region]


def atlas(regions: Mapping[str, Region]) -> Atlas:
    """The map of these regions; made once."""
    return _made(tuple((slug, region.name) for slug, region in regions.items()))


@functools.cache
def _made(sides: tuple[tuple[str, str], ...]) -> Atlas:
    features: list[dict[str, Any]] = []
    for slug, _ in sides:
        features += [_of(slug, each) for each in (regions_.outline(slug) or {"features": ()})["features"]]
    drawn = {each["properties"]["region"] for each in features}
    features += _boxes([side for side in sides if side[0] not in drawn], _bounds(features))
    shapes = json.dumps(
        {"type": "FeatureCollection", "features": features}, ensure_ascii=False, separators=(",", ":")
    ).encode()
    spots = {each["properties"]["code"]: _spot(each) for each in features}
    middles = {slug: _middle(slug, name, spots) for slug, name in sides}
    digest = hashlib.sha256(shapes).hexdigest()[:12]
    return Atlas(f"regions-{digest}", shapes, spots, middles, _bounds(features))


def _of(slug: str, feature: dict[str, Any]) -> dict[str, Any]:
    return {**feature, "properties": {**feature["properties"], "region": slug}}


def _spot(feature: dict[str, Any]) -> Spot:
    told = feature["properties"]
    east, north = told["centre"]
    return Spot(told["region"], told["name"], (east, north))


def _boxes(
    sides: list[tuple[str, str]], beside: tuple[float, float, float, float]
) -> Iterator[dict[str, Any]]:
    """East of what there is, column by column, in so many rows that the whole fills its place best."""
    wide, high = _BOX[0] + _GAP, _BOX[1] + _GAP

    def misses(rows: int) -> float:
        width = beside[2] - beside[0] + ceil(len(sides) / rows) * wide
        return abs(log(width / max(beside[3] - beside[1], rows * high - _GAP) / _FILLS))

    rows = min(range(1, len(sides) + 1), key=misses, default=1)
    for place, (slug, name) in enumerate(sides):
        column, row = divmod(place, rows)
        stacked = min(rows, len(sides) - column * rows)
        top = (beside[1] + beside[3] + stacked * high - _GAP) / 2
        yield _box(slug, name, beside[2] + _GAP + column * wide, top - row * high - _BOX[1])


def _box(slug: str, name: str, west: float, south: float) -> dict[str, Any]:
    east, north = west + _BOX[0], south + _BOX[1]
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    middle = [(west + east) / 2, (south + north) / 2]
    return {
        "type": "Feature",
        "properties": {"code": slug, "name": name, "centre": middle, "region": slug},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def _bounds(features: list[dict[str, Any]]) -> tuple[float, float, float, float]:
    """West, south, east, north."""
    places = [place for each in features for place in each["geometry"]["coordinates"][0]]
    if not places:
        return _NOWHERE
    east, north = [place[0] for place in places], [place[1] for place in places]
    return min(east), min(north), max(east), max(north)


def _middle(slug: str, name: str, spots: Mapping[str, Spot]) -> Spot:
    own = [spot.centre for spot in spots.values() if spot.region == slug]
    return Spot(slug, name, (sum(x for x, _ in own) / len(own), sum(y for _, y in own) / len(own)))
