"""Time limits and indicators, as a person with a keyboard meets them."""

import os
from datetime import timedelta

import pytest
from aside import aside
from playwright.sync_api import expect
from waiting import until

from gateway.runtime import Runtime, configure
from gateway.store.performance import Folder

#: What a page may move over the wire once its files are kept by the browser.
MOST_BYTES = 300_000
EACH_WAY = 12


@pytest.fixture(scope="module")
def busy(town):
    """Cases went both ways and are over; workers would fold them within a minute, here it is done at once."""
    for side in town.sides.values():
        side.tell("send", n=EACH_WAY)
    until(lambda: len(list(town.cases())) == 2 * EACH_WAY and town.pending() == 0, 60, "cases that end")
    aside(_folded(town))
    return town


async def _folded(town):
    async with Runtime.open(configure(town.config, os.environ | town.environ), role="cli") as rt:
        folder = Folder(rt.engine, rt.vault, rt.tables.calendar)
        assert await folder.is_complete()  # a worker has walked through all there was when it came
        while (await folder.walk()).more:
            continue
        await folder.fold(settled_after=timedelta())


def test_a_number_leads_to_its_cases_by_keyboard_alone(busy, account, visit, serious):
    page = visit(account("viewer", "viewer"), "/ops/performance")
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 1366
    assert page.evaluate(_MOVED) < MOST_BYTES

    page.focus("[data-opens=what-on_time]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#what-on_time[open]")
    page.keyboard.press("Escape")
    expect(page.locator("[data-opens=what-on_time]")).to_be_focused()

    page.focus("select[name=period]")
    page.select_option("select[name=period]", "year")
    page.wait_for_url("**period=year**")
    page.wait_for_selector("select[name=period] option[value=year][selected]", state="attached")
    number = page.locator("section:has(#items-title) td.num a[href*='measure=received']").first
    counted = int(number.inner_text())
    number.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/performance/cases?measure=received**")
    assert counted > 0
    expect(page.locator("table.listed tbody tr")).to_have_count(counted)
    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 1366

    page.goto(f"{busy.stack.url}/ops/language?to=en&next=/ops/performance")
    page.wait_for_selector("h1:has-text('Performance')")
    assert page.evaluate("document.documentElement.scrollWidth") == 1366
    assert serious(page) == []
    assert page.faults == []


#: Bytes over the wire of a page whose files the browser has kept.
_MOVED = """async () => {
  const sizes = performance.getEntriesByType("navigation").concat(performance.getEntriesByType("resource"));
  return sizes.filter((each) => !each.name.includes("/static/")).reduce((sum, each) => sum + each.transferSize, 0);
}"""
