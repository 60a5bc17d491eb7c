"""What the laws look at: a region with its folder, its tables, its examples, and the regions beside it."""

from __future__ import annotations

import importlib
import json
import random
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from gateway.canonical.worktime import BEIJING, beijing_day
from gateway.conformance.errands import Errands
from gateway.conformance.passages import rehearse
from gateway.crypto.digest import sm3_hex
from gateway.errors import Refusal
from gateway.formats.schema_fields import fields_of
from gateway.mapping.explain import RegionFields, field_lines, read_notes
from gateway.region import Inbound
from gateway.regions import package_of, sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date
    from importlib.resources.abc import Traversable

    from gateway.canonical.kinds import Kind
    from gateway.canonical.rehearsal import StandIn
    from gateway.conformance.passages import Passage
    from gateway.exchange.translate import Maps
    from gateway.mapping.explain import FieldLine
    from gateway.mapping.tables import Tables
    from gateway.region import Opened, Region

#: What the gateway's own message keys begin with, on every side.
GATEWAY = "TB"
#: Without a dated example: a working day in the year the tables were published for.
_SOME_DAY = datetime(2026, 11, 23, 16, 0, tzinfo=BEIJING)
#: Where the tables are that a region does not bring itself.
_COMMON = {
    "divisions": "places/divisions.csv",
    "agencies": "places/agencies.csv",
    "recognition": "recognition/materials.csv",
}


class BadFile(ValueError):  # noqa: N818 - a word of the field
    """A file of the adapter that cannot be read: its name below the folder, and why."""

    def __init__(self, name: str, cause: Exception) -> None:
        super().__init__(f"{name}: {type(cause).__name__} {cause}")
        self.name, self.cause = name, cause


class BadKeys(ValueError):  # noqa: N818 - a word of the field
    """The stand-in's keys do not fit the region's credentials: ``str`` names the members, never a value."""


@dataclass(frozen=True, slots=True)
class Example:
    """A worked message with what lies beside it; members that are not there are None."""

    name: str
    kind: str
    body: bytes = field(repr=False)
    http: Mapping[str, Any] | None = None
    canonical: Mapping[str, Any] | None = None
    trace: list[list[Any]] | None = None
    context: Mapping[str, str] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The published headers, names in small letters."""
        return {name.lower(): value for name, value in (self.http or {}).get("headers", {}).items()}

    @property
    def inbound(self) -> Inbound:
        """The message as it would arrive."""
        return Inbound(self.headers, self.body)


@dataclass(frozen=True, slots=True)
class Pair:
    """Fresh keys of a region: the gateway's section, the stand-in's own."""

    credentials: Any = field(repr=False)
    own: Any = field(repr=False)


@dataclass(frozen=True)
class Subject:
    """The region under test. ``where`` is its folder as people write it, ``rounds`` how much is generated.

    Everything drawn by chance is drawn from ``seed``; ``now`` is the day of the latest example, so that a
    check gives the same result on every machine and every day.
    """

    region: Region
    regions: Mapping[str, Region]
    tables: Tables
    maps: Maps
    folder: Traversable
    seed: int = 1
    rounds: int = 1
    #: the tables as files, by name below their folder
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    #: the moment of the check, when it is another region's
    at: datetime | None = None

    @property
    def slug(self) -> str:
        """The region's name in paths."""
        return self.region.slug

    @property
    def where(self) -> str:
        """The adapter's folder, for messages: below ``adapters/``, or that of an installed package."""
        return where_of(self.slug)

    def code_file(self, list_name: str) -> str:
        """Where a code list of this region is kept, for messages."""
        return table_at(self.where, f"codes/{self.slug}/{list_name}.csv")

    def table(self, part: str) -> str:
        """Where this region's items, divisions, agencies or rules of recognition are kept, for messages."""
        own = f"codes/{self.slug}/{part}.csv"
        return table_at(self.where, own if own in self.files else _COMMON.get(part, own))

    @property
    def others(self) -> tuple[Region, ...]:
        """The regions beside it."""
        return tuple(region for slug, region in self.regions.items() if slug != self.slug)

    def beside(self, slug: str) -> Subject:
        """Another region with the same tables."""
        return replace(self, region=self.regions[slug], folder=folder_of(slug), at=self.now)

    def chance(self, of: str) -> random.Random:
        """A stream of chance of its own for each law."""
        return random.Random(f"{self.seed} {self.slug} {of}")  # noqa: S311 - to repeat, not to hide

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """The worked messages, by name."""
        return tuple(sorted(_examples(self.folder), key=lambda example: example.name))

    @cached_property
    def now(self) -> datetime:
        """The moment of the latest example."""
        if self.at is not None:
            return self.at
        days = [at for example in self.examples if (at := _sent_at(self.region, example))]
        return max(days, default=_SOME_DAY).astimezone(BEIJING)

    @property
    def today(self) -> date:
        """The day the laws are checked on."""
        return beijing_day(self.now)

    @cached_property
    def schema(self) -> tuple[str, bytes] | None:
        """Name and content of the published schema."""
        found = [file for file in self.folder.iterdir() if file.name.startswith("schema.")]
        return (found[0].name, found[0].read_bytes()) if found else None

    @cached_property
    def fields(self) -> RegionFields | None:
        """The maps with the notes on their fields; None without schema or ``fields.csv``."""
        notes = self.folder / "fields.csv"
        if self.schema is None or not notes.is_file():
            return None
        try:
            noted = read_notes(notes.read_text(encoding="utf-8"))
        except (ValueError, KeyError) as error:
            raise BadFile("fields.csv", error) from error
        try:
            published = fields_of(*self.schema)
        except (ValueError, KeyError, SyntaxError) as error:
            raise BadFile(self.schema[0], error) from error
        return RegionFields(self.slug, self.region.maps, noted, published)

    @cached_property
    def lines(self) -> Mapping[tuple[str, str], FieldLine]:
        """What becomes of each field, by native kind and path (lists as ``[]``)."""
        known = [found for slug in self.regions if (found := self.beside(slug).fields)]
        return {(f.native_kind, f.path): f for f in field_lines(known) if f.region == self.slug}

    @cached_property
    def stand_in(self) -> StandIn | None:
        """The region's stand-in, None when it declares none."""
        return stand_in_of(self.slug)

    @cached_property
    def keys(self) -> Pair:
        """Keys of this check."""
        return self.pair("keys")

    def pair(self, of: str) -> Pair:
        """Keys made for one purpose. Errors: `LookupError` without a stand-in, `BadKeys`."""
        if self.stand_in is None:
            raise LookupError("stand_in")
        chance = self.chance(of)
        section, own = self.stand_in.pair(lambda: f"{chance.getrandbits(192):048x}")
        try:
            credentials = self.region.credentials.model_validate(
                {"base_url": "https://example.invalid", **section}
            )
        except ValidationError as error:
            faults = error.errors(include_input=False, include_url=False)
            told = "、".join(f"{'.'.join(map(str, one['loc']))}（{one['type']}）" for one in faults)
            raise BadKeys(told) from None
        return Pair(credentials, self.stand_in.keys(own))

    @cached_property
    def passages(self) -> tuple[Passage, ...]:
        """Generated messages of every item and kind, in both directions, as they crossed."""
        return tuple(rehearse(self))

    def errands(self, to: Region) -> Errands:
        """What people come for at this region that concerns another."""
        pair = (self.region, to)
        prefixes = {region.slug: region.division_prefix for region in pair}
        return Errands(self.tables, prefixes, self.slug, {region.slug: spoken(region) for region in pair})


