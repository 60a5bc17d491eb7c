"""What every answer of the dashboard passes: headers that browsers obey, and a last resort."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import MutableHeaders
from starlette.requests import Request

from gateway import log
from gateway.dashboard import refusals
from gateway.dashboard.desk import is_same_site
from gateway.store.engine import is_away

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = log.get(__name__)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class Guard:
    """Pages are never kept by browsers or proxies; forms of other sites are not read; faults tell no tale."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        request = Request(scope, receive)
        if request.method not in {"GET", "HEAD"} and not is_same_site(request):
            await refusals.foreign(request)(scope, receive, guarded)
            return
        try:
            await self._app(scope, receive, guarded)
        except Exception as error:
            if started:
                raise
            await self._unexpected(request, error)(scope, receive, guarded)

    @staticmethod
    def _unexpected(request: Request, error: Exception) -> ASGIApp:
        if is_away(error):
            _log.warning("store_away", path=request.url.path, cause=type(error).__name__)
            return refusals.away(request)
        error_id = str(request.app.state.runtime().new_id())
        _log.error("page_failed", path=request.url.path, error_id=error_id, exc_info=error)
        return refusals.failed(request, error_id)
