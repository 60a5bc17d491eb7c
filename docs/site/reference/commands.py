"""The command line: every command with its arguments, options and help, as `--help` says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import typer

from docs.site.reference import english as words
from docs.site.reference.writing import code, head, table
from gateway.cli import check
from gateway.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator

_SAYS = (
    "`tongban` 的全部命令。退出码：0 成功，1 被拒、挂起或有发现，2 无法运行。`--config` 也可用环境变量 `TONGBAN_CONFIG` 给出。",
    (
        "Every command of `tongban`. Exit status: 0 done, 1 refused, parked or findings, 2 could not run. `--config` may also come from "
        "`TONGBAN_CONFIG`. What a terminal shows is in Chinese."
    ),
)


#: of every program written with typer
_EVERYWHERE = {"help", "install_completion", "show_completion"}


def page(english: bool) -> str:  # noqa: FBT001
    """The page."""
    parts = [head(english, ("命令", "Commands"), _SAYS, "gateway/cli")]
    for name, command in commands():
        says = "\n\n".join(_said(each, english) for each in paragraphs(command))
        parts.append(f"\n## tongban {name}\n\n{says}\n")
        heads = (
            ("argument, option", "must", "default", "meaning")
            if english
            else ("参数、选项", "必填", "缺省", "说明")
        )
        parts.append(table(heads, _rows(command, english)) if parameters(command) else "")
    return "\n".join(parts)


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with the words that call it."""
    group: Any = typer.main.get_command(app)
    yield from _commands(group, click.Context(group))


def paragraphs(command: Any) -> list[str]:
    """What a command says it does."""
    return [each for each in (command.help or "").strip().split("\n\n") if each]


def parameters(command: Any) -> list[Any]:
    """Its arguments and options, without those every command has."""
    return [each for each in command.params if each.name not in _EVERYWHERE]


def _said(sentence: str, english: bool) -> str:  # noqa: FBT001
    return words.of(sentence, "commands") if english else sentence


def _commands(group: Any, context: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if name == "check":
            # the group is a command too: with files, or with nothing
            yield name, typer.main.get_command(check.app)
        if hasattr(command, "list_commands"):
            yield from _commands(command, context, f"{name} ")
        else:
            yield f"{before}{name}", command


def _name(name: str) -> str:
    """Not broken at its hyphens."""
    return f'<code class="whole">{name}</code>'


def _rows(command: Any, english: bool) -> Iterator[tuple[object, ...]]:  # noqa: FBT001
    for each in parameters(command):
        is_option = each.opts[0].startswith("-")
        spelled = (*each.opts, *each.secondary_opts)
        names = ("、", ", ")[english].join(map(_name, spelled if is_option else (each.name.upper(),)))
        need = ("required" if english else "必填") if each.required else ""
        many = ("repeatable" if english else "可重复") if each.multiple or each.nargs == -1 else ""
        default = "" if each.default in (None, "", False) or callable(each.default) else each.default
        shown = code(each.opts[0] if default is True else default)
        yield names, " ".join(filter(None, (need, many))), shown, _said(each.help or "", english)
