"""The declared maps as data: what becomes of every native field, in both directions, and why.

The rows of the maps say most of it; what they cannot say (held values, minted heads, reasons) stands
beside them in each region's ``fields.csv``.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.canonical.kinds import Kind
    from gateway.mapping.fieldmap import FieldMap, Row

COLUMNS = ("path", "name", "kinds", "canonical", "rule", "code_list", "by", "received", "written")
EVERY_KIND = "*"
#: A canonical path that stands for nothing: the row is not written from anywhere.
NOWHERE = "_"


class Fate(StrEnum):
    """What becomes of a field in one direction."""

    MAPPED = "mapped"  # a row of the map carries it
    HELD = "held"  # named functions of the region carry it
    DERIVED = "derived"  # written, follows from other values or rules
    FIXED = "fixed"  # always this value
    MINTED = "minted"  # made by the gateway
    CHECKED = "checked"  # compared with another value, then not carried
    DROPPED = "dropped"  # not carried, with the reason
    UNWRITTEN = "unwritten"  # never written, with the reason
    UNEXPLAINED = "unexplained"

    @property
    def label(self) -> str:
        """The Chinese word for it."""
        return _LABELS[self]


_LABELS = {
    Fate.MAPPED: "对应",
    Fate.HELD: "对应（专用处理）",
    Fate.DERIVED: "派生",
    Fate.FIXED: "固定",
    Fate.MINTED: "编制",
    Fate.CHECKED: "核对",
    Fate.DROPPED: "不转",
    Fate.UNWRITTEN: "不写",
    Fate.UNEXPLAINED: "未说明",
}
_BY_WORD = {label: fate for fate, label in _LABELS.items()}


@dataclass(frozen=True, slots=True)
class FieldNote:
    """A line of a region's ``fields.csv``: the field's name and what no row of a map can say of it."""

    path: str
    name: str
    kinds: frozenset[str]
    canonical: tuple[str, ...] = ()
    rule: str = ""
    code_list: str = ""
    by: tuple[str, ...] = ()
    received: str = ""
    written: str = ""


@dataclass(frozen=True, slots=True)
class RegionFields:
    """A region's maps with the notes on their fields and the paths its published schema declares."""

    slug: str
    maps: Mapping[str, FieldMap]
    notes: tuple[FieldNote, ...]
    schema: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class FieldLine:
    """One native field of one kind. ``received``/``written``: its fate towards and from the other side."""

    region: str
    native_kind: str
    kind: Kind
    path: str
    name: str
    need: bool
    canonical: tuple[str, ...]
    converter: str
    code_list: str
    rule: str
    by: tuple[str, ...]
    received: Fate
    received_why: str
    written: Fate
    written_why: str

    @property
    def explained(self) -> bool:
        """Whether both directions are accounted for."""
        return Fate.UNEXPLAINED not in {self.received, self.written}

    def as_json(self) -> dict[str, object]:
        """The members in the order of the class."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name in self.__slots__
            for value in (getattr(self, name),)
        }


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many fields of the published formats are accounted for; ``missing`` names the others."""

    fields: int
    counts: Mapping[tuple[str, str], int]
    missing: tuple[str, ...] = field(default=())

    @property
    def share(self) -> float:
        """1.0 when nothing is missing."""
        return 1 - len(self.missing) / self.fields if self.fields else 0.0


def read_notes(text: str) -> tuple[FieldNote, ...]:
    """The lines of a ``fields.csv``. Errors: `ValueError` for other columns."""
    reader = csv.DictReader(text.splitlines())
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise ValueError(f"fields.csv: 列名应为 {','.join(COLUMNS)}")
    return tuple(
        FieldNote(
            path=line["path"],
            name=line["name"],
            kinds=frozenset(line["kinds"].split("|")),
            canonical=_split(line["canonical"]),
            rule=line["rule"],
            code_list=line["code_list"],
            by=_split(line["by"]),
            received=line["received"],
            written=line["written"],
        )
        for line in reader
    )


def _split(cell: str) -> tuple[str, ...]:
    return tuple(cell.split("|")) if cell else ()


def field_lines(regions: Iterable[RegionFields]) -> tuple[FieldLine, ...]:
    """Every field of every map of every region, in the order of the maps."""
    known = tuple(regions)
    return tuple(
        _line(region, map_, row, _peer(known, region, map_.kind))
        for region in known
        for map_ in region.maps.values()
        for row in map_.rows
    )


@dataclass(frozen=True, slots=True)
class _Ends:
    """Canonical paths that the others' maps of a kind read from and write from."""

    read: frozenset[str]
    written: frozenset[str]


