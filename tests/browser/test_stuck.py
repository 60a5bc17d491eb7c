"""Stuck messages run again in bulk by two persons, and a connection test, in a real browser by the keyboard."""

import re

import pytest
from aside import aside
from keyboard import reach
from playwright.sync_api import expect
from waiting import until

TOWN = {
    "delivery": "schedule_s = [0.2]\ngive_up_s = 0.5\ntimeout_s = 2\nlease_s = 4\nrerun_alone_up_to = 2",
    "habits": ("--work-s", "0.2"),
}


def waiting(town):
    """Rows of the queue by state."""
    return aside(town.open_deliveries())


@pytest.fixture(scope="module")
def dead(town):
    """Four messages that have died because the other side was down; it is back."""
    side, other = town.sides["sichuan"], town.sides["chongqing"]
    other.tell("faults", {"down": True})
    side.tell("send", n=4)
    until(lambda: waiting(town).get("dead", 0) >= 4, 30, str(waiting(town)))
    other.tell("faults", {"down": False})
    return "chongqing"


def test_two_persons_rerun_a_group_of_dead_messages_without_the_mouse(account, visit, serious, dead, town):
    first = visit(account("zhang", "operator"), "/ops/")
    second = visit(account("li", "approver"), "/ops/reruns")
    assert serious(second) == []
    second.wait_for_selector("#stream.is-live")
    first.keyboard.press("g")
    first.keyboard.press("s")
    first.wait_for_selector("text=对方多次答复暂不能受理")
    assert serious(first) == []
    reach(first, "#dead a[id$=-try]")
    first.keyboard.press("Enter")
    first.wait_for_selector("text=4 条将重新投递")
    assert serious(first) == []
    expect(first.locator("#reason")).to_be_focused()
    first.keyboard.type("对方已恢复")
    first.keyboard.press("Enter")
    first.wait_for_selector("text=等另一人批准，批准后才开始")
    expect(first.locator(".approvers")).to_contain_text(re.compile(r"可以批准的人：\s*li"))
    assert waiting(town)["dead"] >= 4

    # the second person's list shows it without being asked
    second.wait_for_selector("text=待批准", timeout=3000)
    reach(second, "a.job-link")
    second.keyboard.press("Enter")
    reach(second, "[data-opens=approve]")
    second.keyboard.press("Enter")
    second.wait_for_selector("#approve[open]")
    second.keyboard.type("已核对试算")
    second.keyboard.press("Enter")

    # and the first person's page follows by itself to the end
    first.wait_for_selector("text=全部有了结果", timeout=15_000)
    expect(first.locator(".job-figures")).to_contain_text("4 / 4")
    expect(first.locator(".became")).to_contain_text("已送达")
    assert serious(first) == []
    first.goto(f"{town.stack.url}/ops/stuck")
    first.wait_for_selector("main")
    expect(first.locator("#dead")).to_be_hidden()
    assert first.faults == []
    assert second.faults == []


def test_the_connection_test_shows_its_steps_as_they_end(account, visit, serious, town):
    page = visit(account("wang", "operator"), "/ops/routes")
    assert serious(page) == []
    reach(page, "[data-opens=chongqing-probe]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#chongqing-probe[open]")
    page.keyboard.type("例行检查")
    page.keyboard.press("Enter")
    page.wait_for_selector(".verdict")
    expect(page.locator(".walk")).to_contain_text("对方认可网关的凭证")
    expect(page.locator(".walk")).not_to_contain_text("未检查")
    expect(page.locator("#verdict")).to_contain_text("每一步都通")
    assert serious(page) == []
    assert page.faults == []
