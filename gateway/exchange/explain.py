"""Each value of the other side's message: where it came from, by which rule or row, and how; and time travel.

Told from the stored trace and the tables the message was translated by (pure).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gateway.canonical.kinds import TraceKind
from gateway.exchange.canonical_side import heard
from gateway.exchange.replay import Message, Stage, changes, replay
from gateway.mapping.canonical_lines import canonical_lines
from gateway.mapping.canonical_maps import is_canonical
from gateway.mapping.explain import Fate
from gateway.mapping.rule_texts import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from gateway.exchange.library import Book
    from gateway.mapping.explain import FieldLine
    from gateway.mapping.fieldmap import FieldMap, Spelling
    from gateway.mapping.sheet import Line
    from gateway.region import Region
    from gateway.store.archive import KeptCase, KeptMessage

_INDEX = re.compile(r"\[\d+\]")

#: Ways a value came about that leave no trace entry (crossing §7 "trace"), beside the kinds of the trace.
MINTED, WITH_OTHER = "minted", "with_other"

KIND_LABELS = {
    "exact": "原样",
    "converted": "换写",
    "derived": "派生",
    "lossy": "有损",
    "dropped": "未转",
    "warning": "警示",
    MINTED: "编制",
    WITH_OTHER: "随同写出",
}


_UNTRACED = {Fate.MINTED: MINTED, Fate.FIXED: MINTED, Fate.DERIVED: TraceKind.DERIVED.value}


@dataclass(frozen=True, slots=True)
class Reader:
    """What explaining needs: the regions, what is declared of every field, the sets by digest.

    ``books``: the sets of the case's messages that are still kept; ``current``: quoted in place of others.
    """

    regions: Mapping[str, Region]
    lines: Mapping[tuple[str, str, str], FieldLine] = field(repr=False)
    books: Mapping[str, Book] = field(repr=False)
    current: Book = field(repr=False)

    def book(self, message: KeptMessage) -> Book:
        """The set the message was translated by, else the current one."""
        return self.books.get(message.tables_digest, self.current)

    def line(self, region: str, kind: str, path: str | None) -> FieldLine | None:
        """What is declared of the field at a path of a message."""
        return line_at(self.lines, region, kind, path)


def line_at(
    lines: Mapping[tuple[str, str, str], FieldLine], region: str, kind: str, path: str | None
) -> FieldLine | None:
    """What is declared of the field at a path of a message; places in lists make no difference."""
    if path is None:
        return None
    plain = _INDEX.sub("[]", path)
    return canonical_lines().get((kind, plain)) if is_canonical(kind) else lines.get((region, kind, plain))


def by_place(lines: Iterable[FieldLine]) -> dict[tuple[str, str, str], FieldLine]:
    """Declared fields by (region, native kind, path)."""
    return {(line.region, line.native_kind, line.path): line for line in lines}


def explained(case: KeptCase, reader: Reader) -> dict[str, Any]:
    """The case with every message's values. Nothing is masked."""
    tracked = case.record.case
    return {
        "case_no": tracked.case_no,
        "item": tracked.item or None,
        "accepted_on": tracked.accepted_on and tracked.accepted_on.isoformat(),
        "messages": [_message(case, kept, reader) for kept in case.messages],
    }


def _message(case: KeptCase, kept: KeptMessage, reader: Reader) -> dict[str, Any]:
    tracked, book = case.record.case, reader.book(kept)
    version = None
    if tracked.accepted_on and tracked.item:
        version = book.tables.items.version(tracked.item, tracked.accepted_on)
    return {
        "seq": kept.seq,
        "from": kept.region,
        "to": kept.destination,
        "kind": kept.kind.value,
        "native_kind": kept.native_kind,
        "out_kind": kept.out_kind,
        "outcome": kept.outcome,
        "tables": {"digest": kept.tables_digest, "kept": kept.tables_digest in reader.books},
        "item_version": version
        and {
            "item": version.item,
            "effective_from": version.effective_from.isoformat(),
            "promised_limit": {"value": version.promised.value, "unit": version.promised.unit},
            "basis": version.basis,
        },
        "findings": [dict(finding) for finding in kept.findings],
        "values": list(_values(case, kept, reader)),
    }


