"""Operators' verbs: look at open deliveries, send again, cancel, release, return to the origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from gateway.cli.shared import FINDINGS, By, Config, Reason, actor, finding, opened, run
from gateway.errors import Refusal
from gateway.exchange import intervene

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gateway.runtime import Runtime
    from gateway.store.records import OpenDelivery

app = typer.Typer()

MessageId = Annotated[UUID, typer.Argument(help="报文编号（tongban deliveries 或 GET /v1/parked 可查）")]
CaseNo = Annotated[str, typer.Argument(help="通办编号")]


def _do(config: Config, act: Callable[[Runtime], Awaitable[object]]) -> object:
    """Run one verb; what the store or the life cycle forbids ends with 1 and a sentence."""

    async def work() -> object:
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
def release(message_id: MessageId, config: Config = None, by: By = "") -> None:
    """按当前的表重新处理挂起的报文；仍缺表行或规则时列出并以 1 结束。"""
    missing = _do(config, lambda rt: intervene.release(rt, message_id, actor(by)))
    if isinstance(missing, list | tuple) and missing:
        for each in missing:
            finding(each)
        raise typer.Exit(FINDINGS)
    typer.echo(f"{message_id} 已重新处理")


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
