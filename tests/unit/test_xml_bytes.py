"""XML comes in as GB 18030 without tricks and goes out byte for byte."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.formats import gb18030, xml_bytes
from gateway.formats.tree import MAX_DEPTH, Unreadable
from gateway.formats.xml_bytes import DECLARATION

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
    min_size=1,
)
TAGS = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", min_size=1, max_size=6).map(lambda tag: "T" + tag)
OBJECTS = st.recursive(
    st.dictionaries(TAGS, TEXTS, min_size=1, max_size=3),
    lambda inner: st.dictionaries(
        TAGS, inner | TEXTS | st.lists(inner | TEXTS, min_size=2, max_size=3), min_size=1, max_size=3
    ),
    max_leaves=15,
)


def outcome(read, document: bytes | str) -> object:
    """The tree, or the reason why there is none."""
    try:
        return read(document)[0]
    except Unreadable as error:
        return error.reason


def document(inside: str) -> bytes:
    return gb18030.encode(f"{DECLARATION}<PACKET>{inside}</PACKET>")


def faults_of(inside: str) -> list[str]:
    _, faults = xml_bytes.read(document(inside))
    assert {fault.code for fault in faults} <= {"9042"}
    return [fault.path for fault in faults]


@given(OBJECTS)
def test_what_is_written_is_read_back_text_by_text(tree):
    assert xml_bytes.read(xml_bytes.write(tree)) == (tree, ())


@given(st.binary() | st.binary().map(lambda tail: DECLARATION.encode() + tail))
def test_any_bytes_are_a_tree_or_unreadable(body):
    assert isinstance(outcome(xml_bytes.read, body), (dict, str))


@given(st.text(alphabet='<>/&;#!?[]-="AB 张\n\t\x00\ud800:', max_size=60))
def test_any_markup_is_a_tree_or_unreadable(inside):
    assert isinstance(outcome(xml_bytes.parse, f"<PACKET>{inside}</PACKET>"), (dict, str))


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_all_of_unicode_goes_through_the_encoding(text):
    assert gb18030.decode(gb18030.encode(text)) == text


@pytest.mark.parametrize(
    ("character", "position"),
    [
        ("䶮", "FE9F"),
        ("𠮷", "9534B235"),
        ("㛃", "8230B731"),
        ("·", "A1A4"),
        # positions that the 2022 edition took out of the private use area
        ("\ufe10", "A6D9"),
        ("\ufe19", "A6F3"),
        ("\u9fb4", "FE59"),
        ("\u9fbb", "FEA0"),
        ("\u1e3f", "A8BC"),
        ("\ue81e", "82359037"),
    ],
)
def test_characters_stand_where_the_2022_edition_puts_them(character, position):
    assert gb18030.encode(character) == bytes.fromhex(position)
    assert gb18030.decode(bytes.fromhex(position)) == character


def test_repeated_elements_become_a_list_and_order_is_kept():
    tree, faults = xml_bytes.read(document("<A>1</A><B><C>x</C><C>y</C></B><D/><E></E>"))
    assert tree == {"A": "1", "B": {"C": ["x", "y"]}, "D": "", "E": ""}
    assert list(tree) == ["A", "B", "D", "E"]
    assert faults == ()


def test_comments_instructions_and_cdata_do_not_break_a_text():
    tree, faults = xml_bytes.read(
        gb18030.encode(
            f"{DECLARATION}\n<!-- <!DOCTYPE x> --><?go?>"
            "<PACKET><A>张<!-- c -->三<?p x?><![CDATA[<&>]]>&amp;&#20013;</A></PACKET><!-- end -->"
        )
    )
    assert tree == {"A": "张三<&>&中"}
    assert faults == ()


def test_markup_in_texts_is_escaped():
    body = xml_bytes.write({"A": "a<b>&\"'\r\n]]>", "B": None, "C": ["1", "2"]})
    assert (
        body
        == DECLARATION.encode() + b"<PACKET><A>a&lt;b&gt;&amp;\"'&#13;\n]]&gt;</A><C>1</C><C>2</C></PACKET>"
    )
    assert xml_bytes.read(body)[0]["A"] == "a<b>&\"'\r\n]]>"


def test_what_xml_cannot_hold_is_written_as_a_replacement():
    assert xml_bytes.read(xml_bytes.write({"A": "a\x00\ud800b"}))[0] == {"A": "a\ufffd\ufffdb"}


def test_only_texts_are_written():
    with pytest.raises(TypeError):
        xml_bytes.write({"A": 1})


@pytest.mark.parametrize(
    "declaration",
    [
        '<?xml version="1.0" encoding="GB18030"?>',
        '<?xml version="1.0" encoding="gb18030"?>',
        "<?xml version='1.0' encoding='GB18030'?>",
        '<?xml version="1.0" encoding="GB18030" standalone="yes" ?>',
    ],
)
def test_the_declaration_may_be_spelt_as_xml_allows(declaration):
    assert xml_bytes.read(f"{declaration}\n<PACKET><A>1</A></PACKET>".encode()) == ({"A": "1"}, ())


@pytest.mark.parametrize(
    "start",
    [
        "",
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<?xml version="1.0" encoding="GBK"?>',
        '<?xml version="1.0" encoding="GB2312"?>',
        '<?xml version="1.0"?>',
        '<?xml version="1.1" encoding="GB18030"?>',
        "\n" + DECLARATION,
        "\ufeff" + DECLARATION,
    ],
)
def test_any_other_declaration_is_unreadable(start):
    with pytest.raises(Unreadable, match="声明"):
        xml_bytes.read(gb18030.encode(f"{start}<PACKET><A>1</A></PACKET>"))


@pytest.mark.parametrize(
    "body",
    [
        DECLARATION.encode() + b"<PACKET><A>\xff\xff</A></PACKET>",
        DECLARATION.encode() + b"<PACKET><A>\x80</A></PACKET>",
        document("<A>")[:-3],
        document("<A></B>"),
        document("&nbsp;"),
        document("&#xD800;"),
        document("<A>\x01</A>"),
        document("<A x=1/>"),
        document("<A/>") + b"<B/>",
        DECLARATION.encode(),
        b"",
    ],
)
def test_what_is_not_well_formed_is_unreadable(body):
    with pytest.raises(Unreadable):
        xml_bytes.read(body)


@pytest.mark.parametrize(
    "prolog",
    [
        "<!DOCTYPE PACKET>",
        '\n<!DOCTYPE PACKET [<!ENTITY a "x">]>',
        '<!-- x --><?y?> <!DOCTYPE PACKET SYSTEM "file:///etc/passwd">',
    ],
)
def test_a_doctype_is_refused_before_any_parser_sees_it(prolog):
    with pytest.raises(Unreadable, match="DOCTYPE"):
        xml_bytes.read(gb18030.encode(f"{DECLARATION}{prolog}<PACKET><A>1</A></PACKET>"))


def test_a_billion_laughs_are_refused_at_once():
    entities = "".join(f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' for i in range(30))
    bomb = f'{DECLARATION}<!DOCTYPE PACKET [<!ENTITY l0 "ha">{entities}]><PACKET><A>&l30;</A></PACKET>'
    began = time.process_time()
    with pytest.raises(Unreadable, match="DOCTYPE"):
        xml_bytes.read(bomb.encode())
    assert time.process_time() - began < 1


@pytest.mark.parametrize("filler", ["<!--", "<?", "<!-- x -->", "<?x?>", " ", "<A>", "<A/>", "&amp;", "]]>"])
def test_a_megabyte_of_anything_is_answered_quickly(filler):
    body = (DECLARATION + "<PACKET>" * (filler[0] != "<") + filler * (1_048_576 // len(filler))).encode()
    began = time.process_time()
    with pytest.raises(Unreadable):
        xml_bytes.read(body)
    assert time.process_time() - began < 5


def test_nesting_is_readable_up_to_its_bound_and_not_beyond():
    def deep(levels):
        return document("<A>" * (levels - 1) + "x" + "</A>" * (levels - 1))

    assert xml_bytes.read(deep(MAX_DEPTH))
    with pytest.raises(Unreadable, match="嵌套"):
        xml_bytes.read(deep(MAX_DEPTH + 1))


@pytest.mark.parametrize(
    ("inside", "paths"),
    [
        ("<A x='1'>1</A>", ["A"]),
        ("<A xmlns='urn:x'>1</A>", ["A"]),
        ("<p:A xmlns:p='urn:x'>1</p:A>", ["p:A"]),
        ("<p:A>1</p:A>", ["p:A"]),
        ("<A>text<B>1</B></A>", ["A"]),
        ("<A><B>1</B>text</A>", ["A"]),
        ("<B>1</B>text", ["PACKET"]),
        ("<A>1</A><B/><A>2</A>", ["A[2]"]),
        ("<Y><N><D>1</D></N><N><D x='1'>2</D></N></Y>", ["Y/N[2]/D"]),
        ("<Y><N><D x='1'>1</D></N><N/></Y>", ["Y/N[1]/D"]),
        ("", ["PACKET"]),
        ("only text", ["PACKET"]),
    ],
)
def test_what_the_tree_cannot_show_is_a_fault_with_its_path(inside, paths):
    assert faults_of(inside) == paths


def test_another_root_is_a_fault():
    _, faults = xml_bytes.read(f"{DECLARATION}<PAKET><A>1</A></PAKET>".encode())
    assert [fault.path for fault in faults] == ["PACKET"]
