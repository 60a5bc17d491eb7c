"""The packaged tables say what the interface specification says."""

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.canonical.identifiers import citizen_id_fault
from gateway.canonical.worktime import add_months
from gateway.mapping.load import PACKAGED, load_tables

TABLES = load_tables(PACKAGED, 2026)
SIDES = {"sc_to_cq": ("sichuan", "chongqing"), "cq_to_sc": ("chongqing", "sichuan")}
MATERIAL = frozenset({"material", "result"})


def vectors(*rules: str, field: str = ""):
    path = Path(__file__).with_name("vectors.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            row for row in csv.DictReader(file) if row["rule"] in rules and row["field"].startswith(field)
        ]
    assert rows, f"no vectors for {rules} {field}"
    return [pytest.param(row, id="-".join(row.values())) for row in rows]


def crossed(list_name: str, direction: str, word: str):
    """(outcome, word of the other side) of one value by the code lists alone."""
    sender, receiver = SIDES[direction]
    row = TABLES.codes(sender, list_name).read(word)
    if row is None:
        return "park 1001", ""
    said = TABLES.codes(receiver, list_name).write(row.key)
    return ("lossy" if row.one_way or said.one_way else "converted"), said.native


@pytest.mark.parametrize("row", vectors("M1", "M10"))
def test_a_code_crosses_as_the_vector_says(row):
    outcome, output = crossed(row["field"], row["direction"], row["input"])
    assert (outcome, output) == (row["outcome"], row["output"])


@pytest.mark.parametrize("row", vectors("M2"))
def test_a_scheme_crosses_as_a_whole(row):
    outcome, output = crossed("scheme", row["direction"], row["input"])
    if row["outcome"].startswith("reject"):
        assert outcome == "park 1001", "the table has no such pair; that it is a fault, the map says"
    else:
        assert (outcome, output) == (row["outcome"], row["output"])


@pytest.mark.parametrize("row", vectors("M13"))
def test_a_status_crosses_as_a_whole_and_unknown_words_are_told_from_bad_pairs(row):
    sender = TABLES.codes(SIDES[row["direction"]][0], "status")
    outcome, output = crossed("status", row["direction"], row["input"])
    if output:
        assert (outcome, output) == (row["outcome"], row["output"])
    else:
        known = all(part in sender.words(at) for at, part in enumerate(row["input"].split("|")))
        assert row["outcome"] == ("reject 9043" if known else "park 1006")


@pytest.mark.parametrize("row", vectors("M8"))
def test_a_division_crosses_by_the_acceptance_date(row):
    on = date.fromisoformat(row["date"])
    by_name = row["field"] == "division name"
    find = TABLES.divisions.by_name if by_name else TABLES.divisions.by_code
    place = find(row["input"], on)
    if isinstance(place, str):
        assert row["outcome"] == f"park {place}"
        return
    assert row["outcome"] == ("lossy" if place.succeeded else "converted")
    assert row["output"] == (place.code if by_name else place.full_name)


@pytest.mark.parametrize("row", vectors("M9"))
def test_a_material_is_recognised_by_the_rule_in_force(row):
    sender, receiver = SIDES[row["direction"]]
    rule = TABLES.rules.find(
        MATERIAL,
        row["input"],
        issued_by=sender,
        accepted_by=receiver,
        item=row["field"].removeprefix("material in "),
        on=date.fromisoformat(row["date"]),
    )
    if rule is None:
        assert row["outcome"] == "park 1002"
        return
    written = TABLES.codes(receiver, "material").write(rule.accepted_as)
    tail, rule_id = row["output"].split()
    assert rule.rule_id == rule_id
    assert written.native.endswith(tail.removeprefix("…"))
    assert row["outcome"] == ("converted" if rule.accepted_as == row["input"] else "lossy")


@pytest.mark.parametrize("row", vectors("M12"))
def test_the_promised_limit_is_that_of_the_version_in_force(row):
    version = TABLES.items.version("pension_transfer", date.fromisoformat(row["date"]))
    if row["outcome"] == "park 1007":
        assert version is None
    else:
        assert (version.promised.value, version.promised.unit) == (int(row["output"]), "工作日")


@pytest.mark.parametrize("row", vectors("M16", field="SFDQJS"))
def test_periodic_settlement_follows_its_rules(row):
    rule = TABLES.rules.find(
        frozenset({"settlement"}),
        "periodic_settlement",
        issued_by="sichuan",
        accepted_by="chongqing",
        item=row["field"].removeprefix("SFDQJS of "),
        on=date.fromisoformat(row["date"]),
    )
    assert ("是" if rule else "否") == row["output"]


