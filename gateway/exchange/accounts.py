"""What is done to accounts of the operators' desk: made, given roles, locked out, let in again; each on record."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from gateway.exchange import passwords
from gateway.exchange.entry import NAME, PERMISSIONS, is_open, seal_secret, secret_of
from gateway.store.audit import Line
from gateway.store.staff import Account

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.exchange.entry import Hall
    from gateway.store.engine import Also
    from gateway.store.staff import Seat

ROLES = tuple(PERMISSIONS)

#: what the audit calls nobody we know
_RESERVED = frozenset({"unknown", "visitor", "gateway"})


class NotPossible(ValueError):  # noqa: N818 - a word of the desk
    """What was asked cannot be done; the text is a Chinese sentence for whoever asked."""


async def add(  # noqa: PLR0913 - what an account consists of
    rt: Hall,
    name: str,
    display: str,
    roles: Iterable[str],
    password: str,
    *,
    second_factor: bool,
    actor: str,
    reason: str = "",
) -> str:
    """A new account; gives the secret of its one-time codes, or nothing without a second factor.

    Errors: `NotPossible`.
    """
    check_new(rt, name, roles, second_factor=second_factor)
    _check_password(name, password)
    secret, now = passwords.new_secret() if second_factor else "", rt.clock.now()
    account = Account(
        name,
        display.strip() or name,
        frozenset(roles),
        await passwords.hashed(password),
        now,
        now,
        totp=await seal_secret(rt, name, secret),
    )
    after = {"roles": sorted(account.roles), "second_factor": second_factor}
    if not await rt.staff.create(account, _line(rt, actor, "staff.add", name, reason, after=after)):
        raise NotPossible(
            f"已有名为 {name} 的账户，请换一个名称，或用 tongban staff roles、enable 调整原有账户"
        )
    return secret


def check_new(rt: Hall, name: str, roles: Iterable[str], *, second_factor: bool) -> None:
    """What can be said before a password is asked for. Errors: `NotPossible`."""
    if not NAME.fullmatch(name) or name in _RESERVED:
        raise NotPossible("账户名须为 2 至 32 位小写字母、数字、点、横线或下划线，以字母开头，且不是保留名")
    check_roles(roles)
    if not second_factor and rt.settings.dashboard.second_factor == "required":
        raise NotPossible("配置要求第二重验证（dashboard.second_factor = required），账户不得没有验证码")


def check_roles(roles: Iterable[str]) -> None:
    """Errors: `NotPossible`."""
    given = set(roles)
    if not given or given - set(ROLES):
        raise NotPossible(f"角色可用：{'、'.join(ROLES)}；至少一个，可以多个")


async def set_roles(rt: Hall, name: str, roles: Iterable[str], *, actor: str, reason: str) -> None:
    """Other roles from now on; sessions end. Errors: `NotPossible`."""
    given = sorted(set(roles))
    check_roles(given)
    before = sorted((await _known(rt, name)).roles)
    line = _line(rt, actor, "staff.roles", name, reason, before={"roles": before}, after={"roles": given})
    await rt.staff.change(name, "roles", line, roles=given)


async def set_password(
    rt: Hall, name: str, password: str, *, actor: str, reason: str = "", keep: str = ""
) -> None:
    """Another password; sessions end but ``keep``. Errors: `NotPossible`."""
    await _known(rt, name)
    _check_password(name, password)
    hash_, line = await passwords.hashed(password), _line(rt, actor, "staff.password", name, reason)
    await rt.staff.change(name, "password", line, keep=keep, hash=hash_, at=rt.clock.now())


async def change_own_password(rt: Hall, name: str, old: str, new: str, *, keep: str) -> None:
    """The same by the person, who knows the old one. Errors: `NotPossible`."""
    await _prove(rt, name, old)
    await set_password(rt, name, new, actor=f"staff:{name}", keep=keep)


async def new_second_factor(rt: Hall, name: str, *, actor: str, reason: str) -> str:
    """Another secret at once, for somebody who lost the old one; sessions end. Errors: `NotPossible`."""
    await _known(rt, name)
    secret = passwords.new_secret()
    line = _line(rt, actor, "staff.second-factor", name, reason)
    await rt.staff.change(name, "second-factor", line, totp=await seal_secret(rt, name, secret), step=None)
    return secret


async def offer_second_factor(rt: Hall, name: str, password: str) -> str:
    """A secret that waits beside the old one until a code of it is given. Errors: `NotPossible`."""
    await _prove(rt, name, password)
    secret = passwords.new_secret()
    await rt.staff.change(name, "pending", totp=await seal_secret(rt, name, secret))
    return secret


async def pending_secret(rt: Hall, name: str) -> str:
    """The secret that was offered and waits; nothing when none does."""
    account = await _known(rt, name)
    await rt.vault.learn([account.totp_pending])
    return secret_of(rt, name, account.totp_pending)


async def confirm_second_factor(rt: Hall, name: str, code: str, *, keep: str) -> None:
    """The offered secret takes the place of the old one; other sessions end. Errors: `NotPossible`."""
    account = await _known(rt, name)
    secret = await pending_secret(rt, name)
    step = passwords.accepted_step(secret, code, rt.clock.now()) if secret else None
    if step is None:
        raise NotPossible("验证码不正确：请输入验证器中新条目当前显示的 6 位数字")
    line = _line(rt, f"staff:{name}", "staff.second-factor", name)
    await rt.staff.change(name, "second-factor", line, keep=keep, totp=account.totp_pending, step=step)


async def unlock(rt: Hall, name: str, *, actor: str, reason: str) -> None:
    """Attempts are judged again at once. Errors: `NotPossible`."""
    await _change(rt, name, "unlock", actor, reason)


async def disable(rt: Hall, name: str, *, actor: str, reason: str) -> None:
    """Nobody signs in by it any more; sessions end. Errors: `NotPossible`."""
    await _change(rt, name, "disable", actor, reason, at=rt.clock.now())


async def enable(rt: Hall, name: str, *, actor: str, reason: str) -> None:
    """It may be used again, with password and second factor as they were. Errors: `NotPossible`."""
    await _change(rt, name, "enable", actor, reason)


async def end_sessions(rt: Hall, name: str, *, actor: str, reason: str = "", keep: str = "") -> int:
    """End a person's sessions but ``keep``; how many. Errors: `NotPossible`."""
    await _known(rt, name)
    return await rt.staff.end_all(name, _line(rt, actor, "staff.sessions", name, reason), keep=keep)


