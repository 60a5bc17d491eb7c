"""Operators' verbs: look at open deliveries, send again, cancel, release, return to the origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar
from uuid import UUID

import typer

from gateway.canonical.worktime import BEIJING
from gateway.cli.shared import FINDINGS, By, Config, Reason, actor, finding, opened, run
from gateway.errors import Refusal
from gateway.exchange import backlog, intervene
from gateway.store.parked import Cause

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gateway.runtime import Runtime
    from gateway.store.parked import ParkedGroup
    from gateway.store.records import OpenDelivery

T = TypeVar("T")

app = typer.Typer()

MessageId = Annotated[UUID, typer.Argument(help="报文编号（tongban deliveries 或 GET /v1/parked 可查）")]
CaseNo = Annotated[str, typer.Argument(help="通办编号")]


def _do(config: Config, act: Callable[[Runtime], Awaitable[T]]) -> T:
    """Run one verb; what the store or the life cycle forbids ends with 1 and a sentence."""

    async def work() -> T:
        async with opened(config) as rt:
            return await act(rt)

    try:
        return run(work())
    except Refusal as error:
        finding({"code": error.code, "text": error.text})
    except LookupError:
        finding({"code": "not-found", "text": "没有这条未结束的投递或办件，它可能已被处理"})
    raise typer.Exit(FINDINGS)


@app.command()
def retry(message_id: MessageId, reason: Reason, config: Config = None, by: By = "") -> None:
    """再次投递死信或被拒的报文（报文流水号不变）。"""
    _do(config, lambda rt: intervene.retry(rt, message_id, actor(by), reason))
    typer.echo(f"{message_id} 将再次投递")


@app.command()
def cancel(message_id: MessageId, reason: Reason, config: Config = None, by: By = "") -> None:
    """取消一次投递；同一办件的后续报文继续。"""
    _do(config, lambda rt: intervene.cancel(rt, message_id, actor(by), reason))
    typer.echo(f"{message_id} 已取消")


@app.command()
def release(
    message_id: Annotated[UUID | None, typer.Argument(help="报文编号（tongban parked 可查）")] = None,
    cause: Annotated[
        str, typer.Option(help="放行缺这一项的全部报文：代码:路径[=值]（tongban parked --groups 可查）")
    ] = "",
    everything: Annotated[bool, typer.Option("--all", help="重新处理全部挂起的报文")] = False,  # noqa: FBT002 - a flag
    config: Config = None,
    by: By = "",
) -> None:
    """按当前的表重新处理挂起的报文，先到的在前；仍缺表行或规则的逐条列出（标准错误）并以 1 结束。"""
    if [message_id is not None, bool(cause), everything].count(True) != 1:
        raise typer.BadParameter("请给出报文编号、--cause、--all 三者之一")
    wanted = _cause(cause) if cause else None

    async def work(rt: Runtime) -> list[backlog.Tried]:
        if message_id is not None:
            return [backlog.Tried(message_id, await intervene.release(rt, message_id, actor(by)))]
        return [tried async for tried in backlog.release(rt, actor(by), wanted)]

    _tell(_do(config, work))


def _cause(written: str) -> Cause:
    code, _, rest = written.partition(":")
    path, _, value = rest.partition("=")
    if not code or not path:
        raise typer.BadParameter("--cause 应写成 代码:路径，例如 1001:param.aac005，或 1001:param.aac005=77")
    return Cause(code, backlog.pattern_of(path), value or None)


def _tell(tried: list[backlog.Tried]) -> None:
    waiting = [each for each in tried if each.findings]
    for each in waiting:
        for missing in each.findings:
            finding({"id": str(each.message_id), **missing})
    typer.echo(f"{len(tried) - len(waiting)} 条报文已重新处理，{len(waiting)} 条仍挂起")
    if waiting:
        raise typer.Exit(FINDINGS)


@app.command()
def parked(
    groups: Annotated[bool, typer.Option("--groups", help="按原因归并，报文多的在前")] = False,  # noqa: FBT002 - a flag
    config: Config = None,
) -> None:
    """列出挂起的报文：编号、发送方、通办编号、收件时间、原因；或按原因归并。"""

    async def work() -> list[str]:
        async with opened(config) as rt:
            return await (_groups(rt) if groups else _parked(rt))

    for line in run(work()):
        typer.echo(line)


async def _parked(rt: Runtime) -> list[str]:
    lines: list[str] = []
    after: str | None = None
    while True:
        page, after = await rt.cases.parked_page(200, after)
        for each in page:
            why = "; ".join(f"{found['code']} {found['path']}" for found in each.findings)
            at = each.received_at.astimezone(BEIJING).isoformat(timespec="seconds")
            lines.append(f"{each.id}\t{each.region}\t{each.case_no}\t{at}\t{why}")
        if after is None:
            return lines


async def _groups(rt: Runtime) -> list[str]:
    lines: list[str] = []
    after: str | None = None
    while True:
        page, after = await rt.cases.parked_groups(200, after)
        lines += [_group_line(each) for each in page]
        if after is None:
            return lines


def _group_line(group: ParkedGroup) -> str:
    cause = group.cause
    name = f"{cause.code}:{cause.path}" + (f"={cause.value}" if cause.value else "")
    since = group.first_seen_at.astimezone(BEIJING).date()
    counted = f"{group.messages} 条报文，{len(group.agencies)} 个机构"
    return f"{name}\t{group.region}\t{counted}\t{since} 起\t{group.text}"


@app.command("return")
def return_(case_no: CaseNo, reason: Reason, config: Config = None, by: By = "") -> None:
    """把投递失败的办件退回来源地（向其报告不予受理及原因）。"""
    _do(config, lambda rt: intervene.return_to_origin(rt, case_no, actor(by), reason))
    typer.echo(f"{case_no} 已退回来源地")


@app.command()
def deliveries(
    state: Annotated[
        str, typer.Option(help="只看这种状态：dead、refused、parked、ready、behind、sending")
    ] = "dead",
    config: Config = None,
) -> None:
    """列出未结束的投递。"""

    async def work() -> Sequence[OpenDelivery]:
        async with opened(config) as rt:
            found, _next = await rt.deliveries.open(state)
            return found

    for each in run(work()):
        due = each.due_at.isoformat(timespec="seconds") if each.due_at else "-"
        typer.echo(
            f"{each.message_id}\t{each.case_no}\t{each.destination}\t{each.native_kind}\t{each.state}"
            f"\t{each.attempt}\t{due}\t{each.last_error}"
        )
