"""`POST /v1/translate`: what a message would become; nothing is stored, nothing masked (gateway §4)."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import JSONResponse, Response

from gateway.errors import Refusal
from gateway.exchange.canonical_side import CONTENT_TYPE
from gateway.exchange.collect import Collector, tried, within_rate
from gateway.exchange.dry_run import BadContext, DryRun, Parked, dry_run
from gateway.formats import media_type
from gateway.web import schemas
from gateway.web.auth import COLLECTING, Caller, needs, runtime
from gateway.web.channels import refuse
from gateway.web.intake import BODY_LIMIT, body_within
from gateway.web.problem import Problem
from gateway.web.queries import TranslateQuery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.runtime import Runtime
    from gateway.store.records import CaseRecord

router = APIRouter(prefix="/v1", tags=["试译"])


@router.post(
    "/translate",
    summary="试译一条报文",
    response_model=schemas.Translation,
    responses={
        413: {"model": schemas.Problem, "description": "报文超过 1 MiB"},
        415: {"model": schemas.Problem, "description": "内容类型不是该地区的"},
        422: {"model": schemas.Problem, "description": "报文无效（invalid-message）或将被挂起（parked）"},
        429: {"model": schemas.Problem, "description": "收件渠道试译过于频繁，见 Retry-After"},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "description": "该地区格式的报文原文，内容类型与正式提交时相同；收件渠道的为规范模型的 JSON",
            "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def translate(
    caller: Annotated[Caller, needs("translate", COLLECTING)],
    rt: Annotated[Any, Depends(runtime)],
    request: Request,
    query: Annotated[TranslateQuery, Query()],
) -> Response:
    """返回规范模型、对方格式的字节和字段留痕；不核验凭证、时间和流水号，不保存，不脱敏。收件渠道的凭证只能试译自己的报文，已存的办件不参与试译。"""
    by = _channel(rt, caller, query.sender)
    _check_type(
        f"{CONTENT_TYPE}; charset=utf-8" if by else rt.regions[query.sender].content_type,
        request.headers.get("content-type", ""),
    )
    context = None if query.context is None else _context(query.context)
    body = await body_within(request, BODY_LIMIT)
    if body is None:
        raise Problem("too-large", f"报文超过 {BODY_LIMIT} 字节，请缩减后重发")
    run = DryRun(
        regions=rt.regions,
        tables=rt.tables,
        maps=rt.maps,
        sender=by.side if by else query.sender,
        now=rt.clock.now(),
        context=context,
        record=await _record(rt, caller, by, context or {}),
        target_division=query.target_division or "",
    )
    if caller.collector is not None:
        try:
            await within_rate(rt, caller.collector)
        except Refusal as refused:
            refuse(refused)
    return JSONResponse(_run(run, by, body))


def _channel(rt: Runtime, caller: Caller, sender: str) -> Collector | None:
    """The channel whose message it is; None for a region's."""
    if caller.collector is not None:
        if sender != caller.collector.name:
            raise Problem("forbidden", f"收件渠道只能试译自己的报文：from 须为 {caller.collector.name}")
        return caller.collector
    if sender in rt.regions:
        return None
    for channel in rt.settings.channels:
        if channel.name == sender:
            return Collector.of(channel, None)
    known = (*rt.regions, *(channel.name for channel in rt.settings.channels))
    text = f"from 须为 {'、'.join(known)} 之一"
    raise Problem("bad-request", text, findings=[{"path": "from", "code": "unknown", "text": text}])


async def _record(
    rt: Runtime, caller: Caller, by: Collector | None, context: Mapping[str, Any]
) -> CaseRecord | None:
    """The stored case a context names. A dry run masks nothing, so a channel's own credential is shown none."""
    case_no = context.get("case_no")
    if caller.collector is not None or not isinstance(case_no, str) or not case_no.isalnum():
        return None
    record = await rt.cases.by_no(case_no)
    return record if record is not None and (by is None or by.owns(record.case)) else None


def _run(run: DryRun, by: Collector | None, body: bytes) -> dict[str, Any]:
    try:
        return tried(run, by, body) if by else dry_run(run, body)
    except Refusal as refused:
        if by is not None:
            refuse(refused)  # as at its door
        findings = [finding.as_json() for finding in refused.findings]
        raise Problem("invalid-message", refused.text, findings=findings) from None
    except Parked as parked:
        findings = [finding.as_json() for finding in parked.findings]
        raise Problem("parked", "缺少码表行或规则，正式提交时将挂起", findings=findings) from None
    except BadContext as error:
        raise _bad_context(str(error)) from None


def _bad_context(text: str) -> Problem:
    return Problem("bad-request", text, findings=[{"path": "context", "code": "bad-context", "text": text}])


def _check_type(content_type: str, written: str) -> None:
    kind, charset = media_type.split(written)
    expected, expected_charset = media_type.split(content_type)
    if kind != expected or charset not in {"", expected_charset}:
        raise Problem("unsupported-media-type", f"Content-Type 应为 {content_type}")


def _context(written: str) -> Mapping[str, Any]:
    try:
        text = base64.b64decode(written + "=" * (-len(written) % 4), altchars=b"-_", validate=True)
        context = json.loads(text.decode())
    except (binascii.Error, ValueError, RecursionError):
        context = None
    if not isinstance(context, dict):
        raise _bad_context("context 应为 JSON 对象的 URL 安全 base64，不带填充")
    return context
