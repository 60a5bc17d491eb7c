"""The web process as one ASGI application: ``uvicorn gateway.asgi:app``."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import log
from gateway.runtime import Runtime, configure
from gateway.web.app import create

if TYPE_CHECKING:
    from fastapi import FastAPI
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
    return create(lambda: Runtime.served(settings, role="web"))


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Built at the first event, so that importing this module reads no settings."""
    await application()(scope, receive, send)
