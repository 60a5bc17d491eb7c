"""Invented people and figures keep the rules of the real ones."""

from __future__ import annotations

from datetime import date
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from gateway.canonical import invented
from gateway.canonical.identifiers import birth_date, citizen_id_fault

ON = date(2026, 11, 23)


@given(st.integers())
def test_a_person_has_a_good_number_of_an_area_nobody_has(seed):
    who = invented.person(Random(seed), youngest=20, oldest=58, on=ON)
    assert citizen_id_fault(who.id_no) is None
    assert who.id_no[:6] in invented.UNISSUED
    assert birth_date(who.id_no) == who.born
    assert (int(who.id_no[16]) % 2 == 1) == who.male
    assert 19 <= (ON - who.born).days / 365.25 <= 58
    assert who.name not in repr(who)
    assert who.id_no not in repr(who)


@given(st.integers())
def test_the_years_of_a_record_ascend_and_add_up(seed):
    record = invented.record(Random(seed), 2025)
    assert [year.year for year in record.years] == sorted({year.year for year in record.years})
    assert record.years[-1].year == 2025
    balance = 0
    for year in record.years:
        assert 1 <= year.months <= 12
        balance += year.principal + year.interest
        assert year.balance == balance
    assert record.account == balance


@given(st.integers(), st.dates(date(2026, 1, 1), date(2030, 12, 31)))
def test_a_benefit_keeps_its_ceiling_and_its_months(seed, on):
    benefit = invented.benefit(Random(seed), on)
    ceiling = 12 if benefit.total < 60 else 18 if benefit.total < 120 else 24
    assert 1 <= benefit.entitled <= ceiling
    (from_year, from_month), (to_year, to_month) = benefit.first, benefit.last
    assert 1 <= from_month <= 12
    assert 1 <= to_month <= 12
    assert (to_year - from_year) * 12 + to_month - from_month + 1 == benefit.entitled
    assert (from_year, from_month) > (on.year, on.month)
