"""The list of cases in a real browser: by keyboard, live, in one line of filters, without a person's number."""

import re

import pytest
from playwright.sync_api import expect
from waiting import until

SOMEBODY = "11010519491231002X"


@pytest.fixture(scope="module")
def filled(town):
    """Forty cases of either side, taken in and under way."""
    for slug in town.sides:
        town.sides[slug].tell("send", n=20)
    until(lambda: len(list(town.cases())) >= 40, 30, "forty cases")
    return town


def test_the_list_is_walked_filtered_and_opened_without_a_mouse(filled, account, visit, serious):
    page = visit(account("zhao", "operator"), "/ops/cases")
    rows = page.locator("[data-row]")
    expect(rows.nth(39)).to_be_attached()
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(rows.first.locator("[data-open]")).to_be_focused()
    focused = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/ops/cases/{focused}")
    page.go_back()

    page.select_option("#f-origin", "sichuan")
    page.wait_for_url("**/ops/cases?origin=sichuan")
    expect(page.locator(".said-chip")).to_have_text(re.compile(r"来源方\s*四川省"))
    page.click(".said-chip")
    page.wait_for_url("**/ops/cases")

    page.keyboard.press("/")
    page.keyboard.type(focused)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/ops/cases/{focused}")
    assert page.faults == []


def test_new_cases_are_announced_within_two_seconds_and_the_rows_stay_where_they_are(filled, account, visit):
    page = visit(account("qian", "viewer"), "/ops/cases")
    page.wait_for_selector("#stream.is-live")
    first = page.locator("[data-row] [data-open]").first.inner_text()
    filled.sides["sichuan"].tell("send", n=1)
    until(lambda: len(list(filled.cases())) >= 41, 10, "one more")
    page.wait_for_selector(".newer-link", timeout=3_500)
    expect(page.locator("[data-row] [data-open]").first).to_have_text(first)
    page.click(".newer-link")
    page.wait_for_function("first => document.querySelector('[data-open]').textContent !== first", arg=first)


def test_a_persons_number_asked_for_in_the_search_leaves_no_trace_in_the_address(
    filled, account, visit, serious
):
    page = visit(account("sun", "operator"), "/ops/cases")
    page.fill("#find", SOMEBODY)
    page.press("#find", "Enter")
    page.wait_for_selector("#person-reason")
    assert serious(page) == []
    page.fill("#person-reason", "来电咨询")
    page.press("#person-reason", "Enter")
    page.wait_for_selector(".nothing-title")
    assert SOMEBODY not in page.url
    assert SOMEBODY not in page.content()
    assert page.faults == []


def test_an_export_is_watched_until_it_can_be_downloaded(filled, account, visit, serious):
    page = visit(account("li", "viewer"), "/ops/cases?origin=sichuan")
    page.click('[data-opens="export"]')
    page.keyboard.type("周报")
    page.keyboard.press("Enter")
    page.wait_for_url("**/ops/exports")
    with page.expect_download() as downloaded:
        page.click("a[download]")
    assert downloaded.value.suggested_filename.endswith(".xlsx")
    assert serious(page) == []
