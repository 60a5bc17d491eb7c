"""A whole gateway in a real Chromium: skipped, loudly, where no Chromium is found."""

import os
import sys
import warnings
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(1, str(Path(__file__).parent))
from aside import aside
from chromium import CHROMIUM, FLAGS, PASSWORD
from town import Town
from waiting import until

from gateway.cli.demo_desk import tables_with_gaps
from gateway.exchange import accounts
from gateway.regions import discover
from gateway.runtime import Runtime, configure

# a page may take its time beside other tests; what must come soon says so itself
expect.set_options(timeout=20_000)

NO_CHROMIUM = (
    "no Chromium found: the pages of /ops are NOT tested. Install one (Debian: apt-get install chromium) "
    "or name it in TONGBAN_CHROMIUM"
)


def pytest_collection_modifyitems(items):
    here = [item for item in items if Path(__file__).parent in Path(item.fspath).parents]
    if here and CHROMIUM is None:
        warnings.warn(pytest.PytestWarning(NO_CHROMIUM), stacklevel=1)
        for item in here:
            item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))


@pytest.fixture(scope="module")
def town(tmp_path_factory, request):
    """The gateway as it is served, between two simulated regions; a module may set ``TOWN``, also ``gaps`` in the tables."""
    options = {"rest": '[dashboard]\nsecond_factor = "optional"\n'} | getattr(request.module, "TOWN", {})
    if options.pop("gaps", False):
        options["tables"] = tables_with_gaps(tmp_path_factory.mktemp("gaps"), tuple(discover()))
    with Town(tmp_path_factory.mktemp("town"), **options) as running:
        yield running


@pytest.fixture(scope="module")
def waiting(town):
    """``waiting()``: what waits for a row the tables lack, by the row; there is something."""

    def groups():
        return town.client.get("/v1/parked/groups").raise_for_status().json()["groups"]

    for _ in range(40):
        for side in town.sides.values():
            side.tell("send", n=2)
        if groups():
            break
    until(groups, 20, "a case is parked")
    return groups


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def account(town):
    """``account(name, roles)``: makes a person; the password is everybody's."""

    async def add(name, roles):
        async with Runtime.open(configure(town.config, os.environ | town.environ), role="cli") as rt:
            await accounts.add(rt, name, name, roles, PASSWORD, second_factor=False, actor="staff:tests")

    def make(name, roles):
        aside(add(name, roles.split(",")))
        return name

    return make


@pytest.fixture
def visit(town, browser):
    """``visit(name, path)``: a page of a browser of its own, signed in as this person."""
    open_ = []

    def go(name, path="/ops/", *, language="zh-CN", size=(1366, 768)):
        context = browser.new_context(
            locale=language, viewport={"width": size[0], "height": size[1]}, timezone_id="Asia/Shanghai"
        )
        context.set_default_timeout(20_000)
        open_.append(context)
        page = context.new_page()
        page.faults = []
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.on("console", lambda line: page.faults.append(line.text) if line.type == "error" else None)
        page.goto(f"{town.stack.url}{path}")
        if name is not None:
            page.fill("#name", name)
            page.fill("#password", PASSWORD)
            page.press("#password", "Enter")
            page.wait_for_selector("main#content")
            page.wait_for_load_state()  # its scripts hear the keyboard, and are kept for the pages that follow
        return page

    yield go
    for context in open_:
        context.close()


@pytest.fixture
def serious():
    """``serious(page)``: what axe-core finds serious or critical on it, a line each."""

    def look(page):
        found = Axe().run(page).response["violations"]
        return [
            f"{each['id']}: {node['html'][:160]}"
            for each in found
            if each["impact"] in {"serious", "critical"}
            for node in each["nodes"]
        ]

    return look
