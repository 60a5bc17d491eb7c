"""The API's documentation, served from the package alone: nothing is fetched from elsewhere."""

from __future__ import annotations

from pathlib import Path

import swagger_ui_bundle
from fastapi import APIRouter, Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response

from gateway.web.auth import runtime
from gateway.web.problem import Problem

router = APIRouter(include_in_schema=False)

_FILES = Path(swagger_ui_bundle.swagger_ui_path)
_SERVED = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})

# The browser itself refuses whatever a page would fetch from another host.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_PAGE = """<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>通办网关接口文档</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
</head>
<body>
<div id="docs"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""

# Without validatorUrl null the page would ask a service on the internet to judge our document.
_START = """SwaggerUIBundle({
  url: "openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis], layout: "BaseLayout", docExpansion: "list"
});
"""


@router.get("/openapi.json")
async def document(request: Request) -> Response:
    """The OpenAPI document."""
    state = request.app.state
    if not hasattr(state, "document"):
        state.document = state.describe(runtime(request).regions)
    return JSONResponse(state.document)


@router.get("/docs")
async def page() -> Response:
    """The page that shows it."""
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


@router.get("/docs/start.js")
async def start() -> Response:
    """The script that starts it; a file of its own, so that no inline script need be allowed."""
    return Response(_START, media_type="text/javascript")


@router.get("/docs/{name}")
async def file(name: str) -> Response:
    """A file of the page."""
    if name not in _SERVED:
        raise Problem("not-found", "没有这个文件")
    return FileResponse(_FILES / name, headers={"Cache-Control": "max-age=86400"})
