"""What a simulated region got and sent, attempt by attempt, for people: persons masked, the latest kept."""

from __future__ import annotations

import json
import re
from collections import deque
from dataclasses import asdict, dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from gateway.errors import Refusal
from gateway.exchange.masking import Masker, mask_words
from gateway.formats import media_type
from gateway.formats.tree import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gateway.region import Region, Tree

#: Attempts that are kept, and characters of one that cannot be read.
_MOST, _LONGEST = 500, 4000
#: Of a header's value so much is shown: enough to compare, not enough to use.
_SHOWN = 12
_PLAIN_HEADERS = frozenset({"content-type", "content-length", "retry-after", "host", "user-agent"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One attempt. ``way`` is ``in`` or ``out``; ``acts`` name what was done to it; ``why`` a refusal."""

    id: int
    at: str
    way: str
    kind: str
    kind_name: str
    label: str
    key: str
    case_ref: str
    status: int
    outcome: str
    code: str
    why: str
    acts: tuple[str, ...]
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    answer: bytes = field(repr=False)

    def as_json(self) -> dict[str, Any]:
        """The line of a list."""
        members = asdict(self)
        for name in ("headers", "body", "answer"):
            del members[name]
        return members


class Journal:
    """The latest attempts of one region."""

    def __init__(self, region: Region) -> None:
        self._region, self._masker = region, Masker.of({region.slug: region})
        self._entries: deque[Entry] = deque(maxlen=_MOST)
        self._ids = count(1)

    def note(self, **members: Any) -> None:
        """Keep one more; members of `Entry` but ``id``."""
        members["why"] = mask_words("；".join(dict.fromkeys(members["why"].split("；"))))
        self._entries.append(Entry(id=next(self._ids), **members))

    def since(self, after: int) -> list[Entry]:
        """Those with a higher id, oldest first."""
        return [entry for entry in self._entries if entry.id > after]

    def clear(self) -> None:
        """Forget all; ids go on."""
        self._entries.clear()

    def detail(self, id_: int) -> dict[str, Any] | None:
        """One attempt with its headers, its body and the answer, printed and masked; None when it is gone."""
        entry = next((one for one in self._entries if one.id == id_), None)
        if entry is None:
            return None
        headers = {name.lower(): _header(name.lower(), value) for name, value in entry.headers.items()}
        return {
            **entry.as_json(),
            "headers": headers,
            "body": self._printed(entry.body),
            "answer": self._printed(entry.answer),
            "bytes": len(entry.body),
        }

    def _printed(self, body: bytes) -> str:
        """The message over several lines, persons masked wherever their values stand."""
        try:
            tree = self._region.parse(body).tree
        except (Refusal, Unreadable):
            return self._torn(body)
        is_xml = "xml" in self._region.content_type
        separator = "/" if is_xml else "."
        hidden = {}
        for path, value in _leaves(tree, separator):
            masked = self._masker.value(path, value)
            # a name of one letter would be found in every word
            if masked != value and len(value) > 1:
                hidden[value] = masked
        lines = (
            "\n".join(_xml(tree)) if is_xml else json.dumps(tree, ensure_ascii=False, indent=2, default=str)
        )
        for value in sorted(hidden, key=len, reverse=True):
            lines = lines.replace(value, hidden[value])
        return mask_words(lines)

    def _torn(self, body: bytes) -> str:
        """What no parser reads, with the values of personal members masked where their names stand."""
        charset = media_type.split(self._region.content_type)[1] or "utf-8"
        text = body.decode(charset, errors="replace")[:_LONGEST]
        for path, mask in self._masker.by_path.items():
            name = re.escape(re.split(r"[./]", path)[-1])
            for form in (rf'("{name}"\s*:\s*")([^"]+)', rf"(<{name}>)([^<]+)"):
                text = re.sub(form, lambda found, hide=mask: found[1] + hide(found[2]), text)  # type: ignore[misc]
        return mask_words(text)


def _header(name: str, value: str) -> str:
    if name in _PLAIN_HEADERS or len(value) <= _SHOWN:
        return value
    return f"{value[:_SHOWN]}…（{len(value)} 个字符）"


def _leaves(node: Any, separator: str, path: str = "") -> Iterator[tuple[str, str]]:
    match node:
        case dict():
            for name, value in node.items():
                yield from _leaves(value, separator, f"{path}{separator}{name}" if path else name)
        case list():
            for value in node:
                yield from _leaves(value, separator, f"{path}[0]")
        case None:
            return
        case _:
            yield path, str(node)


def _xml(tree: Tree, depth: int = 0) -> Iterator[str]:
    for name, value in tree.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                yield f"{'  ' * depth}<{name}>"
                yield from _xml(one, depth + 1)
                yield f"{'  ' * depth}</{name}>"
            else:
                yield f"{'  ' * depth}<{name}>{one}</{name}>"
