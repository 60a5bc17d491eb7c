"""What holds of every page, in both languages: nothing serious for axe-core, no sideways scroll, no fault, few bytes."""

import pytest
from waiting import until

TOWN = {
    "gaps": True,
    "habits": ("--work-s", "0.2", "--refuse-rate", "0.2"),
}
PAGES = (
    *("", "routes", "cases", "cases/{case}", "stuck", "reruns", "rules", "rules/tables", "rules/coverage"),
    *("rules/alignment", "performance", "running", "audit", "me", "exports", "wall", "nowhere"),
    *("../playground/", "../playground/?sample=chongqing-SYJ_SQ"),
)
#: What a page may move over the wire once its files are kept by the browser.
MOST_BYTES = 300_000
#: Charts are drawn, the stream is open, nothing is being asked for.
_WHOLE = """() => !document.querySelector(".htmx-request, #stream:not(.is-live)")
  && [...document.querySelectorAll("[data-chart]")].every((each) => each.querySelector("canvas, svg"))"""
_MOVED = "performance.getEntries().reduce((sum, each) => sum + (each.transferSize || 0), 0)"


@pytest.fixture(scope="module")
def case(town):
    """A morning's work: cases that ended, some refused, some that wait for a row."""
    for side in town.sides.values():
        side.tell("send", n=30)
    until(lambda: len(list(town.cases())) >= 50 and town.pending() == 0, 60, "cases that end")
    return next(each["case_no"] for each in town.cases() if each["state"]["code"] in {"40", "50", "60"})


@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
def test_every_page_is_accessible_fits_the_screen_and_is_light(town, account, visit, serious, case, language):
    page = visit(account(f"all-{language[:2]}", "operator,approver,auditor"), language=language)
    found = {}
    for path in PAGES:
        page.faults.clear()
        page.goto(f"{town.stack.url}/ops/{path.format(case=case)}")
        page.wait_for_function(_WHOLE)
        faults = [] if path == "nowhere" else list(page.faults)
        # what axe-core looks at is the same in both languages, but for the words; it takes a second a page
        faults += serious(page) if language == "zh-CN" else []
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append("scrolls sideways")
        if (moved := page.evaluate(_MOVED)) > MOST_BYTES:
            faults.append(f"{moved} bytes")
        if faults:
            found[path] = faults
    assert found == {}
