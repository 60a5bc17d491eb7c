"""From "something is stuck" to "it has arrived", by somebody who reads nothing and never touches the mouse."""

import time

import pytest
from keyboard import reach
from waiting import until

TOWN = {
    "gaps": True,
    "habits": ("--work-s", "0.2"),
    "rest": '[dashboard]\nsecond_factor = "optional"\n[rules]\nwithout_keys = "alone"\n',
}


def parked(town):
    return town.client.get("/v1/parked").raise_for_status().json()["parked"]


@pytest.mark.usefixtures("waiting")
def test_what_is_stuck_is_found_understood_mended_and_arrives_by_the_keyboard_alone(
    account, visit, serious, town
):
    page = visit(account("shift", "operator,approver"))
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/ops/stuck")
    reach(page, "a[id$=-mend]")
    waiting = page.evaluate("document.activeElement.closest('tr').querySelector('.sample a').textContent")
    page.keyboard.press("Enter")
    page.wait_for_selector("#key:focus")
    page.keyboard.type(page.evaluate("document.querySelector('#keys option').textContent.split(' ')[0]"))
    page.keyboard.press("Tab")
    page.keyboard.type("双方会商记录")
    page.wait_for_selector("#draft .tone-good >> text=检查通过")
    reach(page, "#reason")
    page.keyboard.type("来源方的写法")
    page.keyboard.press("Enter")
    page.wait_for_url("**/ops/rules/releases/*")
    reach(page, "[data-opens=activate]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#activate[open]")
    page.keyboard.type("已核对依据和影响")
    page.keyboard.press("Enter")
    page.wait_for_selector("h1 >> text=现用")
    page.wait_for_load_state()
    # and the case itself, found by its number, has gone to the other side
    page.keyboard.press("/")
    page.keyboard.type(waiting)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/ops/cases/{waiting}")
    until(lambda: all(each["case_no"] != waiting for each in parked(town)), 30, "the case goes by itself")
    page.wait_for_selector("#case-attempts >> text=已送达", timeout=20_000)
    assert serious(page) == []
    assert page.faults == []


def test_what_happens_shows_within_two_seconds_without_a_hand(account, visit, town):
    page = visit(account("watcher", "viewer"))
    page.wait_for_selector("#stream.is-live")
    before = page.inner_text("#now")
    side = next(iter(town.sides.values()))
    side.tell("send", n=1)
    until(lambda: side.ask("summary")["sent"].get("accepted", 0), 10)
    began = time.monotonic()
    page.wait_for_function(
        "before => document.querySelector('#now').innerText !== before", arg=before, timeout=10_000
    )
    assert time.monotonic() - began < 2
