"""What a page of the playground has in hand: the ground, the language, and, in a gateway, the person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, Response

from gateway.dashboard.caller import Caller
from gateway.dashboard.rendering import Page, render

if TYPE_CHECKING:
    from gateway.dashboard.playground.ground import Ground
    from gateway.dashboard.playground.link import Links
    from gateway.exchange.entry import Staff


@dataclass(frozen=True, slots=True)
class Visit(Caller):
    """One request. ``staff``: None where nobody signs in."""

    ground: Ground
    links: Links
    staff: Staff | None

    @property
    def place(self) -> Ground:
        """What a message is tried by here."""
        return self.ground

    def page(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """A whole page, or a fragment."""
        page = Page(self.ground, self.language, self.request.url.path, self.now, self.staff)
        return HTMLResponse(render(template, page, {"visit": self, "notice": None} | context), status)
