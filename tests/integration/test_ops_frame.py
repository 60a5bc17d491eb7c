"""What every page of the dashboard has: a person, a policy, a form that is ours, and a designed no."""

import pytest
from sqlalchemy import text

PAGES = [
    *("/ops/", "/ops/routes", "/ops/cases", "/ops/stuck", "/ops/reruns", "/ops/rules", "/ops/performance"),
    *("/ops/running", "/ops/audit", "/ops/me", "/ops/exports", "/ops/wall", "/ops/find"),
]


@pytest.mark.parametrize("path", PAGES)
async def test_nobody_sees_a_page_without_signing_in(ops, path):
    answer = await (await ops()).get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/ops/sign-in")
    assert "no-store" in answer.headers["cache-control"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
async def test_every_page_opens_before_anything_has_come(ops, path, language):
    answer = await (await ops("operator", "approver", "auditor", language=language)).get(path)
    assert answer.status_code == 200, answer.text[:500]


async def test_a_fragment_asked_for_without_a_session_leads_the_browser_to_sign_in(ops):
    answer = await (await ops()).get("/ops/", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (204, "/ops/sign-in")


async def test_pages_forbid_whatever_is_not_theirs(ops):
    answer = await (await ops("viewer")).get("/ops/")
    policy = answer.headers["content-security-policy"]
    assert answer.status_code == 200
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_form_without_the_sessions_word_is_refused_and_changes_nothing(ops):
    client = await ops("viewer")
    del client.headers["x-csrf-token"]
    refused = await client.post("/ops/sign-out")
    assert refused.status_code == 400
    assert "重新登录" in refused.text
    assert (await client.get("/ops/")).status_code == 200
    left = await client.post("/ops/sign-out", data={"csrf": client.csrf})
    assert left.status_code == 303


async def test_a_form_of_another_site_is_not_even_read(ops):
    client = await ops("viewer")
    refused = await client.post("/ops/sign-out", headers={"sec-fetch-site": "cross-site"})
    assert refused.status_code == 403
    foreign = {"sec-fetch-site": "", "origin": "http://elsewhere.test"}
    del client.headers["sec-fetch-site"]
    foreign.pop("sec-fetch-site")
    assert (await client.post("/ops/sign-out", headers=foreign)).status_code == 403


async def test_signing_in_through_the_form_gives_a_cookie_no_script_can_read(ops):
    client = await ops("viewer", name="lin")
    entered = await client.post(
        "/ops/sign-in", data={"name": "lin", "password": "open-sesame-of-the-tests", "next": "//evil.test"}
    )
    assert (entered.status_code, entered.headers["location"]) == (303, "/ops/")
    assert "HttpOnly" in entered.headers["set-cookie"]
    assert "SameSite=strict" in entered.headers["set-cookie"]
    refused = await client.post("/ops/sign-in", data={"name": "lin", "password": "wrong"})
    assert refused.status_code == 403
    assert "密码" in refused.text


async def test_an_address_nobody_knows_is_a_designed_page(ops):
    answer = await (await ops("viewer")).get("/ops/nowhere")
    assert answer.status_code == 404
    assert "从左侧菜单" in answer.text


async def test_what_a_page_asks_for_by_itself_keeps_no_session_alive(ops, rt, engine):
    client = await ops("viewer", name="idle")
    old = "UPDATE staff_sessions SET seen_at = seen_at - interval '10 minutes' WHERE name = 'idle' RETURNING seen_at"
    async with engine.begin() as connection:
        before = (await connection.execute(text(old))).scalar_one()
    await client.get("/ops/", headers={"x-by-itself": "1"})
    (seat,) = await rt.staff.sessions("idle")
    assert seat.seen_at == before
    await client.get("/ops/")
    (seat,) = await rt.staff.sessions("idle")
    assert seat.seen_at > before


async def test_files_whose_address_names_their_content_are_kept_for_good(ops):
    client = await ops("viewer")
    page = (await client.get("/ops/")).text
    css = next(part for part in page.split('"') if "ops.css" in part)
    kept = await client.get(css)
    assert kept.status_code == 200
    assert "immutable" in kept.headers["cache-control"]
    assert kept.headers["content-encoding"] == "gzip"
