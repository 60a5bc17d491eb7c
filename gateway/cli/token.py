"""`tongban token`: access tokens kept as hashes in the database."""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated

import typer

from gateway.cli.shared import FINDINGS, By, Config, actor, opened, run
from gateway.settings_callers import SCOPES

app = typer.Typer(help="访问令牌（数据库中只保存散列）", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="令牌名称，例如使用者或系统名")]


@app.command()
def create(
    name: Name,
    scope: Annotated[list[str], typer.Option("--scope", "-s", help=f"权限，可重复：{'、'.join(SCOPES)}")],
    config: Config = None,
    by: By = "",
) -> None:
    """新建令牌；明文只显示这一次。"""
    unknown = sorted(set(scope) - set(SCOPES))
    if unknown:
        raise typer.BadParameter(f"没有权限 {'、'.join(unknown)}，可用：{'、'.join(SCOPES)}")
    token = secrets.token_urlsafe(32)
    if not run(_create(name, frozenset(scope), token, config=config, who=actor(by))):
        typer.echo(f"已有名为 {name} 的令牌，请换一个名称，或先 tongban token revoke {name}", err=True)
        raise typer.Exit(FINDINGS)
    typer.echo(token)


async def _create(name: str, scopes: frozenset[str], token: str, *, config: Config, who: str) -> bool:
    async with opened(config) as rt:
        digest = hashlib.sha256(token.encode()).hexdigest()
        made: bool = await rt.tokens.create(name, digest, scopes, rt.clock.now())
        if made:
            await rt.audit.append(who, "token.create", name, " ".join(sorted(scopes)))
        return made


@app.command("list")
def show(config: Config = None) -> None:
    """列出令牌：名称、权限、状态。"""
    for line in run(_list(config)):
        typer.echo(line)


async def _list(config: Config) -> list[str]:
    async with opened(config) as rt:
        return [
            f"{kept.name}\t{' '.join(sorted(kept.scopes))}\t{'已吊销' if kept.revoked_at else '有效'}"
            for kept in await rt.tokens.list()
        ]


@app.command()
def revoke(name: Name, config: Config = None, by: By = "") -> None:
    """吊销令牌，立即生效。"""
    if not run(_revoke(name, config=config, who=actor(by))):
        typer.echo(f"没有名为 {name} 的有效令牌，请用 tongban token list 查看", err=True)
        raise typer.Exit(FINDINGS)


async def _revoke(name: str, *, config: Config, who: str) -> bool:
    async with opened(config) as rt:
        if not await rt.tokens.revoke(name, rt.clock.now()):
            return False
        await rt.audit.append(who, "token.revoke", name, "")
        return True
