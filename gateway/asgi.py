"""The web process as one ASGI application: ``uvicorn gateway.asgi:application --factory``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import log
from gateway.runtime import Runtime, configure
from gateway.web.app import create

if TYPE_CHECKING:
    from fastapi import FastAPI

#: The path of `gateway.toml`, set by the supervisor.
CONFIG = "TONGBAN_CONFIG"


def application() -> FastAPI:
    """The application over the runtime of ``TONGBAN_CONFIG`` and the environment."""
    log.configure()
    path = os.environ.get(CONFIG)
    settings = configure(Path(path) if path else None, os.environ)
    return create(lambda: Runtime.open(settings, role="web"))
