"""`tongban maintenance`: what the schedule does, by hand and to its end; `tongban prove`: what is left of bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from gateway.cli.shared import FINDINGS, By, Config, actor, opened, run
from gateway.exchange.maintain import STEPS, Order, maintain
from gateway.store import engine, evidence
from gateway.store.records import Part
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


@app.command()
def prove(
    message_id: Annotated[UUID, typer.Argument(help="报文编号")],
    file: Annotated[Path, typer.Argument(help="后来提交的原件")],
    part: Annotated[
        Part,
        typer.Option(help="原件是报文的哪一部分：raw 来文，rendered 发文，canonical 规范模型，trace 留痕"),
    ] = Part.RAW,
    config: Config = None,
) -> None:
    """核对一份原件是否就是已删除的报文内容；0 一致，1 不一致或没有摘要（仍在保存期内，或编号有误）。"""
    if not file.is_file():
        raise typer.BadParameter(f"没有这个文件：{file}")

    async def work() -> bool | None:
        async with opened(config) as rt, engine.single(rt.engine) as connection:
            return await evidence.matches(connection, message_id, part, file.read_bytes())

    same = run(work())
    typer.echo({True: "一致", False: "不一致", None: "没有摘要：内容仍在保存期内，或编号有误"}[same])
    if not same:
        raise typer.Exit(FINDINGS)
