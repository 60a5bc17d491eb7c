"""`tongban check region`: an installed region against every law, offline, in seconds."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from gateway.cli import reports
from gateway.cli.shared import CANNOT_RUN, FINDINGS, Config, stop
from gateway.conformance.law import Level
from gateway.conformance.laws.catalogue import LAWS
from gateway.conformance.loading import Asked, NoSuchRegion, check
from gateway.conformance.report import Report
from gateway.conformance.report.formats import Format
from gateway.errors import CannotStart
from gateway.mapping.load import PACKAGED
from gateway.regions import in_folders, sources
from gateway.runtime import configure, system_clock

app = typer.Typer(add_completion=False)


@app.command()
def region(  # noqa: PLR0913, PLR0917 - one parameter an option
    slug: Annotated[str, typer.Argument(help="地区的名称，即 adapters 下的文件夹名", metavar="SLUG")],
    level: reports.LevelOption = Level.FULL,
    form: reports.FormatOption = Format.TEXT,
    output: reports.OutputOption = None,
    badge: reports.BadgeOption = None,
    key: reports.KeyOption = None,
    seed: Annotated[int, typer.Option("--seed", help="生成报文的种子；同样的种子得到同样的报文")] = 1,
    rounds: Annotated[int, typer.Option("--rounds", help="生成报文的遍数", min=1, max=100)] = 1,
    law: Annotated[list[str] | None, typer.Option("--law", help="只检查这一条要求（编号），可重复")] = None,
    config: Config = None,
) -> None:
    """对一个地区的适配器做一致性检查，不需要服务器。0 全部满足，1 有不满足的要求，2 无法检查。"""
    try:
        settings = configure(config, os.environ, offline=True)
        asked = Asked(
            slug,
            level,
            settings.tables_dir or PACKAGED,
            settings.calendar_until,
            seed,
            rounds,
            _known(law),
            named=tuple(settings.regions) or in_folders(settings.regions_dirs),
        )
        with reports.progress(sum(level.includes(law.level) for law in LAWS)) as tell:
            found = check(asked, tell)
        report = Report(
            kind="region",
            subject=slug,
            name=found.name,
            level=level,
            at=system_clock(settings, os.environ).now(),
            gateway=reports.gateway_version(),
            tables_digest=found.tables_digest,
            subject_digest=found.subject_digest,
            results=found.results,
            seed=seed,
        )
        reports.deliver(report, settings, form=form, output=output, badge=badge, key=key)
    except NoSuchRegion:
        _not_found(slug)
        raise typer.Exit(CANNOT_RUN) from None
    except CannotStart as error:
        stop(error)
    if not report.held:
        raise typer.Exit(FINDINGS)


def _not_found(slug: str) -> None:
    known = "、".join(sources()) or "无"
    typer.echo(
        f"没有名为 {slug} 的地区；已安装：{known}。请检查拼写；地区在别的目录时，请设 TONGBAN_REGIONS_DIRS=目录，"
        "或用 --config 给出写有 regions_dirs 的配置",
        err=True,
    )


def _known(laws: list[str] | None) -> frozenset[str]:
    unknown = sorted(set(laws or ()) - {law.id for law in LAWS})
    if unknown:
        raise typer.BadParameter(f"没有编号为 {'、'.join(unknown)} 的要求，全部编号见 docs/reference/laws.md")
    return frozenset(laws or ())
