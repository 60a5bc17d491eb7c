"""One world for all pages, started as *getting started* says."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from world import World


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A gateway between two simulated regions, with the results of the page that started it."""
    made = World(tmp_path_factory.mktemp("world"))
    try:
        made.began = made.start()
        yield made
    finally:
        made.stop()


def pytest_terminal_summary(terminalreporter):
    """How many blocks were run, and which are run elsewhere: told at the end, every time."""
    lines = getattr(terminalreporter.config, "blocks_counted", None)
    if lines:
        terminalreporter.section("blocks of the pages")
        terminalreporter.write_line(lines)
