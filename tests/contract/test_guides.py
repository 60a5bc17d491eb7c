"""What the lint says of bad guides, what a closed item does to a message, and the legs beside the limits."""

from __future__ import annotations

import json
import shutil
from datetime import date
from pathlib import Path

import pytest

from gateway.exchange import translate
from gateway.mapping.fieldmap import Sight
from gateway.mapping.load import PACKAGED, files_of, inspect, load_tables, well_formed
from gateway.regions import discover

REGIONS = discover()
WORKED = Path(__file__).parents[2] / "adapters" / "sichuan" / "examples" / "tbzy0001.native.json"
GUIDES, AGENCIES = "guides/chongqing.csv", "guides/agencies/sichuan.csv"
EQUAL, LEGS = "guides/equivalences.csv", "items/legs.csv"


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(PACKAGED, tmp_path / "mappings")


def edit(folder, name, before, after, *, count=1):
    file = folder / name
    content = file.read_text(encoding="utf-8")
    assert before in content
    file.write_text(content.replace(before, after, count), encoding="utf-8")


def faults(folder):
    return [(fault.path, fault.line, fault.text) for fault in inspect(files_of(folder))[1]]


GUIDE = (
    "{item},试验事项,{basis},申请|办结,全程网办,{materials},5,工作日,{limit},工作日,条件,{who},不收费,结果,"
    "{open},{since},{until},designed"
)
USUAL = {
    "item": "pension_transfer",
    "basis": "依据",
    "materials": "id_card",
    "limit": "5",
    "who": "person",
    "open": "yes",
    "since": "2005-01-01",
    "until": "2006-01-01",
}
AGENCY = (
    "{division},某中心,{level},pension_transfer,名称,依据,申请,全程网办,id_card,5,工作日,5,工作日,"
    "2005-01-01,2006-01-01,designed"
)
EQUIVALENCE = "{id},{element},{items},sichuan,{value},{other},乙,{basis},2020-01-01,,"
LEG = "{item},{leg},环节,{place},{begins},{limit},工作日,2005-01-01,2006-01-01,依据"


def guide(**cells):
    return GUIDE.format(**(USUAL | cells))


def agency(**cells):
    return AGENCY.format(**({"division": "510104", "level": "county"} | cells))


def equal(**cells):
    usual = {
        "id": "E900",
        "element": "mode",
        "items": "*",
        "value": "甲",
        "other": "chongqing",
        "basis": "依据",
    }
    return EQUIVALENCE.format(**(usual | cells))


def leg(**cells):
    usual = {"item": "pension_transfer", "leg": "1", "place": "new", "begins": "accepted", "limit": "1"}
    return LEG.format(**(usual | cells))


@pytest.mark.parametrize(
    ("name", "line", "words"),
    [
        (GUIDES, guide(basis=""), "basis 不能为空"),
        (GUIDES, guide(materials="spoon"), "materials 中的 spoon 不是公共代码"),
        (GUIDES, guide(who="pet"), "applicants 中的 pet 不是公共代码"),
        (GUIDES, guide(limit="-1"), "promised_limit_value 应为"),
        (GUIDES, guide(open="maybe"), "open 应为 yes 或 no"),
        (GUIDES, guide(item="hidden_item"), "不能开通"),
        (GUIDES, guide(since="2006-02-30"), "effective_from 不是日期"),
        (GUIDES, guide(since="2026-01-01", until="2026-02-01"), "期间重叠"),
        (GUIDES, guide(basis="经办人 13812345678"), "像是真实的身份证号、手机号"),
        (AGENCIES, agency(level="village"), "level 应为"),
        (AGENCIES, agency(division="519999"), "division 应为"),
        (AGENCIES, agency(division="51010"), "division 应为"),
        (EQUAL, equal(id="E001"), "编号 E001 与"),
        (EQUAL, equal(id="X1"), "equivalence_id 应为"),
        (EQUAL, equal(element="colour"), "element 应为"),
        (EQUAL, equal(items="nothing"), "事项 nothing 不在"),
        (EQUAL, equal(other="sichuan"), "应为两个不同的地区"),
        (EQUAL, equal(basis=""), "basis 不能为空"),
        (EQUAL, equal(element="materials"), "应为 canonical/material.csv 中的公共代码"),
        (LEGS, leg(item="nothing"), "事项 nothing 不在"),
        (LEGS, leg(leg="一"), "leg 应为"),
        (LEGS, leg(place="third"), "place 应为"),
        (LEGS, leg(begins="later"), "begins 应为"),
        (LEGS, leg(limit="x"), "limit_value 应为"),
    ],
)
def test_a_bad_line_is_named_with_its_file_its_number_and_what_is_wrong(folder, name, line, words):
    content = (folder / name).read_text(encoding="utf-8")
    (folder / name).write_text(f"{content}{line}\n", encoding="utf-8")
    number = content.count("\n") + 1
    found = faults(folder)
    assert any((where, at) == (name, number) and words in text for where, at, text in found), found


