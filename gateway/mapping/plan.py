"""Field maps compiled once at start-up into walkable plans, for both directions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from gateway.canonical.kinds import TraceKind
from gateway.errors import Finding, Level
from gateway.mapping.fieldmap import (
    SCHEMA,
    Fault,
    FieldMap,
    Heads,
    Held,
    Leaf,
    Lossy,
    Reading,
    Row,
    Sight,
    Spelling,
    TraceEntry,
    Writing,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.mapping.converters import Converter
    from gateway.mapping.tables import Tables

_WEIGHT = {TraceKind.EXACT: 0, TraceKind.CONVERTED: 1, TraceKind.DERIVED: 2, TraceKind.LOSSY: 3}

MISSING = "缺少必填项，请补充后重新提交"
EXTRA = "接口没有这一项，请删除后重新提交"
ORDER = "元素次序与接口规定不符，请按接口规定的次序排列"
BLANK = "空元素不允许：没有值时请不要写这个元素"
NOT_OBJECT = "应为一组下级成员，不是单个值"
NOT_LIST = "应为列表"


# A named tuple made without its Python-level constructor: there are two for every value of a message.
_leaf: Callable[[tuple[Any, ...]], Leaf] = partial(tuple.__new__, Leaf)
_held: Callable[[tuple[Any, ...]], Held] = partial(tuple.__new__, Held)
_entry: Callable[[tuple[Any, ...]], TraceEntry] = partial(tuple.__new__, TraceEntry)

#: A canonical path cut at its index: ``years[].base`` → (``years[``, ``].base``); no cut: one part.
_Path = tuple[str, str]
_NOWHERE: _Path = ("", "")


@dataclass(slots=True)
class _Node:
    """One member of the native tree: a leaf (``row``), an object or a list of objects."""

    name: str
    need: bool = False
    row: Row | None = None
    form: Converter | None = None
    repeated: bool = False
    at_least: int = 1
    at_most: int = 1
    list_to: str = ""
    position: int = 0
    read_to: _Path = _NOWHERE
    write_from: _Path = _NOWHERE
    rule: str = ""
    quick: Callable[[Any], Any] | None = None
    take: _Take | None = None
    put: _Put | None = None
    children: dict[str, _Node] = field(default_factory=dict)
    required: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A compiled map: `read` native → canonical, `write` canonical → native."""

    map: FieldMap
    where: Mapping[str, str]
    _root: _Node

    def read(self, tree: dict[str, Any], sight: Sight) -> Reading:
        """Shape: any tree. Never raises: every fault is a finding (9042 form, 9043 value, 1xxx park)."""
        reading = Reading(self.map.kind, sight, self.where)
        _read_object(self._root, tree, "", None, (reading, self.map.spelling))
        if not any(f.code == SCHEMA for f in reading.findings):
            for irregular in self.map.after_read:
                irregular(reading)
        return reading

    def write(self, reading: Reading, sight: Sight, heads: Heads) -> tuple[dict[str, Any], Writing]:
        """The native tree, with its trace and what the other side cannot say (findings)."""
        writing = Writing(reading.leaves, reading.counts, sight, heads)
        for irregular in self.map.before_write:
            irregular(writing)
        tree = _write_object(self._root, "", None, (writing, self.map.spelling))
        return tree, writing


def compile_map(field_map: FieldMap, tables: Tables, region: str, prefixes: Mapping[str, str]) -> Plan:
    """Bind a map to the code lists of ``tables`` and the division prefixes of the regions; once per table set."""
    separator = field_map.spelling.separator
    root = _Node("", need=True)
    for row in field_map.rows:
        node = _place(root, row.native, separator)
        node.row, node.need = row, row.need
        node.form = row.form.bind(tables, region, prefixes) if row.form.bind else row.form
        own, peer = ("origin", "target")
        node.read_to = _cut((row.to or "").format(own=own, peer=peer))
        node.write_from = _cut((row.write_from or row.to or "").format(own=peer, peer=own))
        node.rule, node.quick = row.rule or node.form.rule, node.form.quick
    for group in field_map.groups:
        node = _place(root, group.native, separator)
        node.need = group.need
        node.repeated = group.native.endswith("[]")
        node.at_least, node.at_most, node.list_to = group.at_least, group.at_most, group.to.removesuffix("[]")
    _finish(root)
    where = {row.to.format(own="origin", peer="target"): row.native for row in field_map.rows if row.to}
    return Plan(field_map, where, root)


