"""A value with what is around it on its line, cut to what is worth reading (pure)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.formats.positions import Place

#: How much of a long line is quoted either side of the value.
_AROUND = 34
_INDENT = re.compile(r"\s*")


def quoted(text: str, place: Place) -> tuple[str, str, str]:
    """Before, value, after; of a line as long as a whole message no more is read than is shown."""
    at, until = place.offset, place.offset + place.length
    indent = _INDENT.match(text, at - place.column + 1, at)
    start = indent.end() if indent else at
    before = text[start:at] if at - start <= _AROUND else "…" + text[at - _AROUND : at]
    value = text[at:until] if place.length <= 2 * _AROUND else text[at : at + 2 * _AROUND] + "…"
    after = text[until : until + _AROUND + 1].partition("\n")[0]
    return before, value, after if len(after) <= _AROUND else after[:_AROUND] + "…"
