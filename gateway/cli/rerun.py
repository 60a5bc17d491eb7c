"""`tongban rerun`: bulk reruns with a dry run, a pace, a progress bar and a table of what became of what."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from gateway.canonical.worktime import BEIJING
from gateway.cli.shared import FINDINGS, By, Config, Reason, actor, finding, opened, run
from gateway.exchange import rerun as verbs
from gateway.store.rerun_statements import STATES
from gateway.store.reruns import Order, Wanted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from gateway.runtime import Runtime
    from gateway.store.reruns import Change, Rerun

app = typer.Typer(help="批量重办死信、被拒、挂起的报文", no_args_is_help=True)

RerunId = Annotated[UUID, typer.Argument(help="重办编号（tongban rerun list 可查）")]

_FORMATS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z"]
_LOOK_EVERY_S = 0.5
_STATES = {
    "unapproved": "待批准",
    "running": "进行中",
    "paused": "已暂停",
    "settling": "等待结果",
    "done": "完成",
    "cancelled": "已取消",
}
_COLOURS = {"delivered": "green", "dead": "red", "refused": "red", "parked": "yellow"}


def _do(config: Config, act: Callable[[Runtime], Awaitable[Any]]) -> Any:
    async def work() -> Any:
        async with opened(config) as rt:
            return await act(rt)

    try:
        return run(work())
    except LookupError:
        finding({"code": "not-found", "text": "没有这次批量重办，请核对编号"})
    except PermissionError:
        finding({"code": "conflict", "text": "发起人不能批准自己的批量重办，请由另一人批准"})
    raise typer.Exit(FINDINGS)


@app.command()
def start(  # noqa: PLR0913 - a command's options
    *,
    state: Annotated[str, typer.Option(help="状态：dead 死信、refused 被拒、parked 挂起")],
    reason: Reason,
    destination: Annotated[str | None, typer.Option(help="去向的地区代号")] = None,
    kind: Annotated[str | None, typer.Option(help="报文类别")] = None,
    item: Annotated[str | None, typer.Option(help="事项代号")] = None,
    cause: Annotated[str | None, typer.Option(help="原因代码，如 timeout、9043、1001")] = None,
    since: Annotated[datetime | None, typer.Option(help="收件不早于（含）", formats=_FORMATS)] = None,
    until: Annotated[datetime | None, typer.Option(help="收件不晚于", formats=_FORMATS)] = None,
    case: Annotated[list[str] | None, typer.Option("--case", help="只限这个通办编号，可重复")] = None,
    cap: Annotated[int, typer.Option(help="至多多少条，先到的在前", min=1, max=verbs.MOST)] = 1000,
    per_second: Annotated[float, typer.Option(help="每秒重办条数", min=0.01, max=200)] = 10,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只试算，不执行")] = False,
    watch: Annotated[bool, typer.Option(help="看着它做完")] = True,
    config: Config = None,
    by: By = "",
) -> None:
    """按条件选出报文，由投递进程按办件先后逐条重办；超过设定条数的须第二人批准。"""
    if state not in STATES:
        raise typer.BadParameter(f"--state 须为 {'、'.join(STATES)} 之一")
    wanted = Wanted(state, destination, kind, item, cause, _aware(since), _aware(until), tuple(case or ()))
    console = Console()

    async def act(rt: Runtime) -> Rerun | None:
        alone = rt.settings.delivery.rerun_alone_up_to
        found = await verbs.preview(rt, wanted, cap, alone)
        _preview(console, found)
        if dry_run or not found.messages:
            return None
        order = Order(rt.new_id(), wanted, actor(by), reason, rt.clock.now(), per_second, cap, alone)
        job = await verbs.start(rt, order)
        if job is None:
            return None
        console.print(f"重办编号 {job.id}")
        return await _watch(rt, console, job) if watch and not job.needs_approval else job

    job = _do(config, act)
    if job is not None and job.state == "unapproved":
        console.print(f"须另一人批准后开始：tongban rerun approve {job.id}")


@app.command("list")
def listed(config: Config = None) -> None:
    """列出最近的批量重办，新的在前。"""
    table = Table("编号", "状态", "进度", "发起人", "发起时间", "原因")
    for job in _do(config, lambda rt: rt.reruns.page(50, None)):
        at = f"{job.created_at.astimezone(BEIJING):%m-%d %H:%M}"
        progress = f"{job.tried}/{job.total}"
        table.add_row(
            str(job.id), _STATES[job.state], progress, escape(job.created_by), at, escape(job.reason)
        )
    Console().print(table)


@app.command()
def show(
    rerun_id: RerunId,
    watch: Annotated[bool, typer.Option("--watch", help="看着它做完")] = False,  # noqa: FBT002 - a flag
    items: Annotated[bool, typer.Option("--items", help="逐条列出前后对照")] = False,  # noqa: FBT002 - a flag
    config: Config = None,
) -> None:
    """进度和结果对照。"""
    console = Console()

    async def act(rt: Runtime) -> None:
        job = await _job(rt, rerun_id)
        if watch:
            await _watch(rt, console, job)
        else:
            console.print(f"{_STATES[job.state]}，已重办 {job.tried}/{job.total}")
            _diff(console, await rt.reruns.diff(rerun_id))
        after = 0
        while items and (page := await rt.reruns.items(rerun_id, 500, after)):
            for each in page:
                now = f"{each.after_state or '-'} {each.after_cause or ''}".rstrip()
                typer.echo(
                    f"{each.n}\t{each.message_id}\t{each.case_no}\t{each.native_kind}"
                    f"\t{each.before_state} {each.before_cause}\t{each.result or '-'}\t{now}"
                )
            after = page[-1].n

    _do(config, act)


@app.command()
def pause(rerun_id: RerunId, reason: Reason, config: Config = None, by: By = "") -> None:
    """暂停：不再重办下一条，已重办的照常投递。"""
    _move(rerun_id, "pause", reason, config, by)


@app.command()
def resume(rerun_id: RerunId, reason: Reason, config: Config = None, by: By = "") -> None:
    """从停下的地方继续。"""
    _move(rerun_id, "resume", reason, config, by)


@app.command()
def cancel(rerun_id: RerunId, reason: Reason, config: Config = None, by: By = "") -> None:
    """取消：未重办的保持原状。"""
    _move(rerun_id, "cancel", reason, config, by)


@app.command()
def approve(rerun_id: RerunId, reason: Reason, config: Config = None, by: By = "") -> None:
    """批准他人发起的批量重办；批准后开始。"""
    _move(rerun_id, "approve", reason, config, by)


def _move(rerun_id: UUID, verb: str, reason: str, config: Config, by: str) -> None:
    async def act(rt: Runtime) -> tuple[bool, Rerun]:
        moved = await verbs.move(rt, rerun_id, verb, actor(by), reason)
        return moved, await _job(rt, rerun_id)

    moved, job = _do(config, act)
    if not moved:
        finding({"code": "conflict", "text": f"这次批量重办{_STATES[job.state]}，不能这样操作"})
        raise typer.Exit(FINDINGS)
    typer.echo(f"{rerun_id} {_STATES[job.state]}，已重办 {job.tried}/{job.total}")


async def _job(rt: Runtime, rerun_id: UUID) -> Rerun:
    job = await rt.reruns.find(rerun_id)
    if job is None:
        raise LookupError(str(rerun_id))
    return job


async def _watch(rt: Runtime, console: Console, job: Rerun) -> Rerun:
    """Until it is over, or an interrupt: the job goes on without us."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console) as progress:
        tried = progress.add_task("重办", total=job.total)
        ended = progress.add_task("有结果", total=job.total)
        while True:
            job = await _job(rt, job.id)
            changes = await rt.reruns.diff(job.id)
            open_ = sum(each.messages for each in changes if each.after_state in ("untried", "under_way"))
            progress.update(tried, completed=job.tried, description=_STATES[job.state])
            progress.update(ended, completed=job.total - open_)
            if job.is_over:
                break
            await asyncio.sleep(_LOOK_EVERY_S)
    _diff(console, changes)
    return job


def _preview(console: Console, found: verbs.Preview) -> None:
    more = "（还有更多，超出上限的不列入）" if found.capped else ""
    console.print(f"符合条件的报文 {found.messages} 条{more}")
    if not found.messages:
        return
    causes = Table("原因", "条数")
    for cause, messages in found.causes.items():
        causes.add_row(cause or "-", str(messages))
    sample = Table("通办编号", "去向", "类别", "状态", "原因", title="最先的几条")
    for each in found.sample:
        sample.add_row(
            each.case_no, each.destination, each.native_kind, each.before_state, each.before_cause or "-"
        )
    console.print(causes, sample)


def _diff(console: Console, changes: Sequence[Change]) -> None:
    table = Table("重办前", "重办后", "条数", title="结果对照")
    for each in changes:
        colour = _COLOURS.get(each.after_state, "default")
        table.add_row(
            f"{each.before_state} {each.before_cause}".rstrip(),
            f"[{colour}]{each.after_state}[/] {each.after_cause}".rstrip(),
            str(each.messages),
        )
    console.print(table)


def _aware(at: datetime | None) -> datetime | None:
    """A day without a time is its first moment in Beijing."""
    return at if at is None or at.tzinfo else at.replace(tzinfo=BEIJING)
