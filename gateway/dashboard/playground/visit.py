"""What a page of the playground has in hand: the ground, the language, and, in a gateway, the person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, Response

from gateway.dashboard.rendering import Page, render
from gateway.dashboard.texts import Language, catalog

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request

    from gateway.dashboard.playground.ground import Ground
    from gateway.dashboard.playground.link import Links
    from gateway.exchange.entry import Staff


@dataclass(frozen=True, slots=True)
class Visit:
    """One request. ``staff``: None where nobody signs in."""

    request: Request
    ground: Ground
    links: Links
    language: Language
    staff: Staff | None

    @property
    def now(self) -> datetime:
        """The gateway's clock."""
        return self.ground.clock.now()

    @property
    def is_htmx(self) -> bool:
        """True when a fragment is asked for."""
        return "hx-request" in self.request.headers

    def say(self, text: str, **values: object) -> str:
        """A text in the person's language; ``%(name)s`` stands for a value."""
        said = catalog(self.language).gettext(text)
        return said % values if values else said

    def page(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """A whole page, or a fragment."""
        page = Page(self.ground, self.language, self.request.url.path, self.now, self.staff)
        return HTMLResponse(render(template, page, {"visit": self, "notice": None} | context), status)