async def open_sessions(rt: Hall, name: str) -> Sequence[Seat]:
    """A person's sessions that have time left, the one seen last first."""
    now, account = rt.clock.now(), await _known(rt, name)
    return [seat for seat in await rt.staff.sessions(name) if is_open(rt, seat, account.roles, now)]


async def _change(rt: Hall, name: str, what: str, actor: str, reason: str, **values: Any) -> None:
    line = _line(rt, actor, f"staff.{what}", name, reason)
    if not await rt.staff.change(name, what, line, **values):
        raise _no_such(name)


async def _known(rt: Hall, name: str) -> Account:
    account = await rt.staff.find(name)
    if account is None:
        raise _no_such(name)
    return account


async def _prove(rt: Hall, name: str, password: str) -> None:
    """Counted as at the sign-in: whoever finds a desk open must not guess without end."""
    rules, now = rt.settings.dashboard, rt.clock.now()
    until = now + timedelta(minutes=rules.lock_minutes)
    account = await rt.staff.begin(name, now, rules.lock_after, until)
    if account is None:
        raise NotPossible("输错次数过多，账户暂时锁定，请稍后再试")
    if not await passwords.matches(account.password_hash, password):
        await rt.audit.append(
            f"staff:{name}", "staff.refused", f"staff:{name}", "", after={"cause": "password"}
        )
        raise NotPossible("现在的密码不正确")
    await rt.staff.change(name, "unlock")


def _no_such(name: str) -> NotPossible:
    return NotPossible(f"没有名为 {name} 的账户，请用 tongban staff list 查看")


def _check_password(name: str, password: str) -> None:
    fault = passwords.password_fault(name, password)
    if fault is not None:
        raise NotPossible(fault)


def _line(
    rt: Hall,
    actor: str,
    verb: str,
    name: str,
    reason: str = "",
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> Also:
    async def write(connection: AsyncConnection) -> None:
        await rt.audit.write(connection, Line(actor, verb, f"staff:{name}", reason, before, after))

    return write
