"""Passwords and one-time codes: what may be a password, argon2 off the loop, TOTP (RFC 6238) by its step."""

from __future__ import annotations

import asyncio
import hmac
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.canonical.identifiers import citizen_id_fault
from gateway.errors import GatewayError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

T = TypeVar("T")

SHORTEST, LONGEST = 12, 200

#: RFC 9106 §4, second recommended choice (64 MiB); a hash by other numbers is made anew at the next sign-in.
_ARGON = PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4)
# What is judged when there is no account: by the same numbers, so that it takes the same time.
# Of 256 random bits nobody has kept.
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$eeVk2SB1xzXD0YzyAIxy8Q$P657+nrNUza2Gnm6U90pRp0M6TU7suySOkcjUu2g2gQ"

#: Hashes made at once, of 64 MiB each, and how many may wait: a flood of guesses must not take the memory.
_AT_ONCE, _WAITING = 2, 32
_HANDS = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="argon2")

#: A code is good in its half minute and in those beside it: clocks differ, fingers are slow.
STEP_S, _BESIDE = 30, 1

# Of those that lists of leaked passwords begin with, the ones long enough to pass the other rules.
_COMMON = frozenset(
    [
        "123456123456",
        "123456654321",
        "123456789012",
        "1234567890123",
        "0123456789012",
        "12345678901234",
        "123456789abc",
        "987654321098",
        "a123456789012",
        "abc123456789",
        "admin1234567",
        "admin12345678",
        "admin123456789",
        "administrator",
        "administrator1",
        "changeme1234",
        "changeme123456",
        "iloveyou1234",
        "letmein12345",
        "passw0rd1234",
        "password1234",
        "password12345",
        "password123456",
        "qwerty123456",
        "qwertyuiop12",
        "qwertyuiop123",
        "qwertyuiop[]",
        "1q2w3e4r5t6y",
        "1qaz2wsx3edc",
        "zaq12wsxcde3",
        "1qazxsw23edc",
        "woaini1314520",
        "woaini520520",
        "welcome12345",
        "tongban123456",
        "tongban12345",
        "shebao123456",
        "renshe123456",
        "wangguan1234",
    ]
)


class TooManyAtOnce(GatewayError):  # noqa: N818 - a word of the desk
    """More sign-ins are waiting than can be judged soon."""


@dataclass(slots=True)
class _Queue:
    waiting: int = 0


_QUEUE = _Queue()


def password_fault(name: str, password: str) -> str | None:
    """Why this must not be the password of ``name``, as a Chinese sentence; None when it may."""
    plain = _normal(password)
    if len(plain) < SHORTEST:
        return f"密码至少 {SHORTEST} 个字符"
    if len(plain) > LONGEST:
        return f"密码至多 {LONGEST} 个字符"
    folded = plain.casefold()
    if name.casefold() in folded:
        return "密码不得包含账户名"
    if folded in _COMMON or len(set(folded)) < 5:
        return "这个密码太常见或太简单，请另换一个"
    if citizen_id_fault(plain.upper()) is None:
        return "密码不得是身份号码"
    return None


async def hashed(password: str) -> str:
    """The argon2 text of a password. Errors: `TooManyAtOnce`."""
    return await _in_a_thread(lambda: _ARGON.hash(_normal(password)))


async def matches(kept: str | None, password: str) -> bool:
    """Whether this is the password; ``None`` (nobody's) takes as long and is never. Errors: `TooManyAtOnce`."""

    def judge() -> bool:
        try:
            return _ARGON.verify(kept or _NOBODY, _normal(password)[:LONGEST]) and kept is not None
        except (VerificationError, InvalidHashError):
            return False

    return await _in_a_thread(judge)


def is_outdated(kept: str) -> bool:
    """Whether this hash was made by other numbers than today's."""
    return _ARGON.check_needs_rehash(kept)


def new_secret() -> str:
    """A secret for one-time codes: 160 bits in base32."""
    return pyotp.random_base32()


def provisioning(secret: str, name: str, issuer: str) -> str:
    """The ``otpauth:`` address an authenticator reads as a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def accepted_step(secret: str, code: str, now: datetime) -> int | None:
    """The half minute this code belongs to, of those good now; None when it belongs to none."""
    digits = "".join(code.split())
    here = int(now.timestamp()) // STEP_S
    totp, found = pyotp.TOTP(secret), None
    for step in range(here - _BESIDE, here + _BESIDE + 1):  # all of them, so that the time tells nothing
        if hmac.compare_digest(totp.generate_otp(step).encode(), digits.encode()):
            found = step
    return found


def _normal(password: str) -> str:
    # RFC 8265 §4.2: what is typed alike on two keyboards is alike.
    return unicodedata.normalize("NFC", password)


async def _in_a_thread(work: Callable[[], T]) -> T:
    if _QUEUE.waiting >= _WAITING:
        raise TooManyAtOnce(f"{_QUEUE.waiting} are waiting")
    _QUEUE.waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_HANDS, work)
    finally:
        _QUEUE.waiting -= 1
