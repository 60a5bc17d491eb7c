"""What `tongban translate --format text` shows: the verdict, findings under their lines, every value's way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.dashboard.playground.tried import Outcome, Rules, Tried, attempt
from gateway.dashboard.views.case.words import KINDS
from gateway.dashboard.views.rulebook import fields
from gateway.exchange.explain import by_place
from gateway.exchange.library import Book

if TYPE_CHECKING:
    from gateway.dashboard.playground.tried import Asked, Pointed
    from gateway.region import Region
    from gateway.runtime import Rulebook

#: Into a file or a pipe it is written as wide as the lines need.
_WIDE = 160

_VERDICTS = {
    Outcome.TAKEN: "[bold green]会被受理并转递[/]",
    Outcome.PARKED: "[bold yellow]会挂起：规则表缺 {n} 处[/]",
    Outcome.REFUSED: "[bold red]会被退回：{n} 处问题[/]",
    Outcome.UNKNOWN: "[bold red]读不懂这条报文[/]",
}
_STYLES = {"lossy": "yellow", "warning": "yellow", "dropped": "dim", "minted": "dim", "checked": "dim"}


def show(book: Rulebook, asked: Asked) -> bool:
    """Print it; True when the message would be taken."""
    whole = Book(book.tables.digest, book.tables, book.maps, None)
    tried = attempt(Rules(book.regions, by_place(fields(*book.regions)), whole, book.clock.now()), asked)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=_WIDE)
    console.print(_headline(tried, book))
    for found in tried.findings:
        console.print(_finding(found), soft_wrap=True)
    if tried.spread is not None:
        console.print(_lineage(tried, book.regions[tried.sender], book.regions[tried.receiver]))
    return tried.outcome is Outcome.TAKEN


def _headline(tried: Tried, book: Rulebook) -> str:
    said = _VERDICTS[tried.outcome].format(n=len(tried.findings))
    names = [book.regions[slug].name for slug in (tried.sender, tried.receiver) if slug]
    about = [" → ".join(names)] if names else []
    if tried.kind is not None:
        about += [tried.kind.label, f"按 {tried.on} 的规则"]
    return f"{said}（{'，'.join(about)}）" if about else said


def _finding(found: Pointed) -> str:
    """Place, code and field; the line with the value marked below; what to do."""
    where = f"第 {found.place.line} 行:{found.place.column}" if found.place else "整条报文"
    lines = ["", f"[bold]{where}[/]  [{'yellow' if found.parks else 'red'}]{found.code}[/]"]
    lines[1] += f"  {escape(f'{found.name} {found.path}'.strip())}"
    if found.place:
        marked = "^" * max(1, cell_len(found.value))
        lines.append(f"    {escape(found.before + found.value + found.after)}")
        lines.append(f"    {' ' * cell_len(found.before)}[red]{marked}[/]")
    lines.append(f"    {escape(found.text)}{'（这里面缺它）' if found.within else ''}")
    if found.table:
        lines.append(f"    {found.what}：{escape(found.table)}")
    return "\n".join(lines)


def _lineage(tried: Tried, sender: Region, receiver: Region) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("写法", f"来文 · {sender.name}", "值", f"去文 · {receiver.name}", "值", "规则"):
        table.add_column(heading, overflow="fold")
    for thread in tried.spread.threads if tried.spread else ():
        style = _STYLES.get(thread.kind, "")
        rule = f"{thread.rule} {thread.rule_text.partition('：')[0]}".strip()
        rows = (KINDS[thread.kind], thread.path_in, thread.before, thread.path_out, thread.after, rule)
        table.add_row(*(escape(cell or "") for cell in rows), style=style)
    return table