def _values(case: KeptCase, kept: KeptMessage, reader: Reader) -> Iterator[dict[str, Any]]:
    """The written message leaf by leaf, then what was dropped or warned of."""
    waiting = list(kept.trace)
    receiver = heard(reader.regions[kept.destination], kept.out_kind)
    tree = receiver.parse(kept.rendered).tree if kept.rendered else {}
    map_ = receiver.maps.get(kept.out_kind)
    for path, value in leaves(tree, map_) if map_ else ():
        entry = next((each for each in waiting if each["path_out"] == path), None)
        if entry is None:
            yield _untraced(kept, reader, path, value)
            continue
        waiting.remove(entry)
        yield _traced(case, kept, reader, entry)
    for entry in waiting:
        yield _traced(case, kept, reader, entry)


def leaves(tree: Any, map_: FieldMap) -> Iterator[tuple[str, str]]:
    """Every leaf of a native tree with its path, in order."""
    lists = frozenset(group.native for group in map_.groups if group.native.endswith("[]"))
    yield from _leaves(tree, "", lists, map_.spelling)


def _leaves(node: Any, path: str, lists: frozenset[str], spelling: Spelling) -> Iterator[tuple[str, str]]:
    if isinstance(node, list) or f"{_INDEX.sub('[]', path)}[]" in lists:
        # an XML parser cannot know that an element that stands alone may be repeated
        for number, entry in enumerate(
            node if isinstance(node, list) else [node], start=spelling.first_index
        ):
            yield from _leaves(entry, f"{path}[{number}]", lists, spelling)
    elif isinstance(node, dict):
        for name, member in node.items():
            yield from _leaves(member, f"{path}{spelling.separator}{name}" if path else name, lists, spelling)
    else:
        yield path, str(node)


def _untraced(kept: KeptMessage, reader: Reader, path: str, value: str) -> dict[str, Any]:
    """Minted and fixed heads, and the second half of what is written from one value."""
    line = reader.line(kept.destination, kept.out_kind, path)
    fate = line.written if line else Fate.MINTED
    kind = _UNTRACED.get(fate, WITH_OTHER)
    return {
        "path_in": None,
        "name_in": None,
        "path_out": path,
        "name_out": line.name if line else None,
        "kind": kind,
        "kind_label": KIND_LABELS[kind],
        "before": None,
        "after": value,
        "rule": line.rule if line else "",
        "rule_text": (line.written_why if line else "") or text_of(line.rule if line else ""),
        "rows": [],
    }


def _traced(case: KeptCase, kept: KeptMessage, reader: Reader, entry: Mapping[str, Any]) -> dict[str, Any]:
    line_in = reader.line(kept.region, kept.native_kind, entry["path_in"])
    line_out = reader.line(kept.destination, kept.out_kind, entry["path_out"])
    quoted = Quoted(reader.book(kept), case, kept)
    rule_text = text_of(entry["rule"]) or text_of("M9")
    if entry["path_out"] is None and line_in is not None and line_in.received_why:
        rule_text = line_in.received_why
    elif entry["kind"] == "derived" and line_out is not None and line_out.written_why:
        rule_text = line_out.written_why
    return {
        "path_in": entry["path_in"],
        "name_in": line_in.name if line_in else None,
        "path_out": entry["path_out"],
        "name_out": line_out.name if line_out else None,
        "kind": entry["kind"],
        "kind_label": KIND_LABELS[entry["kind"]],
        "before": entry["before"],
        "after": entry["after"],
        "rule": entry["rule"],
        "rule_text": rule_text,
        "rows": quoted.rows(entry, line_in, line_out),
    }


