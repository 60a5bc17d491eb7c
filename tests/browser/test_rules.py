"""A missing row mended by two people without the mouse: found, proposed, tried, confirmed, and the message arrives."""

import pytest
from keyboard import reach
from playwright.sync_api import expect
from waiting import until

TOWN = {
    "gaps": True,
    "habits": ("--work-s", "0.2"),
}


def test_two_people_mend_a_missing_row_without_the_mouse_and_what_waited_arrives(
    account, visit, serious, waiting
):
    cause = waiting()[0]
    address = (
        f"/ops/rules/missing?cause={cause['code']}:{cause['path']}={cause['value']}&region={cause['region']}"
    )
    first = visit(account("wang", "operator"), address)
    first.wait_for_selector("#key:focus")
    assert serious(first) == []
    # the meaning is chosen by its name; the one without a word of the sender is the first
    first.keyboard.type(first.evaluate("document.querySelector('#keys option').textContent.split(' ')[0]"))
    first.keyboard.press("Tab")
    first.keyboard.type("双方会商记录")
    first.wait_for_selector("#draft .tone-good >> text=检查通过")
    reach(first, "#reason")
    first.keyboard.type("来源方的写法")
    first.keyboard.press("Enter")
    first.wait_for_url("**/ops/rules/releases/*")
    first.wait_for_selector("#trial >> text=已完成", timeout=30_000)
    expect(first.locator("text=启用").first).to_be_disabled()
    assert serious(first) == []

    second = visit(account("li", "approver"), "/ops/rules")
    assert serious(second) == []
    reach(second, ".todo a")
    second.keyboard.press("Enter")
    reach(second, "[data-opens=activate]")
    second.keyboard.press("Enter")
    second.wait_for_selector("#activate[open]")
    second.keyboard.type("已核对依据和影响")
    second.keyboard.press("Enter")
    second.wait_for_selector(".toast-line >> text=已启用")
    second.wait_for_selector("h1 >> text=现用")
    same = ("code", "path", "value")
    until(
        lambda: (
            not any([each[name] for name in same] == [cause[name] for name in same] for each in waiting())
        ),
        30,
        "what waited goes by itself",
    )
    assert [*first.faults, *second.faults] == []


@pytest.mark.parametrize(
    "path", ["rules/tables", "rules/diff", "rules/coverage", "rules/alignment?item=pension_transfer"]
)
def test_the_pages_about_rules_fit_and_axe_finds_nothing_serious(account, visit, serious, path):
    page = visit("wang", f"/ops/{path}")
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.faults == []
