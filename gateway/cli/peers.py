"""`tongban peers`, `pause`, `resume`, `pace`, `probe`: operators' verbs on one destination."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.canonical.worktime import BEIJING
from gateway.cli.shared import FINDINGS, By, Config, Reason, actor, opened, run
from gateway.exchange import peers as verbs
from gateway.exchange.probe import Finish, Probe, Step
from gateway.store.peers import Pace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from gateway.runtime import Runtime

app = typer.Typer()

Slug = Annotated[str, typer.Argument(help="去向的地区代号（tongban peers 可查）")]

_MARKS = {
    Finish.PASSED: "[green]✓ 通过[/]",
    Finish.WARNED: "[yellow]! 注意[/]",
    Finish.FAILED: "[red]✗ 失败[/]",
}


def _do(config: Config, slug: str | None, act: Callable[[Runtime], Awaitable[Any]]) -> Any:
    async def work() -> Any:
        async with opened(config) as rt:
            if slug is not None and slug not in rt.regions:
                raise typer.BadParameter(f"没有去向 {slug}，可用：{'、'.join(sorted(rt.regions))}")
            return await act(rt)

    return run(work())


@app.command()
def peers(config: Config = None) -> None:
    """列出各去向：是否暂停、节奏、断路器、最近的成功与失败、最早一件等了多久。"""
    table = Table("去向", "投递", "节奏", "断路器", "最近送达", "最近失败", "最早一件已等")
    for each in _do(config, None, verbs.standings):
        peer = each.peer
        paused = (
            f"[yellow]已暂停[/]（{escape(f'{peer.paused_by}，{_moment(peer.paused_at)}：{each.reason}')}）"
        )
        failed = f"{_moment(peer.last_error_at)} {peer.last_error}".strip()
        table.add_row(
            peer.slug,
            paused if peer.is_paused else "[green]进行[/]",
            _pace(peer.pace),
            "[red]断开，逐件试探[/]" if peer.breaker == "open" else "[green]正常[/]",
            _moment(peer.last_ok_at),
            failed,
            "-" if each.waiting_s is None else f"{each.waiting_s:.0f} 秒",
        )
    Console().print(table)


@app.command()
def pause(slug: Slug, reason: Reason, config: Config = None, by: By = "") -> None:
    """暂停向一个去向投递；命令结束后不再有新的调用，已发出的照常结束，收件不受影响。"""
    changed = _do(config, slug, lambda rt: verbs.pause(rt, slug, actor(by), reason))
    typer.echo(f"{slug} 已暂停投递" if changed else f"{slug} 此前已经暂停")


@app.command()
def resume(slug: Slug, reason: Reason, config: Config = None, by: By = "") -> None:
    """恢复投递，积压的立即开始。"""
    changed = _do(config, slug, lambda rt: verbs.resume(rt, slug, actor(by), reason))
    typer.echo(f"{slug} 已恢复投递" if changed else f"{slug} 没有暂停")


@app.command()
def pace(
    slug: Slug,
    reason: Reason,
    per_second: Annotated[float | None, typer.Option(help="每秒最多开始的调用数", min=0.001)] = None,
    concurrency: Annotated[int | None, typer.Option(help="同时进行的调用数", min=1)] = None,
    config: Config = None,
    by: By = "",
) -> None:
    """设定投递节奏，各投递进程合计；两项都不写即取消限制。"""
    wanted = Pace(per_second, concurrency)
    _do(config, slug, lambda rt: verbs.set_pace(rt, slug, wanted, actor(by), reason))
    typer.echo(f"{slug} 的节奏：{_pace(wanted)}")


@app.command()
def probe(slug: Slug, reason: Reason, config: Config = None, by: By = "") -> None:
    """连接测试：域名、TCP、TLS、HTTP、凭证、回执逐步检查；只发一条空报文，不产生办件。有失败以 1 结束。"""
    console = Console()

    async def act(rt: Runtime) -> bool:
        await rt.audit.append(actor(by), "probe", slug, reason)
        test = Probe(
            rt.regions[slug], rt.credentials[slug], rt.clock.now, time.monotonic, nonce=rt.new_id().hex
        )
        ok = True
        async for step in test.steps():
            _show(console, step)
            ok = ok and step.finish is not Finish.FAILED
        return ok

    if not _do(config, slug, act):
        raise typer.Exit(FINDINGS)


def _show(console: Console, step: Step) -> None:
    """One step as soon as it has ended; a table would wait for the last."""
    row = Table.grid(padding=(0, 2))
    for width in (8, 12, 11):
        row.add_column(width=width, no_wrap=True)
    row.add_column()
    row.add_row(_MARKS[step.finish], step.name.label, f"{step.took_s * 1000:.0f} 毫秒", escape(step.detail))
    if step.remedy:
        row.add_row("", "", "", f"[bold]怎么办：[/]{escape(step.remedy)}")
    console.print(row)


def _pace(pace: Pace) -> str:
    bounds = []
    if pace.per_second is not None:
        bounds.append(f"每秒 {pace.per_second:g} 次")
    if pace.concurrency is not None:
        bounds.append(f"同时 {pace.concurrency} 个")
    return "，".join(bounds) or "不限"


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(BEIJING):%m-%d %H:%M:%S}"
