"""What to bring: required there, taken in its place, missing, and when it would be due."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.mapping.load import PACKAGED, load_tables
from gateway.mapping.precheck import Question, precheck

TABLES = load_tables(PACKAGED, 2026)
TODAY = date(2026, 11, 23)


def asked(item, side, *materials, on=TODAY):
    target = next(region for region in TABLES.regions if region != side)
    return precheck(TABLES, TABLES.items.version(item, on), Question(item, side, target, on, materials))


@pytest.mark.parametrize(
    ("side", "material", "rules"),
    [
        ("chongqing", "id_or_social_security_card", ["R003"]),
        ("chongqing", "social_security_card", ["R004"]),
        ("sichuan", "social_security_card", ["R005", "E027"]),
        ("sichuan", "id_card", ["R001", "E027"]),
        ("sichuan", "e_social_security_card", ["R008", "E027"]),
    ],
)
def test_what_is_recognised_in_its_place_names_the_rules(side, material, rules):
    found = asked("unemployment_benefit_claim", side, material)
    (required,) = found.required
    assert (required.met_by, [ground.rule for ground in required.grounds]) == (material, rules)
    assert all(ground.basis for ground in required.grounds)
    assert (found.missing, found.ready) == ((), True)


def test_what_is_missing_is_named_in_the_order_of_the_guide():
    found = asked("military_pension_transfer", "sichuan", "transfer_sheet")
    assert found.missing == ("id_card", "contribution_certificate", "discharge_certificate")
    assert not found.ready


def test_what_has_no_rule_on_that_day_is_said_so_and_has_one_later():
    before = asked("pension_transfer", "sichuan", "e_id_card")
    assert (before.in_hand[0].accepted_as, before.in_hand[0].ground) == (None, None)
    assert (before.missing, before.ready) == (("id_card",), False)
    later = asked("pension_transfer", "sichuan", "e_id_card", on=date(2027, 1, 1))
    assert (later.in_hand[0].accepted_as, later.in_hand[0].ground.rule) == ("id_card", "R012")
    assert later.ready


def test_a_paper_nobody_asks_for_and_no_rule_covers_would_park_the_message():
    found = asked("pension_transfer", "sichuan", "id_card", "contribution_certificate")
    assert (found.missing, found.ready) == ((), False)
    assert [each.accepted_as for each in found.in_hand] == ["id_card", None]


def test_the_material_itself_goes_before_one_in_its_place():
    found = asked("pension_transfer", "chongqing", "social_security_card", "id_card")
    assert found.required[0].met_by == "id_card"


def test_an_item_without_materials_is_ready_at_once():
    found = asked("pension_certification", "sichuan")
    assert (found.required, found.missing, found.ready) == ((), (), True)
    assert found.due.due_on is None


@pytest.mark.parametrize(
    ("item", "on", "due_on", "provisional"),
    [
        ("pension_transfer", date(2026, 11, 23), date(2026, 11, 30), False),
        ("pension_transfer", date(2021, 12, 1), date(2021, 12, 15), False),
        ("unemployment_benefit_claim", date(2026, 11, 23), date(2026, 12, 3), False),
        ("pension_transfer", date(2026, 12, 30), date(2027, 1, 6), True),
    ],
)
def test_it_is_due_by_the_promise_of_the_version_of_that_day(item, on, due_on, provisional):
    found = asked(item, "sichuan", on=on)
    assert (found.due.due_on, found.due.provisional) == (due_on, provisional)
