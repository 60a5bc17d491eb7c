"""Every block of every page runs: in the page's order, in a fresh clone, against a real gateway.

A block that no test can run says so on the line before it (``<!-- elsewhere: why -->``); these are counted.
"""

from __future__ import annotations

import ast
import csv
import json
import re
import tomllib
from collections import Counter
from xml.etree import ElementTree as ET

import pytest
from pages import PAGES, ROOT, blocks_of, name_of, same_without_words
from world import START

from gateway.errors import CannotStart
from gateway.settings import load

pytestmark = pytest.mark.timeout(300)
#: languages of blocks that are shown, not run
SHOWN = {"", "text", "http", "yaml"}
RUN = {"bash", "python", "toml", "json", "xml", "csv"}
ENGLISH = [page for page in PAGES if page.name.endswith(".en.md")]


def is_its_own(page):
    """An English page has the blocks of the Chinese one: they are run there."""
    return not (page.name.endswith(".en.md") and chinese(page).exists())


def chinese(page):
    return page.with_name(page.name.removesuffix(".en.md") + ".md")


WITH_BLOCKS = [page for page in PAGES if is_its_own(page) and page != START and blocks_of(page)]


def told(results):
    return "\n".join(
        f"{each.block.page}:{each.block.line} ended with {each.status}\n{each.block.text}---\n{each.said[-2500:]}"
        for each in results
        if each.status
    )


def test_getting_started_starts_a_gateway_that_answers(world):
    assert world.began
    assert told(world.began) == ""
    said = "".join(each.said for each in world.began)
    assert '"code": "1001"' in said
    assert '"cases"' in said


@pytest.mark.parametrize("page", WITH_BLOCKS, ids=name_of)
def test_every_block_of_a_page_runs(page, world):
    kinds = {block.kind for block in blocks_of(page) if not block.elsewhere}
    assert kinds <= RUN | SHOWN, f"{kinds - RUN - SHOWN}: how is such a block run?"
    if kinds & {"bash", "python"}:
        done = world.run(page, world.furnish(world.clone(name_of(page).replace("/", "-"))))
        assert told(done) == ""
        # what the pages say the reader sees
        said = "".join(each.said for each in done)
        if page.name == "add-a-rule.md":
            assert "<MZ>示例族</MZ>" in said


def test_a_block_that_does_not_run_is_named_with_what_it_said(world, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "# A page\n\n```bash\nSEEN=yes\n```\n\n```python\nprint(6 * 7)\n```\n\n```bash\necho $SEEN | grep yes\n.venv/bin/tongban peers --colour\n"
        "echo never\n```\n\n```bash\necho nor this\n```\n"
    )
    done = world.run(page, world.furnish(world.clone("broken-page")))
    assert [each.status for each in done] == [0, 0, 2], (
        "a name lasts from block to block, a fault ends the page"
    )
    assert done[1].said == "42\n"
    assert "page.md:11 ended with 2" in told(done)
    assert "--colour" in done[-1].said
    assert "never" not in done[-1].said


@pytest.mark.parametrize("page", [page for page in PAGES if is_its_own(page)], ids=name_of)
def test_blocks_of_data_are_what_they_say(page, tmp_path):
    for block in blocks_of(page):
        match "" if block.elsewhere else block.kind:
            case "json":
                json.loads(block.text)
            case "xml":
                ET.fromstring(block.text.encode())
            case "csv":
                assert len({len(row) for row in csv.reader(block.text.splitlines())}) == 1, block
            case "python":
                compile(ast.parse(block.text), f"{block.page}:{block.line}", "exec")
            case "toml":
                file = tmp_path / "gateway.toml"
                file.write_text(block.text)
                assert set(tomllib.loads(block.text))
                try:
                    load(file, {})
                except CannotStart as fault:
                    pytest.fail(f"{block.page}:{block.line}: {fault}")


@pytest.mark.parametrize("page", ENGLISH, ids=name_of)
def test_a_page_has_the_same_blocks_in_both_languages(page):
    ours, theirs = (
        [(block.kind, same_without_words(block.text)) for block in blocks_of(each)]
        for each in (page, chinese(page))
    )
    assert ours == theirs


def test_what_is_not_run_here_is_counted_and_says_where_it_is(pytestconfig):
    blocks = [block for page in PAGES if is_its_own(page) for block in blocks_of(page)]
    elsewhere = [block for block in blocks if block.elsewhere]
    run = Counter(block.kind for block in blocks if not block.elsewhere and block.kind in RUN)
    lines = "\n".join(f"  {block.page}:{block.line} {block.elsewhere}" for block in elsewhere)
    counted = ", ".join(f"{count} {kind}" for kind, count in sorted(run.items()))
    pytestconfig.blocks_counted = f"run: {counted}; {len(elsewhere)} run elsewhere:\n{lines}"
    assert all(len(block.elsewhere) > 8 for block in elsewhere), "say why, and where it is run"
    for block in elsewhere:
        for named in re.findall(r"tests/[\w/]+\.py|\.ci/run", block.elsewhere):
            assert (ROOT / named).exists(), f"{block.page}:{block.line}: {named}"
    assert len(elsewhere) < sum(run.values()) / 2
