"""`tongban mappings coverage`, `explain` and `impact`: what the maps carry, why a case looks so, what would change."""

from __future__ import annotations

import json
import os
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from gateway import regions as regions_
from gateway.cli.sets import SetWord, bureau
from gateway.cli.shared import FINDINGS, Config, run, stop
from gateway.errors import CannotStart
from gateway.exchange.explain import Reader, by_place, explained, travelled
from gateway.exchange.impact import TOGETHER, Report, Study, impact
from gateway.exchange.library import Book, Library, bound
from gateway.exchange.replay import Aspect
from gateway.mapping.explain import coverage, field_lines
from gateway.mapping.field_tables import markdown
from gateway.mapping.rule_texts import RULES
from gateway.mapping.sets import ACTIVE
from gateway.runtime import configure, in_force

if TYPE_CHECKING:
    from datetime import date

    from gateway.cli.sets import Bureau
    from gateway.exchange.impact import RuleImpact
    from gateway.store.archive import KeptCase

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="以 JSON 输出")]
_WIDTH = 150


# --- coverage ---


@app.command("coverage")
def coverage_(
    as_json: AsJson = False,  # noqa: FBT002 - a flag
    as_page: Annotated[bool, typer.Option("--markdown", help="输出字段对照页")] = False,  # noqa: FBT002 - a flag
) -> None:
    """两种接口的每个字段是否都有去向：对应、派生，或列明不转的原因。0 全部有，1 有缺。"""
    try:
        regions = in_force(configure(None, os.environ, offline=True))
    except CannotStart as error:
        stop(error)
    known = regions_.fields(tuple(regions))
    lines, found = field_lines(known), coverage(known)
    if as_page:
        names = {slug: region.name for slug, region in regions.items()}
        typer.echo(markdown(lines, found, names=names, rules=RULES), nl=False)
    elif as_json:
        told = {"fields": found.fields, "share": found.share, "missing": list(found.missing)}
        typer.echo(json.dumps(told | {"lines": [line.as_json() for line in lines]}, ensure_ascii=False))
    else:
        for (way, fate), number in sorted(found.counts.items()):
            typer.echo(f"{'发来' if way == 'received' else '写出'}  {fate}\t{number}")
        typer.echo(f"{found.fields} 个字段，说明率 {found.share:.1%}")
        for each in found.missing:
            typer.echo(each, err=True)
    if found.missing:
        raise typer.Exit(FINDINGS)


# --- explain ---


@app.command()
def explain(
    case_no: Annotated[str, typer.Argument(help="通办编号")],
    on: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="按这一天有效的行重译，列出不同")
    ] = None,
    word: Annotated[
        str, typer.Option("--set", help="按这套规则表重译：目录、.xlsx、packaged、active 或摘要")
    ] = "",
    as_json: AsJson = False,  # noqa: FBT002 - a flag
    config: Config = None,
) -> None:
    """逐字段说明一个办件：对方报文的每个值来自哪里、依据哪条规则或哪行表；内容不脱敏。

    0 已列出，1 没有这个办件或重译有不同，2 无法说明。
    """

    async def work() -> dict[str, Any] | None:
        async with bureau(config) as desk:
            case = await desk.archive.case(case_no) if case_no.isalnum() else None
            return None if case is None else await _told(desk, case, on.date() if on else None, word)

    told = run(work())
    if told is None:
        typer.echo(f"{case_no}: 没有这个办件，请核对通办编号", err=True)
        raise typer.Exit(FINDINGS)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        _show_case(told)
    if any(each["changes"] for each in told.get("travel", {}).get("messages", ())):
        raise typer.Exit(FINDINGS)


async def _told(desk: Bureau, case: KeptCase, on: date | None, word: str) -> dict[str, Any]:
    regions = in_force(desk.settings)
    library = Library(
        desk.sets,
        regions,
        folder=desk.settings.tables_dir,
        calendar_until=desk.settings.calendar_until,
    )
    current = await library.book(await desk.table_set(ACTIVE))
    books: dict[str, Book] = {current.digest: current}
    for digest in {message.tables_digest for message in case.messages}:
        book = await library.by_digest(digest)
        if book is not None:
            books[digest] = book
    lines = by_place(field_lines(regions_.fields(tuple(regions))))
    reader = Reader(regions, lines, books, current)
    told = explained(case, reader)
    if on is not None or word:
        to = await library.book(await desk.table_set(word)) if word else current
        told["travel"] = travelled(case, reader, to=to, on=on)
    return told


