"""Where something is written: rows of tables, rows of maps, values in messages, so that a sentence can point."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.conformance.subject import Subject
    from gateway.mapping.explain import FieldLine
    from gateway.mapping.fieldmap import FieldMap
    from gateway.region import Tree

_INDEX = re.compile(r"\[[0-9]*\]")
_STEP = re.compile(r"[^./\[\]]+|\[[0-9]+\]")


def bare(path: str) -> str:
    """A path without its indexes: ``years[3].base`` → ``years.base``."""
    return _INDEX.sub("", path)


def line_of(subject: Subject, kind: str, path: str) -> FieldLine | None:
    """What is known of the field at a native path of a message."""
    wanted = bare(path)
    return next((one for (k, p), one in subject.lines.items() if k == kind and bare(p) == wanted), None)


def line_for(subject: Subject, kind: str, canonical: str) -> FieldLine | None:
    """The field a canonical value of a kind comes from."""
    wanted = bare(canonical)
    fitting = (one for (k, _), one in subject.lines.items() if k == kind)
    return next((one for one in fitting if wanted in {bare(c) for c in one.canonical}), None)


def declared_at(subject: Subject, path: str) -> str:
    """``adapters/x/maps/transfer.py:36`` where a native path stands in the maps; the folder when it is not found.

    The whole path first, then its last name after a separator (the head may be a constant), then that name alone.
    """
    last = re.split(r"[./]", bare(path))[-1]
    whole = (f'"{path}"', f'"{bare(path)}"')
    ends = tuple(f'{sign}{last}{entry}"' for entry in ("", "[]") for sign in './"')
    for needle in (*whole, *ends, f'{last}"', f'"{last}'):
        for name, text in _sources(subject):
            for number, line in enumerate(text.splitlines(), 1):
                if needle in line:
                    return f"{subject.where}/{name}:{number}"
    return f"{subject.where}/maps"


def _sources(subject: Subject) -> Iterator[tuple[str, str]]:
    """The files rows are declared in; the stand-in says the same paths, and declares nothing."""
    maps = subject.folder / "maps"
    if maps.is_dir():
        for file in sorted(maps.iterdir(), key=lambda f: f.name):
            if file.name.endswith(".py"):
                yield f"maps/{file.name}", file.read_text(encoding="utf-8")
    for file in sorted(subject.folder.iterdir(), key=lambda f: f.name):
        if file.name.endswith(".py") and file.name != "simulated.py":
            yield file.name, file.read_text(encoding="utf-8")


def code_row(subject: Subject, list_name: str, native: str) -> str:
    """``mappings/codes/x/sex.csv:3`` of a word; the file alone when it has no such row."""
    file = subject.code_file(list_name)
    row = subject.tables.codes(subject.slug, list_name).read(native)
    return f"{file}:{row.line}" if row else file


def steps_of(path: str, first_index: int = 0) -> list[str | int]:
    """``param.ic91[0].aae180`` and ``BODY/YWXX/NMX[1]/ND`` as steps into a tree."""
    parts = _STEP.findall(path)
    return [int(part[1:-1]) - first_index if part[0] == "[" else part for part in parts]


def value_at(tree: Any, path: str, first_index: int = 0) -> Any:
    """The value at a native path; None when there is nothing."""
    node = tree
    for step in steps_of(path, first_index):
        if isinstance(step, int):
            node = node if isinstance(node, list) else [node]
            if not 0 <= step < len(node):
                return None
            node = node[step]
        elif isinstance(node, dict) and step in node:
            node = node[step]
        else:
            return None
    return node


def with_value(tree: Tree, path: str, value: Any, first_index: int = 0) -> Tree:
    """A copy of a tree with another value at a native path of `leaves`; ``...`` takes it out.

    Errors: `LookupError` where the tree has no such place.
    """
    changed = copy.deepcopy(tree)
    node: Any = changed
    steps = steps_of(path, first_index)
    for step in steps[:-1]:
        if not isinstance(step, int) or isinstance(node, list):
            node = node[step]
    last = steps[-1]
    if value is ...:
        del node[last]
    elif node[last] is not value:  # looked up: nothing is added where nothing was
        node[last] = value
    return changed


def spot(tree: Tree, path: str, first_index: int = 0) -> bool:
    """Whether a path points to a place in the message: a member, or one missing from an object that is there."""
    steps = steps_of(path, first_index)
    if not steps:
        return True
    if value_at(tree, path, first_index) is not None:
        return True
    above = re.sub(r"[./]?(?:[^./\[\]]+|\[[0-9]+\])$", "", path)
    return value_at(tree, above, first_index) is not None if above else True


def leaves(tree: Any, one: FieldMap, base: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a message with its native path; a single element of a list counts as its first entry."""
    spelling = one.spelling
    for name, value in tree.items():
        path = f"{base}{spelling.separator}{name}" if base else name
        if isinstance(value, list) and value and _is_value(one, path):
            yield path, value
            continue
        listed = isinstance(value, list) or _is_list(one, path)
        for number, entry in enumerate(value if isinstance(value, list) else [value], spelling.first_index):
            here = f"{path}[{number}]" if listed else path
            if isinstance(entry, dict):
                yield from leaves(entry, one, here)
            else:
                yield here, entry


def _is_value(one: FieldMap, path: str) -> bool:
    """Whether one row carries the whole list, as a value of its own."""
    wanted = bare(path)
    return any(row.native.rpartition("[]")[2] and bare(row.native) == wanted for row in one.rows)


def _is_list(one: FieldMap, path: str) -> bool:
    wanted = bare(path)
    return any(group.native.endswith("[]") and bare(group.native) == wanted for group in one.groups)


def differences(expected: Any, found: Any, base: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Paths at which two trees differ, with both values; None where one has nothing, of lists how long they are."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in dict.fromkeys((*expected, *found)):
            path = f"{base}.{name}" if base else name
            yield from differences(expected.get(name), found.get(name), path)
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            yield base, f"{len(expected)} 项", f"{len(found)} 项"
            return
        for number, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from differences(one, other, f"{base}[{number}]")
    elif expected != found:
        yield base, expected, found
