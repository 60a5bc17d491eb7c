"""Who sits at the operators' desk: signing in by password and one-time code, sessions, what a role may do."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol
from uuid import NAMESPACE_URL, UUID, uuid5

import structlog

from gateway.exchange import passwords
from gateway.store.audit import Line
from gateway.store.staff import Passed, Seat

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.ext.asyncio import AsyncConnection

    from gateway.exchange.door import Now
    from gateway.store.audit import Audit
    from gateway.store.engine import Also
    from gateway.store.staff import Account
    from gateway.store.staff import Staff as Accounts
    from gateway.store.vault import Vault

#: What each role may do. ``reveal``: see a person unmasked, with a reason that is recorded first.
PERMISSIONS = {
    "viewer": frozenset({"look"}),
    "operator": frozenset({"look", "act", "reveal"}),
    "approver": frozenset({"look", "approve"}),
    "auditor": frozenset({"look", "audit", "reveal"}),
}

#: What an account's name looks like; whatever else was typed is nobody's, and not asked for in the store.
NAME = re.compile(r"[a-z][a-z0-9._-]{1,31}")

_LOOKS_ONLY = frozenset({"viewer"})

#: One sentence for everything: whoever guesses learns neither that a name exists nor that it is locked.
NOT_ADMITTED = "账户、密码或验证码不正确，或者账户暂时锁定"
TOO_MANY = "同时登录的人太多，请过几秒再试"

#: A refusal is not heard earlier than this, whatever made it: the time tells nothing either.
REFUSED_AFTER_S = 0.5

#: ``seen_at`` is written no more often: a page asks several times a second.
_TOUCH_EVERY = timedelta(seconds=30)

#: Lines a minute about names nobody has and accounts that rest: such attempts have no end, the audit is for ever.
_LINES_A_MINUTE = 10

#: Who did it, in the audit, when nobody has signed in.
VISITOR = "visitor"

_log = structlog.get_logger(__name__)


class Rules(Protocol):
    """The section ``[dashboard]`` of the settings."""

    @property
    def idle_minutes(self) -> int: ...
    @property
    def session_hours(self) -> int: ...
    @property
    def wall_days(self) -> int: ...
    @property
    def lock_after(self) -> int: ...
    @property
    def lock_minutes(self) -> int: ...
    @property
    def second_factor(self) -> str: ...


class _Settings(Protocol):
    @property
    def dashboard(self) -> Rules: ...


class Hall(Protocol):
    """What these verbs ask of the runtime."""

    @property
    def clock(self) -> Now: ...
    @property
    def settings(self) -> _Settings: ...
    @property
    def staff(self) -> Accounts: ...
    @property
    def audit(self) -> Audit: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def new_id(self) -> Callable[[], UUID]: ...


@dataclass(frozen=True, slots=True)
class Staff:
    """Whoever is signed in. ``csrf`` belongs to this session; ``session`` is the hash it is kept under."""

    name: str
    display: str
    roles: frozenset[str]
    language: str
    csrf: str = field(repr=False)
    session: str = field(repr=False)

    def may(self, permission: str) -> bool:
        """Whether one of the roles brings this permission."""
        return any(permission in PERMISSIONS.get(role, ()) for role in self.roles)

    @property
    def may_stay(self) -> bool:
        """Whether an open wall counts as somebody there: for accounts that can do nothing but look."""
        return self.roles == _LOOKS_ONLY

    @property
    def actor(self) -> str:
        """How timeline and audit name this person."""
        return f"staff:{self.name}"


@dataclass(frozen=True, slots=True)
class Session:
    """A session just opened: ``token`` goes into the cookie and is kept nowhere."""

    token: str = field(repr=False)
    staff: Staff


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nobody was let in; ``text`` says to the person as much as a stranger may know."""

    text: str


async def sign_in(
    rt: Hall, name: str, password: str, code: str, *, language: str = "zh", address: str = ""
) -> Session | Refusal:
    """Judge password and code; each attempt is on record, with ``address`` (the client's) and never with a word of it.

    A refusal says the same, at the same time, whether the name exists or not.
    """
    began = time.monotonic()
    try:
        judged = await _judge(rt, name.strip().lower(), password, code)
    except passwords.TooManyAtOnce:
        return Refusal(TOO_MANY)
    if isinstance(judged, Passed):
        opened = await _open(rt, judged, language, address)
        if opened is not None:
            return opened
        judged = _failed(judged.account, "replayed")
    await _record_refusal(rt, judged, address)
    await asyncio.sleep(max(0.0, began + REFUSED_AFTER_S - time.monotonic()))
    return Refusal(NOT_ADMITTED)


async def session(rt: Hall, token: str, *, touch: bool = True) -> Staff | None:
    """Who holds this token; None when the session has ended, of itself or by somebody's word.

    ``touch``: whether this is a sign that somebody is there; what a page asks for by itself is none.
    """
    found = await rt.staff.seated(_digest(token))
    now = rt.clock.now()
    if found is None or not is_open(rt, found[0], found[1].roles, now):
        return None
    seat, account = found
    if touch and now - seat.seen_at >= _TOUCH_EVERY:
        await rt.staff.touch(seat.sha256, now)
    return _staff(account, seat, token)


