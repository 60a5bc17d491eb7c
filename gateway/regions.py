"""Finds the regions: every package in `adapters/` is one, and none is named here."""

from __future__ import annotations

import importlib
import json
import pkgutil
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gateway.errors import CannotStart
from gateway.formats.schema_fields import fields_of
from gateway.mapping.explain import RegionFields, read_notes
from gateway.region import Region

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable


def discover(package: str = "adapters") -> Mapping[str, Region]:
    """``{slug: Region}`` in alphabetical order.

    Errors: `CannotStart` when a package declares no ``region``, or one of another name.
    """
    found: dict[str, Region] = {}
    for module in sorted(
        pkgutil.iter_modules(importlib.import_module(package).__path__), key=lambda m: m.name
    ):
        if module.ispkg:
            found[module.name] = _declared(package, module.name)
    return MappingProxyType(found)


def _declared(package: str, name: str) -> Region:
    region = getattr(importlib.import_module(f"{package}.{name}"), "region", None)
    if not isinstance(region, Region):
        raise CannotStart(f"{package}/{name}: 未声明 region，请在 __init__.py 中写 region = Region(...)")
    if region.slug != name:
        raise CannotStart(f"{package}/{name}: region.slug 是 {region.slug}，须与文件夹同名")
    return region


def fields(package: str = "adapters") -> tuple[RegionFields, ...]:
    """Every region's maps with the notes on its fields and the paths of its published schema.

    Errors: `CannotStart` when a region lacks ``fields.csv`` or a ``schema.*``.
    """
    return tuple(
        _fields(region, resources.files(f"{package}.{slug}")) for slug, region in discover(package).items()
    )


def outline(slug: str, package: str = "adapters") -> Mapping[str, Any] | None:
    """The region's divisions as a schematic map; None when it has none: it is drawn as a box then.

    Shape: a GeoJSON ``FeatureCollection`` in degrees; each feature has ``code``, ``name`` and ``centre``
    (longitude, latitude) as properties, and there is one for each division right below the region's own.
    """
    file = resources.files(f"{package}.{slug}") / "map.geo.json"
    if not file.is_file():
        return None
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _fields(region: Region, folder: Traversable) -> RegionFields:
    notes = folder / "fields.csv"
    schema = next((file for file in folder.iterdir() if file.name.startswith("schema.")), None)
    if schema is None or not notes.is_file():
        raise CannotStart(f"{region.slug}: 缺少 fields.csv 或 schema.*，请从发布的程序包中补上")
    return RegionFields(
        region.slug,
        region.maps,
        read_notes(notes.read_text(encoding="utf-8")),
        fields_of(schema.name, schema.read_bytes()),
    )


def folder(slug: str, package: str = "adapters") -> Traversable:
    """Where a region's files lie: its examples, notes and schema."""
    return resources.files(f"{package}.{slug}")