def _place(root: _Node, path: str, separator: str) -> _Node:
    node = root
    for part in path.split(separator):
        name = part.removesuffix("[]")
        if name not in node.children:
            node.children[name] = _Node(name, need=True, position=len(node.children))
        node = node.children[name]
    return node


def _finish(node: _Node) -> None:
    node.required = tuple(child.name for child in node.children.values() if child.need)
    for child in node.children.values():
        if child.row is not None:
            child.take, child.put = _reader(child), _writer(child)
        _finish(child)


def _cut(path: str) -> _Path:
    if not path:
        return _NOWHERE
    before, _, after = path.partition("[]")
    return (f"{before}[", f"]{after}") if after else (path, "")


_Work = tuple[Reading, Spelling]
_Take = Callable[[Any, str, int | None, _Work], None]
_Put = Callable[[str, int | None, dict[str, Any], Writing], None]


def _read_object(node: _Node, tree: dict[str, Any], base: str, index: int | None, work: _Work) -> None:
    reading, spelling = work
    children, last = node.children, -1
    for name, value in tree.items():
        child = children.get(name)
        path = base + name
        if child is None:
            reading.findings.append(Finding(path, SCHEMA, EXTRA))
            continue
        if spelling.ordered:
            if child.position < last:
                reading.findings.append(Finding(path, SCHEMA, ORDER))
            last = child.position
        take = child.take
        if take is not None:
            take(value, path, index, work)
        elif child.repeated:
            _read_list(child, value, path, work)
        else:
            _read_inner(child, value, path, index, work)
    for name in node.required:
        if name not in tree:
            reading.findings.append(Finding(base + name, SCHEMA, MISSING))


def _read_inner(node: _Node, value: Any, path: str, index: int | None, work: _Work) -> None:
    reading, spelling = work
    if spelling.ordered and isinstance(value, str) and not value.strip():
        value = {}  # an element without children: XML does not tell what it might have held
    if isinstance(value, dict):
        _read_object(node, value, path + spelling.separator, index, work)
    else:
        reading.findings.append(Finding(path, SCHEMA, NOT_OBJECT))


def _read_list(node: _Node, value: Any, path: str, work: _Work) -> None:
    reading, spelling = work
    entries = value if isinstance(value, list) else [value] if spelling.ordered else None
    if entries is None:
        reading.findings.append(Finding(path, SCHEMA, NOT_LIST))
        return
    if not node.at_least <= len(entries) <= node.at_most:
        text = f"应有 {node.at_least} 至 {node.at_most} 条，现有 {len(entries)} 条"
        reading.findings.append(Finding(path, SCHEMA, text))
    reading.counts[node.list_to] = len(entries)
    for number, entry in enumerate(entries[: node.at_most]):
        here = f"{path}[{number + spelling.first_index}]"
        _read_inner(node, entry, here, number, work)


def _reader(node: _Node) -> _Take:
    """How one leaf is read, with everything bound that does not change from message to message."""
    form, quick, rule = node.form, node.quick, node.rule
    assert form is not None  # noqa: S101 - leaf nodes have a form by construction
    kind, (before_index, after_index), holds = form.kind, node.read_to, node.read_to is _NOWHERE

    def take(value: Any, path: str, index: int | None, work: _Work) -> None:
        meant = None if quick is None else quick(value)
        carried = kind
        if meant is None:
            meant = _read_carefully(node, form, value, path, work)
            if meant is None:
                return
            if type(meant) is Lossy:
                meant, carried = meant.value, TraceKind.LOSSY
        written = value if type(value) is str else str(value)
        if holds:
            work[0].held[path] = _held((meant, written))
            return
        to = f"{before_index}{index}{after_index}" if after_index else before_index
        work[0].leaves[to] = _leaf((meant, path, written, rule, carried))

    return take