@dataclass(frozen=True, slots=True)
class Quoted:
    """The rows of a set of tables behind the trace entries of one message."""

    book: Book
    case: KeptCase
    kept: KeptMessage

    def rows(
        self, entry: Mapping[str, Any], line_in: FieldLine | None, line_out: FieldLine | None
    ) -> list[dict[str, Any]]:
        """Recognition rule, words of both code lists, divisions, item: as far as they had a part."""
        found: list[dict[str, Any]] = []
        list_in = line_in.code_list if line_in else ""
        list_out = line_out.code_list if line_out else ""
        key = None
        if list_in and entry["before"]:
            key = self._read(found, list_in, entry["before"])
        rule = self._recognition(found, entry["rule"])
        if list_out:
            self._write(found, list_out, rule or key, entry["after"])
        if entry["rule"] == "M8":
            self._places(found, entry["before"], entry["after"])
        if entry["rule"] in {"M12", "M21"}:
            self._item(found)
        return found

    def _read(self, found: list[dict[str, Any]], name: str, before: str) -> str | None:
        words = self.book.tables.codes(self.kept.region, name)
        for row in words.reads.values():
            # a composite is written in the trace without its empty parts; C^H stands for C
            if row.native == before or row.native.rstrip("|") == before or row.native.split("^")[0] == before:
                found.append(self._code(self.kept.region, name, row))
                return row.key
        return None

    def _write(self, found: list[dict[str, Any]], name: str, key: str | None, after: str | None) -> None:
        words = self.book.tables.codes(self.kept.destination, name)
        row = words.write(key) if key else None
        if row is None:
            row = next((each for each in words.writes.values() if each.native == after), None)
        if row is not None:
            found.append(self._code(self.kept.destination, name, row))

    def _code(self, region: str, name: str, row: Any) -> dict[str, Any]:
        return {
            "table": f"codes/{region}/{name}.csv",
            "line": row.line,
            "native": row.native,
            "key": row.key,
            "name": row.name,
            "meaning": self.book.tables.hub(name).meaning(row.key),
        }

    def _recognition(self, found: list[dict[str, Any]], rule_id: str) -> str | None:
        rule = next((each for each in self.book.tables.rules if each.rule_id == rule_id), None)
        if rule is None:
            return None
        sheets = self.book.sheets
        lines = (line for sheet in (sheets.recognition if sheets else ()) for line in sheet)
        found.append(
            {
                **_place_of(lines, "rule_id", rule_id, "recognition"),
                "rule_id": rule_id,
                "subject": rule.subject,
                "accepted_as": rule.accepted_as,
                "basis": rule.basis,
                "effective_from": rule.effective_from.isoformat(),
                "effective_to": rule.effective_to and rule.effective_to.isoformat(),
            }
        )
        return rule.accepted_as

    def _places(self, found: list[dict[str, Any]], *written: str | None) -> None:
        sheets = self.book.sheets
        lines = tuple(sheets.divisions) if sheets else ()
        for word in dict.fromkeys(word for word in written if word):
            for line in lines:
                if word in {line["code"], line["full_name"]}:
                    members = ("code", "full_name", "valid_from", "valid_to", "successors")
                    found.append(
                        {"table": line.path, "line": line.number} | {name: line[name] for name in members}
                    )

    def _item(self, found: list[dict[str, Any]]) -> None:
        tracked, sheets = self.case.record.case, self.book.sheets
        day = tracked.accepted_on.isoformat() if tracked.accepted_on else ""
        for line in sheets.catalogue if sheets else ():
            if line["item"] == tracked.item and line["effective_from"] <= day < (line["effective_to"] or "9"):
                members = ("item", "promised_limit_value", "promised_limit_unit", "effective_from", "basis")
                found.append(
                    {"table": line.path, "line": line.number} | {name: line[name] for name in members}
                )


def _place_of(lines: Iterable[Line], column: str, value: str, table: str) -> dict[str, Any]:
    """File and line of a row; the table alone when the lines are not at hand."""
    for line in lines:
        if line[column] == value:
            return {"table": line.path, "line": line.number}
    return {"table": table, "line": None}


# --- time travel ---


def travelled(case: KeptCase, reader: Reader, *, to: Book, on: date | None) -> dict[str, Any]:
    """What would differ if the case's messages were translated by another set, or on another day."""
    return {
        "on": on and on.isoformat(),
        "tables": to.digest,
        "messages": [told for kept in case.messages if (told := _again(case, kept, reader, to, on))],
    }


def _again(
    case: KeptCase, kept: KeptMessage, reader: Reader, to: Book, on: date | None
) -> dict[str, Any] | None:
    region = reader.regions.get(kept.region)
    if not kept.raw or region is None:  # the gateway's own word to the origin
        return None
    message = Message(case.record, kept.region, heard(region, kept.native_kind).parse(kept.raw))
    first = replay(Stage(reader.regions, reader.book(kept).maps), message)
    second = replay(Stage(reader.regions, to.maps), message, on=on)
    writer = heard(reader.regions[kept.destination], first.native_kind).maps.get(first.native_kind)
    rules = [{entry.path_out: entry.rule for entry in each.trace} for each in (first, second)]
    told = []
    for change in changes(first, second, writer):
        line = reader.line(kept.destination, first.native_kind, change.path)
        rule = rules[1].get(change.path) or (line.rule if line else "")
        told.append(
            change._asdict()
            | {"name": line.name if line else None, "rule": rule, "rule_before": rules[0].get(change.path)}
        )
    return {
        "seq": kept.seq,
        "native_kind": kept.native_kind,
        "before": first.said,
        "after": second.said,
        "changes": told,
    }
