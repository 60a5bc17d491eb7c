"""The bench still runs: tiny rounds of everything that goes through real processes, looked at for shape, not speed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench import page, sheets
from bench.figures import CURVE

ROOT = Path(__file__).parents[2]
#: a minute on a machine of its own; it starts a dozen servers one after another
WITHIN_S = 280
pytestmark = pytest.mark.timeout(WITHIN_S + 20)
TINY = (
    "--cases",
    "30",
    "--rounds",
    "1",
    "--seconds",
    "1",
    "--queued",
    "40",
    "--rows",
    "200",
    "--questions",
    "5",
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    home = tmp_path_factory.mktemp("bench")
    kept, written = home / "bench.json", home / "benchmark.md"
    command = [sys.executable, "-m", "bench", "flow", "backlog", "stored", *TINY]
    done = subprocess.run(
        [*command, "--json", kept, "--write", written],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return json.loads(kept.read_text()), written


def test_both_contenders_are_measured_alike(run):
    found, _ = run
    scores = found["sections"]["flow"]["scores"]
    assert set(scores) == {"tongban", "textbook"}
    for score in scores.values():
        (round_,) = score["rounds"]
        assert round_["cases"] == 30
        assert 0 < round_["end_to_end_per_s"] <= round_["accept_per_s"]
        assert round_["again"] == 0
        assert {"web", "worker", "postgres", "redis", "generator", "receiver sichuan"} <= set(
            round_["cpu_ms"]
        )
        assert score["cpu_ms"]["web"] > 0
        assert score["peak_mb"]["web"] > 20
        half = score["own half"]
        assert half["missing"] == 0
        assert half["accept_ms"]["p50"] <= half["accept_ms"]["p95"] <= half["accept_ms"]["p99"]
        assert len(half["end_to_end_curve"]) == len(CURVE)
    same = scores["tongban"]["same rate"]
    assert same["per_s"] == scores["textbook"]["own half"]["per_s"]


def test_a_dead_sides_queue_runs_off_when_it_is_back(run):
    found, _ = run
    ours = found["sections"]["backlog"]["tongban"]
    assert [stage["queued"] for stage in ours["stages"]] == [0, 20, 40]
    assert [stage["missing"] for stage in ours["stages"]] == [0, 0, 0]
    assert (
        ours["running_off"]["arrived"] >= 0.75 * ours["queued"]
    )  # the others wait for their hour of the schedule
    assert ours["running_off"]["again"] == 0


def test_stored_cases_are_asked_for_in_every_way_a_list_knows(run):
    found, _ = run
    stored = found["sections"]["stored"]
    asked = {row["question"] for row in stored["pages"] if row["stored"] == 200}
    assert {"newest, middle page", "by state, first page", "scrape", "store: by citizen"} <= asked
    assert asked == {row["question"] for row in stored["pages"] if row["stored"] == 0}
    (step,) = stored["speed"]
    assert len(step["ratios"]) == 2


def test_the_page_holds_every_table_and_a_picture(run):
    found, written = run
    text = written.read_text()
    assert "<!-- put" not in text + written.with_suffix(".en.md").read_text()
    for name, told in found["sections"].items():
        for sheet in page.sheets_of(name, told):
            assert sheets.markdown([sheet]) in text
    ET.fromstring(written.with_suffix(".svg").read_text())
