"""Every field of both published formats is accounted for, and the page officials read says what is declared."""

from __future__ import annotations

import ast
import inspect
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway import regions
from gateway.cli import mappings_study
from gateway.cli.main import app
from gateway.formats.schema_fields import fields_of
from gateway.mapping.explain import EVERY_KIND, Fate, coverage, field_lines
from gateway.mapping.field_tables import markdown
from gateway.mapping.rule_texts import RULES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "field-maps.md"
FIELDS = regions.fields()
LINES = field_lines(FIELDS)
REGIONS = regions.discover()


def test_all_fields_of_both_formats_are_mapped_derived_or_listed_with_a_reason():
    found = coverage(FIELDS)
    assert found.missing == ()
    assert found.share == 1.0
    assert found.fields == len(LINES) == sum(len(region.schema[k]) for region in FIELDS for k in region.maps)


def test_the_published_page_says_what_the_maps_declare():
    page = markdown(
        LINES, coverage(FIELDS), names={slug: region.name for slug, region in REGIONS.items()}, rules=RULES
    )
    assert PAGE.read_text(encoding="utf-8") == page, (
        "run: tongban mappings coverage --markdown > docs/reference/field-maps.md"
    )


@pytest.mark.parametrize("region", FIELDS, ids=lambda region: region.slug)
def test_a_field_of_the_format_that_no_map_knows_is_missing_by_name(region):
    kind = next(iter(region.maps))
    schema = {**region.schema, kind: region.schema[kind] | {"new.field"}}
    others = tuple(other for other in FIELDS if other is not region)
    found = coverage((replace(region, schema=schema), *others))
    assert found.missing == (f"{kind} new.field: 接口有，字段表没有",)
    assert found.share < 1


@pytest.mark.parametrize("region", FIELDS, ids=lambda region: region.slug)
def test_without_the_notes_what_no_row_can_say_is_unexplained(region):
    others = tuple(other for other in FIELDS if other is not region)
    assert coverage((replace(region, notes=()), *others)).missing


def test_every_note_is_about_a_field_of_the_kinds_it_names():
    for region in FIELDS:
        paths = {kind: {row.native for row in map_.rows} for kind, map_ in region.maps.items()}
        for note in region.notes:
            kinds = region.maps.keys() if note.kinds == {EVERY_KIND} else note.kinds
            assert all(note.path in paths[kind] for kind in kinds), note


def test_no_note_gives_a_reason_for_a_field_that_crosses():
    notes = {
        (region.slug, kind, note.path): note
        for region in FIELDS
        for note in region.notes
        for kind in (region.maps if note.kinds == {EVERY_KIND} else note.kinds)
    }
    for line in LINES:
        note = notes[line.region, line.native_kind, line.path]
        assert not (note.received and line.received is Fate.MAPPED), line
        assert not (note.written and line.written is Fate.MAPPED), line


def _words(function, seen=()):
    """Texts of a function and of those of its module it calls."""
    found = []
    for node in ast.walk(ast.parse(inspect.getsource(function))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            other = function.__globals__.get(node.func.id)
            if (
                inspect.isfunction(other)
                and other.__module__ == function.__module__
                and other.__name__ not in seen
            ):
                found += _words(other, (*seen, other.__name__))
    return found


def test_the_functions_named_for_a_field_are_of_its_map_and_speak_of_it():
    for line in LINES:
        map_ = REGIONS[line.region].maps[line.native_kind]
        known = {function.__name__: function for function in (*map_.after_read, *map_.before_write)}
        leaf = re.split(r"[./]", line.path)[-1]
        for name in line.by:
            assert any(re.search(rf"\b{leaf}\b", word) for word in _words(known[name])), (line.path, name)


def test_every_rule_number_of_the_maps_has_a_sentence():
    assert {line.rule for line in LINES} <= RULES.keys()


def test_schemas_of_both_kinds_give_leaf_paths_with_lists_marked():
    written = (
        b'{"$defs":{"k":{"properties":{"a":{"type":"string"},'
        b'"l":{"anyOf":[{"type":"array","items":{"properties":{"b":{}}}},{"const":""}]}}}}}'
    )
    assert fields_of("schema.json", written) == {"k": {"a", "l[].b"}}
    xml = b"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="PACKET.K"><xs:complexType>
    <xs:sequence><xs:element name="A" type="t"/><xs:element name="L" maxOccurs="5"><xs:complexType><xs:sequence>
    <xs:element name="B"/></xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType></xs:element>
    </xs:schema>"""
    assert fields_of("schema.xsd", xml) == {"K": {"A", "L[]/B"}}


def test_a_schema_may_use_attributes_a_root_of_its_own_and_lists_of_texts():
    written = b'{"$defs":{"k":{"properties":{"t":{"type":"array","items":{"type":"string"}}}}}}'
    assert fields_of("schema.json", written) == {"k": {"t"}}
    xml = b"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:x"><xs:element name="Case.k">
    <xs:complexType><xs:sequence><xs:element name="M"><xs:complexType><xs:attribute name="code"/></xs:complexType>
    </xs:element><xs:element name="P" maxOccurs="9"><xs:complexType><xs:simpleContent><xs:extension base="xs:string">
    <xs:attribute name="how"/></xs:extension></xs:simpleContent></xs:complexType></xs:element></xs:sequence>
    <xs:attribute name="id"/></xs:complexType></xs:element></xs:schema>"""
    assert fields_of("schema.xsd", xml) == {"k": {"id", "M/code", "P[]/how", "P[]/content"}}


def test_the_command_tells_the_share_the_lines_and_the_page():
    shown = CliRunner().invoke(app, ["mappings", "coverage"])
    assert (shown.exit_code, shown.stdout.splitlines()[-1]) == (0, f"{len(LINES)} 个字段，说明率 100.0%")
    told = json.loads(CliRunner().invoke(app, ["mappings", "coverage", "--json"]).stdout)
    assert (told["share"], told["missing"], len(told["lines"])) == (1.0, [], len(LINES))
    nation = next(line for line in told["lines"] if line["path"] == "param.aac005")
    assert (nation["name"], nation["code_list"], nation["rule"]) == ("民族", "ethnic_group", "M1")
    assert (nation["received"], nation["canonical"]) == ("mapped", ["applicant.nation"])
    page = CliRunner().invoke(app, ["mappings", "coverage", "--markdown"])
    assert page.stdout == PAGE.read_text(encoding="utf-8")


def test_a_field_without_a_fate_ends_the_command_with_1(monkeypatch):
    bare = tuple(replace(region, notes=()) for region in FIELDS)
    monkeypatch.setattr(mappings_study.regions_, "fields", lambda *_: bare)
    told = CliRunner().invoke(app, ["mappings", "coverage"])
    assert told.exit_code == 1
    assert "没有说明去向" in told.stderr
