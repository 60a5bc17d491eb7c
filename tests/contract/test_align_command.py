"""`tongban mappings align`: table, JSON, workbook and exit codes; no release of a set in conflict."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.exchange import releasing
from gateway.mapping import sets
from gateway.mapping.load import PACKAGED


@pytest.fixture
def odd(tmp_path):
    """A set whose two guides of one item differ in the way it is handled."""
    folder = shutil.copytree(PACKAGED, tmp_path / "odd")
    file = folder / "guides" / "chongqing.csv"
    content = file.read_text(encoding="utf-8")
    before, after = "全程网办,id_card,45,工作日,5", "上门办理,id_card,45,工作日,5"
    file.write_text(content.replace(before, after, 1), encoding="utf-8")
    return folder


def align(*words):
    return CliRunner().invoke(app, ["mappings", "align", *map(str, words)])


def test_the_packaged_set_is_aligned_and_the_table_says_so():
    shown = align("packaged")
    assert shown.exit_code == 0, shown.output
    assert "pension_transfer" in shown.stdout
    assert "四级四同：各级机构的版本与本地区指南一致" in shown.stdout


def test_one_item_is_shown_element_by_element_with_its_rules():
    shown = align("packaged", "--item", "unemployment_benefit_claim", "--on", "2026-11-23")
    assert shown.exit_code == 0
    assert all(word in shown.stdout for word in ("R003", "E027", "受理条件"))
    assert "pension_transfer" not in shown.stdout


def test_a_conflict_and_the_agencies_behind_it_end_with_one(odd, tmp_path):
    saved = tmp_path / "report.xlsx"
    shown = align(odd, "--json", "--xlsx", saved)
    told = json.loads(shown.stdout)
    assert (shown.exit_code, told["clean"]) == (1, False)
    assert [each["item"] for each in told["items"] if "conflict" in str(each["elements"])] == [
        "pension_transfer"
    ]
    assert {each["level"] for each in told["deviations"]} == {"province", "county", "township"}
    assert load_workbook(saved)["四级四同"].max_row == 1 + len(told["deviations"])


def test_before_an_agreement_the_guides_of_that_day_are_compared():
    shown = align("packaged", "--item", "unemployment_transfer", "--on", "2020-12-01", "--json")
    (item,) = json.loads(shown.stdout)["items"]
    materials = next(each for each in item["elements"] if each["element"] == "materials")
    assert (shown.exit_code, materials["verdict"]) == (0, "same")


def test_what_cannot_be_compared_ends_with_two(tmp_path):
    for words in (
        ("nowhere",),
        ("packaged", "--item", "nothing"),
        ("packaged", "--xlsx", tmp_path / "no" / "x.xlsx"),
    ):
        assert align(*words).exit_code == 2, words


async def test_a_set_whose_open_items_disagree_is_not_released(odd):
    # it is judged before anything is opened: no store is needed to be told no
    with pytest.raises(releasing.Faulty) as told:
        await releasing.propose(
            None, sets.local(str(odd)), releasing.By("staff:li"), effective_from=date(2026, 11, 26), note=""
        )
    assert any(
        re.match(r"guides/chongqing\.csv:5: 事项 pension_transfer", str(each)) for each in told.value.faults
    )
    assert sets.packaged().faults() == []
