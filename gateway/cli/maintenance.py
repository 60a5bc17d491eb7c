"""`tongban maintenance`: what the schedule does every ten minutes, by hand and to its end."""

from __future__ import annotations

from typing import Annotated

import typer

from gateway.cli.shared import FINDINGS, By, Config, actor, opened, run
from gateway.exchange.maintain import STEPS, Order, maintain
from gateway.store.retention import Who

app = typer.Typer()


@app.command()
def maintenance(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只列出将要做什么，不改动数据")] = False,  # noqa: FBT002 - a flag
    only: Annotated[str, typer.Option(help=f"只做一步：{'、'.join(STEPS)}")] = "",
    reason: Annotated[str, typer.Option("--reason", "-r", help="原因，记入审计")] = "手工维护",
    config: Config = None,
    by: By = "",
) -> None:
    """维护数据库：预建月分区、归位、到期清理、统计合并；可重复执行，可多处同时执行。

    逐步输出所做的事和用时；有步骤没做完或出错时以 1 结束。删除整月数据和销毁密钥均留审计记录。
    """
    if only and only not in STEPS:
        raise typer.BadParameter(f"--only 须为 {'、'.join(STEPS)} 之一")
    order = Order(Who(actor(by), reason), dry_run=dry_run, only=only or None)

    async def work() -> bool:
        whole = True
        async with opened(config) as rt:
            async for done in maintain(rt, rt.settings.retention, order):
                mark = "（试运行）" if dry_run else ""
                typer.echo(f"{done.step}\t{mark}{done.text}\t{done.took_s:.2f} s")
                whole = whole and not (done.failed or done.unfinished)
        return whole

    if not run(work()):
        raise typer.Exit(FINDINGS)
