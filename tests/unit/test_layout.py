"""Setting a message out in lines changes no value of it, and leaves alone what is no message."""

from __future__ import annotations

import json

import pytest
from crossings import REGIONS, SIDE, example
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats import gb18030
from gateway.formats.layout import laid_out


@pytest.mark.parametrize("kind", sorted(SIDE))
def test_every_worked_message_means_the_same_line_by_line(kind):
    region = REGIONS[SIDE[kind]]
    is_xml = "xml" in region.content_type
    encode = gb18030.encode if is_xml else str.encode
    tree = region.parse(example(kind)).tree
    compact = region.render(tree, kind)
    laid = laid_out(gb18030.decode(compact) if is_xml else compact.decode(), is_xml=is_xml)
    assert region.parse(encode(laid)).tree == tree
    assert laid.count("\n") > 5
    assert laid_out(laid, is_xml=is_xml) == laid


def test_a_number_keeps_its_digits_and_an_empty_list_its_line():
    assert laid_out('{"a":1.10,"b":[],"c":["x,{"]}', is_xml=False) == (
        '{\n  "a": 1.10,\n  "b": [],\n  "c": [\n    "x,{"\n  ]\n}\n'
    )


@pytest.mark.parametrize("text", ['{"a": 1', "<A><B></A", "<A>x<B/></A> y", "hello", "", "<A>" * 100])
def test_what_is_broken_or_odd_loses_nothing(text):
    assert laid_out(text, is_xml=text.startswith("<")).replace("\n", "").replace(" ", "") == text.replace(
        " ", ""
    )


@given(
    st.recursive(
        st.none() | st.text() | st.integers() | st.booleans(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_any_json_means_the_same(tree):
    assert json.loads(laid_out(json.dumps({"a": tree}), is_xml=False)) == {"a": tree}
