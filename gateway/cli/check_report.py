"""`tongban check report`: whether a report is as it was signed, and still about what is installed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.reports import gateway_version
from gateway.cli.shared import CANNOT_RUN, FINDINGS, Config, stop
from gateway.conformance.law import Level
from gateway.conformance.report.html import shows, signed_part
from gateway.conformance.report.model import FORMAT, report_of
from gateway.conformance.report.signing import faults_of
from gateway.conformance.report.whole import lacking
from gateway.conformance.subject import digest_of, folder_of
from gateway.crypto.approval import load_verifier
from gateway.crypto.signing import BadKey
from gateway.errors import CannotStart
from gateway.mapping.load import PACKAGED
from gateway.mapping.release import digest_of as tables_digest_of
from gateway.regions import in_folders, sources, table_files
from gateway.runtime import configure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def report(
    file: Annotated[Path, typer.Argument(help="JSON 或 HTML 报告", metavar="FILE", dir_okay=False)],
    public_key: Annotated[
        Path | None, typer.Option("--public-key", help="出具方的公钥（PEM）；缺省用报告所附的公钥")
    ] = None,
    level: Annotated[
        Level | None, typer.Option("--level", help="报告至少应检查到这一级；缺省不论级别")
    ] = None,
    config: Config = None,
) -> None:
    """核对一份报告：签名是否有效，规则表、适配器和网关是否仍是报告时的。0 一致，1 不一致，2 无法核对。"""
    try:
        settings = configure(config, os.environ, offline=True)
        content = file.read_bytes()
        members = _members(content)
        trusted = load_verifier(public_key.read_text(encoding="ascii")) if public_key else None
        wrong, changed = faults_of(
            members,
            trusted=trusted,
            tables_digest=_tables(settings, members),
            subject_digest=_installed(members),
            gateway=gateway_version(),
        )
        if not wrong:
            wrong = list(_shortfalls(members, level))
        comparable = not wrong and _is_page(content) and members["gateway"] == gateway_version()
        if comparable and not shows(content, members):
            wrong = ["页面上的文字与其中签名的内容不符：页面在出具之后被改动，请向出具方索取原件"]
    except CannotStart as error:
        stop(error)
    except (OSError, ValueError, BadKey) as error:
        typer.echo(f"{file}: 无法核对（{error}）", err=True)
        raise typer.Exit(CANNOT_RUN) from None
    for line in (*wrong, *changed):
        typer.echo(line, err=True)
    if wrong or changed:
        raise typer.Exit(FINDINGS)
    whose = "出具方的公钥" if trusted else "报告所附的公钥"
    said = report_of(members)
    typer.echo(
        f"签名有效（{whose}），与现装的规则表、适配器和网关一致：{said.subject} {said.level} {said.word}"
    )


def _is_page(content: bytes) -> bool:
    return content.lstrip()[:1] == b"<"


def _members(content: bytes) -> dict[str, Any]:
    text = signed_part(content) if _is_page(content) else content
    members = json.loads(text, object_pairs_hook=_each_once)
    if not isinstance(members, dict) or members.get("format") != FORMAT:
        raise ValueError(f"不是 {FORMAT} 的报告")
    return members


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Whoever reads the text sees the first of two, whoever checks it the last."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("有重复的成员")
    return members


def _shortfalls(members: dict[str, Any], level: Level | None) -> Iterator[str]:
    """Why a report that is as it was signed says less than it seems to."""
    report = report_of(members)
    if level is not None and not report.level.includes(level):
        yield f"报告只检查到 {report.level}（{report.level.label}）级，要求 {level}（{level.label}）级：请重新检查"
    missing = lacking(report) if report.gateway == gateway_version() else ()
    if missing:
        yield (
            f"报告缺少 {report.level} 级的 {len(missing)} 条要求（{'、'.join(missing[:5])}{'…' if missing[5:] else ''}）："
            "请不用 --law 重新检查"
        )


def _installed(members: dict[str, Any]) -> str:
    """The digest of the adapter as it is here; "" for a live system, of which nothing is installed."""
    if members.get("kind") != "region":
        return ""
    try:
        return digest_of(folder_of(str(members.get("subject"))))
    except KeyError:
        return "未安装"


def _tables(settings: Settings, members: dict[str, Any]) -> str:
    """The digest of the tables as they are here, with those the region brings."""
    named = {str(members.get("subject")), *(settings.regions or in_folders(settings.regions_dirs))}
    return tables_digest_of(table_files(settings.tables_dir or PACKAGED, named & set(sources())))