def test_an_item_in_conflict_cannot_be_open_but_a_running_gateway_is_not_stopped(folder):
    edit(folder, GUIDES, "全程网办,id_card,45,工作日,5", "上门办理,id_card,45,工作日,5")
    found = faults(folder)
    assert {(name, line) for name, line, _ in found} == {("guides/sichuan.csv", 5), (GUIDES, 5)}
    assert all("pension_transfer" in text and "办理方式冲突" in text for _, _, text in found)
    assert well_formed(files_of(folder))[1] == []
    edit(folder, GUIDES, "转移接续办结通知,yes,2025-11-01", "转移接续办结通知,no,2025-11-01")
    assert faults(folder) == []


def test_a_rule_that_ends_leaves_open_items_in_conflict_from_that_day(folder):
    rule = "R003,chongqing,sichuan,material,id_or_social_security_card,id_card,*,"
    file = folder / "recognition/materials.csv"
    lines = file.read_text(encoding="utf-8").splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith(rule))
    lines[place] = lines[place].replace("2020-12-21,,", "2020-12-21,2027-01-01,")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = faults(folder)
    assert {text.split()[1] for _, _, text in found} == {
        "unemployment_transfer",
        "unemployment_benefit_transfer",
        "unemployment_benefit_claim",
    }
    assert all("自 2027-01-01" in text and "所需材料冲突" in text for _, _, text in found)


def test_an_item_of_one_side_only_cannot_be_open(folder):
    file = folder / GUIDES
    kept = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("card_loss,")]
    file.write_text("\n".join(kept) + "\n", encoding="utf-8")
    ((name, _, text),) = faults(folder)
    assert name == "guides/sichuan.csv"
    assert "chongqing 没有对应的指南" in text


def test_tables_without_guides_are_as_good_as_before(folder):
    shutil.rmtree(folder / "guides")
    (folder / LEGS).unlink()
    assert faults(folder) == []
    assert load_tables(folder, 2026).guides.is_open("pension_transfer", date(2026, 11, 23))


def parked(folder):
    tables = load_tables(folder, 2026)
    plan = translate.compile_maps(REGIONS, tables).reader("sichuan", "tbzy0001")
    sight = Sight(tables, "sichuan", "sichuan", "chongqing", date(2026, 11, 23))
    opened = REGIONS["sichuan"].parse(WORKED.read_bytes())
    return [(finding.code, finding.path) for finding in translate.read(plan, opened, sight).findings]


def test_a_message_for_an_item_that_is_not_open_waits_until_it_is(folder):
    assert parked(folder) == []
    edit(folder, GUIDES, "转移接续办结通知,yes,2025-11-01", "转移接续办结通知,no,2025-11-01")
    assert parked(folder) == [("1007", "itemCode")]
    assert json.loads(WORKED.read_bytes())["itemCode"].startswith("512B0068100002")


def test_the_legs_of_every_transfer_add_up_to_its_promised_limit():
    tables = load_tables(PACKAGED, 2026)
    transfers = [item for item in tables.items.by_item if tables.items.versions(item)[0].form == "tbzy"]
    assert set(transfers) == set(tables.legs.by_item)
    for item in transfers:
        for version in tables.items.versions(item):
            legs = tables.legs.of(item, version.effective_from)
            assert [each.number for each in legs] == [1, 2, 3]
            assert [each.begins for each in legs] == ["accepted", "forwarded", "sheet"]
            assert {each.limit.unit for each in legs} == {version.promised.unit}
            assert sum(each.limit.value for each in legs) == version.promised.value, version
