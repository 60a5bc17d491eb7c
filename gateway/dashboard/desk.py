"""What a page has in hand: the person, the runtime, the language, and the ways to answer."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from gateway.dashboard.caller import Caller
from gateway.dashboard.rendering import Page, render
from gateway.dashboard.texts import LANGUAGES, Language, preferred
from gateway.exchange import entry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from gateway.exchange.entry import Staff
    from gateway.runtime import Runtime

COOKIE = "tongban_ops"
LANGUAGE_COOKIE = "tongban_lang"
#: Where both are sent: the pages for staff and nothing else of the gateway.
PATHS = ("/ops", "/playground")
#: The sentence shown once after an act; read and removed by the frame's script, or by the next page.
NOTICE_COOKIE = "tongban_notice"
#: Sent along by what a page asks for without a person's hand: the stream's refreshes.
BY_ITSELF = "x-by-itself"


class NotSignedIn(Exception):  # noqa: N818 - a turn of the way, no error
    """Nobody is signed in here: the sign-in page is next."""


class Refused(Exception):  # noqa: N818 - an answer, raised where a page cannot go on
    """A page that says no: status, and a sentence with what to do next."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


def runtime(request: Request) -> Runtime:
    """The runtime of the application this one is mounted in, its tables those of this moment."""
    found: Runtime = request.app.state.runtime()
    return found.pinned()


def language_of(request: Request) -> Language:
    """What the person chose, else what the browser asks for, else Chinese."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return preferred([chosen])
    accepted = request.headers.get("accept-language", "")
    return preferred(part.split(";")[0].strip().lower() for part in accepted.split(","))


@dataclass(frozen=True, slots=True)
class Desk(Caller):
    """One request of a signed-in person."""

    rt: Runtime
    staff: Staff

    @property
    def actor(self) -> str:
        """How timeline and audit name this person."""
        return self.staff.actor

    @property
    def place(self) -> Runtime:
        """The gateway."""
        return self.rt

    def page(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """A whole page."""
        response = HTMLResponse(self._render(template, context), status)
        if NOTICE_COOKIE in self.request.cookies:
            response.delete_cookie(NOTICE_COOKIE, path="/ops")
        return response

    def part(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """A fragment for htmx."""
        return HTMLResponse(self._render(template, context), status)

    def done(self, sentence: str, to: str) -> Response:
        """After an act: the sentence as a toast, and on to ``to`` (a path of this application)."""
        if self.is_htmx:
            response = Response(status_code=204, headers={"HX-Redirect": to})
        else:
            response = Response(status_code=303, headers={"Location": to})
        response.set_cookie(
            NOTICE_COOKIE, quote(sentence), max_age=60, path="/ops", samesite="strict", httponly=True
        )
        return response

    def refuse(self, status: int, sentence: str) -> Response:
        """A designed no: within a fragment for htmx, else as a page."""
        template = "_refusal.html" if self.is_htmx else "refusal.html"
        return self.part(template, status=status, sentence=sentence, status_code=status)

    def _render(self, template: str, context: Mapping[str, Any]) -> str:
        page = Page(self.rt, self.language, self.request.url.path, self.now, self.staff)
        return render(
            template, page, {"desk": self, "notice": self.request.cookies.get(NOTICE_COOKIE)} | dict(context)
        )


def needs(permission: str) -> Any:
    """A dependency: the `Desk` of a person who holds ``permission``.

    Errors: `NotSignedIn`; `Refused` 403 for a person without it, 400 for a form that is not of this session.
    """

    async def check(request: Request, rt: Annotated[Any, Depends(runtime)]) -> Desk:
        desk = await desk_of(request, rt)
        if not desk.staff.may(permission):
            raise Refused(403, desk.say("您的账户没有这项权限，请向管理员申请相应角色"))
        return desk

    checked: Callable[..., Awaitable[Desk]] = check
    return Depends(checked)


async def desk_of(request: Request, rt: Runtime, *, touch: bool | None = None) -> Desk:
    """The desk of whoever is signed in.

    ``touch``: whether this counts as a sign of the person; what the page asks for by itself is none.
    Errors: `NotSignedIn`, `Refused` for a foreign form.
    """
    token = request.cookies.get(COOKIE)
    by_hand = BY_ITSELF not in request.headers if touch is None else touch
    staff = await entry.session(rt, token, touch=by_hand) if token else None
    if staff is None:
        raise NotSignedIn
    desk = Desk(request, language_of(request), rt, staff)
    if request.method not in {"GET", "HEAD"} and not await _is_ours(request, staff):
        raise Refused(400, desk.say("这个表单不属于当前登录，可能已重新登录过；请返回刷新页面后再试"))
    return desk


async def _is_ours(request: Request, staff: Staff) -> bool:
    given: object = request.headers.get("x-csrf-token")
    if given is None:
        given = (await request.form()).get("csrf")
    return isinstance(given, str) and hmac.compare_digest(staff.csrf.encode(), given.encode())


def is_same_site(request: Request) -> bool:
    """False when the browser says that another site sent this; without its word, Origin decides."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is None or origin.split("//")[-1] == request.headers.get("host")
