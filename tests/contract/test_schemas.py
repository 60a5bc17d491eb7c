"""Our verdict on the form of a message is that of the published schemas, member by member and without stopping."""

from __future__ import annotations

import copy
import json
import re
from decimal import Decimal

import pytest
from crossings import ADAPTERS, DAY, MAPS, REGIONS, SIDE, TABLES, edited
from hypothesis import given, settings
from jsonschema import Draft202012Validator
from jsonschema.validators import extend
from lxml import etree
from mutations import as_lists, holder, mutants, walk

from gateway.formats import xml_bytes
from gateway.mapping.fieldmap import Sight

SICHUAN = [kind for kind, slug in SIDE.items() if slug == "sichuan"]
CHONGQING = [kind for kind, slug in SIDE.items() if slug == "chongqing"]


# --- the schemas, as the crossing amends them (crossing goes before them) ---


def _amended(node):
    """Python's ``$`` also stands before a last line feed; ECMA's does not."""
    match node:
        case dict():
            node = {name: _amended(value) for name, value in node.items()}
            if isinstance(node.get("pattern"), str):
                node["pattern"] = node["pattern"].removesuffix("$") + r"\Z"
            return node
        case list():
            return [_amended(value) for value in node]
        case _:
            return node


def _json_schema():
    raw = (ADAPTERS / "sichuan" / "schema.json").read_text("utf-8")
    schema = _amended(json.loads(raw, parse_float=Decimal))
    sheet = schema["$defs"]["tbzy0002"]["properties"]["param"]["properties"]
    # crossing §7 "rate", "month counts": above the limit is a value finding, 9043
    for member in (sheet["aae200"], sheet["aae201"], sheet["ic91"]["items"]["properties"]["aaa041"]):
        del member["maximum"]
    return schema


def _is_integer(_, value):
    return not isinstance(value, bool) and (
        isinstance(value, int) or (isinstance(value, Decimal) and value == value.to_integral_value())
    )


_TYPES = Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer)
_VALIDATOR = extend(Draft202012Validator, type_checker=_TYPES)
_SCHEMA = _json_schema()
BY_SCHEMA = {kind: _VALIDATOR({**_SCHEMA, "oneOf": [{"$ref": f"#/$defs/{kind}"}]}) for kind in SICHUAN}


def _xml_schema():
    raw = (ADAPTERS / "chongqing" / "schema.xsd").read_text("utf-8")
    # crossing §7 "month counts", "years": above the limit is a value finding, 9043
    raw, months = re.subn(
        r'(?<=name="months"><xs:restriction base="xs:string"><xs:pattern value=")[^"]*',
        "[0-9]{1,3}|[1-9][0-9]{3,8}|(0|[1-9][0-9]{0,8})(年|个月|年([0-9]|1[01])个月)",
        raw,
    )
    raw, years = re.subn(re.escape("(19|20)[0-9]{2}"), "(19|20)[0-9]{2}|2100", raw)
    assert (months, years) == (1, 1)
    return etree.XMLSchema(etree.fromstring(raw.encode()))


XSD = _xml_schema()


def schema_refuses(kind, body):
    if SIDE[kind] == "sichuan":
        tree = REGIONS["sichuan"].parse(body).tree
        return any(True for _ in BY_SCHEMA[kind].iter_errors(tree))
    parser = etree.XMLParser(resolve_entities=False, huge_tree=True)
    root = etree.fromstring(xml_bytes.decode(body), parser)
    root.tag = f"PACKET.{kind}"
    return not XSD.validate(root)


def our_findings(kind, body):
    sender = SIDE[kind]
    receiver = next(slug for slug in REGIONS if slug != sender)
    opened = REGIONS[sender].parse(body)
    sight = Sight(TABLES, sender, sender, receiver, DAY)
    reading = MAPS.reader(sender, kind).read(opened.tree, sight)
    return [*opened.faults, *reading.findings]


def form_findings(kind, tree):
    """Paths of the 9042 findings on a tree as it would be sent."""
    body = REGIONS[SIDE[kind]].render(tree, kind)
    return [finding.path for finding in our_findings(kind, body) if finding.code == "9042"]


# --- every member of every kind ---


@pytest.mark.parametrize("kind", SIDE)
def test_a_worked_message_has_the_form_of_its_schema(kind):
    body = REGIONS[SIDE[kind]].render(edited(kind), kind)
    assert not schema_refuses(kind, body)
    assert our_findings(kind, body) == []


@pytest.mark.parametrize("kind", SIDE)
def test_a_missing_member_is_named_by_its_own_path_when_the_schema_asks_for_it(kind):
    for steps, path, _ in walk(as_lists(kind)):
        if path in {"fwid", "HEAD", "HEAD/JYM"}:
            continue
        tree = as_lists(kind)
        del holder(tree, steps)[steps[-1]]
        body = REGIONS[SIDE[kind]].render(tree, kind)
        found = form_findings(kind, tree)
        assert bool(found) == schema_refuses(kind, body), path
        assert found in ([], [path])


