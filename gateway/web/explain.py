"""`GET /v1/cases/{case_no}/explain`: each value of a case's messages explained, and under other tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse, Response

from gateway.errors import CannotStart
from gateway.exchange.explain import explained, travelled
from gateway.exchange.explaining import Explaining
from gateway.store.archive import Archive
from gateway.web import schemas
from gateway.web.auth import Caller, needs, runtime
from gateway.web.explain_schemas import Explanation
from gateway.web.problem import Problem
from gateway.web.queries import ExplainQuery

if TYPE_CHECKING:
    from gateway.exchange.library import Book
    from gateway.exchange.masking import Masker
    from gateway.runtime import Runtime

router = APIRouter(prefix="/v1", tags=["办件"])


def desk(request: Request) -> Explaining:
    """Made at the first request."""
    found: Explaining | None = getattr(request.app.state, "explain_desk", None)
    if found is None:
        rt: Runtime = runtime(request)
        found = request.app.state.explain_desk = Explaining(
            rt.engine,
            rt.regions,
            folder=rt.settings.tables_dir,
            calendar_until=rt.settings.calendar_until,
        )
    return found


@router.get(
    "/cases/{case_no}/explain",
    summary="逐字段说明一个办件",
    response_model=Explanation,
    responses={404: {"model": schemas.Problem, "description": "没有找到办件或规则表版本"}},
)
async def explain(
    caller: Annotated[Caller, needs("cases")],
    rt: Annotated[Any, Depends(runtime)],
    own: Annotated[Explaining, Depends(desk)],
    case_no: Annotated[str, Path(description="通办编号", examples=["CYTB5101042026112300000017"])],
    query: Annotated[ExplainQuery, Query()],
) -> Response:
    """发给对方的每个值来自哪里、依据哪条规则或哪行表；给出 on 或 set 时，另列按那天或那套表重译会有的不同。

    没有 cases:full 权限时脱敏，每次查看完整内容均留审计记录。
    """
    case = await Archive(rt.engine, rt.vault).case(case_no) if case_no.isalnum() else None
    if case is None:
        raise Problem("not-found", "没有这个办件，请核对通办编号")
    full = caller.may("cases:full")
    if full:  # on record before anything is shown
        await rt.audit.append(caller.actor, "look", case_no, "cases:full")
    reader = await own.reader((message.tables_digest for message in case.messages), rt)
    told = explained(case, reader)
    if query.on is not None or query.set_ is not None:
        to = reader.current if query.set_ is None else await _set(rt, own, query.set_)
        told["travel"] = travelled(case, reader, to=to, on=query.on)
    return JSONResponse(told if full else _masked(told, own.masker))


async def _set(rt: Runtime, own: Explaining, word: str) -> Book:
    try:
        found = await own.library.by_word(word, active=rt.tables.digest)
    except CannotStart:  # kept, but not usable by this version of the gateway
        found = None
    if found is None:
        raise Problem(
            "not-found", "没有这套规则表：set 须为 active、packaged 或已入库版本的摘要（至少 8 位）"
        )
    return found


def _masked(told: dict[str, Any], masker: Masker) -> dict[str, Any]:
    messages = [
        {**message, "values": [masker.entry(value) for value in message["values"]]}
        for message in told["messages"]
    ]
    masked = {**told, "messages": messages}
    if "travel" in told:
        masked["travel"] = {
            **told["travel"],
            "messages": [
                {**each, "changes": [_change(change, masker) for change in each["changes"]]}
                for each in told["travel"]["messages"]
            ],
        }
    return masked


def _change(change: dict[str, Any], masker: Masker) -> dict[str, Any]:
    covered = masker.entry({**change, "path_in": None, "path_out": change["path"]})
    return {name: covered[name] for name in change}
