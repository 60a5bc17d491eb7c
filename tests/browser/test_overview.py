"""The first page and the wall in a real browser: live within two seconds, whole on its screen, loud when it is stale."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

#: What a person sees the change in, from the message at the door on. Milliseconds.
SOON_MS = 2_000
RECEIVED = "#figure-received .figure-number"


def send(town):
    """One message at the gateway's door; returns when it has its receipt."""
    side = next(iter(town.sides.values()))
    before = len(side.ask("sent")["sent"])
    side.tell("rate", per_s=50, n=1)
    while len(side.ask("sent")["sent"]) == before:
        pass


@pytest.fixture(scope="module")
def lin(account):
    return account("map-lin", "operator")


@pytest.fixture(scope="module")
def hall(account):
    return account("map-hall", "viewer")


def test_a_message_shows_on_the_first_page_within_two_seconds(lin, visit, town, serious):
    page = visit(lin)
    page.wait_for_selector("#stream.is-live")
    page.wait_for_selector("#flow-map canvas")
    before = page.inner_text(RECEIVED)
    send(town)
    expect(page.locator(RECEIVED)).not_to_have_text(before, timeout=SOON_MS)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious(page) == []
    assert page.faults == []


def test_spans_change_and_numbers_open_by_keyboard_alone(lin, visit):
    page = visit(lin)
    page.wait_for_selector("#throughput-24h canvas")
    page.focus("#span-1h")
    page.keyboard.press("Enter")
    page.wait_for_selector("#span-1h[aria-current]")
    page.wait_for_selector("#throughput-1h canvas")
    page.focus("details.curve-numbers summary")
    page.keyboard.press("Enter")
    page.wait_for_selector("details.curve-numbers table")
    expect(page.locator("details.curve-numbers tbody tr")).to_have_count(60)
    assert page.faults == []


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (3840, 2160)])
def test_the_wall_fills_its_screen_without_scrolling_in_letters_for_five_metres(
    hall, visit, serious, width, height
):
    page = visit(hall, "/ops/wall", size=(width, height))
    page.wait_for_selector("#fresh.is-live")
    page.wait_for_selector("#flow-map canvas")
    whole = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert whole == [width, height]
    sizes = {
        name: page.evaluate(f"parseFloat(getComputedStyle(document.querySelector('{name}')).fontSize)")
        for name in (".wall-number", ".wall-label", ".wall-lamp strong", ".wall-clock", ".wall-needs h2")
    }
    assert min(sizes.values()) >= 28 * width / 1920, sizes
    assert sizes[".wall-number"] >= 60 * width / 1920
    inside = """[...document.querySelectorAll('.wall-figure, .wall-lamp, .wall-took, .wall-needs, .wall-key')].every((each) => {
      const box = each.getBoundingClientRect();
      return box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight;
    })"""
    assert page.evaluate(inside)
    assert serious(page) == []
    assert page.faults == []
    # of twelve routes each has its place too, and so has what stands below them
    page.evaluate("""() => {
      const list = document.querySelector('.wall-lamps');
      list.classList.add('is-crowd');
      document.querySelector('.wall-body').classList.add('is-crowded');
      list.querySelectorAll('small').forEach((each) => each.remove());
      while (list.children.length < 12) list.append(list.firstElementChild.cloneNode(true));
    }""")
    assert page.evaluate(inside)
    over = """[...document.querySelectorAll('.wall-lamp, .wall-took')].filter((each) => {
      const box = each.getBoundingClientRect(), around = each.closest('.wall-side').getBoundingClientRect();
      return box.bottom > around.bottom || box.right > around.right;
    }).length"""
    assert page.evaluate(over) == 0


def test_a_wall_that_hears_nothing_says_so_and_comes_back_by_itself(hall, visit):
    page = visit(hall, "/ops/wall", size=(1920, 1080))
    page.wait_for_selector("#fresh.is-live")
    # no word of the stream comes through: one heard in between would mend the wall before anybody looked
    page.route("**/ops/live?wall=1", lambda route: route.abort())
    page.clock.install()
    page.reload()
    page.wait_for_selector("#fresh.is-live", state="attached")
    page.clock.fast_forward(30_000)
    page.wait_for_selector("body.is-stale #lost:not([hidden])")
    expect(page.locator("#lost")).to_contain_text("秒")
    page.unroute("**/ops/live?wall=1")
    # the stream goes on: with the next word of it the wall is whole again
    page.wait_for_selector("body:not(.is-stale) #fresh.is-live", timeout=25_000)
    expect(page.locator("#lost")).to_be_hidden()
