"""From nothing to cases that cross: a region begun, mended as its red sentences say, put into force."""

import asyncio
import time

import pytest
from afternoon import CODE, NEW, TABLES, forget, mended, red, tongban
from town import FINAL, Town, until, violations

import adapters
from gateway.conformance.law import Level

OLD = ("chongqing", "sichuan")
HABITS = ("--work-s", "0.02", "--correct-rate", "1", "--withdraw-rate", "0.4", "--decline-rate", "0")
CASES = 1


@pytest.fixture(scope="module", params=["xml", "json"])
def region(request, tmp_path_factory):
    """The folder of the finished region, and the sentences that led there."""
    path = list(adapters.__path__)
    folder = tmp_path_factory.mktemp("afternoon")
    began = time.monotonic()
    assert tongban("new-region", NEW, "--format", request.param, "--into", folder).exit_code == 0
    followed = mended(folder)
    print(f"{len(followed)} sentences followed in {time.monotonic() - began:.1f} s")
    yield folder, followed
    adapters.__path__[:] = path
    forget()


def test_following_the_sentences_leads_to_green(region):
    folder, followed = region
    assert {law for law, _ in followed} == {"R-B12", "R-B15", "R-B21", "R-F07"}
    assert red(folder, Level.HOSTILE) == {}
    written = [
        *(folder / CODE).glob("*.py"),
        *(folder / CODE / "maps").glob("*.py"),
        *(folder / TABLES).iterdir(),
    ]
    assert "待定" not in "".join(file.read_text(encoding="utf-8") for file in written)


def test_the_finished_region_exchanges_cases_with_each_of_the_others(region, tmp_path):
    folder, _ = region
    forget()
    with Town(tmp_path, habits=HABITS, regions_dirs=(folder,)) as town:
        for old in OLD:
            town.sides[NEW].tell("send", n=CASES, to=old)
            town.sides[old].tell("send", n=CASES, to=NEW)
        until(lambda: _is_quiet(town), 60, "cases that end")
        ways = [(case["origin"]["region"], case["target"]["region"]) for case in town.cases()]
        assert {way: ways.count(way) for way in ways} == {
            way: CASES for old in OLD for way in ((NEW, old), (old, NEW))
        }
        assert violations(town) == []


def _is_quiet(town):
    cases = list(town.cases())
    ended = len(cases) == 4 * CASES and all(case["state"]["code"] in FINAL for case in cases)
    return ended and town.pending() == 0 and asyncio.run(town.open_deliveries()) == {}
