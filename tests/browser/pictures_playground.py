"""``python tests/browser/pictures_playground.py FOLDER``: the pictures of the playground, in both languages."""

import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path.insert(0, str(Path(__file__).parent))
from chromium import CHROMIUM, FLAGS, TONGBAN

#: File name → the sample that is in the page.
SAMPLES = {
    "refused": "sichuan-tbzy0001.refused",
    "parked": "chongqing-SYJ_SQ.parked",
    "lineage": "sichuan-tbzy0001",
}
LANGUAGES = {"zh": "zh-CN", "en": "en-GB"}


def main(folder):
    """Take them all."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [*TONGBAN, "playground", "--port", "0"]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
        sync_playwright() as playwright,
    ):
        address = re.search(r"http://\S+/playground/", process.stdout.readline())[0]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for language, locale in LANGUAGES.items():
            page = browser.new_page(locale=locale, viewport={"width": 1366, "height": 768})
            for name, sample in SAMPLES.items():
                page.goto(f"{address}?sample={sample}")
                page.wait_for_selector(".needs-script.is-on")
                _show(page, name)
                page.screenshot(path=folder / f"{name}.{language}.png")
        browser.close()
        process.terminate()


def _show(page, name):
    if name == "refused":
        page.locator("#findings button.jump").nth(1).click()
        page.wait_for_selector("#findings li.is-here")
    if name == "lineage":
        page.locator(".result").evaluate("result => window.scrollTo(0, result.offsetTop - 60)")
        page.locator(".form").first.locator(".v[data-t]", has_text='"01"').nth(1).focus()
        page.wait_for_selector(".v.is-from")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