def _peer(regions: tuple[RegionFields, ...], own: RegionFields, kind: Kind) -> _Ends:
    read: set[str] = set()
    written: set[str] = set()
    for region in regions:
        for map_ in region.maps.values():
            if region is own or map_.kind is not kind:
                continue
            for row in map_.rows:
                note = note_of(region, map_.native_kind, row.native)
                read |= {*_received_as(row), *_put(note, own="origin", peer="target")}
                written |= {*_written_from(row), *_put(note, own="target", peer="origin")}
    return _Ends(frozenset(read), frozenset(written))


def note_of(region: RegionFields, native_kind: str, path: str) -> FieldNote | None:
    """The note on a field; one for its kind before one for every kind."""
    found = [note for note in region.notes if note.path == path and note.kinds & {native_kind, EVERY_KIND}]
    return min(found, key=lambda note: EVERY_KIND in note.kinds, default=None)


def _received_as(row: Row) -> tuple[str, ...]:
    return (row.to.format(own="origin", peer="target"),) if row.to else ()


def _written_from(row: Row) -> tuple[str, ...]:
    source = row.write_from or row.to
    return (source.format(own="target", peer="origin"),) if source and source != NOWHERE else ()


def _put(note: FieldNote | None, *, own: str, peer: str) -> tuple[str, ...]:
    return tuple(path.format(own=own, peer=peer) for path in note.canonical) if note else ()


def _line(region: RegionFields, map_: FieldMap, row: Row, peer: _Ends) -> FieldLine:
    note = note_of(region, map_.native_kind, row.native)
    form = row.form
    declared = _put(note, own="origin", peer="target")
    received, received_why = _fate(
        row, (_received_as(row), declared), peer.written, note.received if note else ""
    )
    written, written_why = _fate(
        row,
        (_written_from(row), _put(note, own="target", peer="origin")),
        peer.read,
        note.written if note else "",
    )
    return FieldLine(
        region=region.slug,
        native_kind=map_.native_kind,
        kind=map_.kind,
        path=row.native,
        name=note.name if note else "",
        need=row.need,
        canonical=tuple(dict.fromkeys((*_received_as(row), *declared))),
        converter=form.name,
        code_list=code_list_of(row) or (note.code_list if note else ""),
        rule=(note.rule if note else "") or row.rule or form.rule,
        by=note.by if note else (),
        received=received,
        received_why=received_why,
        written=written,
        written_why=written_why,
    )


def code_list_of(row: Row) -> str:
    """The code list a row looks its words up in, "" for none."""
    kind, _, name = row.form.name.partition(" ")
    return name if kind == "code" else ""


def _fate(
    row: Row, paths: tuple[tuple[str, ...], tuple[str, ...]], there: frozenset[str], why: str
) -> tuple[Fate, str]:
    """What the row carries, else what the note says, else what the note carries."""
    if row.form.constant is not None:
        return Fate.FIXED, row.form.constant
    if there.intersection(paths[0]):
        return Fate.MAPPED, ""
    word, _, reason = why.partition("：")
    fate = _BY_WORD.get(word)
    if fate and reason:
        return fate, reason
    return (Fate.HELD, "") if there.intersection(paths[1]) else (Fate.UNEXPLAINED, "")


def coverage(regions: Iterable[RegionFields]) -> Coverage:
    """Every field of the published schemas against the maps: mapped, derived, or listed with a reason."""
    known = tuple(regions)
    lines = field_lines(known)
    counts: dict[tuple[str, str], int] = {}
    for line in lines:
        for way in (("received", line.received), ("written", line.written)):
            counts[way] = counts.get(way, 0) + 1
    missing = [f"{line.native_kind} {line.path}: 没有说明去向" for line in lines if not line.explained]
    missing += [f"{line.native_kind} {line.path}: 没有中文名称" for line in lines if not line.name]
    missing += _against_schemas(known, lines)
    total = sum(len(region.schema.get(kind, ())) for region in known for kind in region.maps)
    return Coverage(total, counts, tuple(missing))


def _against_schemas(regions: Iterable[RegionFields], lines: Iterable[FieldLine]) -> Iterator[str]:
    mapped: dict[str, set[str]] = {}
    for line in lines:
        mapped.setdefault(line.native_kind, set()).add(line.path)
    for region in regions:
        for kind in region.maps:
            declared = region.schema.get(kind, frozenset())
            for path in sorted(declared ^ mapped.get(kind, set())):
                where = "接口有，字段表没有" if path in declared else "字段表有，接口没有"
                yield f"{kind} {path}: {where}"
