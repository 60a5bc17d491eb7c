"""What a parked message waits for, and the rows that end its waiting: never a guess, always free of faults."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.mapping.amend import Addition, with_rows
from gateway.mapping.gaps import Answer, RuleGap, WordGap, rule_gap, rule_rows, word_gap, word_rows
from gateway.mapping.load import PACKAGED, files_of, tables_of
from gateway.mapping.sets import table_set

FILES = files_of(PACKAGED)
TABLES = tables_of(FILES, None, where="packaged")


def nation(native):
    return word_gap(TABLES, "ethnic_group", "sichuan", "chongqing", native)


def faults(rows):
    return table_set("next", with_rows(FILES, rows)).faults()


def test_a_row_is_added_at_the_end_and_everything_else_stays_to_the_byte():
    rows = [
        Addition("codes/sichuan/sex.csv", {"native": "3", "key": "9", "direction": "read", "note": "a, b"})
    ]
    amended = with_rows(FILES, rows)
    assert amended["codes/sichuan/sex.csv"] == FILES["codes/sichuan/sex.csv"] + b'3,9,,read,,"a, b"\n'
    assert {name: amended[name] for name in FILES if name != "codes/sichuan/sex.csv"} == {
        name: FILES[name] for name in FILES if name != "codes/sichuan/sex.csv"
    }


def test_a_table_that_was_not_there_begins_with_its_header():
    amended = with_rows({}, [Addition("canonical/colour.csv", {"key": "1", "meaning": "红"})])
    assert amended == {"canonical/colour.csv": "key,meaning,note\n1,红,\n".encode()}


@pytest.mark.parametrize("row", [Addition("secrets.csv", {}), Addition("canonical/sex.csv", {"colour": "1"})])
def test_what_is_no_table_or_column_is_not_written(row):
    with pytest.raises(ValueError, match="no such table or column"):
        with_rows(FILES, [row])


def test_an_unknown_word_waits_for_a_meaning_and_the_page_shows_what_the_other_side_would_get():
    gap = nation("88")
    assert (gap.key, gap.closed) == ("", False)
    assert (gap.candidate("01").meaning, gap.candidate("01").peer) == ("汉族", "汉族")


def test_nothing_is_proposed_before_a_person_has_said_the_meaning_and_the_basis():
    rows, left_open = word_rows(TABLES, nation("88"), Answer())
    assert rows == []
    assert left_open == {"key", "basis"}


def test_a_word_for_a_meaning_that_has_one_is_only_read():
    rows, left_open = word_rows(TABLES, nation("88"), Answer(key="01", basis="会商"))
    assert not left_open
    assert [(row.path, row.cells["direction"]) for row in rows] == [
        ("codes/sichuan/ethnic_group.csv", "read")
    ]
    assert faults(rows) == []


def test_a_new_meaning_is_agreed_on_both_sides_or_not_proposed():
    gap = nation("88")
    assert (word_rows(TABLES, gap, Answer(key="88", basis="会商"))[1]) == {"meaning", "peer_native"}
    rows, _ = word_rows(TABLES, gap, Answer(key="88", meaning="示例族", peer_native="示例族", basis="会商"))
    assert [row.path for row in rows] == [
        "canonical/ethnic_group.csv",
        "codes/sichuan/ethnic_group.csv",
        "codes/chongqing/ethnic_group.csv",
    ]
    assert faults(rows) == []


def test_a_word_that_crosses_already_lacks_nothing():
    assert nation("01").closed


def test_a_word_the_other_side_has_none_for_asks_for_that_alone():
    own, hub = TABLES.codes("chongqing", "material"), TABLES.hub("material")
    row = next(
        row for row in own.reads.values() if TABLES.codes("sichuan", "material").write(row.key) is None
    )
    gap = word_gap(TABLES, "material", "chongqing", "sichuan", row.native)
    assert (gap.key, gap.closed) == (row.key, False)
    assert (word_rows(TABLES, gap, Answer(basis="会商"))[1]) == {"peer_native"}
    rows, _ = word_rows(TABLES, gap, Answer(peer_native="CL990", basis="会商"))
    (added,) = rows
    assert (added.path, added.cells["name"]) == ("codes/sichuan/material.csv", hub.meaning(row.key))
    assert faults(rows) == []


def test_a_material_without_a_rule_asks_what_it_is_accepted_as():
    gap = rule_gap(TABLES, "sichuan", "chongqing", "CL024")
    assert isinstance(gap, RuleGap)
    assert (gap.subject, gap.candidates[0].key) == ("e_id_card", "e_id_card")
    assert (rule_rows(gap, Answer())[1]) == {"accepted_as", "since", "basis"}


def test_a_rule_ends_where_a_later_one_agreed_already_begins():
    gap = rule_gap(TABLES, "sichuan", "chongqing", "CL024")
    answer = Answer(accepted_as="id_card", since=date(2026, 11, 1), basis="会商")
    rows, _ = rule_rows(gap, answer)
    assert rows[0].cells["effective_to"] == gap.others[0].effective_from.isoformat() == "2027-01-01"
    assert faults(rows) == []


def test_a_material_no_list_knows_lacks_its_word_first():
    assert isinstance(rule_gap(TABLES, "sichuan", "chongqing", "CL999"), WordGap)


def test_a_certification_is_recognised_as_a_certification():
    gap = rule_gap(TABLES, "sichuan", "chongqing", None)
    assert (gap.subject_kind, [each.key for each in gap.candidates]) == ("result", ["certification"])
