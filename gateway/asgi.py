"""The web process as one ASGI application: ``uvicorn gateway.asgi:app``."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse

from gateway import log
from gateway.dashboard import app as dashboard
from gateway.runtime import Runtime, configure
from gateway.web.app import create

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

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
    return web


def join(web: FastAPI) -> None:
    """The dashboard beside the API, over the same runtime."""
    web.add_route("/ops", _bare, include_in_schema=False)
    web.mount("/ops", dashboard.create(lambda: web.state.runtime))


async def _bare(_request: Request) -> Response:
    return RedirectResponse("/ops/", 308)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Built at the first event, so that importing this module reads no settings."""
    await application()(scope, receive, send)
