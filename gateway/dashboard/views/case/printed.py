"""A message printed line by line, every value with its path: JSON or XML, as its side writes it (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gateway.mapping.fieldmap import FieldMap

_INDEX = re.compile(r"\[\d+\]")


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line.

    ``path`` is set on lines that hold a value; ``text`` is the value as shown, ``sort`` what it is (``text``,
    ``number``, ``word``). ``opens`` and ``closes`` are what stands before and after it.
    """

    depth: int
    name: str = ""
    text: str = ""
    sort: str = ""
    path: str = ""
    opens: str = ""
    closes: str = ""

    @property
    def is_value(self) -> bool:
        """Whether there is a value on it."""
        return bool(self.sort)


@dataclass(frozen=True, slots=True)
class _Style:
    separator: str
    first_index: int
    lists: frozenset[str]


#: The canonical form is JSON with dots and counts from 0.
_CANONICAL = _Style(".", 0, frozenset())


def native(
    tree: Mapping[str, Any], map_: FieldMap, *, is_xml: bool, root: str = "PACKET"
) -> tuple[Line, ...]:
    """A region's message. A group that repeats counts as a list in its paths, also when it stands alone."""
    lists = frozenset(group.native.removesuffix("[]") for group in map_.groups if group.native.endswith("[]"))
    style = _Style(map_.spelling.separator, map_.spelling.first_index, lists)
    if is_xml:
        inner = _elements(tree, "", 1, style)
        return (Line(0, opens=f"<{root}>"), *inner, Line(0, closes=f"</{root}>"))
    return tuple(_members(tree, style))


def canonical(tree: Mapping[str, Any]) -> tuple[Line, ...]:
    """The canonical form."""
    return tuple(_members(tree, _CANONICAL))


def veiled(lines: tuple[Line, ...], mask: Callable[[str, str], str]) -> tuple[Line, ...]:
    """The same lines, every value through ``mask(path, text)``."""
    return tuple(replace(line, text=mask(line.path, line.text)) if line.is_value else line for line in lines)


def _members(tree: Mapping[str, Any], style: _Style) -> Iterator[Line]:
    yield Line(0, opens="{")
    yield from _object(tree, "", 1, style)
    yield Line(0, closes="}")


def _object(tree: Mapping[str, Any], base: str, depth: int, style: _Style) -> Iterator[Line]:
    last = len(tree) - 1
    for place, (name, value) in enumerate(tree.items()):
        path = f"{base}{style.separator}{name}" if base else name
        yield from _json(value, Line(depth, name=name, path=path), "," if place < last else "", style)


def _json(value: Any, line: Line, comma: str, style: _Style) -> Iterator[Line]:
    if isinstance(value, dict):
        yield replace(line, path="", opens="{")
        yield from _object(value, line.path, line.depth + 1, style)
        yield Line(line.depth, closes="}" + comma)
    elif isinstance(value, list):
        yield replace(line, path="", opens="[")
        for place, one in enumerate(value):
            here = Line(line.depth + 1, path=f"{line.path}[{place + style.first_index}]")
            yield from _json(one, here, "," if place < len(value) - 1 else "", style)
        yield Line(line.depth, closes="]" + comma)
    else:
        text, sort = _scalar(value)
        yield replace(line, text=text, sort=sort, closes=comma)


def _scalar(value: Any) -> tuple[str, str]:
    match value:
        case None:
            return "null", "word"
        case bool():
            return str(value).lower(), "word"
        case Decimal():
            return format(value, "f"), "number"
        case int() | float():
            return str(value), "number"
        case _:
            return str(value), "text"


def _elements(tree: Mapping[str, Any], base: str, depth: int, style: _Style) -> Iterator[Line]:
    for name, value in tree.items():
        path = f"{base}{style.separator}{name}" if base else name
        numbered = isinstance(value, list) or _INDEX.sub("[]", path) in style.lists
        entries = value if isinstance(value, list) else [value]
        for place, one in enumerate(entries):
            here = f"{path}[{place + style.first_index}]" if numbered else path
            yield from _element(name, one, here, depth, style)


def _element(name: str, value: Any, path: str, depth: int, style: _Style) -> Iterator[Line]:
    if isinstance(value, dict):
        yield Line(depth, opens=f"<{name}>")
        yield from _elements(value, path, depth + 1, style)
        yield Line(depth, closes=f"</{name}>")
    else:
        yield Line(depth, path=path, text=str(value), sort="text", opens=f"<{name}>", closes=f"</{name}>")
