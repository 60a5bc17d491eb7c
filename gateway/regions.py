"""Finds the regions: packages in `adapters/`, in further folders laid out alike, and installed ones; none is named here.

Nothing is kept here but what Python keeps itself: a further folder's ``adapters/`` is put on the path of the
package `adapters`, so its regions are imported, and find their files, just like the product's own.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import pkgutil
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gateway.errors import CannotStart
from gateway.formats.schema_fields import fields_of
from gateway.mapping.explain import RegionFields, read_notes
from gateway.mapping.load import files_of
from gateway.region import Region

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from importlib.resources.abc import Traversable

#: The package of the regions' folders, and the group of the entry points of those that are installed.
PACKAGE, GROUP = "adapters", "tongban.regions"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a region comes from, known before anything of it is imported.

    ``package``: what to import; ``tables``: the folder of its tables, None for the product's own regions, whose
    tables are part of the common folder. One that lies beside them and is whole in itself, with items of its own
    in ``codes/<slug>/``, is a further region like any other: begun, and not in force until it is wanted.
    """

    slug: str
    package: str
    folder: Path
    tables: Path | None = None


def look_in(dirs: Iterable[Path]) -> None:
    """Let regions be found in these folders too, each with ``adapters/<slug>/`` and ``mappings/codes/<slug>/``.

    May be said again. Errors: `CannotStart` for a folder without ``adapters/``.
    """
    path = importlib.import_module(PACKAGE).__path__
    for folder in dirs:
        code = folder.resolve() / PACKAGE
        if not code.is_dir():
            raise CannotStart(
                f"regions_dirs: {folder} 下没有 {PACKAGE}/ 目录，请改正路径（相对路径从配置文件所在目录算起）"
            )
        if str(code) not in path:
            path.append(str(code))
            importlib.invalidate_caches()


def in_folders(dirs: Iterable[Path]) -> tuple[str, ...]:
    """The slugs of the regions in these folders. Errors: as `look_in`."""
    dirs = tuple(dirs)
    look_in(dirs)
    folders = [folder.resolve() / PACKAGE for folder in dirs]
    return tuple(slug for slug, source in sources().items() if source.folder.parent in folders)


def sources() -> Mapping[str, Source]:
    """Every region that can be found, by slug. Errors: `CannotStart` for one that is found twice."""
    found: dict[str, Source] = {}
    for source in (*_in_packages(), *_installed()):
        if source.slug in found:
            first = found[source.slug].folder
            raise CannotStart(f"地区 {source.slug} 有两处：{first} 与 {source.folder}，请移走其一")
        found[source.slug] = source
    return MappingProxyType(found)


def _in_packages() -> Iterator[Source]:
    own, *others = importlib.import_module(PACKAGE).__path__
    for path in (own, *others):
        for module in sorted(pkgutil.iter_modules([path]), key=lambda module: module.name):
            if module.ispkg:
                tables = Path(path).parent / "mappings" / "codes" / module.name
                # the places of the product's own regions are in the common tables
                further = path != own or (tables / "divisions.csv").is_file()
                folder = Path(path) / module.name
                yield Source(module.name, f"{PACKAGE}.{module.name}", folder, tables if further else None)


def _installed() -> Iterator[Source]:
    """Entry points: the name is the slug, the value the package; its tables are in its folder ``codes/``."""
    for point in sorted(metadata.entry_points(group=GROUP), key=lambda point: point.name):
        folder = _folder_of(point.value)
        yield Source(point.name, point.value, folder, folder / "codes")


def _folder_of(package: str) -> Path:
    """Where a package's files are; one that is not there, or no package, is told when the region is wanted."""
    with suppress(ModuleNotFoundError):
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.submodule_search_locations:
            return Path(next(iter(spec.submodule_search_locations)))
    return Path(*package.split("."))


def discover(named: Collection[str] = ()) -> Mapping[str, Region]:
    """``{slug: Region}`` in alphabetical order: the product's own regions, and further ones that are named.

    Errors: `CannotStart` when one that is named cannot be found, declares no ``region`` or one of another name,
    has no tables, or has the division prefix of another.
    """
    known = sources() if named else {source.slug: source for source in _in_packages()}
    wanted = {slug for slug, source in known.items() if source.tables is None} | set(named)
    for slug in sorted(wanted - set(known)):
        raise CannotStart(
            f"没有地区 {slug} 的适配器：请改正名称（现有：{'、'.join(sorted(known))}），或补上 regions_dirs"
        )
    found = {slug: _declared(known[slug]) for slug in sorted(wanted)}
    _each_its_own_prefix(found.values())
    return MappingProxyType(found)


