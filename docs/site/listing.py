"""A folder's pages as a list: the title, and what the first sentence says of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docs.site.navigation import placed
from docs.site.words import h1

if TYPE_CHECKING:
    from pathlib import Path


def listing(root: Path, folder: str, *, english: bool) -> str:
    """Markdown: one table, groups as rows of their own."""
    suffix = ".en.md" if english else ".md"
    pages = {
        file.stem: file.read_text(encoding="utf-8")
        for file in (root / folder).glob("*.md")
        if not file.stem.endswith(".en")
    }
    lines = []
    for group, names in placed(folder, pages):
        title = group.en if english else group.zh
        if title:
            lines.append(f"\n**{title}**\n")
        for name in names:
            file = root / folder / f"{name}{suffix}"
            text = (file if file.exists() else root / folder / f"{name}.md").read_text(encoding="utf-8")
            said = first_sentence(text, english=english)
            lines.append(f"- [{h1(text)}]({folder}/{name}.md)" + (f" – {said}" if said else ""))
    return "\n".join(lines)


def first_sentence(text: str, *, english: bool) -> str:
    """The first sentence of the first paragraph, as plain words; nothing where it is not of this language."""
    body = re.sub(r"\A(?:---\n.*?^---\n)?.*?^# [^\n]*\n", "", text, count=1, flags=re.DOTALL | re.MULTILINE)
    for paragraph in re.split(r"\n\s*\n", body):
        words = " ".join(paragraph.split())
        if not words or words.startswith(("!", "|", "#", "<", "-", ">", "*本页", "*Written")):
            continue
        if words.startswith(("本页由", "This page:")):
            return ""  # how it was made, not what it says
        words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", words)
        words = words.replace("**", "")
        found = re.match(r".*?[a-z`)0-9]\.(?= |$)|.*?。", words)
        sentence = (found[0] if found else words).rstrip("。.：:")
        is_chinese = bool(re.search(r"[一-鿿]", sentence))
        return sentence if is_chinese is not english else ""
    return ""
