"""`tongban translate`: a dry run without a server (gateway §4, §7)."""

from __future__ import annotations

import base64
import json
import os
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from gateway.cli.shared import CANNOT_RUN, FINDINGS, Config, finding, stop
from gateway.errors import CannotStart, Finding, Refusal
from gateway.exchange.collect import Collector, tried
from gateway.exchange.dry_run import BadContext, DryRun, Parked, dry_run
from gateway.runtime import configure, rulebook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gateway.runtime import Rulebook
    from gateway.settings import Settings

app = typer.Typer()


class Form(StrEnum):
    """How the result is written."""

    JSON = "json"
    TEXT = "text"
    CANONICAL = "canonical"


@app.command()
def translate(  # noqa: PLR0913, PLR0917 - the options of the command
    sender: Annotated[str, typer.Option("--from", help="报文的发送地区，或配置中收件渠道的代号")],
    file: Annotated[str, typer.Argument(help="报文文件；- 或省略为标准输入")] = "-",
    context: Annotated[Path | None, typer.Option(help="办件上下文（JSON 对象）", dir_okay=False)] = None,
    target_division: Annotated[str, typer.Option(help="接收机构的区划（六位代码）")] = "",
    native: Annotated[bool, typer.Option("--native", help="只写出对方格式的原始字节")] = False,  # noqa: FBT002 - a flag
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="按这一天的规则；缺省为报文自己的受理日")
    ] = None,
    tables: Annotated[
        Path | None, typer.Option(help="规则表目录；缺省为配置的或随产品发布的", file_okay=False, exists=True)
    ] = None,
    form: Annotated[
        Form, typer.Option("--format", help="json 供程序，text 供人看，canonical 只写规范模型（存在样例旁）")
    ] = Form.JSON,
    config: Config = None,
) -> None:
    """试译一条报文：规范模型、对方格式、字段留痕；不需要服务器。--format text 逐行指出问题。"""
    try:
        settings = configure(config, os.environ, offline=True)
        if tables is not None:
            settings = settings.model_copy(update={"tables_dir": tables})
        book = rulebook(settings, os.environ)
    except CannotStart as error:
        stop(error)
    by = _channel(settings, book, sender)
    if by is not None and form is Form.TEXT:
        raise typer.BadParameter("收件渠道的报文只有 --format json")
    run = DryRun(
        regions=book.regions,
        tables=book.tables,
        maps=book.maps,
        sender=by.side if by else sender,
        now=book.clock.now(),
        context=None if context is None else _context(context),
        target_division=target_division,
        on=None if on is None else on.date(),
    )
    if form is Form.TEXT and not native:
        _show(book, run, _read(file))
        return
    result = _run(run, by, _read(file))
    if native:
        sys.stdout.buffer.write(base64.b64decode(result["native"]["body"]))
    else:
        shown = result["canonical"] if form is Form.CANONICAL else result
        sys.stdout.buffer.write(json.dumps(shown, ensure_ascii=False, indent=2).encode() + b"\n")


def _show(book: Rulebook, run: DryRun, body: bytes) -> None:
    # only who asks for it waits for what draws it
    from gateway.cli.translate_view import show  # noqa: PLC0415
    from gateway.dashboard.playground.tried import Asked  # noqa: PLC0415

    context = run.context
    if run.target_division:
        context = {**(context or {}), "target_division": run.target_division}
    if not show(book, Asked(body, run.sender, context, run.on)):
        raise typer.Exit(FINDINGS)


def _channel(settings: Settings, book: Rulebook, sender: str) -> Collector | None:
    """The channel of this name; None when it is a region's."""
    channels = {channel.name: channel for channel in settings.channels}
    if sender in book.regions:
        return None
    if sender not in channels:
        raise typer.BadParameter(f"--from 须为 {'、'.join((*book.regions, *channels))} 之一")
    return Collector.of(channels[sender], None)


def _run(run: DryRun, by: Collector | None, body: bytes) -> dict[str, Any]:
    try:
        return tried(run, by, body) if by else dry_run(run, body)
    except BadContext as error:
        _cannot(str(error))
    except Refusal as refused:
        _report(refused.findings or (Finding("", refused.code, refused.text),))
    except Parked as parked:
        _report(parked.findings)
    raise typer.Exit(FINDINGS)


def _report(findings: Iterable[Finding]) -> None:
    for each in findings:
        finding(each.as_json())


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        _cannot(f"{file}: 无法读取（{error.strerror}）")


def _context(file: Path) -> Mapping[str, Any]:
    try:
        context = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        context = None
    if not isinstance(context, dict):
        _cannot(f"{file}: 上下文应为 UTF-8 的 JSON 对象")
    return context


def _cannot(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(CANNOT_RUN)
