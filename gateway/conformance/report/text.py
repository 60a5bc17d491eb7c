"""A report for a terminal: what is broken first by law, then the count of each level."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from gateway.canonical.worktime import BEIJING
from gateway.conformance.law import Level, Verdict

if TYPE_CHECKING:
    from gateway.conformance.law import Breach, Result
    from gateway.conformance.report.model import Report

#: Breaches of one law that are shown; the JSON report has all of them.
MOST_SHOWN = 5
MARKS = {Verdict.HELD: "[green]✓[/]", Verdict.BROKEN: "[bold red]✗[/]", Verdict.SKIPPED: "[yellow]–[/]"}


def show(report: Report, console: Console) -> None:
    """Print the report: every law in a line, breaches with their place and remedy under it."""
    who = f"{report.name}（{report.subject}）" if report.name else report.subject
    console.print(f"[bold]一致性检查 {escape(who)}[/] · {report.level.label}（{report.level}）")
    for level in Level:
        results = [result for result in report.results if result.law.level is level]
        if results:
            console.print(f"\n[bold]{level.label}[/]（{level}）")
        for result in results:
            _law(result, console)
    console.print()
    _summary(report, console)


def _law(result: Result, console: Console) -> None:
    law = result.law
    tried = f"  [dim]{result.tried} 例[/]" if result.tried else ""
    console.print(f"{MARKS[result.verdict]} {law.id} {escape(law.title)}{tried}", highlight=False)
    if result.skipped:
        console.print(Padding(f"[yellow]未检查：{escape(result.skipped)}[/]", (0, 0, 0, 4)))
    for breach in result.breaches[:MOST_SHOWN]:
        _breach(breach, console)
    left = len(result.breaches) - MOST_SHOWN
    if left > 0:
        console.print(Padding(f"[dim]另有 {left} 处同类问题，见 --format json[/]", (0, 0, 0, 4)))


def _breach(breach: Breach, console: Console) -> None:
    lines = [f"[red]{escape(breach.sentence)}[/]"]
    if breach.path:
        lines.append(f"[dim]位置[/] {escape(breach.path)}")
    if breach.example:
        lines.append(f"[dim]样例[/] {escape(breach.example)}")
    lines.append(f"[bold]改法[/] {escape(breach.remedy)}")
    for line in lines:
        console.print(Padding(line, (0, 0, 0, 4)), highlight=False)


def _summary(report: Report, console: Console) -> None:
    counts = "，".join(
        f"{report.count(verdict)} 条{verdict.label}" for verdict in Verdict if report.count(verdict)
    )
    word = f"[bold {'green' if report.held else 'red'}]{report.word}[/]"
    at = report.at.astimezone(BEIJING)
    console.print(f"{word}：{counts}；共试 {report.tried} 例，{report.took_s:.1f} 秒", highlight=False)
    console.print(
        f"[dim]{at:%Y-%m-%d %H:%M} · 网关 {report.gateway} · 规则表 {report.tables_digest[:12]}"
        f" · 被检 {report.subject_digest[:12]} · 种子 {report.seed}[/]",
        highlight=False,
    )


def plain(report: Report) -> str:
    """The same without colours, for a file."""
    out = io.StringIO()
    show(report, Console(file=out, width=110, no_color=True, force_terminal=False, highlight=False))
    return out.getvalue()
