"""What the commands that check against laws share: options, progress, and where a report goes."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from gateway.conformance.law import Level
from gateway.conformance.report import keys
from gateway.conformance.report.badge import badge as badge_of
from gateway.conformance.report.formats import Format, write
from gateway.conformance.report.signing import sign
from gateway.conformance.report.text import show
from gateway.conformance.report.whole import lacking
from gateway.crypto.signing import BadKey
from gateway.errors import CannotStart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gateway.conformance.law import Law
    from gateway.conformance.report import Report
    from gateway.settings import Settings

LevelOption = Annotated[
    Level, typer.Option("--level", help="检查到哪一级：basic 基本、full 完整、hostile 对抗；每级包含前一级")
]
FormatOption = Annotated[Format, typer.Option("--format", "-f", help="报告的格式")]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="报告写入的文件；缺省为标准输出", dir_okay=False)
]
BadgeOption = Annotated[Path | None, typer.Option("--badge", help="另写一枚徽章（SVG）", dir_okay=False)]
KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--key",
        help="签名用的私钥（Ed25519 或 SM2，PKCS#8 PEM）；缺省为数据目录下的 report.key，没有则生成",
        dir_okay=False,
    ),
]


def gateway_version() -> str:
    """The version of the installed package."""
    try:
        return version("tongban")
    except PackageNotFoundError:
        return "0"


@contextmanager
def progress(total: int) -> Iterator[Callable[[Law], None]]:
    """A bar on the terminal's error stream; where there is none, nothing."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=total)

        def tell(law: Law) -> None:
            bar.update(task, advance=1, description=f"{law.id} {law.title}")

        yield tell


def deliver(
    report: Report,
    settings: Settings,
    *,
    form: Format,
    output: Path | None,
    badge: Path | None,
    key: Path | None,
) -> None:
    """Write report and badge; a report of a part of its level is neither signed nor given a badge.

    Errors: `CannotStart` for a key or file that cannot be used, and for a key or badge for a part.
    """
    partial = bool(lacking(report))
    if partial and (badge is not None or key is not None):
        raise CannotStart("只检查了一部分要求的报告不签名，也不出徽章：请去掉 --law，或去掉 --badge 和 --key")
    if form is Format.TEXT and output is None:
        show(report, Console(highlight=False))
    else:
        signature = None
        if form in {Format.JSON, Format.HTML} and not partial:
            own = _key(settings, key)
            signature = sign(report, own.signer, own.public_pem)
        _put(write(report, form, signature), output)
    if badge is not None:
        _put(badge_of(report).encode(), badge)


def _key(settings: Settings, given: Path | None) -> keys.ReportKey:
    try:
        if given is not None:
            return keys.load(given.read_text(encoding="ascii"))
        return keys.kept(settings.data_dir)
    except (OSError, ValueError, BadKey) as error:
        where = given or settings.data_dir / keys.NAME
        raise CannotStart(
            f"{where}: 签名用的私钥不可用（{error}），请用 --key 指定可读的 PEM 私钥"
        ) from error


def _put(content: bytes, file: Path | None) -> None:
    if file is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    except OSError as error:
        raise CannotStart(f"{file}: 无法写入（{error.strerror}），请检查路径和权限") from error
