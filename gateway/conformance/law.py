"""A law: what must hold of a region or of a live system, and what is said when it does not."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """How hard is looked; each level includes those before it."""

    BASIC = "basic"
    FULL = "full"
    HOSTILE = "hostile"

    @property
    def label(self) -> str:
        """The Chinese word for it."""
        return {"basic": "基本", "full": "完整", "hostile": "对抗"}[self.value]

    def includes(self, other: Level) -> bool:
        """Whether laws of ``other`` are checked at this level."""
        order = list(Level)
        return order.index(other) <= order.index(self)


@dataclass(frozen=True, slots=True)
class Breach:
    """One way a law is broken; Chinese, never a personal value.

    ``sentence``: what was expected, what was found. ``remedy``: what to do next, naming the file, field
    or header to change. ``path``: where (file and line, native path, header, row of a map).
    ``example``: which example or message showed it.
    """

    sentence: str
    remedy: str
    path: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class Law:
    """What must hold. ``id``: ``R-B03`` (region, basic), ``E-H02`` (endpoint, hostile); never reused.

    ``title`` is a Chinese sentence that says the law, ``source`` the paragraph it comes from.
    """

    id: str
    title: str
    title_en: str
    level: Level
    source: str


class Verdict(StrEnum):
    """What became of a law."""

    HELD = "held"
    BROKEN = "broken"
    SKIPPED = "skipped"

    @property
    def label(self) -> str:
        """The Chinese word for it."""
        return {"held": "满足", "broken": "不满足", "skipped": "未检查"}[self.value]


@dataclass(frozen=True, slots=True)
class Result:
    """A law after it was checked. ``tried``: cases looked at; ``skipped``: the reason it was not checked."""

    law: Law
    breaches: tuple[Breach, ...] = field(default=())
    tried: int = 0
    took_s: float = 0.0
    skipped: str = ""

    @property
    def verdict(self) -> Verdict:
        """Broken by any breach; skipped with a reason; else held."""
        if self.breaches:
            return Verdict.BROKEN
        return Verdict.SKIPPED if self.skipped else Verdict.HELD
