"""A set of tables goes into a workbook and comes back byte by byte; what a spreadsheet spoils is refused."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from gateway.mapping.columns import explanation
from gateway.mapping.diff import differences
from gateway.mapping.sets import packaged, table_set
from gateway.mapping.sheet import cells_of
from gateway.mapping.workbook import (
    CONTENTS,
    BadWorkbook,
    canonical_csv,
    from_workbook,
    rewritten,
    to_workbook,
)

PACKAGED = packaged()
#: small enough for many trips, and complete enough to be sorted
NEEDED = ("items/catalogue.csv", "places/divisions.csv", "places/agencies.csv")
SMALL = {name: PACKAGED.files[name] for name in ("canonical/sex.csv", "codes/sichuan/sex.csv")}
SMALL |= {name: b"\n".join(PACKAGED.files[name].split(b"\n")[:2]) + b"\n" for name in NEEDED}
#: one table of each kind, for the many books that are spoiled
SOME = SMALL | {
    name: PACKAGED.files[name]
    for name in (
        "canonical/ethnic_group.csv",
        "canonical/material.csv",
        "codes/chongqing/sex.csv",
        "codes/sichuan/items.csv",
        "recognition/materials.csv",
    )
}


@pytest.fixture(scope="module")
def exported():
    return to_workbook(SOME)


@pytest.fixture
def book(exported):
    return load_workbook(BytesIO(exported))


def saved(book):
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def test_the_whole_set_comes_back_byte_by_byte():
    assert from_workbook(to_workbook(PACKAGED.files)) == PACKAGED.files
    assert rewritten(PACKAGED.files) == []


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn"), exclude_characters="\ufffe\uffff"),
    max_size=20,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(
            TEXT,
            TEXT,
            TEXT | st.sampled_from(["=1+1", "#N/A", "007", "1e5", "2026-11-23", '"', "a\nb", "'x"]),
        ),
        max_size=5,
    )
)
@example([("a\u2028b", "c\u2029d", "")])  # line ends to Unicode, not to a table
def test_any_text_survives_the_trip(rows):
    kept = [row for row in rows if any(row)]
    files = {**SMALL, "canonical/sex.csv": canonical_csv([("key", "meaning", "note"), *kept])}
    assert from_workbook(to_workbook(files)) == files


def test_every_cell_is_text_and_stays_so_when_typed_anew(book):
    sheet = book["places.divisions"]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value} == {"s"}
    assert {cell.number_format for row in sheet.iter_rows() for cell in row if cell.value} == {"@"}
    assert sheet.column_dimensions["A"].number_format == "@"


def test_every_header_says_in_chinese_what_to_write(book):
    for sheet in book.worksheets:
        if sheet.title in {CONTENTS, "选项"}:
            continue
        for head in sheet[1]:
            assert head.comment is not None, (sheet.title, head.value)
            assert any("一" <= sign <= "鿿" for sign in head.comment.text)


def test_every_column_of_every_table_is_explained():
    silent = [
        (name, column)
        for name, content in PACKAGED.files.items()
        for column in cells_of(content)[0]
        if not explanation(name, column)
    ]
    assert silent == []


def offered(book, title, column):
    """The words the drop-down of a column offers."""
    sheet = book[title]
    letter = next(cell.column_letter for cell in sheet[1] if cell.value == column)
    for each in sheet.data_validations.dataValidation:
        if str(each.sqref).startswith(f"{letter}2:"):
            _, _, area = each.formula1.rpartition("!")
            return each, [row[0].value for row in book["选项"][area.replace("$", "")]]
    return None, []


@pytest.mark.parametrize(
    ("title", "column", "word", "strict"),
    [
        ("codes.chongqing.sex", "key", "9", True),
        ("codes.chongqing.sex", "direction", "write", True),
        ("recognition.materials", "issued_by", "sichuan", True),
        ("recognition.materials", "subject", "id_card", True),
        ("recognition.materials", "items", "pension_transfer", False),
        ("items.catalogue", "promised_limit_unit", "工作日", True),
        ("items.catalogue", "materials", "id_card", False),
        ("codes.sichuan.items", "item", "pension_transfer", True),
        ("places.divisions", "level", "county", True),
    ],
)
def test_columns_of_known_words_have_drop_downs(book, title, column, word, strict):
    validation, words = offered(book, title, column)
    assert word in words
    assert validation.showErrorMessage is strict


def test_an_edit_comes_back_as_that_edit_alone(book):
    sheet = book["canonical.ethnic_group"]
    sheet.append(["77", "试验族", ""])
    back = table_set("edited", from_workbook(saved(book)))
    assert [str(change) for change in differences(table_set("some", SOME), back)] == [
        "+ canonical/ethnic_group.csv 77  77，试验族"
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [(500103, "不是文本"), (1.5, "不是文本"), (True, "不是文本"), ("=1+1", "是公式")],
)
def test_numbers_and_formulas_are_refused_with_their_cell(book, value, said):
    book["places.divisions"]["A2"] = value
    with pytest.raises(BadWorkbook) as caught:
        from_workbook(saved(book))
    assert [
        fault for fault in caught.value.faults if fault.startswith("places.divisions!A2: ") and said in fault
    ]


def test_a_day_typed_as_a_day_is_written_as_ours(book):
    sheet = book["recognition.materials"]
    column = next(cell.column for cell in sheet[1] if cell.value == "effective_from")
    sheet.cell(2, column).value = date(2020, 9, 2)
    assert b"2020-09-02" in from_workbook(saved(book))["recognition/materials.csv"]


def without_contents(book):
    del book[CONTENTS]


def a_stranger(book):
    book.create_sheet("草稿")


def a_lost_sheet(book):
    del book["places.agencies"]


def text_beside_the_columns(book):
    book["places.agencies"].cell(3, 9).value = "备注"


def a_table_twice(book):
    book[CONTENTS].append(["places.agencies", "places/agencies.csv", "1"])


@pytest.mark.parametrize(
    "spoil", [without_contents, a_stranger, a_lost_sheet, text_beside_the_columns, a_table_twice]
)
def test_a_workbook_that_lost_its_order_is_refused_in_a_sentence(book, spoil):
    spoil(book)
    with pytest.raises(BadWorkbook) as caught:
        from_workbook(saved(book))
    assert caught.value.faults


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_workbook_is_said_to_be_none(content):
    with pytest.raises(BadWorkbook, match="xlsx"):
        from_workbook(content)


def test_unusual_quotes_are_named_because_they_would_change():
    files = {**SMALL, "canonical/sex.csv": b'key,meaning,note\n"1",x,\n'}
    assert rewritten(files) == ["canonical/sex.csv"]


def test_a_workbook_that_unfolds_beyond_measure_is_not_read():
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for number in range(5):
            archive.writestr(f"xl/worksheets/sheet{number}.xml", bytes(60 * 1024 * 1024))
    with pytest.raises(BadWorkbook, match="256 MB"):
        from_workbook(out.getvalue())


def test_the_contents_lead_to_every_sheet(book):
    for row in book[CONTENTS].iter_rows(min_row=2):
        assert row[0].hyperlink.location == f"'{row[0].value}'!A1"
        assert row[0].value in book.sheetnames
