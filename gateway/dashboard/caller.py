"""Whoever asks for a page, signed in or not: the request, the language, and what is said in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gateway.dashboard.rendering import Names
from gateway.dashboard.texts import Language, catalog
from gateway.dashboard.texts.findings import told

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

    from gateway.runtime import SystemClock


class Place(Names, Protocol):
    """Where the page is: what regions and items are called there, and what time it is."""

    @property
    def clock(self) -> SystemClock: ...


@dataclass(frozen=True, slots=True)
class Caller:
    """One request, in the language of whoever sent it."""

    request: Request
    language: Language

    @property
    def place(self) -> Place:
        """The gateway, or what stands for it."""
        raise NotImplementedError

    @property
    def now(self) -> datetime:
        """The gateway's clock."""
        return self.place.clock.now()

    @property
    def is_htmx(self) -> bool:
        """True when a fragment is asked for."""
        return "hx-request" in self.request.headers

    def say(self, text: str, **values: object) -> str:
        """A text in the person's language; ``%(name)s`` stands for a value."""
        said = catalog(self.language).gettext(text)
        return said % values if values else said

    def told(self, text: str) -> str:
        """What a finding or a rule says, in the person's language."""
        return told(text, self.language, self.place.regions)
