"""Guides of both sides, element by element, and the agencies' versions of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from io import BytesIO

import pytest
from openpyxl import load_workbook

from gateway.mapping.alignment import Verdict, align
from gateway.mapping.alignment_report import as_json, item_rows, workbook
from gateway.mapping.guides import ELEMENTS, Guides
from gateway.mapping.load import PACKAGED, load_tables
from gateway.mapping.recognition import Rules

TABLES = load_tables(PACKAGED, 2026)
TODAY = date(2026, 11, 23)
ITEM = "unemployment_transfer"


def changed(region, item, **elements):
    """The packaged guides with other elements in all versions of one guide."""
    guides = TABLES.guides
    versions = tuple(
        replace(guide, elements={**guide.elements, **elements}) for guide in guides.by_region[region][item]
    )
    region_guides = {**guides.by_region[region], item: versions}
    return replace(guides, by_region={**guides.by_region, region: region_guides})


def compared(guides, item=ITEM, rules=TABLES.rules, on=TODAY):
    (found,) = align(guides, rules, on=on, items=[item]).items
    return {each.element: each for each in found.comparisons}


def test_the_packaged_guides_hold_all_items_open_and_without_conflict():
    report = align(TABLES.guides, TABLES.rules, on=TODAY)
    assert len(report.items) == 40
    assert report.clean
    assert all(item.open for item in report.items)
    assert {item.item for item in report.items} == {version.item for version in TABLES.items.all(TODAY)}
    assert {each.element for item in report.items for each in item.comparisons} == set(ELEMENTS)


@pytest.mark.parametrize("region", ["sichuan", "chongqing"])
def test_the_guides_promise_what_the_catalogue_promises_in_every_version(region):
    for item, guides in TABLES.guides.by_region[region].items():
        for version in TABLES.items.versions(item):
            guide = TABLES.guides.guide(region, item, version.effective_from)
            assert guide.promised == version.promised, item
            assert guide.elements["legal_limit"] == f"{version.legal.value} {version.legal.unit}"
        assert guides[-1].effective_to == TABLES.items.versions(item)[-1].effective_to


def test_materials_that_differ_are_equivalent_by_the_rules_of_both_directions():
    materials = compared(TABLES.guides)["materials"]
    assert materials.verdict is Verdict.EQUIVALENT
    assert {ground.rule for ground in materials.grounds} == {"R001", "R003", "E027"}
    assert all(ground.basis for ground in materials.grounds)


def test_without_the_rule_of_one_direction_the_materials_are_in_conflict():
    rules = Rules({key: group for key, group in TABLES.rules.groups.items() if key[0] != "chongqing"})
    assert compared(TABLES.guides, rules=rules)["materials"].verdict is Verdict.CONFLICT


def test_a_declared_equivalence_is_named_with_its_document():
    name = compared(TABLES.guides, item="pension_transfer")["name"]
    assert name.verdict is Verdict.EQUIVALENT
    assert [ground.rule[:1] for ground in name.grounds] == ["E"]
    before = TABLES.guides.declared("name", "pension_transfer", date(2009, 1, 1), sides=name.values)
    assert before is None


def test_an_element_nobody_declared_equal_is_a_conflict():
    guides = changed("chongqing", ITEM, mode="上门办理")
    found = compared(guides)
    assert found["mode"].verdict is Verdict.CONFLICT
    assert found["mode"].values == {"sichuan": "全程网办", "chongqing": "上门办理"}
    assert not align(guides, TABLES.rules, on=TODAY).clean


@pytest.mark.parametrize(
    ("element", "written"),
    [("materials", "b|a"), ("applicants", "employer|person"), ("basis", "乙; 甲")],
)
def test_the_order_within_a_list_is_no_difference(element, written):
    turned = (
        "; ".join(reversed(written.split("; ")))
        if "; " in written
        else "|".join(reversed(written.split("|")))
    )
    guides = changed("chongqing", ITEM, **{element: written})
    guides = replace(
        guides,
        by_region={**guides.by_region, **_only("sichuan", changed("sichuan", ITEM, **{element: turned}))},
    )
    assert compared(guides)[element].verdict is Verdict.SAME


def _only(region, guides):
    return {region: guides.by_region[region]}


def test_the_order_of_the_steps_is_a_difference():
    guides = changed("chongqing", ITEM, flow="受理|申请|审核|转移|办结|送达")
    assert compared(guides)["flow"].verdict is Verdict.CONFLICT


def test_an_item_on_one_side_only_has_no_counterpart():
    left = {item: each for item, each in TABLES.guides.by_region["chongqing"].items() if item != ITEM}
    guides = replace(TABLES.guides, by_region={**TABLES.guides.by_region, "chongqing": left})
    (found,) = align(guides, TABLES.rules, on=TODAY, items=[ITEM]).items
    assert (found.lacking, found.comparisons, found.aligned) == (("chongqing",), (), False)
    rows = list(item_rows(align(guides, TABLES.rules, on=TODAY, items=[ITEM])))
    assert "chongqing 没有对应的指南" in rows[0][-1]


def test_agencies_whose_version_differs_in_one_of_the_elements_are_listed():
    first, *rest = TABLES.guides.agencies
    odd = replace(first, elements={**first.elements, "flow": "申请|办结", "fee": "另收工本费"})
    report = align(replace(TABLES.guides, agencies=(odd, *rest)), TABLES.rules, on=TODAY)
    (found,) = report.deviations
    assert (found.agency_name, found.element, found.found) == (odd.agency_name, "flow", "申请|办结")
    assert not report.clean


def test_an_item_closed_by_either_side_is_not_open_and_one_without_guides_is():
    guides = TABLES.guides
    versions = tuple(replace(each, open=False) for each in guides.by_region["sichuan"][ITEM])
    closed = replace(
        guides, by_region={**guides.by_region, "sichuan": {**guides.by_region["sichuan"], ITEM: versions}}
    )
    assert not closed.is_open(ITEM, TODAY)
    assert closed.is_open("pension_transfer", TODAY)
    assert Guides().is_open(ITEM, TODAY)


def test_the_report_is_the_same_as_json_and_as_a_workbook():
    guides = changed("chongqing", ITEM, mode="=1+1")
    report = align(guides, TABLES.rules, on=TODAY)
    told = as_json(report)
    assert (told["on"], told["clean"], len(told["items"])) == ("2026-11-23", False, 40)
    (item,) = [each for each in told["items"] if each["item"] == ITEM]
    assert [each["verdict"] for each in item["elements"] if each["element"] == "mode"] == ["conflict"]
    book = load_workbook(BytesIO(workbook(report)))
    assert book.sheetnames == ["事项", "要素对照", "四级四同"]
    assert book["事项"].max_row == 41
    assert book["要素对照"].max_row == 1 + 40 * len(ELEMENTS)
    (row,) = [
        row
        for row in book["要素对照"].iter_rows(min_row=2)
        if (row[0].value, row[2].value) == (ITEM, "办理方式")
    ]
    assert [(cell.value, cell.data_type) for cell in row[3:6]] == [
        ("全程网办", "s"),
        ("=1+1", "s"),
        ("冲突", "s"),
    ]
