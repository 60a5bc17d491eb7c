"""`tongban staff` as an administrator sees it, on the embedded servers of a gateway that runs."""

from __future__ import annotations

import asyncio
import logging
import os
import re

import pyotp
import pytest
from argon2 import PasswordHasher
from test_cli_operate import gateway  # noqa: F401 - a fixture of the folder
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.exchange import entry, passwords
from gateway.runtime import Runtime, configure

WORDS = "cold river, warm light"
OTHER = "a second set of words"
WHY = ("--reason", "本人来电", "--by", "root")


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    monkeypatch.setattr(passwords, "_ARGON", PasswordHasher(1, 1024, 1))
    monkeypatch.setattr(entry, "REFUSED_AFTER_S", 0.0)


@pytest.fixture
def staff(gateway):  # noqa: F811
    """``staff(words…, stdin=…)``: exit status and what was said."""
    file, _ = gateway

    def call(*words, stdin=""):
        root = logging.getLogger()
        before, level = root.handlers[:], root.level
        run = CliRunner().invoke(app, ["staff", *words, "--config", str(file)], input=stdin)
        root.handlers[:] = before
        root.setLevel(level)
        assert run.exception is None or isinstance(run.exception, SystemExit), run.exception
        return run.exit_code, run.output

    return call


@pytest.fixture
def enter(gateway):  # noqa: F811
    """``enter(name, password, secret)``: whether this opens a session now."""
    file, urls = gateway

    async def sign_in(name, password, secret):
        settings = configure(file, {**os.environ, **urls})
        async with Runtime.open(settings, role="cli", environ={}) as rt:
            code = pyotp.TOTP(secret).at(int(rt.clock.now().timestamp())) if secret else ""
            found = await entry.sign_in(rt, name, password, code)
            query = "SELECT actor, verb FROM audit WHERE target = $1 ORDER BY id"
            async with rt.engine.connect() as connection:
                raw = (await connection.get_raw_connection()).driver_connection
                lines = [tuple(row) for row in await raw.fetch(query, f"staff:{name}")]
            return isinstance(found, entry.Session), lines

    return lambda *who: asyncio.run(sign_in(*who))


def secret_in(output):
    (secret,) = re.findall(r"^密钥：(\w{32})$", output, re.MULTILINE)
    assert f"otpauth://totp/tongban:{'anna' if 'anna' in output else 'bert'}?secret={secret}" in output
    return secret


def test_an_account_from_its_first_day_to_its_last(staff, enter):
    status, said = staff(
        "add", "anna", "--display", "安娜", "--roles", "operator,approver", "--by", "root", stdin=f"{WORDS}\n"
    )
    assert status == 0, said
    secret = secret_in(said)
    assert WORDS not in said
    status, said = staff("list")
    assert (status, "安娜" in said, "approver,operator" in said, "正常" in said) == (0, True, True, True)
    assert secret not in said
    assert enter("anna", WORDS, secret)[0]
    assert "最近操作" in staff("sessions", "anna")[1]
    assert staff("sessions", "anna", "--end")[0] == 2, "a reason is wanted"
    assert staff("sessions", "anna", "--end", *WHY) == (0, "anna 的 1 个登录已结束\n")
    assert staff("roles", "anna", "viewer", *WHY)[0] == 0
    assert staff("password", "anna", *WHY, stdin=f"{OTHER}\n")[0] == 0
    fresh = secret_in(staff("second-factor", "anna", *WHY)[1])
    assert not enter("anna", OTHER, secret)[0]
    assert enter("anna", OTHER, fresh)[0]
    assert staff("disable", "anna", *WHY)[0] == 0
    assert "停用" in staff("list")[1]
    assert staff("enable", "anna", *WHY)[0] == 0
    for _ in range(5):
        enter("anna", WORDS, "")
    assert "锁定至" in staff("list")[1]
    assert staff("unlock", "anna", *WHY)[0] == 0
    assert "正常" in staff("list")[1]
    _, lines = enter("anna", WORDS, "")
    assert [verb for who, verb in lines if who == "staff:root"] == [
        "staff.add",
        "staff.sessions",
        "staff.roles",
        "staff.password",
        "staff.second-factor",
        "staff.disable",
        "staff.enable",
        "staff.unlock",
    ]


def test_a_password_may_come_from_a_file(staff, enter, tmp_path):
    file = tmp_path / "password"
    file.write_text(f"{WORDS}\n", encoding="utf-8")
    status, said = staff("add", "bert", "--roles", "viewer", "--password-file", str(file))
    assert status == 0, said
    assert enter("bert", WORDS, secret_in(said))[0]


@pytest.mark.parametrize(
    ("words", "stdin", "because"),
    [
        (("add", "carl", "--roles", "boss"), WORDS, "viewer、operator、approver、auditor"),
        (("add", "Carl", "--roles", "viewer"), WORDS, "账户名"),
        (("add", "carl", "--roles", "viewer"), "short", "至少 12"),
        (("add", "carl", "--roles", "viewer"), "", "至少 12"),
        (("add", "carl", "--roles", "viewer", "--no-second-factor"), WORDS, "required"),
        (("roles", "carl", "viewer", *WHY), "", "没有名为 carl"),
        (("password", "carl", *WHY), WORDS, "没有名为 carl"),
        (("second-factor", "carl", *WHY), "", "没有名为 carl"),
        (("unlock", "carl", *WHY), "", "没有名为 carl"),
        (("disable", "carl", *WHY), "", "没有名为 carl"),
        (("sessions", "carl", "--end", *WHY), "", "没有名为 carl"),
    ],
)
def test_what_cannot_be_done_is_said_and_ends_with_1(staff, words, stdin, because):
    status, said = staff(*words, stdin=stdin)
    assert status == 1
    assert because in said
