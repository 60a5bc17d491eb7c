"""A finding's path leads to the line a person has to look at, also while the message is broken."""

from __future__ import annotations

import time

import pytest
from crossings import REGIONS, SIDE, example
from hypothesis import given
from hypothesis import strategies as st

from gateway.dashboard.views.case import printed
from gateway.formats.positions import locate

JSON = """{
  "a": "x",
  "b": {"c": [10, {"d": "\\"}"}], "e": null},
  "f": true
}
"""
XML = """<?xml version="1.0" encoding="GB18030"?>
<PACKET>
 <HEAD><LSH>1</LSH></HEAD>
 <BODY>
  <NMX><ND>2021</ND></NMX>
  <NMX>
   <ND>䶮</ND><KONG></KONG>
  </NMX>
 </BODY>
</PACKET>
"""


def seen(located, path):
    place = located.at(path)
    return None if place is None else (place.line, located.text[place.offset :][: place.length])


@pytest.mark.parametrize(
    ("path", "line", "text"),
    [
        ("a", 2, '"x"'),
        ("b.c[0]", 3, "10"),
        ("b.c[1].d", 3, '"\\"}"'),
        ("b.e", 3, "null"),
        ("f", 4, "true"),
        ("b.missing", 3, "{"),
        ("missing", 1, "{"),
    ],
)
def test_a_path_of_json_leads_to_its_value_or_to_what_is_around_it(path, line, text):
    assert seen(locate(JSON.encode(), is_xml=False), path) == (line, text)


@pytest.mark.parametrize(
    ("path", "line", "text"),
    [
        ("HEAD/LSH", 3, "1"),
        ("BODY/NMX[1]/ND", 5, "2021"),
        ("BODY/NMX/ND", 5, "2021"),
        ("BODY/NMX[2]/ND", 7, "䶮"),
        ("BODY/NMX[2]/KONG", 7, "<KONG>"),
        ("BODY/NMX[2]/MISSING", 6, "<NMX>"),
        ("PACKET", 2, "<PACKET>"),
    ],
)
def test_a_path_of_xml_counts_from_one_and_leads_to_the_text(path, line, text):
    assert seen(locate(XML.encode("gb18030"), is_xml=True), path) == (line, text)


def test_columns_count_characters_of_the_line():
    located = locate(XML.encode("gb18030"), is_xml=True)
    place = located.at("BODY/NMX[2]/ND")
    assert located.lines()[place.line - 1][place.column - 1] == "䶮"
    assert locate(b"{}", is_xml=False).at("") is None


@pytest.mark.parametrize("kind", sorted(SIDE))
def test_every_value_of_every_worked_message_is_found_where_it_stands(kind):
    region, body = REGIONS[SIDE[kind]], example(kind)
    is_xml = "xml" in region.content_type
    located = locate(body, is_xml=is_xml)
    assert located.broken is None
    for line in printed.native(region.parse(body).tree, region.maps[kind], is_xml=is_xml):
        if line.is_value and line.text:
            place = located.at(line.path)
            assert line.text in located.text[place.offset :][: place.length], line.path


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b'{\n "a": 1,\n "b": \n', 3),
        (b'{\n "a": "open\n}', 2),
        (b'{\n "a": 1}}\n', 2),
        (b'{\n "a": "\xff"\n}', 2),
        (b'{"a":\n}', 2),
        (b'{"a": 1\n "b": 2}', 2),
        (b"", 1),
    ],
)
def test_a_broken_json_text_says_where_and_keeps_what_stands_before(body, line):
    located = locate(body, is_xml=False)
    assert located.broken.line == line
    if b'"a": 1,' in body:
        assert located.at("a").line == 2


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (XML.replace("</NMX>\n </BODY>", "\n </BODY>").encode("gb18030"), 9),
        (XML.replace("2021", "20&21").encode("gb18030"), 5),
        (b"<PACKET>\n<A>\xff\xff</A></PACKET>", 2),
        (b"<!DOCTYPE x>\n<A/>", 1),
        (b"", 1),
    ],
)
def test_a_broken_xml_text_says_where(body, line):
    assert locate(body, is_xml=True).broken.line == line


@given(st.binary(max_size=200), st.booleans())
def test_whatever_bytes_come_they_have_lines(body, is_xml):
    located = locate(body, is_xml=is_xml)
    for place in (*located.places.values(), *filter(None, [located.broken])):
        assert 1 <= place.line <= len(located.lines())
        assert 0 <= place.offset <= len(located.text)


def test_fifty_thousand_levels_and_a_hundred_thousand_lines_are_no_trouble():
    assert locate(b"<A>" * 50_000 + b"</A>" * 50_000, is_xml=True).broken is None
    assert locate(b"[" * 50_000, is_xml=False).broken.line == 1
    many = "{" + ",\n".join(f'"k{n}": {n}' for n in range(100_000)) + "}"
    assert locate(many.encode(), is_xml=False).at("k99999").line == 100_000


def test_twenty_thousand_values_on_a_line_of_thirty_megabytes_are_found_without_reading_it_for_each():
    members = ",".join(f'"k{n}":{n}' for n in range(20_000))
    body = f"{{{members}}}{' ' * 30_000_000}".encode()
    began = time.perf_counter()
    assert locate(body, is_xml=False).at("k19999").line == 1
    # once for each value would be a thousand gigabytes
    assert time.perf_counter() - began < 20


@pytest.mark.parametrize("before", ["王秀", "𠮷㛃😀", "\ue7c7\u1e3f€", "㐀\r\n𬸚"])
def test_columns_count_characters_however_many_bytes_each_has(before):
    head = f'<?xml version="1.0" encoding="GB18030"?><PACKET><XM>{before}</XM>'
    line = head.replace("\r\n", "\n").split("\n")
    found = locate(f"{head}<XB>女</XB></PACKET>".encode("gb18030"), is_xml=True)
    assert found.at("XB")[:2] == (len(line), len(line[-1]) + len("<XB>") + 1)
    broken = locate(head.encode("gb18030") + b"<XB>\xff</XB></PACKET>", is_xml=True).broken
    assert broken[:2] == (len(line), len(line[-1]) + len("<XB>") + 1)
    text = f'{{"xm": "{line[-1]}", "xb": 1}}'.replace('"1.0" encoding="GB18030"', "")
    assert locate(text.encode(), is_xml=False).at("xb")[:2] == (1, text.index("1}") + 1)
