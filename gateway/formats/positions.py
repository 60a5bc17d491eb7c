"""Where a value stands in the text of a message: path → line and column, also while the text is broken (pure).

What stands before the place at which a parser gives up is located all the same: that is where a person looks.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple
from xml.parsers import expat

from gateway.formats import gb18030
from gateway.formats.tree import MAX_DEPTH

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The way from the top: ("param", "ic91", 0, "aae180") in JSON, (("BODY", 1), ("NMX", 2)) in XML.
Step = str | int | tuple[str, int]
Steps = tuple[Step, ...]

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_ELEMENT = re.compile(r"([^/\[\]]+)(?:\[(\d+)\])?")
_TOKEN = re.compile(r'[ \t\r\n]*(?:([{}\[\],:])|("(?:[^"\\\n]|\\.)*")|([^\s{}\[\],:"]+))')
_DECLARED = re.compile(r"\s*<\?xml.*?\?>", re.DOTALL)
#: an element without children: its first tag, its text
_INNER = re.compile(r"<[^<>]*>([^<]*)")


class Place(NamedTuple):
    """``line`` and ``column`` count characters from 1; ``length`` is that of the value on its first line.

    ``offset``: characters from the beginning of the text, line breaks counted as one.
    """

    line: int
    column: int
    length: int
    offset: int


@dataclass(frozen=True, slots=True)
class Located:
    """A text with the places of its values. ``broken``: where no parser could go on, None for a whole text."""

    text: str = field(repr=False)
    places: Mapping[Steps, Place] = field(repr=False)
    is_xml: bool = False
    broken: Place | None = None

    def at(self, path: str) -> Place | None:
        """The place of a path as findings and traces write it.

        What is not there has the place of the nearest thing around it; None for the whole message.
        """
        steps = _numbered(path) if self.is_xml else _named(path)
        if not steps:
            return None
        while steps and steps not in self.places:
            steps = steps[:-1]
        return self.places.get(steps)

    def has(self, path: str) -> bool:
        """Whether there is something at this very path."""
        steps = _numbered(path) if self.is_xml else _named(path)
        return steps in self.places

    def lines(self) -> list[str]:
        """The text line by line."""
        return self.text.split("\n")


def _named(path: str) -> Steps:
    """``param.ic91[0].aae180``: a name as it is, a place in a list counted from 0."""
    return tuple(name or int(number) for name, number in _STEP.findall(path))


def _numbered(path: str) -> Steps:
    """``BODY/YWXX/NMX[2]/ND``: every element with its number, counted from 1; a path leaves out most."""
    return tuple((name, int(number or 1)) for name, number in _ELEMENT.findall(path))


def locate(body: bytes, *, is_xml: bool) -> Located:
    """Bytes of a message as text, with its places. Errors: none."""
    text, broken = _decoded(body, "gb18030" if is_xml else "utf-8")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    found = _elements(text) if is_xml else _members(text)
    broken = broken or (found.broken if is_xml else _fault_of_json(text) or found.broken)
    return Located(found.text, found.places, is_xml, broken)


def _fault_of_json(text: str) -> Place | None:
    """Where the parser that reads messages would give up."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return _place(text, min(error.pos, max(0, len(text) - 1)), 1)
    except (RecursionError, ValueError):  # nested too deep, a number too long: the text itself is whole
        return None
    return None


def _decoded(body: bytes, encoding: str) -> tuple[str, Place | None]:
    """The text, and where its first byte stands that is none of this encoding."""
    try:
        return (gb18030.decode(body) if encoding == "gb18030" else body.decode(encoding)), None
    except UnicodeDecodeError as error:
        before = body[: error.start].decode(encoding, "replace").replace("\r\n", "\n").replace("\r", "\n")
        return body.decode(encoding, "replace"), _place(before + "\ufffd", len(before), 1)


def _place(text: str, offset: int, length: int) -> Place:
    begin = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    left = (len(text) if end < 0 else end) - offset
    return Place(text.count("\n", 0, offset) + 1, offset - begin + 1, max(1, min(length, left)), offset)


class _Spots:
    """Places found from front to back: each line is looked for once, also a very long one with very many values."""

    def __init__(self, text: str) -> None:
        self.text, self.found = text, dict[Steps, Place]()
        self._line, self._begin, self._end = 1, 0, self._end_from(0)

    def _end_from(self, begin: int) -> int:
        feed = self.text.find("\n", begin)
        return len(self.text) if feed < 0 else feed

    def note(self, steps: Steps, offset: int, length: int) -> None:
        while self._end < offset:
            self._line, self._begin = self._line + 1, self._end + 1
            self._end = self._end_from(self._begin)
        left = self._end - offset
        place = Place(self._line, offset - self._begin + 1, max(1, min(length, left)), offset)
        self.found.setdefault(steps, place)


