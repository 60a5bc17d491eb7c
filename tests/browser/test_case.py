"""One case in a real browser: values light their fellows, the page follows the case, an unmasked look ends."""

import json
import re
import secrets
import time
from datetime import UTC, datetime

import httpx
import pytest
from peer import example
from playwright.sync_api import expect
from waiting import until

from gateway.conformance.simulator import stand_in_of

PERSON = "510100198803150179"
PLACE = "document.querySelector('#messages').getBoundingClientRect().top"


@pytest.fixture(scope="module")
def hand_in(town):
    """``hand_in(number, **changes)``: the worked transfer application, changed; the number of its case."""
    side = stand_in_of("sichuan")
    keys = side.keys(json.loads((town.home / "sichuan.json").read_text()))

    def send(number, **changes):
        tree = json.loads(example("tbzy0001"))
        tree.pop("cytbh", None)
        today = datetime.fromtimestamp(time.time(), UTC).strftime("%Y%m%d")
        tree |= {"aaz002": f"SC{today}{number:09d}", "affairCode": f"510104-{today}-{number:06d}"}
        tree["param"] |= changes
        said = side.adopt(json.dumps(tree, ensure_ascii=False).encode())
        headers, body = side.request(
            said, keys, datetime.fromtimestamp(time.time(), UTC), secrets.token_hex(8)
        )
        answer = httpx.post(town.stack.url + side.outbox, content=body, headers=dict(headers))
        return answer.json()["cytbh"]

    return send


def state_of(town, case_no):
    return town.client.get(f"/v1/cases/{case_no}").json()["state"]["code"]


def test_a_value_lights_its_fellows_by_keyboard_and_the_unmasked_look_ends(
    town, account, visit, hand_in, serious
):
    case_no = hand_in(9201)
    until(lambda: state_of(town, case_no) != "20", 20, "delivered")
    page = visit(account("wang", "operator"), f"/ops/cases/{case_no}")
    page.wait_for_selector("[data-spread]")
    if not page.evaluate("document.querySelector('#m1').open"):
        page.locator("#m1 > summary").click()
    value = page.locator("#m1 .form").first.locator(".v[data-t]", has_text='"01"').nth(1)
    value.focus()
    expect(page.locator("#m1 .thread")).to_contain_text(re.compile("汉族.*M1|M1.*汉族", re.DOTALL))
    expect(page.locator(".v.is-lit", has_text=re.compile("^汉族$")).first).to_be_visible()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(
        "document.activeElement.closest('.form') === document.querySelectorAll('#m1 .form')[1]"
    )
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('.v[data-t]')")
    page.keyboard.press("Escape")
    expect(page.locator(".v.is-lit")).to_have_count(0)
    assert serious(page) == []
    # no horizontal scrolling of the page at this size
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    assert PERSON not in page.content()
    page.click('[data-opens="reveal-1"]')
    page.keyboard.type("核对证件号码")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-revealed]")
    assert PERSON in page.content()
    assert "reveal" not in page.url
    page.locator("#m1 > summary").click()
    until(lambda: PERSON not in page.content(), 5, "masked again")
    assert page.faults == []


def test_the_page_follows_its_case_and_closes_nothing_that_is_open(town, account, visit, hand_in, serious):
    case_no = hand_in(9202, aac005="77")
    page = visit(account("zhao", "operator"), f"/ops/cases/{case_no}")
    page.wait_for_selector("#stream.is-live")
    page.locator("#flow-text > summary").click()
    page.locator("#why-nots > summary").focus()
    assert serious(page) == []
    message = re.search(r'name="message" value="([^"]+)"', page.content())[1]
    page.evaluate("scrollTo(0, 300)")
    before = page.evaluate(PLACE)
    town.client.post(f"/v1/deliveries/{message}/cancel", json={"reason": "请对方重报"}).raise_for_status()
    page.wait_for_selector("#case-now >> text=没有未结束的投递", timeout=4000)
    assert page.evaluate("document.querySelector('#flow-text').open")
    page.wait_for_function("() => document.activeElement.closest('#why-nots') !== null")
    # what is read stays where it is, though a piece above it became shorter
    page.wait_for_function(f"before => Math.abs({PLACE} - before) < 3", arg=before)
    assert page.faults == []


def test_a_dialog_in_use_is_left_alone_until_it_is_closed(town, account, visit, hand_in):
    case_no = hand_in(9203, aac005="77")
    page = visit(account("qian", "operator"), f"/ops/cases/{case_no}")
    page.wait_for_selector("#stream.is-live")
    page.click('[data-opens="cancel-1"]')
    page.keyboard.type("正在写")
    message = re.search(r'name="message" value="([^"]+)"', page.content())[1]
    town.client.post(f"/v1/deliveries/{message}/cancel", json={"reason": "别人先取消"}).raise_for_status()
    page.wait_for_selector("#case-timeline >> text=别人先取消", timeout=5000)
    expect(page.locator("#cancel-1-reason")).to_have_value("正在写")
    page.keyboard.press("Escape")
    page.wait_for_selector("#case-now >> text=没有未结束的投递", timeout=4000)
    assert page.faults == []
