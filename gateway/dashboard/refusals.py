"""Every no of the dashboard as a designed page or fragment: what happened, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import HTMLResponse, Response

from gateway.dashboard.desk import COOKIE, PATHS, language_of
from gateway.dashboard.rendering import Page, render
from gateway.dashboard.texts import N_, catalog

if TYPE_CHECKING:
    from starlette.requests import Request

_BY_STATUS = {
    404: N_("没有这个页面，它可能已被移走；请从左侧菜单重新进入"),
    405: N_("这个地址不接受这种操作，请返回页面重试"),
    413: N_("提交的内容过大，请缩减后重试"),
}
_BAD_REQUEST = N_("地址或表单中的参数不正确，请返回页面重新选择")


async def on_not_signed_in(request: Request, _error: Any) -> Response:
    """To the sign-in page, and back afterwards."""
    whole = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if "hx-request" in request.headers or request.method != "GET":
        whole = ""
    to = "/ops/sign-in" + (f"?next={quote(whole)}" if whole not in {"", "/ops/"} else "")
    if "hx-request" in request.headers:
        response = Response(status_code=204, headers={"HX-Redirect": to})
    else:
        response = Response(status_code=303, headers={"Location": to})
    for path in PATHS if COOKIE in request.cookies else ():
        response.delete_cookie(COOKIE, path=path)
    return response


async def on_refused(request: Request, error: Any) -> Response:
    """A page's own no; its sentence is in the person's language already."""
    return _answer(request, error.status, error.sentence)


async def on_http(request: Request, error: Any) -> Response:
    """What the router says no to."""
    return _answer(
        request, error.status_code, _said(request, _BY_STATUS.get(error.status_code, _BAD_REQUEST))
    )


async def on_validation(request: Request, error: Any) -> Response:
    """Parameters that do not fit, by name; never their values."""
    names = sorted({str(fault["loc"][-1]) for fault in error.errors()})
    return _answer(request, 400, f"{_said(request, _BAD_REQUEST)} ({', '.join(names)})")


def foreign(request: Request) -> Response:
    """A form another site sent."""
    return _answer(request, 403, _said(request, N_("请求来自其他网站，未予处理")))


def away(request: Request) -> Response:
    """The store does not answer."""
    response = _answer(request, 503, _said(request, N_("数据库暂不可用，页面会在它恢复后继续；请稍候刷新")))
    response.headers["Retry-After"] = "5"
    return response


def failed(request: Request, error_id: str) -> Response:
    """What nobody expected."""
    sentence = _said(request, N_("页面出错，请将编号 %(id)s 告知运维人员")) % {"id": error_id}
    return _answer(request, 500, sentence)


def _said(request: Request, text: str) -> str:
    return catalog(language_of(request)).gettext(text)


def _answer(request: Request, status: int, sentence: str) -> Response:
    rt = request.app.state.runtime()
    page = Page(rt, language_of(request), request.url.path, rt.clock.now())
    template = "_refusal.html" if "hx-request" in request.headers else "refusal.html"
    context = {
        "sentence": sentence,
        "status_code": status,
        "home": getattr(request.app.state, "home", "/ops/"),
    }
    return HTMLResponse(render(template, page, context), status)
