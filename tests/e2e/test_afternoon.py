"""From nothing to cases that cross: a region begun, mended as its red sentences say, put into force."""

import time

import pytest
from afternoon import CODE, NEW, TABLES, forget, mended, red, tongban
from town import FINAL, Town, violations
from waiting import until

import adapters
from gateway.conformance.law import Level

OLD = ("chongqing", "sichuan")
HABITS = ("--work-s", "0.02", "--correct-rate", "0", "--withdraw-rate", "0", "--decline-rate", "0")
CASES = 1


@pytest.fixture
def begun(tmp_path):
    """A folder in which regions are begun, put aside afterwards."""
    path = list(adapters.__path__)
    yield tmp_path / "regions"
    adapters.__path__[:] = path
    forget()


def finished(folder, form):
    """A region begun and mended; the laws whose sentences led there."""
    began = time.monotonic()
    assert tongban("new-region", NEW, "--format", form, "--into", folder).exit_code == 0
    followed = mended(folder)
    print(f"{len(followed)} sentences followed in {time.monotonic() - began:.1f} s")
    return {law for law, _ in followed}


def test_following_the_sentences_leads_to_green(begun):
    assert finished(begun, "json") == {"R-B12", "R-B15", "R-B21", "R-F07"}
    assert red(begun, Level.HOSTILE) == {}
    written = [
        *(begun / CODE).glob("*.py"),
        *(begun / CODE / "maps").glob("*.py"),
        *(begun / TABLES).iterdir(),
    ]
    assert "待定" not in "".join(file.read_text(encoding="utf-8") for file in written)


def test_a_finished_region_that_speaks_xml_exchanges_cases_with_each_of_the_others(begun, tmp_path):
    finished(begun, "xml")
    forget()
    with Town(tmp_path / "town", habits=HABITS, regions_dirs=(begun,)) as town:
        for old in OLD:
            town.sides[NEW].tell("send", n=CASES, to=old)
            town.sides[old].tell("send", n=CASES, to=NEW)
        until(lambda: _is_quiet(town), 60, "cases that end")
        ways = [(case["origin"]["region"], case["target"]["region"]) for case in town.cases()]
        assert sorted(ways) == sorted(way for old in OLD for way in ((NEW, old), (old, NEW)))
        assert violations(town) == []


def _is_quiet(town):
    cases = list(town.cases())
    ended = len(cases) == 4 * CASES and all(case["state"]["code"] in FINAL for case in cases)
    return ended and town.is_quiet()
