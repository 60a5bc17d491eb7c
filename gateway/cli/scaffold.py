"""What `tongban new-region` writes: the template with the region's own names, and its tables from the shared lists."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING

from gateway.canonical.identifiers import uscc_ok
from gateway.conformance.laws.decided import MARK
from gateway.formats import xml_bytes
from gateway.mapping.layout import AGENCIES, CODES, DIVISIONS, ITEM_WORDS, RECOGNITION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from importlib.resources.abc import Traversable

    from gateway.mapping.tables import Tables

#: The names the template is written with; each is replaced by the region's own.
_SLUG, _NAME, _PREFIX, _LETTERS = "newland", "新省", "98", "QQ"
#: The prefix where it stands for divisions: alone in quotes, before four digits, before a pattern of them.
_PREFIXED = re.compile(rf'(?<![0-9A-Za-z]){_PREFIX}(?=\[0-9\]|[0-9]{{4}}(?![0-9])|"|0102)')
#: Lists whose keys are those of a national standard: the region's codes, unless its interface says otherwise.
NATIONAL = frozenset({"ethnic_group", "id_type", "rating", "rating_channel", "scheme", "sex"})
#: The lists the template's maps bind, by functions too.
LISTS = (
    *("applicant_type", "channel", "id_type", "material", "material_method"),
    *("rating", "rating_channel", "scheme", "status"),
)
#: The item the worked application is for, and the materials the first rules of recognition are about.
_ITEM, _MATERIALS = "injury_remote_treatment", ("id_card", "application_form")
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


#: A path of a message's body as the template writes it, with dots: in quotes, or at the head of a line.
_PATH = re.compile(r'(?:^|(?<=["`]))body\.[0-9A-Za-z.\[\]{]*', re.MULTILINE)


class Format(StrEnum):
    """What the region speaks."""

    JSON = "json"
    XML = "xml"


@dataclass(frozen=True, slots=True)
class Names:
    """What tells the new region from others. ``letters``: two capitals its numbers begin with."""

    slug: str
    name: str
    prefix: str
    letters: str


@dataclass(frozen=True)
class Scaffold:
    """A region's files. ``tables``: those in force, for shared lists and catalogue; ``others``: slug → prefix."""

    names: Names
    tables: Tables
    others: Mapping[str, str]
    format: Format = Format.JSON

    def adapter(self) -> dict[str, bytes]:
        """The files of the adapter's folder, by name below it."""
        template = resources.files("gateway.cli") / "template"
        files = dict(_files(template / _SLUG, ""))
        if self.format is Format.XML:
            over = dict(_files(template / f"{_SLUG}_xml", ""))
            del files["schema.json"], over["__init__.py"]
            files = dict(_in_xml(name, content) for name, content in files.items()) | over
        own = {name.replace(_SLUG, self.names.slug): self._own(content) for name, content in files.items()}
        return dict(_encoded(name, content) for name, content in own.items())

    def codes(self) -> dict[str, bytes]:
        """The tables of the region's folder, by name below it."""
        made = {f"{name}.csv": _table(CODES, self._code_rows(name)) for name in LISTS}
        return made | {
            "items.csv": _table(ITEM_WORDS, self._items()),
            "divisions.csv": _table(DIVISIONS, self._divisions()),
            "agencies.csv": _table(AGENCIES, [self._agency()]),
            "recognition.csv": _table(RECOGNITION, self._recognition()),
        }

    def _own(self, content: bytes) -> bytes:
        text = _PREFIXED.sub(self.names.prefix, content.decode("utf-8"))
        words = {
            "@ITEM@": self._base_codes[_ITEM],
            "@THERE@": self._elsewhere,
            _SLUG: self.names.slug,
            _SLUG.capitalize(): self.names.slug.capitalize(),
            _NAME: self.names.name,
            _LETTERS: self.names.letters,
        }
        for word, own in words.items():
            text = text.replace(word, own)
        return text.encode("utf-8")

    @cached_property
    def _elsewhere(self) -> str:
        """A division of another region, for the worked application."""
        prefixes = tuple(self.others.values())
        return max(code for code in self.tables.agencies.by_division if code.startswith(prefixes))

    @cached_property
    def _base_codes(self) -> Mapping[str, str]:
        return {
            item: f"{self.names.letters}{number:010d}"
            for number, item in enumerate(self.tables.items.by_item, 1)
        }

    def _code_rows(self, name: str) -> Iterator[tuple[str, ...]]:
        note = "" if name in NATIONAL else MARK
        for key, meaning in self.tables.hubs[name].meanings.items():
            yield key.replace("|", "-"), key, meaning, "both", "", note

    def _items(self) -> Iterator[tuple[str, ...]]:
        for item, versions in self.tables.items.by_item.items():
            yield item, self._base_codes[item], versions[0].name, MARK

    def _divisions(self) -> Iterator[tuple[str, ...]]:
        prefix, name = self.names.prefix, self.names.name
        city, county = f"{MARK}市", f"{MARK}区"
        yield f"{prefix}0000", name, name, "province", "", "", "", ""
        yield f"{prefix}0100", city, f"{name}{city}", "prefecture", f"{prefix}0000", "", "", ""
        yield f"{prefix}0102", county, f"{name}{city}{county}", "county", f"{prefix}0100", "", "", ""

    def _agency(self) -> tuple[str, ...]:
        division = f"{self.names.prefix}0102"
        body = f"11{division}000000000"
        uscc = next(body + sign for sign in _USCC_ALPHABET if uscc_ok(body + sign))
        return division, f"{MARK}区社会保险局", uscc, "4", MARK

    def _recognition(self) -> Iterator[tuple[str, ...]]:
        ways = [(self.names.slug, other) for other in self.others]
        pairs = [way for issued, accepted in ways for way in ((issued, accepted), (accepted, issued))]
        rules = [(*pair, material) for pair in pairs for material in _MATERIALS]
        for number, (issued, accepted, material) in enumerate(rules, 1):
            rule_id = f"R{self.names.prefix}{number:03d}"
            yield rule_id, issued, accepted, "material", material, material, "*", MARK, "2020-09-01", "", ""


def _in_xml(name: str, content: bytes) -> tuple[str, bytes]:
    """A file of the template for a region that speaks XML: other paths, other texts, the same rows."""
    text = content.decode("utf-8")
    if name.endswith((".py", ".csv", ".md")):
        text = _PATH.sub(lambda path: path[0].replace(".", "/"), text)
    for json_, xml in (
        ("shared.json_text", "shared.xml_text"),
        ("= Spelling()", '= Spelling(separator="/", first_index=1, ordered=True, blank_is_absent=False)'),
        ("UTF-8 JSON under", "GB 18030 XML under"),
        ("application/json; charset=utf-8", "application/xml; charset=GB18030"),
        ("schema.json", "schema.xsd"),
    ):
        text = text.replace(json_, xml)
    if name.endswith(".json") and not name.endswith(".http.json"):
        name = f"{name.removesuffix('.json')}.xml"
    return name, text.encode("utf-8")


def _encoded(name: str, content: bytes) -> tuple[str, bytes]:
    """A worked message or receipt that is kept as JSON in the template, in the region's own bytes."""
    if name.startswith("examples/") and name.endswith(".xml"):
        return name, xml_bytes.write(json.loads(content))
    return name, content


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([columns, *rows])
    return out.getvalue().encode("utf-8")


def _files(folder: Traversable, base: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            if entry.name != "__pycache__":
                yield from _files(entry, f"{base}{entry.name}/")
        elif not entry.name.endswith(".pyc"):
            yield base + entry.name, entry.read_bytes()
