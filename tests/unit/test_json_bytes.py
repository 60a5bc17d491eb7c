"""JSON comes in strictly and goes out exactly."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats import json_bytes
from gateway.formats.json_bytes import MAX_NUMBER
from gateway.formats.tree import MAX_DEPTH, Unreadable

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9)
LEAVES = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | NUMBERS | st.text()
TREES = st.dictionaries(
    st.text(),
    st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20),
)


def outcome(body: bytes) -> object:
    """The object, or the reason why there is none."""
    try:
        return json_bytes.parse(body)[0]
    except Unreadable as error:
        return error.reason


def nested(levels: int) -> bytes:
    return b'{"a":' * (levels - 1) + b"{}" + b"}" * (levels - 1)


@given(TREES)
def test_what_is_written_is_read_back_value_by_value(tree):
    assert json_bytes.read(json_bytes.write(tree)) == tree


@given(st.binary())
def test_any_bytes_are_an_object_or_unreadable(body):
    assert isinstance(outcome(body), (dict, str))


@given(st.recursive(LEAVES | st.floats(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_json_text_is_an_object_or_unreadable(value):
    body = json.dumps({"a": value}, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass")
    assert isinstance(outcome(body), (dict, str))


def test_decimals_keep_every_digit():
    body = b'{"a":17792.46,"b":0.1,"c":5000.0,"d":1e2}'
    tree = json_bytes.read(body)
    assert tree == {"a": Decimal("17792.46"), "b": Decimal("0.1"), "c": Decimal("5000.0"), "d": Decimal(100)}
    assert json_bytes.write(tree) == b'{"a":17792.46,"b":0.1,"c":5000.0,"d":100}'


def test_letters_beyond_ascii_are_written_as_they_are():
    assert json_bytes.write({"姓名": "张䶮𠮷"}) == '{"姓名":"张䶮𠮷"}'.encode()


def test_a_lone_surrogate_is_written_as_an_escape():
    assert json_bytes.write({"a": "\ud800"}) == b'{"a":"\\ud800"}'


def test_a_binary_float_is_never_written():
    with pytest.raises(TypeError):
        json_bytes.write({"a": 0.1})


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b'\xef\xbb\xbf{"a":1}', "BOM"),
        (b'{"a":"\xff"}', "UTF-8"),
        ('{"a":"张"}'.encode("gb18030"), "UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "UTF-8"),
        (b'{"a":1,"a":1}', "重复"),
        (b'{"p":{"x":1,"x":2}}', "重复"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":Infinity}', "NaN"),
        (b'{"a":-Infinity}', "NaN"),
        (b"[]", "对象"),
        (b'"a"', "对象"),
        (b"null", "对象"),
        (b"", "JSON"),
        (b'{"a":1,}', "JSON"),
        (b'{"a":01}', "JSON"),
        (b'{"a":"\x00"}', "JSON"),
        (b"{'a':1}", "JSON"),
        (b'{"a":1} x', "JSON"),
    ],
)
def test_what_is_no_strict_json_object_is_unreadable_and_says_why(body, word):
    with pytest.raises(Unreadable) as caught:
        json_bytes.parse(body)
    assert word in caught.value.reason


def test_nesting_is_readable_up_to_its_bound_and_not_beyond():
    assert json_bytes.parse(nested(MAX_DEPTH))
    with pytest.raises(Unreadable, match="嵌套"):
        json_bytes.parse(nested(MAX_DEPTH + 1))
    with pytest.raises(Unreadable, match="嵌套"):
        json_bytes.parse(b'{"a":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}")


@pytest.mark.parametrize("opening", [b'{"a":', b"["])
def test_a_megabyte_of_openings_is_refused_and_does_not_exhaust_the_stack(opening):
    with pytest.raises(Unreadable):
        json_bytes.parse(opening * (1_048_576 // len(opening)))


@pytest.mark.parametrize(
    "number",
    ["1" * (MAX_NUMBER + 1), "-" + "1" * MAX_NUMBER, "0." + "1" * 31, "1e999999999999", "1E-40", "1e40"],
)
def test_a_number_too_long_is_a_fault_at_its_place(number):
    body = f'{{"param":{{"ic91":[{{}},{{"aae180":{number}}}]}}}}'.encode()
    _, faults = json_bytes.parse(body)
    assert [(fault.path, fault.code) for fault in faults] == [("param.ic91[1].aae180", "9042")]
    with pytest.raises(Unreadable, match="aae180"):
        json_bytes.read(body)


def test_a_number_of_the_greatest_length_is_a_number():
    longest = int("1" * MAX_NUMBER)
    assert json_bytes.parse(f'{{"a":{longest}}}'.encode()) == ({"a": longest}, ())
