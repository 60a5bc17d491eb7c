"""`POST /v1/translate`: what a message would become; nothing is stored, nothing masked (gateway §4)."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse, Response

from gateway.errors import Refusal
from gateway.exchange.dry_run import BadContext, DryRun, Parked, dry_run
from gateway.formats import media_type
from gateway.web import schemas
from gateway.web.auth import Caller, needs, runtime
from gateway.web.intake import BODY_LIMIT, body_within
from gateway.web.problem import Problem
from gateway.web.queries import TranslateQuery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.region import Region

router = APIRouter(prefix="/v1", tags=["试译"])


@router.post(
    "/translate",
    summary="试译一条报文",
    response_model=schemas.Translation,
    responses={
        413: {"model": schemas.Problem, "description": "报文超过 1 MiB"},
        415: {"model": schemas.Problem, "description": "内容类型不是该地区的"},
        422: {"model": schemas.Problem, "description": "报文无效（invalid-message）或将被挂起（parked）"},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "该地区格式的报文原文，内容类型与正式提交时相同",
            "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def translate(
    _caller: Annotated[Caller, needs("translate")],
    rt: Annotated[Any, Depends(runtime)],
    request: Request,
    query: Annotated[TranslateQuery, Query()],
) -> Response:
    """返回规范模型、对方格式的字节和字段留痕；不核验凭证、时间和流水号，不保存，不脱敏。"""
    region = rt.regions.get(query.sender)
    if region is None:
        raise Problem("bad-request", f"from 须为 {'、'.join(rt.regions)} 之一")
    _check_type(region, request.headers.get("content-type", ""))
    context = None if query.context is None else _context(query.context)
    body = await body_within(request, BODY_LIMIT)
    if body is None:
        raise Problem("too-large", f"报文超过 {BODY_LIMIT} 字节，请缩减后重发")
    case_no = (context or {}).get("case_no")
    run = DryRun(
        regions=rt.regions,
        tables=rt.tables,
        maps=rt.maps,
        sender=region.slug,
        now=rt.clock.now(),
        context=context,
        record=await rt.cases.by_no(case_no) if isinstance(case_no, str) else None,
        target_division=query.target_division or "",
    )
    return JSONResponse(_run(run, body))


def _run(run: DryRun, body: bytes) -> dict[str, Any]:
    try:
        return dry_run(run, body)
    except Refusal as refused:
        findings = [finding.as_json() for finding in refused.findings]
        raise Problem("invalid-message", refused.text, findings=findings) from None
    except Parked as parked:
        findings = [finding.as_json() for finding in parked.findings]
        raise Problem("parked", "缺少码表行或规则，正式提交时将挂起", findings=findings) from None
    except BadContext as error:
        raise _bad_context(str(error)) from None


def _bad_context(text: str) -> Problem:
    return Problem("bad-request", text, findings=[{"path": "context", "code": "bad-context", "text": text}])


def _check_type(region: Region, written: str) -> None:
    kind, charset = media_type.split(written)
    expected, expected_charset = media_type.split(region.content_type)
    if kind != expected or charset not in {"", expected_charset}:
        raise Problem("unsupported-media-type", f"Content-Type 应为 {region.content_type}")


def _context(written: str) -> Mapping[str, Any]:
    try:
        text = base64.b64decode(written + "=" * (-len(written) % 4), altchars=b"-_", validate=True)
        context = json.loads(text.decode())
    except (binascii.Error, ValueError, RecursionError):
        context = None
    if not isinstance(context, dict):
        raise _bad_context("context 应为 JSON 对象的 URL 安全 base64，不带填充")
    return context