# --- JSON ---


def _members(text: str) -> Located:
    spots, at = _Spots(text), len(text) - len(text.lstrip("\ufeff"))
    #: of every open object or list: its steps, and the name or number of what comes next in it
    open_: list[tuple[Steps, str | int | None]] = []
    ends = False
    while not ends and (token := _TOKEN.match(text, at)):
        mark, quoted, bare = token.groups()
        start, at = token.start(token.lastindex or 0), token.end()
        if mark in {"}", "]"}:
            if not open_:
                return Located(text, spots.found, broken=_place(text, start, 1))
            open_.pop()
            ends = not open_
        elif mark == ",":
            _next(open_)
        elif mark in {"{", "["}:
            steps = _here(open_, spots, start, 1)
            open_.append((steps, 0 if mark == "[" else None))
        elif quoted and open_ and open_[-1][1] is None:
            open_[-1] = (open_[-1][0], quoted[1:-1])
        elif quoted or bare:
            _here(open_, spots, start, at - start)
    broken = None if ends and not text[at:].strip() else _place(text, min(at, max(0, len(text) - 1)), 1)
    return Located(text, spots.found, broken=broken)


def _here(open_: list[tuple[Steps, str | int | None]], spots: _Spots, start: int, length: int) -> Steps:
    """A value begins: note it under the name or number that is due."""
    if not open_:
        spots.note((), start, length)
        return ()
    if len(open_) > MAX_DEPTH:  # whatever is deeper is unreadable, and need not be found
        return open_[-1][0]
    above, name = open_[-1]
    steps = above if name is None else (*above, name)
    spots.note(steps, start, length)
    return steps


def _next(open_: list[tuple[Steps, str | int | None]]) -> None:
    if open_:
        steps, name = open_[-1]
        open_[-1] = (steps, name + 1 if isinstance(name, int) else None)


# --- XML ---


def _elements(text: str) -> Located:
    """Every element by its tags below the root; one that stands alone has no number, as in findings."""
    declared = _DECLARED.match(text)
    head = declared.end() if declared else 0
    body = text[head:].encode("utf-8", "replace")
    tracker = _Tracker(text, head, body)
    if b"<!DOCTYPE" in body:  # never handed to a parser
        return Located(text, {}, is_xml=True, broken=_place(text, max(0, text.find("<!DOCTYPE")), 9))
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = lambda tag, _: tracker.start(tag, parser.CurrentByteIndex)
    parser.EndElementHandler = lambda _: tracker.end()
    broken = None
    try:
        parser.Parse(body, True)  # noqa: FBT003 - the standard library's own face
    except expat.ExpatError:
        broken = _place(text, min(tracker.character(parser.ErrorByteIndex), max(0, len(text) - 1)), 1)
    return Located(text, tracker.spots.found, is_xml=True, broken=broken)


class _Tracker:
    """Takes a parser's events; bytes and characters are counted together, from front to back."""

    def __init__(self, text: str, head: int, body: bytes) -> None:
        self._text, self.spots = text, _Spots(text)
        self._body, self._byte, self._at = body, 0, head
        self._open: list[tuple[Steps, dict[str, int]]] = []

    def character(self, byte: int) -> int:
        self._at += len(self._body[self._byte : byte].decode("utf-8", "ignore"))
        self._byte = max(byte, self._byte)
        return self._at

    def start(self, tag: str, byte: int) -> None:
        offset = self.character(byte)
        if not self._open:
            self._open.append(((), {}))
            self.spots.note((), offset, len(tag) + 2)
            return
        above, counted = self._open[-1]
        if len(self._open) > MAX_DEPTH:
            self._open.append((above, counted))
            return
        counted[tag] = counted.get(tag, 0) + 1
        steps = (*above, (tag, counted[tag]))
        self._open.append((steps, {}))
        inner = _INNER.match(self._text, offset)
        if inner and inner[1].strip():
            self.spots.note(steps, inner.start(1), len(inner[1].rstrip()))
        else:
            self.spots.note(steps, offset, len(tag) + 2)

    def end(self) -> None:
        self._open.pop()