async def sign_out(rt: Hall, token: str) -> None:
    """End a session; nothing happens when it has ended."""
    found = await rt.staff.seated(_digest(token))
    if found is not None:
        name = found[1].name
        await rt.staff.end(found[0].sha256, _also(rt, Line(f"staff:{name}", "sign-out", f"staff:{name}", "")))


def is_open(rt: Hall, seat: Seat, roles: frozenset[str], now: datetime) -> bool:
    """Whether a session of somebody with these roles has time left."""
    idle = timedelta(minutes=rt.settings.dashboard.idle_minutes)
    return now < seat.seen_at + idle and now < seat.created_at + longest(rt, roles)


def longest(rt: Hall, roles: frozenset[str]) -> timedelta:
    """How long a session may last at most: longer for who may only look, as a wall does."""
    rules = rt.settings.dashboard
    working = timedelta(hours=rules.session_hours)
    return max(working, timedelta(days=rules.wall_days)) if roles == _LOOKS_ONLY else working


def secret_of(rt: Hall, name: str, sealed: bytes | None) -> str:
    """The secret of a person's one-time codes; nothing for nothing. Its key must have been learnt."""
    return rt.vault.open_text(_row_of(name), "staff.totp", sealed)


async def seal_secret(rt: Hall, name: str, secret: str) -> bytes | None:
    """The same, as the account keeps it."""
    await rt.vault.prepare([_row_of(name)])
    return rt.vault.seal_text(_row_of(name), "staff.totp", secret)


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why nobody was let in, and whom it was about; no name: of nobody we know."""

    cause: str
    name: str = ""
    locked: bool = False


async def _judge(rt: Hall, name: str, password: str, code: str) -> Passed | _Fault:
    rules, now = rt.settings.dashboard, rt.clock.now()
    until = now + timedelta(minutes=rules.lock_minutes)
    is_name = NAME.fullmatch(name) is not None
    account = await rt.staff.begin(name, now, rules.lock_after, until) if is_name else None
    if account is None:
        await passwords.matches(None, password)
        return await _not_judged(rt, name) if is_name else _Fault("unknown")
    if not await passwords.matches(account.password_hash, password):
        return _failed(account, "password")
    if account.totp is None:
        return Passed(account) if rules.second_factor == "optional" else _failed(account, "no-second-factor")
    await rt.vault.learn([account.totp])
    step = passwords.accepted_step(secret_of(rt, name, account.totp), code, now)
    if step is None:
        return _failed(account, "code")
    if account.last_step is not None and step <= account.last_step:
        return _failed(account, "replayed")
    fresh = await passwords.hashed(password) if passwords.is_outdated(account.password_hash) else None
    return Passed(account, step, fresh)


def _failed(account: Account, cause: str) -> _Fault:
    return _Fault(cause, account.name, locked=account.locked_until is not None)


async def _not_judged(rt: Hall, name: str) -> _Fault:
    account = await rt.staff.find(name)
    if account is None:
        return _Fault("unknown")
    return _Fault("disabled" if account.disabled_at else "locked", account.name)


async def _open(rt: Hall, passed: Passed, language: str, address: str) -> Session | None:
    token, now = secrets.token_urlsafe(32), rt.clock.now()
    name = passed.account.name
    seat = Seat(_digest(token), name, now, now, language, address)
    line = Line(f"staff:{name}", "sign-in", f"staff:{name}", "", after={"from": address})
    if not await rt.staff.admit(passed, seat, longest(rt, _LOOKS_ONLY), _also(rt, line)):
        return None
    return Session(token, _staff(passed.account, seat, token))


async def _record_refusal(rt: Hall, fault: _Fault, address: str) -> None:
    _log.warning("sign_in_refused", cause=fault.cause)
    # What was typed as a name may be a password: only names we know are written down.
    target = f"staff:{fault.name}" if fault.name else "unknown"
    endless = fault.cause in {"unknown", "locked", "disabled"}
    if endless and await rt.audit.written_lately(target, 60.0) >= _LINES_A_MINUTE:
        return
    about = {"cause": fault.cause, "from": address}
    await rt.audit.append(VISITOR, "sign-in.refused", target, "", after=about)
    if fault.locked:
        minutes = rt.settings.dashboard.lock_minutes
        await rt.audit.append(VISITOR, "sign-in.locked", target, "", after={"minutes": minutes})


def _staff(account: Account, seat: Seat, token: str) -> Staff:
    return Staff(
        account.name,
        account.display,
        account.roles,
        seat.language,
        csrf=hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest(),
        session=seat.sha256,
    )


def _also(rt: Hall, line: Line) -> Also:
    async def write(connection: AsyncConnection) -> None:
        await rt.audit.write(connection, line)

    return write


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _row_of(name: str) -> UUID:
    # No time in it: its key belongs to no month that could end, and to no other account.
    return uuid5(NAMESPACE_URL, f"staff:{name}")
