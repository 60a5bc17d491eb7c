"""Each value of every kind of message, both ways, is explained by its rule and the rows behind it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from crossings import MAPS, PAIR, REGIONS, SIDE, TABLES
from replays import kept, other

from gateway import regions
from gateway.exchange.explain import KIND_LABELS, Reader, by_place, explained, leaves, travelled
from gateway.exchange.library import Book
from gateway.exchange.replay import Message, Stage, replay
from gateway.mapping.explain import field_lines
from gateway.mapping.load import PACKAGED, files_of, well_formed
from gateway.web.explain_schemas import Explanation

SHEETS = well_formed(files_of(PACKAGED))[0]
BOOK = Book(TABLES.digest, TABLES, MAPS, SHEETS)
LINES = by_place(field_lines(regions.fields()))
READER = Reader(REGIONS, LINES, {BOOK.digest: BOOK}, BOOK)
FILES = files_of(PACKAGED)


def forwarded(kind):
    """A worked message as the store keeps it once it went over: with its trace and its bytes."""
    case = kept(kind)
    (message,) = case.messages
    region = REGIONS[message.region]
    again = replay(Stage(REGIONS, MAPS), Message(case.record, message.region, region.parse(message.raw)))
    assert again.tree is not None, again.said
    whole = replace(
        message,
        trace=tuple(entry.as_json() for entry in again.trace),
        rendered=REGIONS[message.destination].render(again.tree, again.native_kind),
    )
    return replace(case, messages=(whole,))


@pytest.mark.parametrize("kind", sorted(SIDE))
def test_the_whole_written_message_is_explained_leaf_by_leaf(kind):
    case = forwarded(kind)
    told = explained(case, READER)
    Explanation.model_validate(told)
    (message,) = told["messages"]
    receiver = REGIONS[other(SIDE[kind])]
    written = dict(leaves(receiver.parse(case.messages[0].rendered).tree, receiver.maps[PAIR[kind]]))
    first = [value for value in message["values"] if value["path_out"] in written]
    assert [value["path_out"] for value in first][: len(written)] == list(written)
    for value in message["values"]:
        assert value["rule_text"], value
        assert value["kind_label"] == KIND_LABELS[value["kind"]]
        assert value["path_in"] is None or value["name_in"], value
        assert value["path_out"] is None or value["name_out"], value
    for value in message["values"]:
        if value["path_out"] in written and value["after"] is not None and value["kind"] != "warning":
            # a composite is told whole beside its first part; numbers may be spelt with more places
            said = value["after"].split("|")
            assert written[value["path_out"]] in said or Decimal(said[0]) == Decimal(
                written[value["path_out"]]
            )


@pytest.mark.parametrize("kind", sorted(SIDE))
def test_every_looked_up_word_is_quoted_with_its_line_in_its_file(kind):
    (message,) = explained(forwarded(kind), READER)["messages"]
    quoted = 0
    for value in message["values"]:
        if value["rule"] in {"M1", "M2", "M10", "M13"} and value["kind"] in {"converted", "lossy"}:
            assert value["rows"], value
        for row in value["rows"]:
            line = FILES[row["table"]].decode().splitlines()[row["line"] - 1]
            assert next(text for name, text in row.items() if name not in {"table", "line"}) in line
            quoted += 1
    assert quoted or kind in {"tbch0001", "CH_SQ", "YLZY_XXB", "tbzy0002"}


def test_a_value_that_is_not_carried_says_why():
    (message,) = explained(forwarded("tbzy0001"), READER)["messages"]
    nationality = next(v for v in message["values"] if v["path_in"] == "param.aac161")
    assert (nationality["path_out"], nationality["kind_label"]) == (None, "未转")
    assert "没有国籍" in nationality["rule_text"]


def test_a_set_no_longer_kept_is_said_so_and_the_current_one_quoted():
    case = forwarded("tbzy0001")
    (message,) = case.messages
    other_digest = replace(case, messages=(replace(message, tables_digest="0" * 64),))
    (told,) = explained(other_digest, READER)["messages"]
    assert told["tables"] == {"digest": "0" * 64, "kept": False}
    assert any(value["rows"] for value in told["values"])


@pytest.mark.parametrize("kind", sorted(SIDE))
def test_travelling_to_the_same_tables_and_day_changes_nothing(kind):
    told = travelled(forwarded(kind), READER, to=BOOK, on=None)
    assert [(each["before"], each["changes"]) for each in told["messages"]] == [("转递", [])]


def test_the_gateways_own_word_to_the_origin_is_explained_but_not_translated_again():
    case = forwarded("tbzt0001")
    (message,) = case.messages
    own = replace(case, messages=(replace(message, raw=b""),))
    assert travelled(own, READER, to=BOOK, on=None)["messages"] == []
    assert explained(own, READER)["messages"][0]["values"]
