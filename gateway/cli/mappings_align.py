"""`tongban mappings align`: are the two sides' guides the same, and those of their agencies (四级四同)."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from gateway.canonical.worktime import beijing_day
from gateway.cli.sets import SetWord, named
from gateway.cli.shared import CANNOT_RUN, FINDINGS, Config, stop
from gateway.errors import CannotStart
from gateway.mapping.alignment import align as compare
from gateway.mapping.alignment_report import (
    DEVIATION_HEAD,
    ITEM_HEAD,
    as_json,
    deviation_rows,
    element_head,
    element_rows,
    item_rows,
    workbook,
)
from gateway.mapping.sets import ACTIVE
from gateway.runtime import configure, system_clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gateway.mapping.alignment import Alignment

app = typer.Typer()

_WIDTH = 140


@app.command()
def align(
    word: SetWord = ACTIVE,
    item: Annotated[list[str] | None, typer.Option(help="只看这个事项（可重复）")] = None,
    on: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="哪一天；省略为今天")] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,  # noqa: FBT002 - a flag
    xlsx: Annotated[Path | None, typer.Option(help="另存为 .xlsx 工作簿", dir_okay=False)] = None,
    config: Config = None,
) -> None:
    """逐项逐要素对照两地办事指南：一致、依规则等效或冲突；并检查各级机构的版本（四级四同）。

    0 全部一致或等效，1 有冲突、缺对应指南或机构版本不一致，2 无法检查。
    """
    try:
        held = named(word, config).tables()
        today = beijing_day(system_clock(configure(config, os.environ, offline=True), os.environ).now())
    except CannotStart as error:
        stop(error)
    unknown = [slug for slug in item or () if slug not in held.guides.items()]
    if unknown:
        raise typer.BadParameter(f"没有事项 {'、'.join(unknown)} 的指南，请用 GET /v1/items 查看事项代号")
    report = compare(held.guides, held.rules, on=on.date() if on else today, items=item or None)
    if xlsx is not None:
        _save(xlsx, workbook(report))
    if as_json_:
        typer.echo(json.dumps(as_json(report), ensure_ascii=False, indent=2))
    else:
        _show(report, detailed=bool(item))
    if not report.clean:
        raise typer.Exit(FINDINGS)


def _save(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        typer.echo(f"{file}: 无法写入（{error.strerror}）", err=True)
        raise typer.Exit(CANNOT_RUN) from None


def _show(report: Alignment, *, detailed: bool) -> None:
    console = Console(width=None if Console().is_terminal else _WIDTH)
    console.print(_table(f"{report.on} 指南要素对照", ITEM_HEAD, item_rows(report)))
    if detailed:
        console.print(_table("各要素", element_head(report), element_rows(report)))
    if report.deviations:
        console.print(_table("与本地区指南不一致的机构版本", DEVIATION_HEAD, deviation_rows(report)))
    else:
        console.print("四级四同：各级机构的版本与本地区指南一致")


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for name in head:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table
