"""Running, audit and account as people use them."""

import json
import re

import asyncpg
import pyotp
from aside import aside
from playwright.sync_api import expect
from waiting import until

TOWN = {"rest": '[dashboard]\nsecond_factor = "optional"\n'}


async def counted(url):
    """As the database does by itself after a while."""
    connection = await asyncpg.connect(url)
    await connection.execute("ANALYZE messages, events")
    await connection.close()


def test_running_is_live_and_says_what_is_wrong_first(town, account, visit, serious):
    town.sides["sichuan"].tell("send", n=3)
    until(lambda: town.effects() >= 3, 20, "three messages")
    aside(counted(town.stack.database_url))
    page = visit(account("mo", "operator,auditor"), "/ops/running")
    page.wait_for_selector("#workers ~ table .tone-good, .card .tone-good")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1366
    page.wait_for_selector("#months-chart canvas")
    assert serious(page) == []
    page.wait_for_selector("#stream.is-live")
    peer = min(town.sides)
    town.client.post(f"/v1/peers/{peer}/pause", json={"reason": "试验"}).raise_for_status()
    page.wait_for_selector(".alarms li.is-note", timeout=10_000)
    town.client.post(f"/v1/peers/{peer}/resume", json={"reason": "试验"}).raise_for_status()
    page.goto(page.url.replace("running", "audit"))
    page.wait_for_selector(".trail tbody tr")
    expect(page.locator(".trail")).to_contain_text("暂停投递")
    page.select_option("#verb", "pause")
    page.press("#target", "Enter")
    page.wait_for_url(re.compile("verb=pause"))
    expect(page.locator(".trail tbody tr")).to_have_count(1)
    assert serious(page) == []
    assert page.faults == []


def test_a_person_turns_on_the_second_factor_and_needs_it_from_then_on(account, visit, serious):
    page = visit(account("nina", "viewer"), "/ops/me", language="en-GB")
    page.fill("#factor-password", "open-sesame-of-the-tests")
    page.press("#factor-password", "Enter")
    # the policy lets the picture through
    page.wait_for_function("() => document.querySelector('.factor img')?.naturalWidth > 100")
    secret = page.inner_text(".secret").replace(" ", "")
    assert serious(page) == []
    page.fill("#code", pyotp.TOTP(secret).now())
    page.press("#code", "Enter")
    page.wait_for_selector("text=Second factor renewed")
    assert json.dumps(page.faults) == "[]"
    again = visit(None, "/ops/sign-in")
    again.fill("#name", "nina")
    again.fill("#password", "open-sesame-of-the-tests")
    again.press("#password", "Enter")
    again.wait_for_selector(".fault")