def where_of(slug: str) -> str:
    """A region's folder for messages. Errors: `CannotStart` for one that cannot be found."""
    return package_of(slug).replace(".", "/")


def table_at(where: str, name: str) -> str:
    """A table by its name below the tables folder, for messages: a package keeps those of its region in itself."""
    own = name.startswith("codes/") and not where.startswith("adapters/")
    return f"{where}/codes/{name.rpartition('/')[2]}" if own else f"mappings/{name}"


def stand_in_of(slug: str) -> StandIn | None:
    """The stand-in of a region's ``simulated`` module; None without the module or the value."""
    name = f"{package_of(slug)}.simulated"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None
    return getattr(module, "stand_in", None)


def folder_of(slug: str) -> Traversable:
    """The folder of an adapter, found without importing it. Errors: `KeyError` for one that is not there."""
    return sources()[slug].folder


def spoken(region: Region) -> frozenset[Kind]:
    """The kinds a region has a message for."""
    return frozenset(one.kind for one in region.maps.values())


def digest_of(folder: Traversable) -> str:
    """Hex SM3 over the adapter's files: for each, by name, its name, its length and its bytes."""
    parts = []
    for name, content in sorted(_files(folder, "")):
        parts += [f"{name}\n{len(content)}\n".encode(), content]
    return sm3_hex(*parts)


def _files(folder: Traversable, base: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.name == "__pycache__":
            continue
        if entry.is_dir():
            yield from _files(entry, f"{base}{entry.name}/")
        else:
            yield base + entry.name, entry.read_bytes()


def _examples(folder: Traversable) -> Iterator[Example]:
    shelf = folder / "examples"
    if not shelf.is_dir():
        return
    files = {file.name: file for file in shelf.iterdir() if file.is_file()}
    for name, file in files.items():
        stem, mark, _ = name.partition(".native.")
        if not mark or name.startswith("hostile_"):
            continue
        beside = {
            what: _json_of(files[f"{stem}.{what}.json"])
            for what in ("http", "canonical", "trace", "context")
            if f"{stem}.{what}.json" in files
        }
        yield Example(name, stem, file.read_bytes(), **beside)


def _json_of(file: Traversable) -> Any:
    try:
        return json.loads(file.read_bytes())
    except ValueError as error:
        raise BadFile(f"examples/{file.name}", error) from error


def _sent_at(region: Region, example: Example) -> datetime | None:
    try:
        opened: Opened = region.open(example.inbound)
    except Refusal:
        return None
    return opened.sent_at
