"""The dashboard as one application, mounted under ``/ops``: its pages, its files, and what guards them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from gateway.dashboard import desk as desks
from gateway.dashboard import refusals
from gateway.dashboard.guard import Guard
from gateway.dashboard.live import Hub
from gateway.dashboard.pages import (
    audit,
    case,
    cases,
    entry,
    exports,
    find,
    live,
    me,
    overview,
    performance,
    reruns,
    routes,
    rules,
    running,
    stuck,
    wall,
)
from gateway.framework import NOTHING_OF_ITS_OWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.datastructures import MutableHeaders
    from starlette.types import Scope

    from gateway.runtime import Runtime

PAGES = (
    entry.router,
    live.router,
    overview.router,
    wall.router,
    cases.router,
    find.router,
    exports.router,
    case.router,
    performance.router,
    running.router,
    audit.router,
    me.router,
    reruns.router,
    routes.router,
    stuck.router,
    *rules.ROUTERS,
)


def bare(title: str) -> FastAPI:
    """An application of pages: nothing of it is told to anybody by the framework."""
    return FastAPI(title=title, **NOTHING_OF_ITS_OWN)


def create(runtime: Callable[[], Runtime]) -> FastAPI:
    """The application; ``runtime`` is asked at every request, as it is opened after this."""
    app = bare("tongban ops")
    app.state.runtime, app.state.hub = runtime, Hub(runtime)
    for router in PAGES:
        app.include_router(router)
    app.mount("/static", Kept(packages=[("gateway.dashboard", "static")]), name="static")
    app.add_exception_handler(desks.NotSignedIn, refusals.on_not_signed_in)
    app.add_exception_handler(desks.Refused, refusals.on_refused)
    app.add_exception_handler(HTTPException, refusals.on_http)
    app.add_exception_handler(RequestValidationError, refusals.on_validation)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_middleware(Guard)
    return app


class Kept(StaticFiles):
    """Files whose address names their content: browsers keep them for good."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        scope: Scope = args[2] if len(args) > 2 else kwargs["scope"]
        _keep(response.headers, versioned=b"v=" in scope.get("query_string", b""))
        return response


def _keep(headers: MutableHeaders, *, versioned: bool) -> None:
    headers["Cache-Control"] = "public, max-age=31536000, immutable" if versioned else "no-cache"
