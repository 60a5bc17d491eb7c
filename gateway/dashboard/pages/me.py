"""``/ops/me``: one's own account: where one is signed in, the password, the second factor, the language."""

from __future__ import annotations

from typing import Annotated

import segno
from fastapi import APIRouter, Form
from starlette.responses import Response

from gateway.dashboard.desk import Desk, needs
from gateway.dashboard.texts import N_
from gateway.exchange import accounts, passwords
from gateway.exchange.entry import PERMISSIONS

router = APIRouter(prefix="/me")
_Person = Annotated[Desk, needs("look")]
_Secret = Annotated[str, Form(max_length=512)]

#: What each permission lets a person do.
PERMITTED = {
    "look": N_("查看全部页面（个人信息脱敏）"),
    "act": N_("暂停、恢复、重试、放行等操作"),
    "approve": N_("批准批量重办和规则表版本"),
    "reveal": N_("说明理由后查看未脱敏的个人信息"),
    "audit": N_("查看审计记录"),
}
_TOO_MANY = N_("同时登录的人太多，请过几秒再试")
#: What `accounts` says to a person here, so that it has its English.
FAULTS = (
    N_("密码至少 12 个字符"),
    N_("密码至多 200 个字符"),
    N_("密码不得包含账户名"),
    N_("这个密码太常见或太简单，请另换一个"),
    N_("密码不得是身份号码"),
    N_("现在的密码不正确"),
    N_("输错次数过多，账户暂时锁定，请稍后再试"),
    N_("验证码不正确：请输入验证器中新条目当前显示的 6 位数字"),
)


@router.get("")
async def me(desk: _Person) -> Response:
    """The page."""
    return await _page(desk)


@router.post("/sessions/end")
async def end_others(desk: _Person) -> Response:
    """Every session of this person but this one."""
    ended = await accounts.end_sessions(desk.rt, desk.staff.name, actor=desk.actor, keep=desk.staff.session)
    return desk.done(desk.say("已结束其他 %(n)s 处登录", n=ended), "/ops/me")


@router.post("/password")
async def change_password(
    desk: _Person, old: _Secret = "", new: _Secret = "", again: _Secret = ""
) -> Response:
    """The old one is asked for; other sessions end."""
    if new != again:
        return await _page(desk, password_fault=desk.say("两次输入的新密码不一致"), status=422)
    try:
        await accounts.change_own_password(desk.rt, desk.staff.name, old, new, keep=desk.staff.session)
    except accounts.NotPossible as fault:
        return await _page(desk, password_fault=desk.say(str(fault)), status=422)
    except passwords.TooManyAtOnce:
        return await _page(desk, password_fault=desk.say(_TOO_MANY), status=503)
    return desk.done(desk.say("密码已更改，其他登录已结束"), "/ops/me")


@router.post("/second-factor")
async def offer(desk: _Person, password: _Secret = "") -> Response:
    """A new secret, shown until a code of it has been given."""
    try:
        await accounts.offer_second_factor(desk.rt, desk.staff.name, password)
    except accounts.NotPossible as fault:
        return await _page(desk, factor_fault=desk.say(str(fault)), status=422)
    except passwords.TooManyAtOnce:
        return await _page(desk, factor_fault=desk.say(_TOO_MANY), status=503)
    return await _page(desk, offered=True)


@router.post("/second-factor/confirm")
async def confirm(desk: _Person, code: Annotated[str, Form(max_length=16)] = "") -> Response:
    """From here on the new one counts."""
    try:
        await accounts.confirm_second_factor(desk.rt, desk.staff.name, code, keep=desk.staff.session)
    except accounts.NotPossible as fault:
        return await _page(desk, factor_fault=desk.say(str(fault)), offered=True, status=422)
    return desk.done(desk.say("验证器已更换，其他登录已结束"), "/ops/me")


async def _page(
    desk: Desk,
    *,
    password_fault: str = "",
    factor_fault: str = "",
    offered: bool = False,
    status: int = 200,
) -> Response:
    name = desk.staff.name
    # The secret is shown only to whoever has just given the password, never to whoever finds the desk open.
    secret = await accounts.pending_secret(desk.rt, name) if offered else ""
    address = passwords.provisioning(secret, name, "tongban") if secret else ""
    return desk.page(
        "me/me.html",
        status=status,
        account=await desk.rt.staff.find(name),
        seats=await accounts.open_sessions(desk.rt, name),
        permitted=[
            (
                text,
                desk.staff.may(permission),
                [role for role, each in PERMISSIONS.items() if permission in each],
            )
            for permission, text in PERMITTED.items()
        ],
        password_fault=password_fault,
        factor_fault=factor_fault,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        qr=segno.make(address, error="m").svg_data_uri(scale=4, border=2) if address else "",
        shortest=passwords.SHORTEST,
        rules=desk.rt.settings.dashboard,
    )