def _each_its_own_prefix(regions: Iterable[Region]) -> None:
    taken: dict[str, str] = {}
    for region in regions:
        first = taken.setdefault(region.division_prefix, region.slug)
        if first != region.slug:
            raise CannotStart(
                f"地区 {first} 与 {region.slug} 的区划代码都以 {region.division_prefix} 开头："
                "报文无法分辨送往何处，请改正其中一个的 division_prefix"
            )


def _declared(source: Source) -> Region:
    if not source.folder.is_dir():
        raise CannotStart(f"地区 {source.slug}: 找不到程序包 {source.package}，请重新安装提供它的软件包")
    if source.tables is not None and not source.tables.is_dir():
        raise CannotStart(f"地区 {source.slug}: 缺少规则表目录 {source.tables}，请从该地区的发布包中补上")
    region = getattr(importlib.import_module(source.package), "region", None)
    if not isinstance(region, Region):
        raise CannotStart(f"{source.folder}: 未声明 region，请在 __init__.py 中写 region = Region(...)")
    if region.slug != source.slug:
        raise CannotStart(f"{source.folder}: region.slug 是 {region.slug}，须为 {source.slug}")
    return region


def package_of(slug: str) -> str:
    """The package a region is imported from. Errors: `CannotStart` for one that cannot be found."""
    own = f"{PACKAGE}.{slug}"
    if any(source.package == own for source in _in_packages()):
        return own
    if slug not in sources():
        raise CannotStart(f"没有地区 {slug} 的适配器：请改正名称，或补上 regions_dirs")
    return sources()[slug].package


# --- tables ----------------------------------------------------------------------------------------


def table_files(folder: Path, regions: Iterable[str]) -> dict[str, bytes]:
    """The tables of a folder with those that regions bring, by name below it. Errors: `CannotStart`.

    A folder that has ``codes/<slug>/`` itself is taken as it is for that region: it is then the one place
    its tables are kept in, as after an import of a workbook. Those of a region begun there and not among
    ``regions`` are left out: what is not in force changes nothing, not even the digest.
    """
    regions = tuple(regions)
    begun = {s.slug for s in _in_packages() if s.tables == folder / "codes" / s.slug} - set(regions)
    files = {
        name: content
        for name, content in files_of(folder).items()
        if not name.startswith(tuple(f"codes/{slug}/" for slug in begun))
    }
    return files | brought(slug for slug in regions if not any(n.startswith(f"codes/{slug}/") for n in files))


def brought(slugs: Iterable[str]) -> dict[str, bytes]:
    """The tables these regions bring themselves, by name below a tables folder; nothing for the product's own."""
    files: dict[str, bytes] = {}
    for slug in slugs:
        source = sources().get(slug)
        if source is not None and source.tables is not None:
            own = files_of(source.tables)
            files |= {f"codes/{slug}/{name}": content for name, content in own.items()}
    return files


# --- what a region has beside its code -------------------------------------------------------------


def fields(slugs: Collection[str] = ()) -> tuple[RegionFields, ...]:
    """These regions' maps with the notes on fields and the paths of the published schema; the product's by default.

    Errors: `CannotStart` when a region lacks ``fields.csv`` or a ``schema.*``.
    """
    found = discover(slugs)
    return tuple(
        _fields(found[slug], resources.files(package_of(slug)))
        for slug in found
        if not slugs or slug in slugs
    )


def outline(slug: str, package: str = "") -> Mapping[str, Any] | None:
    """The region's divisions as a schematic map; None when it has none: it is drawn as a box then.

    Shape: a GeoJSON ``FeatureCollection`` in degrees; each feature has ``code``, ``name`` and ``centre``
    (longitude, latitude) as properties, and there is one for each division right below the region's own.
    """
    file = resources.files(f"{package}.{slug}" if package else package_of(slug)) / "map.geo.json"
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


def folder(slug: str) -> Traversable:
    """Where a region's files lie: its examples, notes and schema. Errors: `CannotStart` for an unknown one."""
    return resources.files(package_of(slug))
