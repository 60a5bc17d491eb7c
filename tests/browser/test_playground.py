"""The playground in a real browser, by itself: lines, jumps, lit fellows, links; also without a mouse."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from chromium import TONGBAN
from keyboard import reach

from gateway.dashboard.playground.link import Links
from gateway.runtime import SystemClock

ADAPTERS = Path(__file__).parents[2] / "adapters"
REFUSED = ADAPTERS / "sichuan" / "samples" / "tbzy0001.refused.native.json"
XML = ADAPTERS / "chongqing" / "examples" / "SYJ_SQ.native.xml"
PICKED = "document.querySelector('#message').value.slice(document.querySelector('#message').selectionStart, document.querySelector('#message').selectionEnd)"


@pytest.fixture(scope="module")
def address():
    """``tongban playground``: no database, no Redis."""
    environ = os.environ | {"PYTHONUNBUFFERED": "1"}
    command = [*TONGBAN, "playground", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        yield re.search(r"http://\S+/playground/", process.stdout.readline())[0]
        process.terminate()


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="zh-CN")
    context.set_default_timeout(20_000)
    opened = context.new_page()
    opened.faults = []
    opened.on("pageerror", lambda error: opened.faults.append(str(error)))
    opened.on("console", lambda line: opened.faults.append(line.text) if line.type == "error" else None)
    yield opened
    assert opened.faults == []
    context.close()


def wide(page):
    return page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_a_pasted_message_shows_its_faults_by_line_and_leads_there(page, address, serious):
    page.goto(address)
    assert serious(page) == []
    page.fill("#message", REFUSED.read_text("utf-8"))
    page.press("#message", "Control+Enter")
    page.wait_for_selector(".verdict.is-refused")
    assert page.locator(".flag").all_inner_texts() == ["1", "24", "35"]
    page.locator("#findings button.jump", has_text="24").click()
    assert page.evaluate(PICKED) == "20261323"
    stripe = page.locator('.stripe[data-line="24"]').bounding_box()
    editor = page.locator("#editor").bounding_box()
    assert editor["y"] <= stripe["y"] <= editor["y"] + editor["height"]
    assert serious(page) == []
    assert not wide(page)
    page.keyboard.type("20261123")
    page.press("#message", "Control+Enter")
    page.wait_for_function("() => document.querySelectorAll('.flag').length === 2")


def test_a_message_on_one_line_is_laid_out_in_lines(page, address):
    page.goto(address)
    page.fill("#message", REFUSED.read_text("utf-8").replace("\n", ""))
    page.locator("button[name=layout]").click()
    page.wait_for_selector(".verdict.is-refused")
    assert len(page.locator(".flag").all_inner_texts()) == 3
    page.locator("#findings button.jump").nth(1).click()
    assert page.evaluate(PICKED) == "20261323"


def test_a_file_keeps_its_bytes_and_its_values_light_their_fellows_and_their_line_of_the_trace(
    page, address, serious
):
    page.goto(address)
    page.set_input_files("input[type=file]", XML)
    page.wait_for_selector(".verdict.is-taken")
    assert f"{XML.stat().st_size} B" in page.inner_text("#bytes")
    value = page.locator(".form").first.locator(".v[data-t]", has_text="土家族")
    value.hover()
    lit = page.locator(".v.is-lit").all_inner_texts()
    assert len(lit) == 3
    assert '"15"' in lit
    assert "ethnic_group.csv" in page.inner_text(".threads li.is-lit")
    page.locator(".threads li", has_text="BODY/SQR/XB").first.hover()
    assert "女" in page.locator(".v.is-lit").all_inner_texts()
    assert serious(page) == []
    assert not wide(page)
    with page.expect_download() as saved:
        page.locator("[data-save]").click()
    assert '"fwid":"tbsy0001"' in Path(saved.value.path()).read_text("utf-8")


def test_a_file_too_long_is_told_at_once_and_is_not_sent_along_with_what_is_typed_then(page, address):
    page.goto(address)
    long = {"name": "long.json", "mimeType": "application/json", "buffer": b" " * (1 << 20) + b"{}"}
    page.set_input_files("input[type=file]", long)
    page.wait_for_selector("#bytes.ink-bad")
    assert "1 MiB" in page.inner_text("#bytes")
    page.fill("#message", XML.read_bytes().decode("gb18030"))
    page.press("#message", "Control+Enter")
    page.wait_for_selector(".verdict.is-taken")
    assert page.locator("#bytes.ink-bad").count() == 0


def test_a_link_opens_here_and_one_of_another_deployment_says_why_not(page, address):
    page.goto(f"{address}?sample=chongqing-SYJ_SQ.parked")
    page.click("#share")
    page.wait_for_selector("#link[open]")
    link = page.input_value("#link-address")
    sent = []
    page.on("request", lambda request: sent.append(request.url))
    page.goto("about:blank")
    page.goto(link)
    page.wait_for_selector(".verdict.is-parked")
    assert "公司搬迁" in page.input_value("#message")
    assert not any(link.split("#m=")[1][:40] in url.split("#")[0] for url in sent)
    foreign, _ = Links(bytes(32), 7).seal({"text": "{}"}, SystemClock().now())
    page.goto("about:blank")
    page.goto(f"{address}#m={foreign}")
    page.wait_for_selector(".verdict-head.tone-bad")
    assert "另一台机器" in page.inner_text(".verdict")


def test_all_of_it_can_be_done_without_a_mouse(page, address):
    page.goto(address)
    reach(page, "details.samples > summary")
    page.keyboard.press("Enter")
    reach(page, 'a[href*="sichuan-tbzy0001.refused"]')
    page.keyboard.press("Enter")
    page.wait_for_selector(".verdict.is-refused")
    reach(page, "#findings li:nth-child(2) button")
    page.keyboard.press("Enter")
    assert page.evaluate(PICKED) == "20261323"
    page.goto(f"{address}?sample=sichuan-tbzy0001")
    reach(page, ".form .v[data-t]")
    page.keyboard.press("ArrowDown")
    assert page.locator(".v.is-from").count() == 1
    assert page.inner_text(".thread .rule") != ""
    page.keyboard.press("Escape")
    assert page.locator(".v.is-lit").count() == 0
