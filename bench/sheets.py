"""Tables as values, shown on the terminal or written as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

#: A title and rows; a member that a row has not is left empty.
Sheet: TypeAlias = tuple[str, list[dict[str, Any]]]


def show(console: Console, sheets: Sequence[Sheet]) -> None:
    """On the terminal."""
    for title, rows in sheets:
        table = Table(title=title, title_justify="left", title_style="bold", min_width=len(title))
        for name in _names(rows):
            table.add_column(name, justify="right" if _is_figure(rows, name) else "left")
        for row in rows:
            table.add_row(*(_text(row.get(name, "")) for name in _names(rows)))
        console.print(table)


def markdown(sheets: Sequence[Sheet]) -> str:
    """As Markdown."""
    return "\n".join(_markdown(title, rows) for title, rows in sheets)


def _markdown(title: str, rows: list[dict[str, Any]]) -> str:
    names = _names(rows)
    lines = [
        f"**{title}**\n",
        f"| {' | '.join(names)} |",
        f"|{'|'.join('---:' if _is_figure(rows, name) else '---' for name in names)}|",
        *(f"| {' | '.join(_text(row.get(name, '')) for name in names)} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _names(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _is_figure(rows: list[dict[str, Any]], name: str) -> bool:
    return all(isinstance(row[name], int | float) for row in rows if name in row)


def _text(value: Any) -> str:
    return (
        f"{value:,g}"
        if isinstance(value, float) and abs(value) < 1e5
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )
