"""``python tests/browser/pictures.py FOLDER``: the pictures of the documents, of every page in both languages.

A whole gateway with a morning's traffic, something parked, something refused; real Chromium.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(1, str(Path(__file__).parents[2]))
sys.path.insert(2, str(Path(__file__).parent))
from chromium import CHROMIUM, FLAGS, PASSWORD, TONGBAN
from town import Town
from waiting import until

from gateway.cli import demo_desk
from gateway.regions import discover

#: File name → path of the page; ``{case}`` is a delivered case, ``{parked}`` one that waits.
PAGES = {
    "sign-in": "/ops/sign-in",
    "overview": "/ops/",
    "routes": "/ops/routes",
    "cases": "/ops/cases",
    "case": "/ops/cases/{case}",
    "parked-case": "/ops/cases/{parked}",
    "stuck": "/ops/stuck",
    "rules": "/ops/rules",
    "alignment": "/ops/rules/alignment?item=pension_transfer",
    "performance": "/ops/performance",
    "running": "/ops/running",
    "audit": "/ops/audit",
    "wall": "/ops/wall",
}
LANGUAGES = {"zh": "zh-CN", "en": "en-GB"}
_CASES = 120


def main(folder):
    """Take them all."""
    folder.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="tongban-pictures-"))
    tables = demo_desk.tables_with_gaps(home, tuple(discover()))
    habits = ("--refuse-rate", "0.04", "--slow-rate", "0.05", "--slow-s", "0.5", "--work-s", "0.6")
    with Town(home, rest='[dashboard]\nsecond_factor = "optional"\n', habits=habits, tables=tables) as town:
        _people(town)
        _traffic(town)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
            for language, locale in LANGUAGES.items():
                _take(browser, town, folder, language, locale)
            browser.close()


def _people(town):
    for name, display, roles in (("lin", "林晓", "operator,approver,auditor"), ("hall", "大厅", "viewer")):
        command = [
            *TONGBAN,
            "staff",
            "add",
            name,
            "--roles",
            roles,
            "--display",
            display,
            "--no-second-factor",
        ]
        command += ["--password-file", "-", "--config", str(town.config)]
        subprocess.run(command, input=PASSWORD, text=True, check=True, env=os.environ | town.environ)


def _traffic(town):
    for side in town.sides.values():
        side.tell("worked")
        side.tell("rate", per_s=4, n=_CASES // 2)
    until(lambda: sum(1 for _ in town.cases()) >= _CASES, 120, "cases")
    time.sleep(15)


def _take(browser, town, folder, language, locale):
    context = browser.new_context(
        locale=locale,
        viewport={"width": 1366, "height": 768},
        timezone_id="Asia/Shanghai",
        reduced_motion="no-preference",
    )
    page = context.new_page()
    cases = list(town.cases())
    names = {
        "case": next(case["case_no"] for case in cases if case["state"]["code"] in {"40", "50", "60"}),
        "parked": next((case["case_no"] for case in cases if case["state"]["code"] == "10"), ""),
    }
    for name, path in PAGES.items():
        if name == "overview":
            _enter(page, town)
        if name == "wall":
            page.set_viewport_size({"width": 1920, "height": 1080})
        page.goto(town.stack.url + path.format(**names))
        page.wait_for_timeout(2500)
        page.screenshot(path=folder / f"{name}.{language}.png")
    context.close()


def _enter(page, town):
    page.goto(f"{town.stack.url}/ops/sign-in")
    page.fill("#name", "lin")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_selector("main#content")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
