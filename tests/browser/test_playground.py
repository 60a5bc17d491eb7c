"""The playground in a real browser, by itself: lines, jumps, lit fellows, links; also without a mouse."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from chromium import TONGBAN
from keyboard import reach
from playwright.sync_api import expect

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
    expect(page.locator(".flag")).to_have_text(["1", "24", "35"])
    page.locator("#findings button.jump", has_text="24").click()
    page.wait_for_function(f"picked => {PICKED} === picked", arg="20261323")
    stripe = page.locator('.stripe[data-line="24"]').bounding_box()
    editor = page.locator("#editor").bounding_box()
    assert editor["y"] <= stripe["y"] <= editor["y"] + editor["height"]
    assert serious(page) == []
    assert not wide(page)
    page.keyboard.type("20261123")
    page.press("#message", "Control+Enter")
    expect(page.locator(".flag")).to_have_count(2)


def test_a_message_on_one_line_is_laid_out_in_lines(page, address):
    page.goto(address)
    page.fill("#message", REFUSED.read_text("utf-8").replace("\n", ""))
    page.locator("button[name=layout]").click()
    page.wait_for_selector(".verdict.is-refused")
    expect(page.locator(".flag")).to_have_count(3)
    page.locator("#findings button.jump").nth(1).click()
    page.wait_for_function(f"picked => {PICKED} === picked", arg="20261323")


def test_a_file_keeps_its_bytes_and_its_values_light_their_fellows_and_their_line_of_the_trace(
    page, address, serious
):
    page.goto(address)
    page.set_input_files("input[type=file]", XML)
    page.wait_for_selector(".verdict.is-taken")
    expect(page.locator("#bytes")).to_contain_text(f"{XML.stat().st_size} B")
    value = page.locator(".form").first.locator(".v[data-t]", has_text="土家族")
    value.hover()
    lit = page.locator(".v.is-lit")
    expect(lit).to_have_count(3)
    expect(lit.filter(has_text=re.compile('^"15"$')).first).to_be_visible()
    expect(page.locator(".threads li.is-lit")).to_contain_text("ethnic_group.csv")
    page.locator(".threads li", has_text="BODY/SQR/XB").first.hover()
    expect(lit.filter(has_text=re.compile("^女$")).first).to_be_visible()
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
    expect(page.locator("#bytes")).to_contain_text("1 MiB")
    page.fill("#message", XML.read_bytes().decode("gb18030"))
    page.press("#message", "Control+Enter")
    page.wait_for_selector(".verdict.is-taken")
    expect(page.locator("#bytes.ink-bad")).to_have_count(0)


def test_a_link_opens_here_and_one_of_another_deployment_says_why_not(page, address):
    page.goto(f"{address}?sample=chongqing-SYJ_SQ.parked")
    page.click("#share")
    page.wait_for_selector("#link[open]")
    expect(page.locator("#link-address")).to_have_value(re.compile("#m="))
    link = page.input_value("#link-address")
    sent = []
    page.on("request", lambda request: sent.append(request.url))
    page.goto("about:blank")
    page.goto(link)
    page.wait_for_selector(".verdict.is-parked")
    expect(page.locator("#message")).to_have_value(re.compile("公司搬迁"))
    assert not any(link.split("#m=")[1][:40] in url.split("#")[0] for url in sent)
    foreign, _ = Links(bytes(32), 7).seal({"text": "{}"}, SystemClock().now())
    page.goto("about:blank")
    page.goto(f"{address}#m={foreign}")
    page.wait_for_selector(".verdict-head.tone-bad")
    expect(page.locator(".verdict")).to_contain_text("另一台机器")


def test_all_of_it_can_be_done_without_a_mouse(page, address):
    page.goto(address)
    reach(page, "details.samples > summary")
    page.keyboard.press("Enter")
    reach(page, 'a[href*="sichuan-tbzy0001.refused"]')
    page.keyboard.press("Enter")
    page.wait_for_selector(".verdict.is-refused")
    reach(page, "#findings li:nth-child(2) button")
    page.keyboard.press("Enter")
    page.wait_for_function(f"picked => {PICKED} === picked", arg="20261323")
    page.goto(f"{address}?sample=sichuan-tbzy0001")
    reach(page, ".form .v[data-t]")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".v.is-from")).to_have_count(1)
    expect(page.locator(".thread .rule")).not_to_be_empty()
    page.keyboard.press("Escape")
    expect(page.locator(".v.is-lit")).to_have_count(0)