@pytest.mark.parametrize("kind", SIDE)
def test_an_extra_member_is_named_by_its_own_path(kind):
    for steps, path, value in walk(as_lists(kind)):
        if isinstance(value, str | int | Decimal):
            continue
        tree = as_lists(kind)
        node = holder(tree, steps)[steps[-1]]
        xml = SIDE[kind] == "chongqing"
        mark, inner = ("[1]" if xml else "[0]", node[0]) if isinstance(node, list) else ("", node)
        inner["BY"] = "1"
        assert form_findings(kind, tree) == [f"{path}{mark}{'/' if xml else '.'}BY"]


@pytest.mark.parametrize("kind", SIDE)
@pytest.mark.parametrize("bad", ["", " x", "x" * 1001, "１", "\t"])
def test_a_value_of_a_wrong_form_is_named_by_its_own_path(kind, bad):
    for steps, path, value in walk(as_lists(kind)):
        if isinstance(value, dict | list) or path in {"fwid", "HEAD/JYM"}:
            continue
        tree = as_lists(kind)
        holder(tree, steps)[steps[-1]] = bad
        body = REGIONS[SIDE[kind]].render(tree, kind)
        found = form_findings(kind, tree)
        assert found in ([], [path])
        assert bool(found) == schema_refuses(kind, body), path


@pytest.mark.parametrize("kind", CHONGQING)
def test_elements_in_another_order_are_a_fault_at_the_one_that_is_late(kind):
    for steps, path, value in walk(as_lists(kind)):
        inner, mark = (value[0], "[1]") if isinstance(value, list) else (value, "")
        if not isinstance(inner, dict) or len(inner) < 2:
            continue
        tree = as_lists(kind)
        node = holder(tree, steps)[steps[-1]]
        node = node[0] if mark else node
        first = next(iter(inner))
        node[first] = node.pop(first)
        assert form_findings(kind, tree) == [f"{path}{mark}/{first}"]
        assert schema_refuses(kind, REGIONS["chongqing"].render(tree, kind))


@pytest.mark.parametrize("kind", SIDE)
def test_every_fault_of_form_is_found_in_one_pass(kind):
    """A schema validator may stop at the first; we name them all."""
    tree = as_lists(kind)
    expected = []
    for steps, path, value in list(walk(tree)):
        if not isinstance(value, dict | list) and path not in {"fwid", "HEAD/JYM", "aac001"}:
            holder(tree, steps)[steps[-1]] = "x" * 1001
            expected.append(path)
    assert sorted(form_findings(kind, tree)) == sorted(expected)


def test_lists_that_are_too_long_are_named_and_still_looked_into():
    tree = edited("tbzy0001")
    tree["param"]["clist"] = [copy.deepcopy(tree["param"]["clist"][0]) for _ in range(51)]
    tree["param"]["clist"][3]["sqfs"] = "x"
    assert form_findings("tbzy0001", tree) == ["param.clist", "param.clist[3].sqfs"]
    tree = edited("YLZY_XXB")
    rows = tree["BODY"]["YWXX"]["NMX"]
    tree["BODY"]["YWXX"]["NMX"] = [copy.deepcopy(rows[0]) for _ in range(61)]
    assert form_findings("YLZY_XXB", tree) == ["BODY/YWXX/NMX"]


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("tbzy0002", "param.ic91[0].aaa041", Decimal("1.0001")),
        ("tbzy0002", "param.aae201", 1000),
        ("tbzy0002", "param.ic91[0].aae001", 2100),
        ("tbzy0001", "aac003", "张\x7f"),
        ("tbzy0001", "aac003", "张\U000f0000"),
        ("YLZY_XXB", "BODY/YWXX/NMX[1]/GRBL", "100.5"),
        ("YLZY_XXB", "BODY/YWXX/SJJFYS", "99年11个月"),
        ("SYJ_SQ", "BODY/SQR/XM", "王\ue863"),
        ("SYJ_SQ", "BODY/SQR/XM", "\u3000王秀"),
        ("SYJ_SQ", "BODY/SQR/XM", "王\t秀"),
        ("SYJ_SQ", "BODY/BJXX/CNSX", " 10"),
    ],
)
def test_what_the_schema_passes_and_the_crossing_refuses_is_a_value_finding(kind, path, value):
    body = REGIONS[SIDE[kind]].render(edited(kind, {path: value}), kind)
    assert not schema_refuses(kind, body)
    assert [(f.code, f.path) for f in our_findings(kind, body) if f.path == path] == [("9043", path)]


# --- mutations ---


@settings(max_examples=150, deadline=None)
@given(mutants(SICHUAN))
def test_a_mutated_sichuan_message_is_judged_as_its_schema_judges_it(mutant):
    kind, tree = mutant
    body = REGIONS["sichuan"].render(tree, kind)
    assert bool(form_findings(kind, tree)) == schema_refuses(kind, body)


@settings(max_examples=150, deadline=None)
@given(mutants(CHONGQING))
def test_a_mutated_chongqing_message_is_judged_as_its_schema_judges_it(mutant):
    kind, tree = mutant
    body = REGIONS["chongqing"].render(tree, kind)
    assert bool(form_findings(kind, tree)) == schema_refuses(kind, body)
