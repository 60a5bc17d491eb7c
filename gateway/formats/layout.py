"""A message set out line by line for people: only the blanks between its parts change, no value does (pure)."""

from __future__ import annotations

import json
import re

_JSON = re.compile(r'[ \t\r\n]*([{}\[\],:]|"(?:[^"\\\n]|\\.)*"|[^\s{}\[\],:"]+)')
_XML = re.compile(r"<!--.*?-->|<\?.*?\?>|<[^<>]*>|[^<]+", re.DOTALL)
_STEP = "  "
#: Deeper than any message may be: what is nested deeper is left as it is.
_DEEPEST = 40


def laid_out(text: str, *, is_xml: bool) -> str:
    """The same message with a line for every value; a text that is none is given back as it is."""
    return _elements(text) if is_xml else _members(text)


def _members(text: str) -> str:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    parts, depth, before = list[str](), 0, ""
    for part in _JSON.findall(text):
        if part in {"}", "]"}:
            depth -= 1
            parts.append("" if before in {"{", "["} else f"\n{_STEP * depth}")
        elif before in {"{", "[", ","}:
            parts.append(f"\n{_STEP * depth}")
        parts.append(": " if part == ":" else part)
        depth += part in {"{", "["}
        if depth > _DEEPEST:
            return text
        before = part
    return "".join(parts) + "\n"


def _elements(text: str) -> str:
    pieces = [piece for piece in _XML.findall(text) if piece.strip()]
    if "".join(pieces) != re.sub(r">\s+<", "><", text.strip()) or any("<![CDATA[" in each for each in pieces):
        return text  # something that is neither tag nor text
    lines, depth, at = list[str](), 0, 0
    while at < len(pieces):
        piece = pieces[at]
        if piece.startswith("</"):
            depth -= 1
        inner = _leaf(pieces, at)
        lines.append(_STEP * max(0, depth) + "".join(pieces[at : at + inner]))
        if (
            inner == 1
            and piece.startswith("<")
            and not piece.startswith(("</", "<?", "<!"))
            and piece[-2:] != "/>"
        ):
            depth += 1
        if depth > _DEEPEST:
            return text
        at += inner
    return "\n".join(lines) + "\n"


def _leaf(pieces: list[str], at: int) -> int:
    """How many pieces from here stand on one line: a tag with its text and its end, else one."""
    name = pieces[at][1:-1]
    if name.startswith(("/", "?", "!")):
        return 1
    for length in (2, 3):
        if pieces[at + length - 1 : at + length] == [f"</{name}>"]:
            return length if length == 2 or not pieces[at + 1].startswith("<") else 1
    return 1
