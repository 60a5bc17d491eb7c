"""The channels' door: canonical JSON in, one receipt out; refusals as problem documents (ADR 0028)."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import orjson
from fastapi import APIRouter, Depends, Header, Path, Query, Request
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from gateway import metrics
from gateway.errors import Refusal
from gateway.exchange.collect import NO_CASE, Collector, Posted, collect
from gateway.exchange.masking import Masker
from gateway.formats import media_type
from gateway.mapping.canonical_blocks import PREFIX
from gateway.web import schemas, views
from gateway.web.auth import COLLECTING, Caller, needs, runtime
from gateway.web.canonical_schemas import APPLICATIONS, FOLLOW_UPS, body_of
from gateway.web.intake import BODY_LIMIT, body_within
from gateway.web.problem import Code, Problem
from gateway.web.queries import NoQuery
from gateway.web.tracking import masker

if TYPE_CHECKING:
    from gateway.exchange.collect import Taken
    from gateway.runtime import Runtime

router = APIRouter(prefix="/v1", tags=["办件"])

#: Visible ASCII without the quotes the draft's string form has around it.
_KEY = re.compile(r'"?([\x21\x23-\x5b\x5d-\x7e]{1,128})"?')

_Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        description="幂等键，必填：由渠道编制，1–128 个可见字符；同键同内容得到原回执，同键不同内容为 409",
        examples=["W20261123000017"],
        pattern=f"^{_KEY.pattern}$",
    ),
]
_Collecting = Annotated[Caller, needs(COLLECTING)]

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    409: {"model": schemas.Problem, "description": "幂等键已用于另一内容，或办件的状态不允许"},
    413: {"model": schemas.Problem, "description": "报文超过 1 MiB"},
    415: {"model": schemas.Problem, "description": "Content-Type 不是 application/json"},
    422: {"model": schemas.Problem, "description": "报文无效，findings 列出全部问题"},
    429: {"model": schemas.Problem, "description": "过于频繁，见 Retry-After"},
}
_TAKEN: dict[int | str, dict[str, Any]] = {
    202: {
        "model": schemas.Collected,
        "description": "已可靠保存；重复提交得到原回执，并有 Idempotency-Replayed: true",
        "headers": {
            "Location": {"description": "办件的地址", "schema": {"type": "string"}},
            "Idempotency-Replayed": {"description": "true：这是原回执", "schema": {"type": "string"}},
        },
    }
}

#: status of a refusal → code of the problem
_CODES: dict[int, Code] = {
    403: "forbidden",
    404: "not-found",
    409: "conflict",
    422: "invalid-message",
    429: "rate-limited",
    503: "not-ready",
}


@router.post(
    "/cases",
    status_code=202,
    summary="收件渠道提交一个新办件",
    response_model=schemas.Collected,
    responses={**_TAKEN, **_PROBLEMS},
    openapi_extra={"requestBody": body_of(APPLICATIONS)},
)
async def post_case(
    caller: _Collecting,
    rt: Annotated[Any, Depends(runtime)],
    request: Request,
    _query: Annotated[NoQuery, Query()],
    idempotency_key: _Key,
) -> Response:
    """银行网点（社银合作）、乡镇窗口等没有经办系统的收件渠道，以规范模型的 JSON 提交。网关转换、转递、跟踪，与地区系统提交的办件相同；进展用 GET 查询。"""
    return await _taken(rt, _collector(caller), request, idempotency_key)


@router.post(
    "/cases/{case_no}/messages",
    status_code=202,
    summary="收件渠道提交办件的后续报文",
    response_model=schemas.Collected,
    responses={
        404: {"model": schemas.Problem, "description": "没有这个办件，或不是该渠道收取的"},
        **_TAKEN,
        **_PROBLEMS,
    },
    openapi_extra={"requestBody": body_of(FOLLOW_UPS)},
)
async def post_message(
    caller: _Collecting,
    rt: Annotated[Any, Depends(runtime)],
    request: Request,
    case_no: Annotated[str, Path(description="通办编号", examples=["CYTB5101042026112300000017"])],
    _query: Annotated[NoQuery, Query()],
    idempotency_key: _Key,
) -> Response:
    """补正材料、撤回、评价；办理状态只有获准代经办机构报告的渠道可以提交。"""
    if not case_no.isalnum():  # PostgreSQL has no place for NUL in a text
        raise Problem("not-found", NO_CASE)
    return await _taken(rt, _collector(caller), request, idempotency_key, case_no)


@router.get(
    "/cases/{case_no}/messages",
    summary="办理地发给收件渠道的报文",
    response_model=schemas.ToldPage,
    responses={404: {"model": schemas.Problem, "description": "没有这个办件，或不是该渠道收取的"}},
)
async def told(
    caller: _Collecting,
    rt: Annotated[Any, Depends(runtime)],
    masks: Annotated[Masker, Depends(masker)],
    case_no: Annotated[str, Path(description="通办编号", examples=["CYTB5101042026112300000017"])],
    _query: Annotated[NoQuery, Query()],
) -> Response:
    """办理状态、转移信息表、申领答复等，规范模型，按先后；姓名、证件号码和账号脱敏。渠道自己来取，网关不推送。"""
    record = await rt.cases.by_no(case_no) if case_no.isalnum() else None
    if record is None or not _collector(caller).owns(record.case):
        raise Problem("not-found", NO_CASE)
    found = await rt.cases.told(record.case.id, PREFIX)
    return JSONResponse({"messages": [views.told_line(message, masks) for message in found]})


def _collector(caller: Caller) -> Collector:
    if caller.collector is None:
        raise Problem("forbidden", "只有收件渠道的凭证可以提交办件，请在配置 [[channels]] 中登记")
    return caller.collector


async def _taken(
    rt: Runtime, by: Collector, request: Request, written_key: str, case_no: str = ""
) -> Response:
    key = _KEY.fullmatch(written_key)
    if key is None:
        raise Problem(
            "bad-request", "请在 Idempotency-Key 请求头中给出幂等键：1 至 128 个可见字符，不含引号和反斜线"
        )
    kind, charset = media_type.split(request.headers.get("content-type", ""))
    if kind != "application/json" or charset not in {"", "utf-8"}:
        raise Problem("unsupported-media-type", "Content-Type 应为 application/json，UTF-8")
    began = time.perf_counter()
    try:
        body = await body_within(request, BODY_LIMIT)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    if body is None:
        raise Problem("too-large", f"报文超过 {BODY_LIMIT} 字节，请缩减后重发")
    try:
        taken = await collect(rt, by, Posted(key[1], body, case_no))
    except Refusal as refused:
        refuse(refused)
    metrics.INTAKE_SECONDS.labels(by.side).observe(time.perf_counter() - began)
    return _receipt(taken)


def _receipt(taken: Taken) -> Response:
    headers = {"location": f"/v1/cases/{orjson.loads(taken.body)['case_no']}"}
    if taken.repeated:
        headers["idempotency-replayed"] = "true"
    return Response(taken.body, 202, headers, "application/json")


def refuse(refused: Refusal) -> NoReturn:
    """A refusal as a problem document."""
    findings = [finding.as_json() for finding in refused.findings] or None
    headers = None if refused.retry_after is None else {"Retry-After": str(refused.retry_after)}
    raise Problem(_CODES[refused.status], refused.text, findings=findings, headers=headers) from None
