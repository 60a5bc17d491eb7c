"""Finds the regions: every package in `adapters/` is one, and none is named here."""

from __future__ import annotations

import importlib
import pkgutil
from types import MappingProxyType
from typing import TYPE_CHECKING

from gateway.errors import CannotStart
from gateway.region import Region

if TYPE_CHECKING:
    from collections.abc import Mapping


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
