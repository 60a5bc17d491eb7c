"""Identity numbers, credit codes, masks."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.canonical.identifiers import (
    birth_date,
    citizen_id_fault,
    mask_account,
    mask_id,
    mask_name,
    mask_phone,
    sex_key,
    uscc_ok,
)

GOOD = "510100198803150179"


@pytest.mark.parametrize("number", [GOOD, "51010019900101003X", "500100198507220249", "510100195809010317"])
def test_a_number_with_a_right_check_digit_is_taken(number):
    assert citizen_id_fault(number) is None


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("510100198803150178", "校验码"),
        ("510100880315017", "15 位"),
        ("510100198802300179", "出生日期"),
        ("51010019880315017", "18 位"),
        ("5101001988031501790", "18 位"),
        ("51010019900101003x", "18 位"),
        ("５１０１００１９８８０３１５０１７９", "18 位"),
        ("", "18 位"),
    ],
)
def test_a_wrong_number_is_refused_with_a_reason_that_does_not_repeat_it(number, words):
    fault = citizen_id_fault(number)
    assert fault is not None
    assert words in fault
    assert not number or number not in fault


def test_an_abolished_or_reused_area_prefix_is_no_reason_to_refuse():
    """The prefix says where a number was issued, before 1997 perhaps by another province."""
    body = "51020219700101001"
    check = next(digit for digit in "0123456789X" if citizen_id_fault(body + digit) is None)
    assert citizen_id_fault(body + check) is None


@given(st.integers(0, 16), st.integers(0, 9))
def test_any_single_wrong_digit_is_found(position, digit):
    changed = GOOD[:position] + str(digit) + GOOD[position + 1 :]
    assert (citizen_id_fault(changed) is None) == (changed == GOOD)


@given(st.text(max_size=20))
def test_no_text_makes_the_check_fail_unexpectedly(text):
    fault = citizen_id_fault(text)
    assert fault is None or fault


def test_birth_date_and_sex_are_read_from_the_number():
    assert birth_date(GOOD) == date(1988, 3, 15)
    assert sex_key(GOOD) == "1"
    assert sex_key("500100198507220249") == "2"


@pytest.mark.parametrize(
    ("code", "good"),
    [
        ("1151010400000000XA", True),
        ("1150010300000000XP", True),
        ("1151010400000000XB", False),
        ("1151010400000000X", False),
        ("1151010400000000XI", False),
    ],
)
def test_a_credit_code_is_judged_by_its_check_character(code, good):
    assert uscc_ok(code) is good


def test_masks_show_only_what_the_case_view_may_show():
    assert mask_name("张䶮") == "张*"
    assert mask_name("𠮷永•木呷") == "𠮷*"
    assert mask_id(GOOD) == "5101**********0179"
    assert mask_phone("13800000001") == "138****0001"
    assert mask_account("0000000000000001") == "************0001"


@given(st.text(alphabet="0123456789ABCX", max_size=24))
def test_a_mask_keeps_the_length_and_never_shows_a_short_value(value):
    for mask, shown in ((mask_id, 8), (mask_phone, 7), (mask_account, 4)):
        masked = mask(value)
        assert len(masked) == len(value)
        assert masked.count("*") == (max(0, len(value) - shown) or len(value))
