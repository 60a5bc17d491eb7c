"""`tongban check report`: whether a report is as it was signed, and still about what is installed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli.reports import gateway_version
from gateway.cli.shared import CANNOT_RUN, FINDINGS, Config, stop
from gateway.conformance.report.html import members_of
from gateway.conformance.report.model import FORMAT
from gateway.conformance.report.signing import faults_of
from gateway.conformance.subject import digest_of, folder_of
from gateway.crypto.approval import load_verifier
from gateway.crypto.signing import BadKey
from gateway.errors import CannotStart
from gateway.mapping.load import PACKAGED
from gateway.mapping.release import digest_of as tables_digest_of
from gateway.regions import in_folders, sources, table_files
from gateway.runtime import configure

if TYPE_CHECKING:
    from gateway.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def report(
    file: Annotated[Path, typer.Argument(help="JSON 或 HTML 报告", metavar="FILE", dir_okay=False)],
    public_key: Annotated[
        Path | None, typer.Option("--public-key", help="出具方的公钥（PEM）；缺省用报告所附的公钥")
    ] = None,
    config: Config = None,
) -> None:
    """核对一份报告：签名是否有效，规则表、适配器和网关是否仍是报告时的。0 一致，1 不一致，2 无法核对。"""
    try:
        settings = configure(config, os.environ, offline=True)
        members = _read(file)
        trusted = load_verifier(public_key.read_text(encoding="ascii")) if public_key else None
        wrong, changed = faults_of(
            members,
            trusted=trusted,
            tables_digest=_tables(settings, members),
            subject_digest=_installed(members),
            gateway=gateway_version(),
        )
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
    verdict = "全部满足" if members["held"] else "有不满足的要求"
    typer.echo(
        f"签名有效（{whose}），与现装的规则表、适配器和网关一致：{members['subject']} {members['level']} {verdict}"
    )


def _read(file: Path) -> dict[str, Any]:
    content = file.read_bytes()
    members = members_of(content) if content.lstrip()[:1] == b"<" else json.loads(content)
    if not isinstance(members, dict) or members.get("format") != FORMAT:
        raise ValueError(f"不是 {FORMAT} 的报告")
    return members


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
