"""`tongban check`: with files the plain check (gateway §7), with a word one of the checks against the laws."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

#: Word after `check` → the module whose ``app`` holds that one command.
WHERE = {
    "region": "check_region",
    "endpoint": "check_endpoint",
    "report": "check_report",
}

_PLAIN = "check"


class Check(TyperGroup):
    """The plain check but for the words above; a file of such a name is written ``./region``."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the face of click
        return list(WHERE)

    def get_command(self, ctx: Any, name: str) -> Any:  # noqa: ARG002 - the face of click
        return _command(WHERE[name]) if name in WHERE else None

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        if args and args[0] in WHERE:
            return super().make_context(info_name, args, parent, **extra)
        return _command(_PLAIN).make_context(info_name, args, parent, **extra)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Whoever asks what a line stands for gets the plain check for all but the words."""
        if args and args[0] in WHERE:
            return super().resolve_command(ctx, args)
        return "check", _command(_PLAIN), args


def _command(module: str) -> Any:
    return get_command(import_module(f"gateway.cli.{module}").app)


app = typer.Typer(cls=Check)


@app.callback()
def check() -> None:
    """检查配置、密钥、规则表、报文及连通性；region、endpoint 对适配器和在线系统做一致性检查。"""
