"""Passwords and one-time codes: what is refused, and that nobody's password takes the time of somebody's."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from gateway.exchange import passwords

GOOD = "清晨六点的江面 at 6 am"
NOON = datetime(2026, 11, 26, 4, 0, 10, tzinfo=UTC)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code(at):
    return pyotp.TOTP(SECRET).at(int(at.timestamp()))


@pytest.mark.parametrize(
    ("password", "because"),
    [
        ("short-11-ch", "至少 12"),
        ("x" * 3 + "1a9-" * 50, "至多 200"),
        ("Zhang.wei-in-the-morning", "账户名"),
        ("Password12345", "太常见"),
        ("abababababababab", "太简单"),
        ("11010519491231002x", "身份号码"),
    ],
)
def test_a_poor_password_is_refused_with_the_reason(password, because):
    assert because in passwords.password_fault("zhang.wei", password)


def test_a_sentence_is_a_password():
    assert passwords.password_fault("zhang.wei", GOOD) is None


async def test_a_password_matches_however_it_was_composed():
    kept = await passwords.hashed("Ångström-unit-1")
    assert await passwords.matches(kept, "A\u030angstro\u0308m-unit-1")
    assert not await passwords.matches(kept, "Angstrom-unit-1")
    assert not passwords.is_outdated(kept)


async def test_nobodys_password_is_judged_by_the_same_work_and_never_matches(monkeypatch):
    judged = []

    class Argon:
        def verify(self, kept, password):
            judged.append(kept.rsplit("$", 2)[0])
            return True

    kept = await passwords.hashed(GOOD)
    monkeypatch.setattr(passwords, "_ARGON", Argon())
    assert await passwords.matches(kept, GOOD)
    assert not await passwords.matches(None, GOOD)
    assert judged == ["$argon2id$v=19$m=65536,t=3,p=4"] * 2


async def test_a_flood_is_turned_away_before_it_takes_the_memory(monkeypatch):
    monkeypatch.setattr(passwords, "_WAITING", 2)
    done = await asyncio.gather(*(passwords.hashed(GOOD) for _ in range(3)), return_exceptions=True)
    assert [type(each) for each in done] == [str, str, passwords.TooManyAtOnce]
    assert passwords._QUEUE.waiting == 0


@pytest.mark.parametrize(
    ("seconds", "is_good"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)]
)
def test_a_code_is_good_in_its_half_minute_and_those_beside_it(seconds, is_good):
    at = NOON + timedelta(seconds=seconds)
    step = passwords.accepted_step(SECRET, code(at), NOON)
    assert step == (int(at.timestamp()) // 30 if is_good else None)


@pytest.mark.parametrize("typed", ["", "12345", "１２３４５６", "abcdef", "0" * 400])
def test_what_is_no_code_belongs_to_no_step(typed):
    assert passwords.accepted_step(SECRET, typed, NOON) is None


def test_a_code_may_be_typed_with_a_space():
    typed = code(NOON)
    assert passwords.accepted_step(SECRET, f"{typed[:3]} {typed[3:]}", NOON) is not None
