"""The playground as one application: in a gateway at ``/playground`` beside ``/ops``, on a laptop by itself."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route

from gateway.dashboard import desk as desks
from gateway.dashboard import refusals
from gateway.dashboard.app import Kept, bare
from gateway.dashboard.guard import Guard
from gateway.dashboard.playground import pages
from gateway.dashboard.playground.form import LONGEST_FORM
from gateway.dashboard.playground.ground import Served
from gateway.dashboard.playground.link import Links
from gateway.dashboard.playground.visit import Visit
from gateway.dashboard.rendering import compile_ahead
from gateway.exchange.explaining import Explaining
from gateway.runtime import Runtime, master_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from gateway.dashboard.playground.ground import Local

HOME = "/playground/"


def served(runtime: Callable[[], Runtime]) -> FastAPI:
    """Within a gateway; ``runtime`` is asked at every request, as it is opened after this."""
    app = _created(runtime, lambda request: _admitted(app, request))
    return app


async def _admitted(app: FastAPI, request: Request) -> Visit:
    rt: Runtime = app.state.runtime().pinned()
    staff = None
    if rt.settings.playground.access == "staff":
        desk = await desks.desk_of(request, rt)
        if not desk.staff.may("look"):
            raise desks.Refused(403, desk.say("您的账户没有这项权限，请向管理员申请相应角色"))
        staff = desk.staff
    ground, links = _kept(app, rt)
    return Visit(request, desks.language_of(request), ground, links, staff)


def _kept(app: FastAPI, rt: Runtime) -> tuple[Served, Links]:
    """What is made at the first request of the process: declared fields, bound sets, the key of links."""
    state = app.state
    if not hasattr(state, "links"):
        settings = rt.settings
        state.explaining = Explaining(
            rt.engine, rt.regions, folder=settings.tables_dir, calendar_until=settings.calendar_until
        )
        state.links = Links(master_key(settings), settings.playground.link_days)
    return Served(rt, state.explaining), state.links


def alone(ground: Local, link_days: int) -> Starlette:
    """By itself, on loopback: no database, nobody signs in, links live as long as the process."""
    links = Links(None, link_days)

    async def admit(request: Request) -> Visit:
        return Visit(request, desks.language_of(request), ground, links, None)

    inner = _created(lambda: ground, admit)
    app = Starlette(
        routes=[*STATIC, Route("/", _home), Route("/playground", _home), Mount("/playground", inner)],
        lifespan=_compiling,
    )
    # a page of the web that has its name point here gets no answer
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])
    return app


#: What the page is made of, by itself; the folder's own and what it borrows.
TEMPLATES = (
    *("base.html", "parts.html", "spread/_spread.html"),
    *(
        "playground/alone.html",
        "playground/playground.html",
        "playground/_play.html",
        "playground/_outcome.html",
    ),
)


@asynccontextmanager
async def _compiling(_app: Starlette) -> AsyncIterator[None]:
    """The first page does not wait for its templates: they are compiled as soon as the address is known."""
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.to_thread(compile_ahead, TEMPLATES))
        yield


#: The files of the pages, where no dashboard serves them.
STATIC = (Mount("/ops/static", Kept(packages=[("gateway.dashboard", "static")])),)


async def _home(_request: Request) -> Response:
    return RedirectResponse(HOME, 307)


def _created(runtime: Callable[[], Any], admit: Callable[[Request], Awaitable[Visit]]) -> FastAPI:
    app = bare("tongban playground")
    app.state.runtime, app.state.admit, app.state.home = runtime, admit, HOME
    app.include_router(pages.router)
    app.add_exception_handler(desks.NotSignedIn, refusals.on_not_signed_in)
    app.add_exception_handler(desks.Refused, refusals.on_refused)
    app.add_exception_handler(HTTPException, refusals.on_http)
    app.add_exception_handler(RequestValidationError, refusals.on_validation)
    app.add_middleware(Bounded)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(Guard)
    return app


class Bounded:
    """Reads no more of a form than a message may be long."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application. Errors: `HTTPException` 413."""
        left = LONGEST_FORM

        async def bounded() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(413)
            return message

        await self._app(scope, bounded, send)
