"""Whose message it is, told by its bytes alone: every region is asked whether it can read them (pure)."""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import TYPE_CHECKING, NamedTuple

from gateway.errors import Refusal
from gateway.exchange import translate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.region import Opened, Region


class Whose(NamedTuple):
    """The region whose format it is, with the message; else why the one that came nearest could not read it.

    ``nearest``: that region's slug, "" when no region is there at all.
    """

    region: Region | None
    opened: Opened | None
    refused: Refusal | None
    nearest: str = ""


def whose(regions: Mapping[str, Region], body: bytes) -> Whose:
    """Ask every region. Errors: none, a message of nobody is told by what is returned."""
    refused, nearest = None, ""
    for region in regions.values():
        try:
            opened = region.parse(body)
        except Refusal as error:
            looks_alike = ("json" in region.content_type) == _is_json(body)
            if refused is None or looks_alike:
                refused, nearest = error, region.slug
            continue
        if opened.native_kind in region.maps:
            return Whose(region, opened, None, region.slug)
        refused, nearest = translate.unknown_kind(region.kind_path), region.slug
    return Whose(None, None, refused, nearest)


def _is_json(body: bytes) -> bool:
    """By its first mark; a BOM before it is a fault of its own, and JSON's to tell."""
    return body.removeprefix(BOM_UTF8).lstrip()[:1] in {b"{", b"["}