@pytest.mark.parametrize("row", vectors("M16", field="RZYXQZ"))
def test_a_certification_is_valid_for_twelve_months_less_a_day(row):
    valid_to = add_months(date.fromisoformat(row["input"]), 12) - timedelta(days=1)
    assert valid_to.isoformat() == row["output"]


@pytest.mark.parametrize("row", vectors("M17"))
def test_an_identity_number_is_checked_as_the_vector_says(row):
    fault = citizen_id_fault(row["input"].upper())
    assert (fault is not None) == row["outcome"].startswith("reject")


def test_the_hong_kong_and_macao_passes_cross_without_loss():
    """Crossing M18: 04 and 05 become C, and come back by the first letter of the number."""
    sichuan, chongqing = TABLES.codes("sichuan", "id_type"), TABLES.codes("chongqing", "id_type")
    assert [chongqing.write(key).native for key in ("04", "05")] == ["C", "C"]
    assert [chongqing.read(word).key for word in ("C^H", "C^M")] == ["04", "05"]
    assert chongqing.read("C") is None
    assert chongqing.read("C^K") is None
    rows = (*(chongqing.write(key) for key in ("04", "05")), *(sichuan.read(key) for key in ("04", "05")))
    assert not any(row.one_way for row in rows)


@pytest.mark.parametrize(("word", "native"), [("02", "Z"), ("03", "Z")])
def test_officers_passes_become_other_and_do_not_come_back(word, native):
    assert crossed("id_type", "sc_to_cq", word) == ("lossy", native)
    assert crossed("id_type", "cq_to_sc", native) == ("converted", "99")


def test_every_status_of_the_matrix_of_words_crosses_both_ways():
    """Crossing §5.1: what one side says and the other hears, row by row."""
    for sichuan, chongqing in (
        ("01|", "待办理||"),
        ("02|", "待补正||"),
        ("03|", "已受理||"),
        ("04|", "不予受理||"),
        ("05|", "已撤回||"),
        ("06|", "办理中||"),
        ("06|4", "办理中|协查|"),
        ("07|", "挂起|补正|"),
        ("08|1", "挂起|延长|"),
        ("08|2", "挂起|鉴定|"),
        ("08|3", "挂起|听证|"),
        ("08|5", "挂起|实地核查|"),
        ("09|", "已办结||准予"),
        ("10|", "已退件||"),
        ("11|", "已送达||"),
    ):
        assert crossed("status", "sc_to_cq", sichuan) == ("converted", chongqing)
        assert crossed("status", "cq_to_sc", chongqing) == ("converted", sichuan)


def test_items_are_found_by_the_codes_of_both_sides():
    items = TABLES.items
    assert items.by_code("sichuan", "512B0068100002") == "pension_transfer"
    assert items.by_code("chongqing", "002014006002") == "pension_transfer"
    assert items.by_code("chongqing", "512B0068100002") is None
    assert items.code_of("pension_transfer", "chongqing") == "002014006002"
    assert items.name_of("pension_transfer", "chongqing") == "企业职工基本养老保险关系转移接续"


def test_the_catalogue_has_forty_items_in_force_today_and_keeps_its_past():
    assert len(TABLES.items.all(date(2026, 11, 23))) == 40
    limits = [version.promised.value for version in TABLES.items.versions("pension_transfer")]
    assert limits == [45, 15, 10, 5]
    assert TABLES.items.versions("nothing") == ()


def test_a_calendar_day_item_keeps_its_unit():
    version = TABLES.items.version("unemployment_benefit_claim", date(2026, 11, 23))
    assert (version.promised.value, version.promised.unit) == (10, "日")
    assert TABLES.codes("chongqing", "limit_unit").read("日").key == "day"


def test_every_division_in_force_has_an_agency():
    codes = {code for code in TABLES.divisions.codes if TABLES.agencies.of(code) is None}
    assert codes == set()
    assert TABLES.agencies.of("500103").uscc == "1150010300000000XP"


def test_certifications_are_recognised_in_both_directions():
    for sender, receiver, rule_id in (("sichuan", "chongqing", "R106"), ("chongqing", "sichuan", "R107")):
        rule = TABLES.rules.find(
            frozenset({"result"}),
            "certification",
            issued_by=sender,
            accepted_by=receiver,
            item="injury_certification",
            on=date(2026, 11, 23),
        )
        assert rule.rule_id == rule_id


def test_a_list_that_a_region_has_no_words_for_is_empty_and_a_misspelt_one_is_a_bug():
    assert TABLES.codes("sichuan", "limit_unit").read("工作日") is None
    with pytest.raises(KeyError):
        TABLES.codes("sichuan", "limit_units")


def test_the_tables_know_their_regions_and_their_digest():
    again = load_tables(PACKAGED, 2026)
    assert TABLES.regions == ("chongqing", "sichuan")
    assert len(TABLES.digest) == 64
    assert TABLES.digest == again.digest
