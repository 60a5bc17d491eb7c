"""`tongban staff`: accounts of people at the operators' desk."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import segno
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.canonical.worktime import BEIJING
from gateway.cli.shared import FINDINGS, By, Config, Reason, actor, opened, run
from gateway.exchange import accounts, passwords

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from gateway.runtime import Runtime
    from gateway.store.staff import Account

app = typer.Typer(help="值守界面的人员账户：角色、密码、第二重验证、锁定与停用", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="账户名：小写字母、数字、点、横线、下划线")]
Roles = Annotated[
    str, typer.Option("--roles", help=f"角色，逗号分隔：{'、'.join(accounts.ROLES)}", show_default=False)
]
PasswordFile = Annotated[
    Path | None,
    typer.Option("--password-file", help="从文件读密码，- 为标准输入；缺省为隐藏输入两次", allow_dash=True),
]

ISSUER = "tongban"


@app.command()
def add(  # noqa: PLR0913, PLR0917 - the options of a new account
    name: Name,
    roles: Roles,
    display: Annotated[str, typer.Option("--display", help="界面上显示的姓名；缺省同账户名")] = "",
    no_second_factor: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--no-second-factor", help="不要验证码；仅当配置允许")
    ] = False,
    password_file: PasswordFile = None,
    reason: Annotated[str, typer.Option("--reason", "-r", help="原因，记入审计")] = "",
    config: Config = None,
    by: By = "",
) -> None:
    """新建账户；验证码的二维码和密钥只显示这一次。"""
    second_factor = not no_second_factor

    async def act(rt: Runtime) -> str:
        accounts.check_new(rt, name, _split(roles), second_factor=second_factor)
        password = _password(name, password_file)
        return await accounts.add(
            rt,
            name,
            display,
            _split(roles),
            password,
            second_factor=second_factor,
            actor=actor(by),
            reason=reason,
        )

    secret = _do(config, act)
    typer.echo(f"已建账户 {name}")
    if secret:
        _show_secret(name, secret)


@app.command("list")
def show(config: Config = None) -> None:
    """列出账户：姓名、角色、第二重验证、状态、在线登录数。"""
    table = Table()
    for heading in ("账户", "角色", "状态", "姓名", "验证码", "登录", "密码更改于"):
        table.add_column(heading, no_wrap=heading in {"账户", "角色"})

    async def act(rt: Runtime) -> None:
        now = rt.clock.now()
        for each in await rt.staff.list():
            table.add_row(
                each.name,
                ",".join(sorted(each.roles)),
                _state(each, now),
                escape(each.display),
                "有" if each.totp else "[yellow]无[/]",
                str(len(await accounts.open_sessions(rt, each.name))),
                f"{each.password_changed_at.astimezone(BEIJING):%Y-%m-%d}",
            )

    _do(config, act)
    Console().print(table)


@app.command()
def roles(
    name: Name,
    given: Annotated[str, typer.Argument(metavar="ROLES", help="新的全部角色，逗号分隔")],
    reason: Reason,
    config: Config = None,
    by: By = "",
) -> None:
    """更改角色；该账户的登录随即结束。"""
    _do(config, lambda rt: accounts.set_roles(rt, name, _split(given), actor=actor(by), reason=reason))
    typer.echo(f"{name} 的角色：{'、'.join(sorted(_split(given)))}")


@app.command()
def password(
    name: Name, reason: Reason, password_file: PasswordFile = None, config: Config = None, by: By = ""
) -> None:
    """重设密码；该账户的登录随即结束，锁定解除。"""

    async def act(rt: Runtime) -> None:
        new = _password(name, password_file)
        await accounts.set_password(rt, name, new, actor=actor(by), reason=reason)

    _do(config, act)
    typer.echo(f"{name} 的密码已重设")


@app.command("second-factor")
def second_factor(name: Name, reason: Reason, config: Config = None, by: By = "") -> None:
    """换发验证码密钥，旧的立即失效；该账户的登录随即结束。"""
    _show_secret(
        name, _do(config, lambda rt: accounts.new_second_factor(rt, name, actor=actor(by), reason=reason))
    )


@app.command()
def unlock(name: Name, reason: Reason, config: Config = None, by: By = "") -> None:
    """解除连续失败后的锁定。"""
    _do(config, lambda rt: accounts.unlock(rt, name, actor=actor(by), reason=reason))
    typer.echo(f"{name} 已解除锁定")


@app.command()
def disable(name: Name, reason: Reason, config: Config = None, by: By = "") -> None:
    """停用账户；该账户的登录随即结束。"""
    _do(config, lambda rt: accounts.disable(rt, name, actor=actor(by), reason=reason))
    typer.echo(f"{name} 已停用")


@app.command()
def enable(name: Name, reason: Reason, config: Config = None, by: By = "") -> None:
    """重新启用账户，密码与验证码照旧。"""
    _do(config, lambda rt: accounts.enable(rt, name, actor=actor(by), reason=reason))
    typer.echo(f"{name} 已启用")


@app.command()
def sessions(
    name: Name,
    end: Annotated[bool, typer.Option("--end", help="结束全部登录")] = False,  # noqa: FBT002 - a flag
    reason: Annotated[str, typer.Option("--reason", "-r", help="结束登录的原因，记入审计")] = "",
    config: Config = None,
    by: By = "",
) -> None:
    """列出一个账户现有的登录；--end 全部结束。"""
    if end:
        if not reason:
            raise typer.BadParameter("结束登录须以 --reason 写明原因")
        ended = _do(config, lambda rt: accounts.end_sessions(rt, name, actor=actor(by), reason=reason))
        typer.echo(f"{name} 的 {ended} 个登录已结束")
        return
    for seat in _do(config, lambda rt: accounts.open_sessions(rt, name)):
        typer.echo(f"{_moment(seat.created_at)} 登录\t{_moment(seat.seen_at)} 最近操作\t{seat.address}")


def _do(config: Config, act: Callable[[Runtime], Awaitable[Any]]) -> Any:
    async def work() -> Any:
        async with opened(config) as rt:
            return await act(rt)

    try:
        return run(work())
    except accounts.NotPossible as fault:
        typer.echo(str(fault), err=True)
        raise typer.Exit(FINDINGS) from None


def _password(name: str, file: Path | None) -> str:
    """From a file, from a pipe, or typed twice unseen."""
    if file is None and sys.stdin.isatty():
        given = str(typer.prompt("密码", hide_input=True, confirmation_prompt="再输入一次"))
    else:
        words = sys.stdin.readline() if file in {None, Path("-")} else file.read_text(encoding="utf-8")
        given = words.splitlines()[0] if words else ""
    fault = passwords.password_fault(name, given)
    if fault is not None:
        raise accounts.NotPossible(fault)
    return given


def _split(given: str) -> list[str]:
    return [role.strip() for role in given.split(",") if role.strip()]


def _show_secret(name: str, secret: str) -> None:
    address = passwords.provisioning(secret, name, ISSUER)
    typer.echo("请用验证器（TOTP）扫描；以下只显示这一次：")
    if sys.stdout.isatty():
        segno.make(address, error="m").terminal(compact=True)
    typer.echo(f"密钥：{secret}\n{address}")


def _state(account: Account, now: datetime) -> str:
    if account.disabled_at:
        return f"[red]停用[/]（{_moment(account.disabled_at)}）"
    if account.locked_until and account.locked_until > now:
        return f"[yellow]锁定至 {_moment(account.locked_until)}[/]"
    return "[green]正常[/]"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(BEIJING):%m-%d %H:%M}"
