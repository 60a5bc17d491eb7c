"""`tongban translate`: a dry run without a server (gateway §4, §7)."""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from gateway.cli.shared import CANNOT_RUN, FINDINGS, Config, finding, stop
from gateway.errors import CannotStart, Finding, Refusal
from gateway.exchange.dry_run import BadContext, DryRun, Parked, dry_run
from gateway.runtime import configure, rulebook

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

app = typer.Typer()


@app.command()
def translate(
    sender: Annotated[str, typer.Option("--from", help="报文的发送地区")],
    file: Annotated[str, typer.Argument(help="报文文件；- 或省略为标准输入")] = "-",
    context: Annotated[Path | None, typer.Option(help="办件上下文（JSON 对象）", dir_okay=False)] = None,
    target_division: Annotated[str, typer.Option(help="接收机构的区划（六位代码）")] = "",
    native: Annotated[bool, typer.Option("--native", help="只写出对方格式的原始字节")] = False,  # noqa: FBT002 - a flag
    config: Config = None,
) -> None:
    """试译一条报文：规范模型、对方格式、字段留痕；不需要服务器。"""
    try:
        book = rulebook(configure(config, os.environ, offline=True), os.environ)
    except CannotStart as error:
        stop(error)
    if sender not in book.regions:
        raise typer.BadParameter(f"--from 须为 {'、'.join(book.regions)} 之一")
    run = DryRun(
        regions=book.regions,
        tables=book.tables,
        maps=book.maps,
        sender=sender,
        now=book.clock.now(),
        context=None if context is None else _context(context),
        target_division=target_division,
    )
    result = _run(run, _read(file))
    if native:
        sys.stdout.buffer.write(base64.b64decode(result["native"]["body"]))
    else:
        sys.stdout.buffer.write(json.dumps(result, ensure_ascii=False, indent=2).encode() + b"\n")


def _run(run: DryRun, body: bytes) -> dict[str, Any]:
    try:
        return dry_run(run, body)
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
