"""``/ops/sign-in``, ``/ops/sign-out``, ``/ops/language``: who comes, who leaves, and in which language."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gateway.dashboard.desk import COOKIE, LANGUAGE_COOKIE, PATHS, Desk, language_of, needs, runtime
from gateway.dashboard.rendering import Page, render
from gateway.dashboard.texts import catalog, preferred
from gateway.exchange import entry

router = APIRouter()
_Runtime = Annotated[Any, Depends(runtime)]


@router.get("/sign-in")
async def sign_in_page(
    request: Request, rt: _Runtime, next_: Annotated[str, Query(alias="next")] = ""
) -> Response:
    """The form."""
    return _form(request, rt, next_)


@router.post("/sign-in")
async def sign_in(
    request: Request,
    rt: _Runtime,
    name: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form(max_length=512)] = "",
    code: Annotated[str, Form(max_length=16)] = "",
    next_: Annotated[str, Form(alias="next")] = "",
) -> Response:
    """One sentence for every no: it does not tell which of the three was wrong."""
    address = request.client.host if request.client else ""
    code = code.replace(" ", "")
    found = await entry.sign_in(rt, name, password, code, language=language_of(request), address=address)
    if isinstance(found, entry.Refusal):
        return _form(request, rt, next_, name=name, refusal=found.text, status=403)
    response = RedirectResponse(_within(next_), 303)
    for path in PATHS:
        response.set_cookie(
            COOKIE,
            found.token,
            max_age=int(entry.longest(rt, found.staff.roles).total_seconds()),
            path=path,
            secure=rt.settings.cookie_is_secure,
            httponly=True,
            samesite="strict",
        )
    return response


@router.post("/sign-out")
async def sign_out(request: Request, desk: Annotated[Desk, needs("look")]) -> Response:
    """Ends this session, here and in the store."""
    await entry.sign_out(desk.rt, request.cookies[COOKIE])
    response = RedirectResponse("/ops/sign-in", 303)
    for path in PATHS:
        response.delete_cookie(COOKIE, path=path)
    return response


@router.get("/language")
async def language(
    to: Annotated[str, Query()] = "zh", next_: Annotated[str, Query(alias="next")] = ""
) -> Response:
    """Remembers the language in a cookie of its own, also for those not signed in."""
    response = RedirectResponse(_within(next_), 303)
    for path in PATHS:
        response.set_cookie(
            LANGUAGE_COOKIE, preferred([to]), max_age=365 * 86400, path=path, httponly=True, samesite="lax"
        )
    return response


def _within(path: str) -> str:
    """A path of the pages for staff; anything else leads to their first."""
    is_ours = (
        path.startswith(("/ops/", "/playground/"))
        and "//" not in path
        and "\\" not in path
        and path.isprintable()
    )
    return path if is_ours else "/ops/"


def _form(
    request: Request, rt: Any, next_: str, *, name: str = "", refusal: str = "", status: int = 200
) -> Response:
    language = language_of(request)
    page = Page(rt, language, request.url.path, rt.clock.now())
    said = catalog(language).gettext(refusal) if refusal else ""
    context = {"next": _within(next_), "name": name, "refusal": said}
    return HTMLResponse(render("entry/sign_in.html", page, context), status)
