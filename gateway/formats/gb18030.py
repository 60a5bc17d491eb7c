"""GB 18030 by the mapping of its 2022 edition, on top of the codec that knows an older one."""

from __future__ import annotations

import re

#: Positions whose meaning changed since the 2000 edition, with the character of the 2022 edition.
#: The older editions hold a private-use character there and the standard one at a four-byte position;
#: 2022 swaps the two. Source: GB 18030-2022 annex on changed code positions; A8BC since 2005.
_CHANGED = {
    "A8BC": "\u1e3f",
    **{f"A6{0xD9 + i:02X}": chr(0xFE10 + i) for i in range(7)},
    "A6EC": "\ufe17",
    "A6ED": "\ufe18",
    "A6F3": "\ufe19",
    "FE59": "\u9fb4",
    "FE61": "\u9fb5",
    "FE66": "\u9fb6",
    "FE67": "\u9fb7",
    "FE6D": "\u9fb8",
    "FE7E": "\u9fb9",
    "FE90": "\u9fba",
    "FEA0": "\u9fbb",
}


def _swaps() -> dict[int, int]:
    """The pairs the installed codec has the old way round (none once it knows the 2022 edition)."""
    swaps: dict[int, int] = {}
    for position, character in _CHANGED.items():
        old = bytes.fromhex(position).decode("gb18030")
        if old != character:
            swaps[ord(old)] = ord(character)
            swaps[ord(character)] = ord(old)
    return swaps


_SWAPS = _swaps()
_SWAPPED = re.compile("[" + "".join(map(chr, _SWAPS)) + "]") if _SWAPS else re.compile(r"(?!)")


def decode(body: bytes) -> str:
    """Text of GB 18030 bytes. Errors: `UnicodeDecodeError`."""
    return _swap(body.decode("gb18030"))


def encode(text: str) -> bytes:
    """Bytes of any text; lone surrogates have none and become ``?``."""
    return _swap(text).encode("gb18030", "replace")


def _swap(text: str) -> str:
    return text.translate(_SWAPS) if _SWAPPED.search(text) else text
