"""The HTTP application: routes, errors as problem details, and the runtime opened for its life."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Match, Route

from gateway import log
from gateway.framework import NOTHING_OF_ITS_OWN
from gateway.store.engine import is_away
from gateway.web import (
    channels,
    docs,
    explain,
    health,
    items,
    operate,
    precheck,
    reruns,
    tallies,
    tracking,
    translation,
)
from gateway.web.intake import take_message
from gateway.web.openapi import describe
from gateway.web.problem import Code, Problem, answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from gateway.runtime import Runtime

_log = log.get(__name__)

_DOOR = re.compile(r"/v1/[^/]+/messages")

_BY_STATUS: dict[int, tuple[Code, str]] = {
    400: ("bad-request", "请求有误，请对照接口文档改正"),
    404: ("not-found", "没有这个地址，接口文档在 /docs"),
    405: ("method-not-allowed", "该地址不支持这种请求方法"),
    413: ("too-large", "请求过大，请缩减后重发"),
    415: ("unsupported-media-type", "不支持的内容类型"),
}


def create(opening: Callable[[], AbstractAsyncContextManager[Runtime]] | None = None) -> FastAPI:
    """The application. ``opening`` is entered at start-up; without it, ``app.state.runtime`` is set by hand."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        if opening is None:
            yield
            return
        async with opening() as app.state.runtime:
            yield

    app = Gateway(
        title="通办网关",
        version="1",
        lifespan=life,
        # For the description and for other methods; what is posted is taken before any router (`Gateway`).
        routes=[Route("/v1/{region}/messages", take_message, methods=["POST"])],
        **NOTHING_OF_ITS_OWN,
    )
    for router in (
        tracking.router,
        channels.router,
        explain.router,
        items.router,
        precheck.router,
        tallies.router,
        translation.router,
        operate.router,
        reruns.router,
        health.router,
        docs.router,
    ):
        app.include_router(router)
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_middleware(LastResort)
    app.state.describe = lambda regions: describe(app, regions)
    return app


class Gateway(FastAPI):
    """FastAPI for everything but the door of the regions: there, a case's way through it cost more than its map."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An ASGI application."""
        if scope["type"] == "http" and scope["method"] == "POST" and _DOOR.fullmatch(scope["path"]):
            scope["app"] = self
            await LastResort(_at_the_door)(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


async def _at_the_door(scope: Scope, receive: Receive, send: Send) -> None:
    scope["path_params"] = {"region": scope["path"].split("/")[2]}
    try:
        response = await take_message(Request(scope, receive))
    except Problem as problem:
        response = answer(problem)
    await response(scope, receive, send)


class LastResort:
    """Turns what nobody expected into a 500 with an id, or a 503 when the store is away; logs, never tells."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:
            problem = _unexpected(error, scope)
            if started:
                raise
            await answer(problem)(scope, receive, send)


def _unexpected(error: Exception, scope: Scope) -> Problem:
    if is_away(error):
        _log.warning("store_away", path=scope["path"], cause=type(error).__name__)
        return Problem("not-ready", "数据库暂不可用，请稍后重试", headers={"Retry-After": "5"})
    error_id = str(scope["app"].state.runtime.new_id())
    _log.error("request_failed", path=scope["path"], error_id=error_id, exc_info=error)
    return Problem(
        "internal", f"网关内部错误，请将编号 {error_id} 告知运维人员", instance=f"urn:uuid:{error_id}"
    )


async def _on_problem(_request: Request, problem: Any) -> Response:
    return answer(problem)


async def _on_http(request: Request, error: Any) -> Response:
    code, detail = _BY_STATUS.get(error.status_code, ("bad-request", "请求有误，请对照接口文档改正"))
    headers = {"Allow": _allowed(request)} if code == "method-not-allowed" else error.headers
    return answer(Problem(code, detail, headers=headers))


#: what an address may take; asked of the routes, which do not all tell their methods
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def _allowed(request: Request) -> str:
    """Every method of the address: the router names those of the first route that has it (RFC 9110 §15.5.6)."""
    found = [
        method
        for method in _METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]
    return ", ".join(found)


async def _on_validation(_request: Request, error: Any) -> Response:
    """Query and path parameters that do not fit: always 400, all of them at once, never their values."""
    findings = [_finding(fault) for fault in error.errors()]
    return answer(Problem("bad-request", "请求参数有误，请按 findings 改正后重试", findings=findings))


_REMEDIES = {
    "extra_forbidden": "未知的参数，请改正拼写或删除",
    "missing": "缺少必填参数",
    "greater_than_equal": "须大于等于 {ge}",
    "less_than_equal": "须小于等于 {le}",
    "int_parsing": "须为整数",
    "int_type": "须为整数",
    "float_type": "须为数字",
    "bool_type": "须为 true 或 false",
    "string_type": "须为文本",
    "string_pattern_mismatch": "格式不正确，须符合 {pattern}",
    "literal_error": "须为 {expected} 之一",
    "greater_than": "须大于 {gt}",
    "too_long": "至多 {max_length} 项",
    "string_too_long": "至多 {max_length} 字",
    "json_invalid": "请求体须为 JSON",
    "timezone_aware": "时间须带时区，例如 2026-11-23T15:42:10+08:00",
    "enum": "须为 {expected} 之一",
    "date_from_datetime_parsing": "须为 yyyy-MM-dd",
    "date_parsing": "须为 yyyy-MM-dd",
}


def _finding(fault: dict[str, Any]) -> dict[str, str]:
    context = fault.get("ctx", {})
    own = context.get("error")
    text = str(own) if own is not None else _REMEDIES.get(fault["type"], "取值不正确").format(**context)
    return {"path": ".".join(str(part) for part in fault["loc"][1:]), "code": fault["type"], "text": text}
