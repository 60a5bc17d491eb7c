"""What the generated pages share: a head that says where they come from, tables, one word of two."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docs.site.reference.refusal_words import REFUSALS
from gateway import regions
from gateway.dashboard.texts import findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Of a page whose tables need the room of the table of contents.
WIDE = "---\nhide:\n  - toc\n---\n"


def head(english: bool, title: tuple[str, str], says: tuple[str, str], source: str) -> str:  # noqa: FBT001
    """Title, one sentence, and which file the page is written from."""
    made = (
        f"Written from `{source}` when this site was built."
        if english
        else f"本页在生成站点时由 `{source}` 写出。"
    )
    return f"# {title[english]}\n\n{says[english]}\n\n*{made}*\n"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table of Markdown; bars in cells are escaped, columns that are empty throughout are left out."""
    listed = [[cell(value) for value in row] for row in rows]
    kept = [place for place in range(len(heads)) if any(row[place] for row in listed)] or [0]
    lines = ["| " + " | ".join(heads[place] for place in kept) + " |", "|" + "---|" * len(kept)]
    lines += ["| " + " | ".join(row[place] for place in kept) + " |" for row in listed]
    return "\n".join(lines) + "\n"


def cell(value: object) -> str:
    """One cell: a line, bars escaped."""
    return re.sub(r"\s*\n\s*", " ", str(value or "")).replace("|", "\\|").strip()


def code(value: object) -> str:
    """As code, or nothing."""
    text = str(value)
    return f"`{text}`" if value not in {None, ""} else ""


def whole(text: str) -> str:
    """Not broken at the end of a line: a date, an amount with its unit."""
    return f'<span class="whole">{text}</span>' if text else ""


def told(sentence: str, english: bool) -> str:  # noqa: FBT001
    """What the gateway says, in English where somebody wrote it."""
    if not english:
        return sentence
    return REFUSALS.get(sentence) or findings.told(sentence, "en", regions.discover())


def plain(docstring: str | None) -> str:
    """The text of a docstring in one paragraph, with reST's double ticks as Markdown's."""
    return re.sub(r"\s+", " ", (docstring or "").replace("``", "`")).strip()
