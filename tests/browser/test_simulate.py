"""The page of `tongban simulate` in a real Chromium."""

from __future__ import annotations

import signal
import subprocess
import sys

import httpx
import pytest
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def side(tmp_path_factory):
    """The URL of a simulated region without a gateway."""
    home = tmp_path_factory.mktemp("simulate")
    code = "from gateway.cli.main import app; app()"
    options = ["--port", "0", "--home", str(home), "--gateway-url", "http://127.0.0.1:9"]
    command = [sys.executable, "-c", code, "simulate", "chongqing", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        yield run.stdout.readline().split()[1]
        run.send_signal(signal.SIGTERM)


def test_an_integrator_sees_what_was_sent_and_makes_it_fail(side, browser, serious):
    page = browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 768}).new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    page.goto(side)
    page.wait_for_selector("#name:has-text('重庆市')")
    expect(page.locator("#empty")).to_contain_text("还没有报文")

    page.select_option("#kind", "transfer.apply")
    page.click("#send button")
    page.wait_for_selector("#list tr:has-text('养老保险关系转移申请')")
    page.locator("#list tr button").last.click()
    page.wait_for_selector("#detail:not([hidden])")
    body = page.inner_text("#detail pre >> nth=0")
    assert "<JYM>YLZY_SQ</JYM>" in body
    assert "*" in body.split("<XM>")[1][:4], "persons are masked"
    assert serious(page) == []

    kept = page.query_selector("#list tr:last-child")
    page.click("#send button")
    page.wait_for_function(
        "() => new Set([...document.querySelectorAll('#list .mono')].map(e => e.textContent)).size > 1"
    )
    assert kept.evaluate("row => row.isConnected"), "rows stay under the pointer when others come"

    # what is set elsewhere is shown, and its seconds are kept when something else is chosen here
    httpx.post(f"{side}/sim/script", json={"faults": "delay=0.3:1.5"})
    page.wait_for_selector(".fault.on:has-text('延迟应答')")
    page.locator(".fault:has-text('拒收') select").select_option("1")
    page.wait_for_selector(".fault.on:has-text('拒收')")
    rates = httpx.get(f"{side}/sim/script").json()["rates"]
    assert {rate["does"]: (rate["share"], rate["seconds"]) for rate in rates} == {
        "delay": (0.3, 1.5),
        "refuse": (1.0, 0.0),
    }
    page.click("#calm")
    page.wait_for_selector(".fault.on", state="detached")

    page.click("#language")
    expect(page.locator("#log-title")).to_have_text("Messages")
    expect(page.locator("#list tr").first.locator("button", has_text="Pension transfer")).to_have_count(1)
    page.on("dialog", lambda dialog: dialog.accept())
    page.click("#reset")
    page.wait_for_selector("#empty:has-text('Nothing yet')")
    assert faults == []
    page.context.close()
