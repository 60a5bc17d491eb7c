"""Where a page stands: by its folder, and within it in this order; what is not named follows by itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from docs.site.words import h1

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Group:
    """Pages under one heading: ``order`` names the first of them, by file name without suffix."""

    zh: str
    en: str
    order: tuple[str, ...] = ()


#: Folder → its groups. A page says by ``for:`` in its front matter which it belongs to; otherwise it is where
#: its name is listed, or in the last group.
GROUPS: Mapping[str, tuple[Group, ...]] = {
    "how-to": (
        Group(
            "值守与规则",
            "Operators",
            (
                "watch",
                "read-a-parked-message",
                "add-a-rule",
                "change-a-rule",
                "explain-a-case",
                "operate-a-destination",
                "rerun-in-bulk",
                "operators",
            ),
        ),
        Group("运维", "Administrators", ("deploy", "scale-out", "rotate-keys", "retention")),
        Group(
            "对接",
            "Integrators",
            (
                "check-an-adapter",
                "check-a-server",
                "simulate-the-other-side",
                "try-a-message",
                "add-a-region",
                "connect-an-acceptance-point",
                "use-the-vectors",
                "fuzz-the-api",
            ),
        ),
    ),
    "reference": (
        Group(
            "接口与报文",
            "Interfaces and messages",
            (
                "api",
                "errors",
                "model",
                "field-pairs",
                "field-maps",
                "life-cycle",
                "regions",
                "adapters",
                "adapter-sichuan",
                "adapter-chongqing",
                "laws",
                "laws-of-a-server",
            ),
        ),
        Group("规则表", "Tables", ("rule-tables", "code-lists", "recognition", "items")),
        Group(
            "运行",
            "Running it",
            (
                "commands",
                "settings",
                "settings-list",
                "metrics",
                "audit",
                "indicators",
                "benchmark",
                "chaos",
            ),
        ),
    ),
    "explanation": (
        Group(
            "",
            "",
            (
                "how-a-case-crosses",
                "life-cycle-and-clock",
                "park-never-guess",
                "delivery",
                "recognition",
                "persons-data",
            ),
        ),
    ),
    "runbooks": (
        Group(
            "",
            "",
            ("alerts", "stuck-delivery", "peer-down", "postgresql-away", "redis-lost", "disk-grows"),
        ),
    ),
    "decisions": (Group("", ""),),
}
TABS: tuple[tuple[str, str, str], ...] = (
    ("how-to", "操作指南", "How to"),
    ("reference", "参考", "Reference"),
    ("explanation", "原理", "Explanation"),
    ("runbooks", "应急手册", "Runbooks"),
    ("decisions", "决定", "Decisions"),
)
#: pages that stand alone in the bar
FIRST, LAST = ("index.md", "getting-started.md"), ("glossary.md",)


def placed(folder: str, pages: Mapping[str, str]) -> list[tuple[Group, list[str]]]:
    """The pages of a folder by group, in order. ``pages``: file name without suffix → text."""
    groups = GROUPS.get(folder, (Group("", ""),))
    found: dict[str, list[str]] = {group.en: [] for group in groups}
    for name, text in sorted(pages.items()):
        said = re.match(r"---\n.*?^for: (\S+)\s*$", text, re.MULTILINE | re.DOTALL)
        where = next((group for group in groups if name in group.order), groups[-1])
        if said:
            where = next((group for group in groups if group.en.lower() == said[1].lower()), where)
        found[where.en].append(name)
    for group in groups:
        order = {name: place for place, name in enumerate(group.order)}
        found[group.en].sort(key=lambda name, order=order: (order.get(name, len(order)), name))
    return [(group, found[group.en]) for group in groups if found[group.en]]


class Navigation:
    """The tree for mkdocs in Chinese titles, and what each is called in English."""

    def __init__(self, gathered: Path) -> None:
        self.root = gathered
        self.english: dict[str, str] = {}

    def tree(self) -> list[object]:
        """As mkdocs' ``nav`` wants it."""
        made: list[object] = [self._page(name) for name in FIRST if (self.root / name).exists()]
        for folder, zh, en in TABS:
            self.english[zh] = en
            children = list(self._folder(folder))
            if children:
                made.append({zh: children})
        return made + [self._page(name) for name in LAST if (self.root / name).exists()]

    def _elsewhere(self) -> Iterable[object]:
        """Pages of folders that are no chapter, such as a data set with its README: part of the reference."""
        chapters = {folder for folder, _, _ in TABS}
        found = [
            file.relative_to(self.root).as_posix()
            for file in sorted(self.root.rglob("*.md"))
            if not file.stem.endswith(".en")
            and file.parent != self.root
            and file.relative_to(self.root).parts[0] not in chapters
        ]
        if found:
            self.english["数据与示例"] = "Data and examples"
            yield {"数据与示例": [self._page(uri) for uri in found]}

    def _folder(self, folder: str) -> Iterable[object]:
        pages = {
            file.stem: file.read_text(encoding="utf-8")
            for file in (self.root / folder).glob("*.md")
            if not file.stem.endswith(".en")
        }
        for group, names in placed(folder, pages):
            listed = [self._page(f"{folder}/{name}.md") for name in names]
            if not group.zh:
                yield from listed
                continue
            self.english[group.zh] = group.en
            yield {group.zh: listed}
        if folder == "reference":
            yield from self._elsewhere()

    def _page(self, uri: str) -> dict[str, str]:
        file = self.root / uri
        if uri == "index.md":
            self.english["首页"] = "Home"
            return {"首页": uri}
        zh = h1(file.read_text(encoding="utf-8"))
        other = self.root / PurePosixPath(uri).with_suffix(".en.md")
        if other.exists():
            self.english[zh] = h1(other.read_text(encoding="utf-8"))
        return {zh: uri}
