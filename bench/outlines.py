"""Schematic outlines of the regions' divisions, made once from a published map and kept with each adapter.

``python -m bench.outlines FOLDER PREFIX=SLUG...``: FOLDER holds the province files of npm ``echarts`` 4.9.0 (``map/json/province``,
Apache-2.0) as ``SLUG.json``; PREFIX are the two digits of the region's divisions. Needs shapely, which nothing else
does. The source is older than the divisions table: what has ended takes the code of its first successor, and parts
of one successor are dissolved. Neighbours keep one border between them, across regions too.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import defaultdict
from pathlib import Path

import shapely

ROOT = Path(__file__).parents[1]
#: Codes of the source that were raised to districts before the table begins (2016).
RAISED = {"500228": "500155", "500232": "500156"}
#: Degrees: the grid on which borders meet, and how far a simplified border may stray (root of an area).
GRID, STRAY = 1 / 256, 0.045
SOURCE = "Derived from npm echarts 4.9.0 (Apache-2.0), simplified: schematic, no standard map. See ../NOTICE."
#: The source counts in such parts of a degree.
UNIT = 1024


def ring(written: str, start: list[int]) -> list[tuple[float, float]]:
    """A ring from ECharts' encoding: zigzag differences, each a character from ``@`` on."""
    x, y = start
    places = []
    steps = [((ord(sign) - 64) >> 1) ^ -((ord(sign) - 64) & 1) for sign in written]
    for dx, dy in zip(steps[::2], steps[1::2], strict=True):
        x, y = x + dx, y + dy
        places.append((x / UNIT, y / UNIT))
    return places


def shape(geometry: dict) -> shapely.Geometry:
    parts, starts = geometry["coordinates"], geometry["encodeOffsets"]
    if geometry["type"] == "Polygon":
        parts, starts = [parts], [starts]
    outer = [shapely.Polygon(ring(part[0], start[0])) for part, start in zip(parts, starts, strict=True)]
    return shapely.unary_union(
        [shapely.make_valid(each, method="structure", keep_collapsed=False) for each in outer]
    )


def today() -> dict[str, dict[str, str]]:
    rows = csv.DictReader((ROOT / "mappings/places/divisions.csv").read_text(encoding="utf-8").splitlines())
    return {row["code"]: row for row in rows}


def current(code: str, table: dict[str, dict[str, str]]) -> str:
    code = RAISED.get(code, code)
    while table[code]["valid_to"]:
        code = table[code]["successors"].split("|")[0]
    return code


def tidy(shapes: dict[str, shapely.Geometry]) -> dict[str, shapely.Geometry]:
    """The same areas as faces of one net of borders, so that none overlap and no gap lies between two."""
    lines = shapely.union_all([each.boundary for each in shapes.values()], grid_size=GRID)
    faces = list(shapely.polygonize([lines]).geoms)
    owned = defaultdict(list)
    for face in faces:
        point = shapely.point_on_surface(face)
        near = min(shapes, key=lambda code: shapes[code].distance(point))
        if shapes[near].distance(point) < GRID or face.area < 0.01:  # a sliver between two goes to the nearer
            owned[near].append(face)
    whole = {code: shapely.union_all(parts) for code, parts in owned.items()}
    return {code: largest(each) for code, each in whole.items()}


def largest(area: shapely.Geometry) -> shapely.Geometry:
    """Without the exclaves that nobody would see, and the holes they leave."""
    parts = [part for part in shapely.get_parts(area) if part.area > 0.05 * area.area]
    return shapely.union_all([shapely.Polygon(part.exterior) for part in parts])


def main() -> None:
    folder, slugs = Path(sys.argv[1]), dict(pair.split("=") for pair in sys.argv[2:])
    table, found = today(), defaultdict(list)
    for slug in slugs.values():
        source = json.loads((folder / f"{slug}.json").read_text(encoding="utf-8"))
        for feature in source["features"]:
            found[current(feature["id"], table)].append(shape(feature["geometry"]))
    areas = tidy({code: shapely.union_all(parts) for code, parts in found.items()})
    simple = shapely.coverage_simplify(list(areas.values()), STRAY)
    for prefix, slug in slugs.items():
        features = [
            {
                "type": "Feature",
                "properties": {
                    "code": code,
                    "name": table[code]["name"],
                    "centre": centre(area),
                },
                "geometry": json.loads(shapely.to_geojson(shapely.set_precision(area, 0.001))),
            }
            for code, area in sorted(zip(areas, simple, strict=True))
            if code.startswith(prefix)
        ]
        map_ = {"type": "FeatureCollection", "source": SOURCE, "features": features}
        written = json.dumps(map_, ensure_ascii=False, separators=(",", ":"))
        (ROOT / "adapters" / slug / "map.geo.json").write_text(written + "\n", encoding="utf-8")


def centre(area: shapely.Geometry) -> list[float]:
    point = shapely.centroid(area)
    place = point if area.contains(point) else shapely.point_on_surface(area)
    return [round(place.x, 3), round(place.y, 3)]


if __name__ == "__main__":
    main()
