"""The web process as one ASGI application: ``uvicorn gateway.asgi:app``."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from gateway import log
from gateway.dashboard import app as dashboard
from gateway.dashboard.playground import app as playground
from gateway.runtime import Runtime, configure
from gateway.web.app import create

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    from gateway.settings import Settings

#: The path of `gateway.toml`, set by whoever starts this process.
CONFIG = "TONGBAN_CONFIG"


@functools.cache
def application() -> FastAPI:
    """The application over the configuration of ``TONGBAN_CONFIG`` and the environment.

    Errors: `CannotStart`.
    """
    log.configure()
    path = os.environ.get(CONFIG)
    settings = configure(Path(path) if path else None, os.environ)
    web = create(lambda: Runtime.served(settings, role="web"))
    if settings.dashboard.enabled:
        join(web)
    join_playground(web, settings)
    return web


def join(web: FastAPI) -> None:
    """The dashboard beside the API, over the same runtime."""
    web.add_route("/ops", _bare, include_in_schema=False)
    web.mount("/ops", dashboard.create(lambda: web.state.runtime))


def join_playground(web: FastAPI, settings: Settings) -> None:
    """Where messages are tried; not there when it is off, or when nobody could sign in for it."""
    access, has_desk = settings.playground.access, settings.dashboard.enabled
    if access == "off" or (access == "staff" and not has_desk):
        return
    if not has_desk:
        web.router.routes.extend(playground.STATIC)
    web.add_route("/playground", _bare_playground, include_in_schema=False)
    web.mount("/playground", playground.served(lambda: web.state.runtime))


async def _bare_playground(_request: Request) -> Response:
    return RedirectResponse(playground.HOME, 308)


async def _bare(_request: Request) -> Response:
    return RedirectResponse("/ops/", 308)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Built at the first event, so that importing this module reads no settings."""
    await application()(scope, receive, send)
