"""Small things about the text of a page: its heading, its languages, its blocks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: A fenced block, with the remark of the line before it, if any.
FENCE = re.compile(
    r"^(?:<!-- (?P<mark>elsewhere|stays|shown)(?:: (?P<why>[^\n]*?))? -->\n)?```(?P<kind>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
#: Between the Chinese and the English of a heading or a cell.
BOTH = " · "


def h1(text: str) -> str:
    """The first heading of a page, in its first language."""
    found = re.search(r"^# (.+)$", text, re.MULTILINE)
    return found[1].split(BOTH)[0].strip() if found else "?"


def outside_blocks(text: str, change: Callable[[str], str]) -> str:
    """``change`` applied to everything that is not in a fenced block."""
    parts, last = [], 0
    for block in FENCE.finditer(text):
        parts += [change(text[last : block.start()]), block[0]]
        last = block.end()
    return "".join([*parts, change(text[last:])])


def in_one(text: str, *, english: bool) -> str:
    """A page whose headings and cells are in both languages, in one of them."""

    def choose(line: str) -> str:
        if line.startswith("#") and BOTH in line:
            marks, _, words = line.partition(" ")
            parts = words.split(BOTH)
            return f"{marks} {parts[-1] if english else parts[0]}"
        if line.startswith("|") and BOTH in line:
            cells = [
                (cell.split(BOTH)[-1] if english else cell.split(BOTH)[0] + " ") if BOTH in cell else cell
                for cell in line.split("|")
            ]
            return "|".join(cells)
        return line

    return outside_blocks(text, lambda part: "\n".join(map(choose, part.split("\n"))))


def joined(text: str) -> str:
    """Chinese has no space where a line of the source ends: lines of one paragraph become one."""

    def join(part: str) -> str:
        return re.sub(
            r"(?m)^(?![#|!<])(.*[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef])\n[ ]*(?=[\u4e00-\u9fff\uff08\u201c])",
            r"\1",
            part,
        )

    return outside_blocks(text, lambda part: join(join(join(part))))


def with_english_marks(text: str) -> str:
    """Commas between codes and names, and "step 3" for a step of a specification; Chinese words keep their own marks."""
    text = re.sub(r"第 (\d[\d、]*)(?: 至 (\d+))? 步", _steps, text)
    return re.sub(r"(?<=[`)\w])(?<![\u4e00-\u9fff])、(?=[`\[≥≤<>\w])(?![\u4e00-\u9fff])", ", ", text)


def _steps(found: re.Match[str]) -> str:
    first, last = found[1].replace("、", ", "), found[2]
    return f"step{'s' if last or ',' in first else ''} {first}{f'–{last}' if last else ''}"


def with_bars(text: str) -> str:
    """Bars in code of a table's cell: GitHub wants them escaped, here the backslash would be shown."""

    def bare(row: re.Match[str]) -> str:
        return re.sub(r"`[^`]*`", lambda span: span[0].replace("\\|", "|"), row[0])

    return re.sub(r"(?m)^\|.*$", bare, text)
