"""`tongban`: one command, one file per group of sub-commands."""

from __future__ import annotations

import typer

from gateway.cli import (
    check,
    mappings,
    mappings_align,
    mappings_book,
    mappings_study,
    migrate,
    operate,
    token,
    translate,
)
from gateway.cli.demo import demo
from gateway.cli.serve import serve

app = typer.Typer(
    name="tongban",
    help="通办网关：让两地的社会保险经办系统像一个系统一样工作。",
    no_args_is_help=True,
    add_completion=False,
    # A traceback with the values of variables could show a person.
    pretty_exceptions_enable=False,
)

app.command(help="运行整个网关，直到 SIGTERM 或 Ctrl-C")(serve)
app.command()(demo)
for group in (translate.app, check.app, migrate.app, operate.app):
    app.registered_commands.extend(group.registered_commands)
app.add_typer(token.app, name="token")
for part in (mappings_book.app, mappings_study.app, mappings_align.app):
    mappings.app.registered_commands.extend(part.registered_commands)
app.add_typer(mappings.app, name="mappings")
