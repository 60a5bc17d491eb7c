"""The layout of the tables folder: which file holds which columns, and the files sorted by their part."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.mapping.sheet import Fault, Sheet, read_sheet

if TYPE_CHECKING:
    from collections.abc import Mapping

HUB = ("key", "meaning", "note")
CODES = ("native", "key", "name", "direction", "lossy", "note")
RECOGNITION = (
    "rule_id",
    "issued_by",
    "accepted_by",
    "subject_kind",
    "subject",
    "accepted_as",
    "items",
    "basis",
    "effective_from",
    "effective_to",
    "note",
)
CATALOGUE = (
    "no",
    "item",
    "name",
    "kind",
    "form",
    "schemes",
    "applicants",
    "legal_limit_value",
    "legal_limit_unit",
    "promised_limit_value",
    "promised_limit_unit",
    "effective_from",
    "effective_to",
    "mode",
    "basis",
    "materials",
    "provenance",
)
ITEM_WORDS = ("item", "base_code", "name", "mark")
LEGS = (
    "item",
    "leg",
    "name",
    "place",
    "begins",
    "limit_value",
    "limit_unit",
    "effective_from",
    "effective_to",
    "basis",
)
_GUIDE_ELEMENTS = (
    "item",
    "name",
    "basis",
    "flow",
    "mode",
    "materials",
    "legal_limit_value",
    "legal_limit_unit",
    "promised_limit_value",
    "promised_limit_unit",
)
_GUIDE_PERIOD = ("effective_from", "effective_to", "mark")
GUIDES = (*_GUIDE_ELEMENTS, "conditions", "applicants", "fee", "result", "open", *_GUIDE_PERIOD)
AGENCY_GUIDES = ("division", "agency", "level", *_GUIDE_ELEMENTS, *_GUIDE_PERIOD)
EQUIVALENCES = (
    "equivalence_id",
    "element",
    "items",
    "region",
    "value",
    "other_region",
    "other_value",
    "basis",
    "effective_from",
    "effective_to",
    "note",
)
DIVISIONS = ("code", "name", "full_name", "level", "parent", "valid_from", "valid_to", "successors")
AGENCIES = ("division", "agency", "uscc", "level", "mark")

_CATALOGUE_FILE = "items/catalogue.csv"
_DIVISIONS_FILE = "places/divisions.csv"
_AGENCIES_FILE = "places/agencies.csv"
_LEGS_FILE = "items/legs.csv"
_EQUIVALENCES_FILE = "guides/equivalences.csv"
_COLUMNS = {
    _CATALOGUE_FILE: CATALOGUE,
    _DIVISIONS_FILE: DIVISIONS,
    _AGENCIES_FILE: AGENCIES,
    _LEGS_FILE: LEGS,
    _EQUIVALENCES_FILE: EQUIVALENCES,
}
_FOLDERS = {
    "canonical": HUB,
    "codes": CODES,
    "recognition": RECOGNITION,
    "guides": GUIDES,
    "guides/agencies": AGENCY_GUIDES,
}
_NEEDED = (_CATALOGUE_FILE, _DIVISIONS_FILE, _AGENCIES_FILE)
#: What a region brings beside its code lists, in the same folder ``codes/<slug>/``: a region is one folder of
#: tables. Name → its columns; the part of the layout it belongs to has the same name.
BROUGHT = {
    "items": ITEM_WORDS,
    "divisions": DIVISIONS,
    "agencies": AGENCIES,
    "recognition": RECOGNITION,
    "guides": GUIDES,
}


_NOTHING = Sheet("", ())


@dataclass(frozen=True, slots=True)
class Sheets:
    """Every table of a folder, by its part."""

    catalogue: Sheet
    divisions: Sheet
    agencies: Sheet
    hubs: Mapping[str, Sheet] = field(default_factory=dict)
    codes: Mapping[tuple[str, str], Sheet] = field(default_factory=dict)
    item_words: Mapping[str, Sheet] = field(default_factory=dict)
    recognition: tuple[Sheet, ...] = ()
    guides: Mapping[str, Sheet] = field(default_factory=dict)
    agency_guides: Mapping[str, Sheet] = field(default_factory=dict)
    equivalences: Sheet = _NOTHING
    legs: Sheet = _NOTHING

    @property
    def regions(self) -> tuple[str, ...]:
        """Regions that have code lists."""
        return tuple(sorted({region for region, _ in self.codes}))


def sort_out(files: Mapping[str, bytes]) -> tuple[Sheets | None, list[Fault]]:
    """Read every file, named by its path below the folder with ``/``.

    No sheets when a file is missing or unreadable; all such faults are listed.
    """
    faults = [Fault(name, 1, "缺少这个文件：请从发布的规则表中补上") for name in _NEEDED if name not in files]
    sheets: dict[str, Sheet] = {}
    unreadable = bool(faults)
    for name, content in sorted(files.items()):
        columns = columns_of(name)
        if columns is None:
            faults.append(Fault(name, 1, _unknown(name)))
            continue
        sheet, found = read_sheet(name, content, columns)
        faults += [*found, *_twice(name, files)]
        if sheet is None:
            unreadable = True
        else:
            sheets[name] = sheet
    return (None if unreadable else _arranged(sheets)), faults


def brought(name: str) -> str:
    """The part of the layout a table in a region's own folder belongs to; ``""``: a code list, or no such table."""
    match name.removesuffix(".csv").split("/"):
        case ["codes", _, part] if part in BROUGHT:
            return part
    return ""


