"""A report for a terminal: what is broken first by law, then the count of each level."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from gateway.canonical.worktime import BEIJING
from gateway.conformance.law import Level, Verdict

if TYPE_CHECKING:
    from gateway.conformance.law import Breach, Result
    from gateway.conformance.report.model import Report

#: Breaches of one law that are shown; the JSON report has all of them.
MOST_SHOWN = 5
_INDENT = "    "
_CLOSING, _OPENING = "，。；：、！？）】》”’…", "（【《“‘"
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
        _below(f"[yellow]未检查：{escape(result.skipped)}[/]", console)
    for breach in result.breaches[:MOST_SHOWN]:
        _breach(breach, console)
    left = len(result.breaches) - MOST_SHOWN
    if left > 0:
        _below(f"[dim]另有 {left} 处同类问题，见 --format json[/]", console)


def _breach(breach: Breach, console: Console) -> None:
    lines = [f"[red]{escape(breach.sentence)}[/]"]
    if breach.path:
        lines.append(f"[dim]位置[/] {escape(breach.path)}")
    if breach.example:
        lines.append(f"[dim]样例[/] {escape(breach.example)}")
    lines.append(f"[bold]改法[/] {escape(breach.remedy)}")
    for line in lines:
        _below(line, console)


def _below(markup: str, console: Console) -> None:
    said = Text.from_markup(markup)
    for line in said.divide(breaks(said.plain, console.width - len(_INDENT))):
        line.rstrip()
        console.print(Text(_INDENT) + line, soft_wrap=True, highlight=False)


def breaks(text: str, width: int) -> list[int]:
    """Where a text is broken so that each line is ``width`` cells or less, places counted in letters.

    Chinese is broken between any two letters but before closing and after opening marks (GB/T 15834, 5.1):
    the console's own wrapping knows white space only, and leaves half a line empty before a long sentence.
    """
    found: list[int] = []
    start, may = 0, 0
    for at in range(1, len(text)):
        before, letter = text[at - 1], text[at]
        if before == " " or (
            2 in (cell_len(before), cell_len(letter)) and letter not in _CLOSING and before not in _OPENING
        ):
            may = at
        if cell_len(text[start : at + 1].rstrip()) > width:
            start = may if may > start else at
            found.append(start)
    return found


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