def _read_carefully(node: _Node, form: Converter, value: Any, path: str, work: _Work) -> Any:
    """The canonical value (or `Lossy`), None when there is none: absent, or a finding says why."""
    reading = work[0]
    if value == "" and _skips_blank(node, form, path, work):
        return None
    if not form.ok(value):
        reading.findings.append(Finding(path, SCHEMA, form.hint))
        return None
    try:
        return form.read(value, reading.sight)
    except Fault as fault:
        reading.fault(path, fault)
        if fault.level is Level.PARK:  # what repeats this value can still be compared with it
            reading.held[path] = Held(None, value)
        return None


def _skips_blank(node: _Node, form: Converter, path: str, work: _Work) -> bool:
    """SC-N's ``""`` is an absent optional value; CQ-N refuses an empty element (crossing M19)."""
    reading, spelling = work
    if spelling.blank_is_absent:
        return not node.need or form.blank_ok
    reading.findings.append(Finding(path, SCHEMA, BLANK))
    return True


_Pen = tuple[Writing, Spelling]


def _write_object(node: _Node, base: str, index: int | None, pen: _Pen) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    writing, separator = pen[0], pen[1].separator
    for name, child in node.children.items():
        path = base + name
        put = child.put
        if put is not None:
            put(path, index, tree, writing)
        elif child.repeated:
            entries = _write_list(child, path, pen)
            if entries:
                tree[name] = entries
        else:
            inner = _write_object(child, path + separator, index, pen)
            if inner:
                tree[name] = inner
    return tree


def _write_list(node: _Node, path: str, pen: _Pen) -> list[dict[str, Any]]:
    writing, spelling = pen
    return [
        _write_object(node, f"{path}[{number + spelling.first_index}]{spelling.separator}", number, pen)
        for number in range(writing.counts.get(node.list_to, 0))
    ]


def _writer(node: _Node) -> _Put:
    """How one leaf is written, with everything bound that does not change from message to message."""
    form, name, rule, constant = node.form, node.name, node.rule, node.form.constant if node.form else None
    assert form is not None  # noqa: S101 - leaf nodes have a form by construction
    write, kind = form.write, form.kind
    (before_index, after_index), nowhere = node.write_from, node.write_from is _NOWHERE

    def put(path: str, index: int | None, tree: dict[str, Any], writing: Writing) -> None:
        given = writing.given.get(path)
        if given is not None:
            tree[name] = given.value
            if given.leaf is not None:
                _note(writing, given.leaf, path, given.rule, given.kind, given.shown or given.value)
            return
        if nowhere:
            if constant is not None:
                tree[name] = constant
            return
        canonical = f"{before_index}{index}{after_index}" if after_index else before_index
        leaf = writing.leaves.get(canonical)
        if leaf is None or leaf.value is None:
            return
        writing.used.add(canonical)
        try:
            said = write(leaf.value, writing.sight)
        except Fault as fault:
            writing.findings.append(Finding(leaf.path or path, fault.code, fault.text, fault.level))
            return
        if type(said) is Lossy:
            tree[name] = said.value
            _note(writing, leaf, path, leaf.rule or rule, TraceKind.LOSSY, said.value)
            return
        tree[name] = said
        _note(writing, leaf, path, leaf.rule or rule, kind, said)

    return put


def _note(writing: Writing, leaf: Leaf, path: str, rule: str, kind: TraceKind, said: Any) -> None:
    read = leaf.kind
    if read is not kind and _WEIGHT[read] > _WEIGHT[kind]:
        kind = read
    after = said if type(said) is str else str(said)
    writing.trace.append(_entry((leaf.path, path, rule, kind, leaf.before, after)))


def left_over(reading: Reading, writing: Writing) -> list[TraceEntry]:
    """Trace of the leaves the other side has no place for (law: lossless or traced)."""
    dropped = []
    for canonical, leaf in reading.leaves.items():
        if (
            canonical in writing.used
            or canonical in reading.covered
            or leaf.path is None
            or leaf.kind is TraceKind.DERIVED
        ):
            continue
        kind = TraceKind.LOSSY if leaf.kind is TraceKind.LOSSY else TraceKind.DROPPED
        dropped.append(TraceEntry(leaf.path, None, leaf.rule, kind, leaf.before, None))
    return dropped


def worst_level(findings: list[Finding]) -> Level | None:
    """The level that decides the message: refuse over park over nothing."""
    levels = {finding.level for finding in findings}
    if Level.REFUSE in levels:
        return Level.REFUSE
    return Level.PARK if levels else None
