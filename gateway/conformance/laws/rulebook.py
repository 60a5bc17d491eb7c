"""Where the laws over a region are written down: each a function that yields the ways it is broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.conformance.law import Law, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.conformance.law import Breach
    from gateway.conformance.subject import Subject

_LEVELS = {"B": Level.BASIC, "F": Level.FULL, "H": Level.HOSTILE}


class CannotTell(Exception):  # noqa: N818 - a word of the field, not a programming error
    """A law that cannot be checked on this subject; ``str`` is the reason, in Chinese."""


@dataclass(slots=True)
class Tally:
    """Counts the cases a law looked at."""

    tried: int = 0

    def __call__(self, cases: int = 1) -> None:
        self.tried += cases


@dataclass(frozen=True, slots=True)
class Rule:
    """A law with the function that checks it."""

    law: Law
    check: Callable[[Subject, Tally], Iterator[Breach]]


def holds(
    number: str, title: str, title_en: str, source: str
) -> Callable[[Callable[[Subject, Tally], Iterator[Breach]]], Rule]:
    """Turn a checking function into a rule. ``number``: ``B03``; its letter is the level."""
    law = Law(f"R-{number}", title, title_en, _LEVELS[number[0]], source)
    return lambda check: Rule(law, check)
