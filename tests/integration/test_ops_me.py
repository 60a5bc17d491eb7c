"""One's own account: sessions, password and second factor, each behind the password of now."""

from __future__ import annotations

import re

import pyotp

from gateway.exchange import accounts, entry

PASSWORD = "open-sesame-of-the-tests"
OTHER = "a quite different sentence"


async def test_the_page_says_who_one_is_and_what_one_may(ops):
    page = (await (await ops("viewer", "approver", name="mei")).get("/ops/me")).text
    assert "mei" in page
    assert page.count(">有</span>") == 2
    assert page.count(">没有</span>") == 3
    assert "本次登录" in page
    assert "结束其他登录" not in page


async def test_other_sessions_are_ended_and_this_one_stays(ops, rt):
    client = await ops("viewer", name="mia")
    other = await entry.sign_in(rt, "mia", PASSWORD, "")
    assert "结束其他登录" in (await client.get("/ops/me")).text
    assert (await client.post("/ops/me/sessions/end")).status_code == 303
    assert await entry.session(rt, other.token) is None
    page = await client.get("/ops/me")
    assert (page.status_code, "已结束其他 1 处登录" in page.text) == (200, True)


async def test_the_password_is_changed_by_whoever_knows_it(ops, rt):
    client = await ops("viewer", name="max")

    async def change(old, new, again):
        return await client.post("/ops/me/password", data={"old": old, "new": new, "again": again})

    for given, because in (
        (("x", OTHER, OTHER), "现在的密码不正确"),
        ((PASSWORD, OTHER, "typo"), "不一致"),
        ((PASSWORD, "short", "short"), "至少 12 个字符"),
    ):
        refused = await change(*given)
        assert refused.status_code == 422
        assert because in refused.text
        assert OTHER not in refused.text
    assert (await change(PASSWORD, OTHER, OTHER)).status_code == 303
    assert (await client.get("/ops/me")).status_code == 200
    assert isinstance(await entry.sign_in(rt, "max", OTHER, ""), entry.Session)


async def test_a_second_factor_is_shown_once_and_counts_after_its_code(ops, rt):
    client = await ops("viewer", name="mona")
    refused = await client.post("/ops/me/second-factor", data={"password": "x"})
    assert refused.status_code == 422
    assert "data:image/svg" not in refused.text
    offered = await client.post("/ops/me/second-factor", data={"password": PASSWORD})
    assert 'src="data:image/svg' in offered.text
    secret = re.search(r'secret">([A-Z2-7 ]+)<', offered.text)[1].replace(" ", "")
    assert secret == await accounts.pending_secret(rt, "mona")
    assert secret not in (await client.get("/ops/me")).text.replace(" ", "")
    wrong = await client.post("/ops/me/second-factor/confirm", data={"code": "000000"})
    assert wrong.status_code == 422
    assert isinstance(await entry.sign_in(rt, "mona", PASSWORD, ""), entry.Session)
    now = int(rt.clock.now().timestamp())
    done = await client.post("/ops/me/second-factor/confirm", data={"code": pyotp.TOTP(secret).at(now)})
    assert done.status_code == 303
    assert "已启用" in (await client.get("/ops/me")).text
    assert isinstance(await entry.sign_in(rt, "mona", PASSWORD, ""), entry.Refusal)