def _twice(name: str, files: Mapping[str, bytes]) -> list[Fault]:
    """A region's guides stand in its own folder or in the common one, never in both."""
    part, region = brought(name), name.split("/")[1]
    other = f"{part}/{region}.csv"
    if part == "guides" and other in files:
        return [Fault(name, 1, f"与 {other} 是同一地区的同一种表：只能保留一处，请删除其一")]
    return []


def _unknown(name: str) -> str:
    match name.removesuffix(".csv").split("/"):
        case ["items", region]:
            return f"事项的基本编码和名称放在 codes/{region}/items.csv：请把这个文件移到那里"
    return "不认识的规则表：请检查文件名和所在目录，或移走这个文件"


def columns_of(name: str) -> tuple[str, ...] | None:
    """The columns of a table by its name below the folder; None for a name that is no table."""
    folder, _, rest = name.removesuffix(".csv").partition("/")
    if name in _COLUMNS:
        return _COLUMNS[name]
    if rest.startswith("agencies/"):
        folder, rest = f"{folder}/agencies", rest.removeprefix("agencies/")
    if rest.count("/") != (1 if folder == "codes" else 0):
        return None
    if brought(name):
        return BROUGHT[brought(name)]
    return _FOLDERS.get(folder)


def _arranged(sheets: Mapping[str, Sheet]) -> Sheets:
    hubs: dict[str, Sheet] = {}
    codes: dict[tuple[str, str], Sheet] = {}
    words: dict[str, Sheet] = {}
    guides: dict[str, Sheet] = {}
    agency_guides: dict[str, Sheet] = {}
    topics: list[Sheet] = []
    added: dict[str, list[Sheet]] = {"divisions": [], "agencies": [], "recognition": topics}
    for name, sheet in sheets.items():
        parts = name.removesuffix(".csv").split("/")
        # what a region brings in its own folder belongs where the common table of the same part does
        match [brought(name), parts[1]] if brought(name) else parts:
            case ["canonical", hub]:
                hubs[hub] = sheet
            case ["codes", region, listed]:
                codes[(region, listed)] = sheet
            case [("divisions" | "agencies" | "recognition") as part, _]:
                added[part].append(sheet)
            case ["items", region] if brought(name):
                words[region] = sheet
            case ["guides", region] if name not in _COLUMNS:
                guides[region] = sheet
            case ["guides", "agencies", region]:
                agency_guides[region] = sheet
    return Sheets(
        catalogue=sheets[_CATALOGUE_FILE],
        divisions=_joined(sheets[_DIVISIONS_FILE], added["divisions"]),
        agencies=_joined(sheets[_AGENCIES_FILE], added["agencies"]),
        hubs=hubs,
        codes=codes,
        item_words=words,
        recognition=tuple(topics),
        guides=guides,
        agency_guides=agency_guides,
        equivalences=sheets.get(_EQUIVALENCES_FILE, _NOTHING),
        legs=sheets.get(_LEGS_FILE, _NOTHING),
    )


def _joined(common: Sheet, others: list[Sheet]) -> Sheet:
    """The common table with what regions bring; each line keeps the name of its own file."""
    return Sheet(common.path, (*common.lines, *(line for sheet in others for line in sheet)))