def _show_case(told: dict[str, Any]) -> None:
    console = Console(width=_WIDTH, highlight=False, markup=False, emoji=False)
    for message in told["messages"]:
        title = f"{message['seq']}  {message['native_kind']} → {message['out_kind']}  {message['outcome']}"
        table = Table("来文", "发文", "前", "后", "方式", "规则", "依据", title=title, expand=True)
        for value in message["values"]:
            table.add_row(
                _field(value["path_in"], value["name_in"]),
                _field(value["path_out"], value["name_out"]),
                value["before"] or "",
                value["after"] or "",
                value["kind_label"],
                value["rule"],
                "; ".join(_row(row) for row in value["rows"]) or value["rule_text"],
            )
        for finding in message["findings"]:
            table.add_row(finding["path"], "", "", "", "挂起", finding["code"], finding["text"])
        console.print(table)
    if "travel" in told:
        _show_travel(console, told["travel"])


def _field(path: str | None, name: str | None) -> str:
    return f"{name or ''} {path or ''}".strip()


def _row(row: dict[str, Any]) -> str:
    said = row.get("basis") or row.get("name") or row.get("full_name") or ""
    return f"{row['table']}:{row['line']} {said}"


def _show_travel(console: Console, travel: dict[str, Any]) -> None:
    title = f"按 {travel['on'] or '受理日'} 的规则表 {travel['tables'][:12]} 重译"
    table = Table("报文", "方面", "字段", "原来", "重译后", "规则", title=title, expand=True)
    for message in travel["messages"]:
        for change in message["changes"]:
            where = _field(change["path"], change["name"])
            rule = change["rule"]
            table.add_row(
                message["native_kind"],
                change["aspect"],
                where,
                change["before"] or "",
                change["after"] or "",
                rule,
            )
    console.print(table if table.row_count else "重译没有不同")


# --- impact ---


@app.command("impact")
def impact_(
    proposed: SetWord,
    last: Annotated[int, typer.Option(min=1, help="最近多少个办件")] = 2000,
    current: Annotated[str, typer.Option(help="与哪套比较（写法同上）")] = ACTIVE,
    as_json: AsJson = False,  # noqa: FBT002 - a flag
    config: Config = None,
) -> None:
    """用最近的办件试算拟改的规则表：按行列出会改变的处理结果、值、材料和时限。不写入任何内容。

    0 没有变化，1 有变化，2 无法试算。
    """

    async def work() -> Report:
        async with bureau(config) as desk:
            until = desk.settings.calendar_until
            regions = in_force(desk.settings)
            # both are bound before any case is read: a set that cannot be used says so at once
            now, then = [
                bound(await desk.table_set(word), regions, until).tables for word in (current, proposed)
            ]
            study = Study(regions, now, then)
            number = min(last, await desk.archive.count(last))
            with _progress() as bar:
                task = bar.add_task("试算", total=number)
                return await impact(
                    desk.archive, study, number, watch=lambda done: bar.update(task, advance=done)
                )

    report = run(work())
    if as_json:
        typer.echo(json.dumps(report.as_json(), ensure_ascii=False, indent=1))
    else:
        _show_report(report)
    if report.changed_cases:
        raise typer.Exit(FINDINGS)


def _progress() -> Progress:
    """A bar on stderr for people; nothing when it is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


_ASPECTS = {
    Aspect.VERDICT: "处理结果",
    Aspect.VALUE: "值",
    Aspect.MATERIAL: "材料",
    Aspect.DEADLINE: "时限",
}


#: causes that are no single file
_TABLES = {
    TOGETHER: "几行共同",
    "items": "items.csv（基本编码、名称）",
    "recognition": "recognition/",
    "guides": "guides/",
}


def _show_report(report: Report) -> None:
    console = Console(width=_WIDTH, highlight=False, markup=False, emoji=False)
    table = Table("表", "行", "办件", *_ASPECTS.values(), "例", title="会改变的", expand=True)
    for each in report.rules:
        counts = [str(each.changes.get(aspect) or "") for aspect in _ASPECTS]
        table.add_row(
            _TABLES.get(each.cause.table, each.cause.table),
            each.cause.subject,
            str(len(each.cases)),
            *counts,
            _example(each),
        )
    console.print(table if report.rules else "没有变化")
    typer.echo(
        f"{report.cases} 个办件、{report.messages} 条报文；{report.changed_cases} 个办件会改变。"
        f"单核每秒 {report.cases_per_s:.0f} 个办件（重放 {report.replay_s:.2f} 秒，读取解密 {report.read_s:.2f} 秒）"
    )
    if report.skipped:
        typer.echo(f"{report.skipped} 条没有来文原文，未试算", err=True)


def _example(each: RuleImpact) -> str:
    if not each.samples:
        return ""
    sample = each.samples[0]
    change = sample.change
    return f"{sample.case_no} {change.path} {change.before or '—'} → {change.after or '—'}"
