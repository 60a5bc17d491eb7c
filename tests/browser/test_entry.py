"""Coming in, looking around, leaving."""

import re
import time

from playwright.sync_api import expect

PAGES = ("/ops/",)


def test_a_person_signs_in_sees_that_the_page_is_live_and_leaves(account, visit, serious):
    page = visit(account("lin", "viewer"))
    expect(page).to_have_title(re.compile("^总览"))
    page.wait_for_selector("#stream.is-live")
    assert serious(page) == []
    page.click("details.menu summary")
    page.click("text=退出")
    page.wait_for_selector("#password")
    page.goto(page.url.replace("sign-in", "cases"))
    assert "/ops/sign-in?next=" in page.url
    assert serious(page) == []
    assert page.faults == []


def test_a_wrong_password_is_told_in_one_sentence_and_lets_nobody_in(account, visit):
    page = visit(None, "/ops/sign-in", language="en-GB")
    page.fill("#name", account("wrong", "viewer"))
    page.fill("#password", "not the password at all")
    page.press("#password", "Enter")
    expect(page.locator(".fault")).to_contain_text("Account, password or code is wrong")


def test_the_language_is_kept_and_the_keyboard_leads_everywhere(account, visit):
    page = visit(account("keys", "viewer,auditor"))
    page.click("text=English")
    page.wait_for_selector("text=Overview")
    page.wait_for_load_state()
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()


def test_stopping_the_gateway_does_not_wait_for_open_pages(account, visit, town):
    page = visit(account("late", "viewer"))
    page.wait_for_selector("#stream.is-live")
    began = time.monotonic()
    town.stack.stop()
    assert time.monotonic() - began < 15
