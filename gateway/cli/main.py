"""`tongban`: one command, one file per group of sub-commands, each imported when it is called."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

#: Command → the module whose ``app`` holds it, in the order of the help page. A command that translates
#: one file need not load the database, the broker and the web server: a second of start-up each time.
WHERE = {
    "serve": "serve",
    "demo": "demo",
    "translate": "translate",
    "playground": "playground",
    "check": "check_group",
    "new-region": "new_region",
    "simulate": "simulate",
    "migrate": "migrate",
    "maintenance": "maintenance",
    "prove": "maintenance",
    "retry": "operate",
    "cancel": "operate",
    "release": "operate",
    "parked": "operate",
    "return": "operate",
    "deliveries": "operate",
    "peers": "peers",
    "pause": "peers",
    "resume": "peers",
    "pace": "peers",
    "probe": "peers",
    "rerun": "rerun",
    "token": "token",
    "staff": "staff",
    "mappings": "mappings_group",
}
#: groups of their own, under their name
GROUPS = frozenset({"check", "token", "staff", "mappings", "rerun"})


class Lazy(TyperGroup):
    """Finds a command in its module when it is asked for."""

    def make_context(self, info_name: Any, args: list[str], *rest: Any, **options: Any) -> Any:
        if not args or "--help" in args:
            import_module("gateway.cli.help_pages").fold()
        return super().make_context(info_name, args, *rest, **options)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the face of click
        return list(WHERE)

    def get_command(self, ctx: Any, name: str) -> Any:
        if name not in WHERE:
            return None
        found: Any = get_command(import_module(f"gateway.cli.{WHERE[name]}").app)
        if name not in GROUPS and hasattr(found, "get_command"):
            return found.get_command(ctx, name)
        found.name = name
        return found


app = typer.Typer(
    name="tongban",
    cls=Lazy,
    help="通办网关：让两地的社会保险经办系统像一个系统一样工作。",
    no_args_is_help=True,
    add_completion=False,
    # A traceback with the values of variables could show a person.
    pretty_exceptions_enable=False,
)


@app.callback()
def tongban() -> None:
    """通办网关：让两地的社会保险经办系统像一个系统一样工作。"""
