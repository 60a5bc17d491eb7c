"""What proposed tables would change: found by the row that changes it, and never overlooked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from crossings import DAY, MAPS, PAIR, REGIONS, SIDE, TABLES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from replays import kept, other, variant

from gateway.canonical.tracking import TimeLimit
from gateway.exchange.impact import TOGETHER, Screen, Study
from gateway.exchange.replay import Aspect, Message, Stage, Verdict, changes, replay
from gateway.exchange.translate import compile_maps
from gateway.formats.leaf_search import form_of, json_texts, xml_texts
from gateway.mapping.codelist import CodeList
from gateway.mapping.recognition import Rules
from gateway.mapping.sieve import words

#: worked messages, and some in which a value has to be derived
CASES = [
    *(kept(kind) for kind in SIDE),
    variant("tbzy0001", {"param.aac004": None, "param.aac006": None}),
    variant("tbty0001", {"param.aac004": None, "param.sjbz": "1"}),
    variant("YLZY_SQ", {"BODY/SQR/XB": None, "BODY/BJXX/SLQD": None}),
    variant("tbzy0001", {"param.aac058": "04", "param.aac147": "H60000001", "aac002": "H60000001"}),
]


def verdict_of(kind, tables=TABLES, **how):
    case = kept(kind)
    message = Message(case.record, SIDE[kind], REGIONS[SIDE[kind]].parse(case.messages[0].raw))
    stage = Stage(REGIONS, MAPS if tables is TABLES else _maps(tables))
    return replay(stage, message, **how)


def _maps(tables):
    return compile_maps(REGIONS, tables)


def study(tables, cases=CASES):
    found = Study(REGIONS, TABLES, tables)
    for case in cases:
        found.look_at(case)
    return found.report


# --- tables, changed in memory ---


def without(region, name, natives, ways=("reads", "writes")):
    """The tables without these words of a list."""
    known = TABLES.codes(region, name)
    kept_ = {
        way: {
            key: row
            for key, row in getattr(known, way).items()
            if way not in ways or row.native not in natives
        }
        for way in ("reads", "writes")
    }
    changed = CodeList(region, name, kept_["reads"], kept_["writes"], known.parts)
    return replace(TABLES, lists={**TABLES.lists, (region, name): changed})


def limited(item, value, unit="工作日"):
    """The tables with another promised limit of an item."""
    versions = tuple(
        replace(version, promised=TimeLimit(value, unit)) for version in TABLES.items.versions(item)
    )
    items = replace(TABLES.items, by_item={**TABLES.items.by_item, item: versions})
    return replace(TABLES, items=items)


# --- replaying ---


@pytest.mark.parametrize("kind", sorted(SIDE))
def test_a_worked_message_is_taken_again_as_it_was(kind):
    again = verdict_of(kind)
    assert again.verdict is Verdict.ACCEPTED
    assert again.native_kind == PAIR[kind]
    assert again.trace
    assert (
        REGIONS[other(SIDE[kind])]
        .parse(REGIONS[other(SIDE[kind])].render(again.tree, again.native_kind))
        .tree
    )


def test_a_message_without_a_row_is_parked_and_says_where():
    again = verdict_of("tbzy0001", without("sichuan", "ethnic_group", {"01"}))
    assert (again.verdict, again.said) == (Verdict.PARKED, "挂起 1001 param.aac005")
    assert again.tree is None


def test_another_day_is_judged_by_the_rows_of_that_day():
    today, before = verdict_of("YLZY_SQ"), verdict_of("YLZY_SQ", on=DAY.replace(year=2021, day=20))
    assert today.deadline.startswith("5 工作日 · 2026-11-30")
    assert before.deadline.startswith("15 工作日")


def test_differences_are_told_with_the_receivers_paths_and_spellings():
    first = verdict_of("tbzy0001")
    second = verdict_of("tbzy0001", limited("pension_transfer", 9))
    writer = REGIONS["chongqing"].maps["YLZY_SQ"]
    told = {(c.aspect, c.path): (c.before, c.after) for c in changes(first, second, writer)}
    assert told[Aspect.DEADLINE, "BODY/BJXX/CNSX"] == ("5", "9")
    before, after = told[Aspect.DEADLINE, ""]
    assert before.startswith("5 工作日 · 2026-11-30")
    assert after.startswith("9 工作日 · 2026-12-04")
    assert len(told) == 2


# --- the study ---


def test_the_same_tables_change_nothing_and_no_message_is_translated():
    report = study(replace(TABLES))
    assert (report.changed_cases, report.rules) == (0, [])
    assert report.untouched == report.messages == len(CASES)


def test_a_changed_row_is_named_with_what_it_changes():
    report = study(without("sichuan", "ethnic_group", {"01"}, ways=("reads",)), [kept("tbzy0001")])
    (rule,) = report.rules
    assert rule.cause == ("codes/sichuan/ethnic_group.csv", "01 ↔ 01")
    assert rule.changes == {Aspect.VERDICT: 1}
    told = report.as_json()
    assert json.loads(json.dumps(told, ensure_ascii=False)) == told
    assert told["rules"][0]["samples"][0]["after"] == "挂起 1001 param.aac005"


def test_a_recognition_rule_that_ends_changes_a_verdict():
    material = next(
        row for row in TABLES.codes("sichuan", "material").reads.values() if row.native == "CL001"
    )
    group = ("sichuan", "chongqing", material.key)
    tables = replace(TABLES, rules=Rules({k: v for k, v in TABLES.rules.groups.items() if k != group}))
    report = study(tables, [kept("tbzy0001")])
    (rule,) = report.rules
    assert rule.cause.table == "recognition"
    assert rule.cause.subject.endswith(f"→ — sichuan {material.key}")


def test_what_only_two_rows_together_change_is_told_together():
    both = without("sichuan", "ethnic_group", {"01"}, ways=("reads",))
    lists = {
        **both.lists,
        ("sichuan", "hukou"): without("sichuan", "hukou", {"10"}, ways=("reads",)).lists["sichuan", "hukou"],
    }
    report = study(replace(both, lists=lists), [kept("tbzy0001")])
    (rule,) = report.rules  # parked for both: neither row alone gives this verdict
    assert rule.cause.table == TOGETHER
    assert "ethnic_group" in rule.cause.subject
    assert "hukou" in rule.cause.subject


def test_a_word_of_the_gateway_and_an_unreadable_one_are_counted_not_studied():
    own, broken = kept("tbzt0001", b""), kept("tbzt0001", b'{"fwid":')
    tables = without("sichuan", "status", {"06"})
    report = study(replace(tables, calendar=replace(TABLES.calendar, published_until=2027)), [own, broken])
    assert (report.messages, report.skipped) == (2, 2)


# --- the screen ---


@pytest.mark.parametrize(
    ("region", "name"), sorted(TABLES.lists), ids=lambda value: value if isinstance(value, str) else None
)
@pytest.mark.parametrize("way", ["reads", "writes"])
def test_no_message_slips_through_when_a_list_loses_all_its_words(region, name, way):
    natives = {row.native for row in getattr(TABLES.codes(region, name), way).values()}
    _none_slips_through(without(region, name, natives, ways=(way,)))


@given(st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_message_slips_through_whatever_rows_change(data):
    region, name = data.draw(st.sampled_from(sorted(TABLES.lists)))
    rows = sorted(TABLES.lists[region, name].reads)
    tables = without(
        region, name, set(data.draw(st.lists(st.sampled_from(rows), max_size=2))) if rows else ()
    )
    if data.draw(st.booleans()):
        item = data.draw(st.sampled_from(sorted(TABLES.items.by_item)))
        tables = replace(tables, items=limited(item, 77).items)
    if data.draw(st.booleans()):
        gone = data.draw(st.sampled_from(sorted(TABLES.rules.groups)))
        groups = {key: group for key, group in TABLES.rules.groups.items() if key != gone}
        tables = replace(tables, rules=Rules(groups))
    if data.draw(st.booleans()):
        code = data.draw(st.sampled_from(sorted(TABLES.divisions.codes)))
        tables = replace(tables, divisions=_ended(code))
    _none_slips_through(tables)


def _ended(code):
    """The divisions as if one had ended yesterday without a successor."""

    def closed(rows):
        return tuple(
            replace(row, valid_to=DAY - timedelta(days=1)) if row.place.code == code else row for row in rows
        )

    known = TABLES.divisions
    return replace(
        known,
        codes={key: closed(rows) for key, rows in known.codes.items()},
        names={key: closed(rows) for key, rows in known.names.items()},
    )


def _none_slips_through(tables):
    screen = Screen(REGIONS, words(TABLES, tables))
    passed = [case for case in CASES if screen.lets_through(case.messages[0].region, case.messages[0].raw)]
    stages = [Stage(REGIONS, MAPS), Stage(REGIONS, _maps(tables))] if passed else []
    for case in passed:
        kept_ = case.messages[0]
        message = Message(case.record, kept_.region, REGIONS[kept_.region].parse(kept_.raw))
        first, second = (replay(stage, message) for stage in stages)
        writer = REGIONS[kept_.destination].maps[kept_.out_kind]
        assert changes(first, second, writer) == (), (kept_.native_kind, kept_.seq)


def test_dates_of_a_version_count_as_a_change_of_its_item():
    versions = tuple(
        replace(version, effective_from=DAY + timedelta(days=1))
        for version in TABLES.items.versions("pension_transfer")
    )
    items = replace(TABLES.items, by_item={**TABLES.items.by_item, "pension_transfer": versions})
    report = study(replace(TABLES, items=items), [kept("tbzy0001")])
    assert report.changed_cases == 1
    assert report.rules[0].samples[0].change.after == "挂起 1007 itemCode"


def test_a_word_hidden_by_an_escape_an_entity_or_a_comment_is_not_overlooked():
    assert json_texts(b'{"a":"\\u0031"}') is None
    assert b"01" in json_texts(b'{"a": "01" }')
    assert xml_texts(b"<?xml ?><A>&#49;</A>") is None
    assert xml_texts(b"<?xml ?><A><!-- --></A>") is None
    assert xml_texts(b"<?xml ?><A>x</A><?y ?>") is None
    assert xml_texts(b"<?xml ?><A>x</A><B></B>") == {b"x"}


def test_only_known_forms_are_read_unparsed():
    assert form_of("text/csv") is None
    assert form_of("application/xml; charset=UTF-8") is None
    assert all(form_of(region.content_type) for region in REGIONS.values())
