"""Who receives with three regions, and that with two everything is as if there had never been a third."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from crossings import CONTEXT, MAPS, NOW, REGIONS, TABLES, cross, edited, put

from gateway import regions
from gateway.errors import Refusal
from gateway.exchange import translate
from gateway.exchange.dry_run import BadContext, DryRun, Parked, dry_run
from gateway.exchange.translate import compile_maps
from gateway.mapping.fieldmap import Sight
from gateway.mapping.load import PACKAGED, tables_of

THIRD = Path(__file__).parents[1] / "third_region"
NEW = "yunling"
THREE = regions.discover(regions.in_folders([THIRD]))
TABLES_3 = tables_of(regions.table_files(PACKAGED, THREE), 2026, where="three")
MAPS_3 = compile_maps(THREE, TABLES_3)
PLACE, NAME = "590102", "云岭省青溪市松林区"
EXAMPLES = {
    file.name.split(".")[0]: file for file in (THIRD / "adapters" / NEW / "examples").glob("*.native.json")
}


def run(sender, body, context=None):
    return dry_run(DryRun(THREE, TABLES_3, MAPS_3, sender, NOW, context), body)


def body_of(kind, edits, sender):
    tree = edited(kind)
    for path, value in edits.items():
        put(tree, path, value)
    return THREE[sender].render(tree, kind)


def native(result):
    return json.loads(base64.b64decode(result["native"]["body"]))


def ours(kind, **changed):
    tree = json.loads(EXAMPLES[kind].read_text())
    tree["body"] |= changed
    return json.dumps(tree, ensure_ascii=False).encode()


#: General applications of the product's regions whose papers the third one recognises.
GENERAL = {
    "sichuan": ("tbty0001", {"param.aab299": PLACE}),
    "chongqing": ("TY_SQ", {"BODY/YWXX/YSDMC": NAME}),
}


@pytest.mark.parametrize("sender", GENERAL)
def test_an_application_goes_to_the_region_its_receiving_division_lies_in(sender):
    kind, edits = GENERAL[sender]
    result = run(sender, body_of(kind, edits, sender))
    assert result["native"]["region"] == NEW
    written = native(result)
    assert (written["type"], written["body"]["here"]) == ("apply", PLACE)
    assert written["case"] == written["gatewayCase"] == result["case_no"]
    usual = run(sender, body_of(kind, {}, sender))
    assert usual["native"]["region"] == next(slug for slug in GENERAL if slug != sender)


@pytest.mark.parametrize(("to", "region"), [("511024", "sichuan"), ("500103", "chongqing")])
@pytest.mark.parametrize("kind", ["apply", "notice"])
def test_what_starts_in_the_third_region_goes_to_either_other(kind, to, region):
    result = run(NEW, ours(kind, there=to))
    assert result["native"]["region"] == region
    assert result["canonical"]["origin"]["division"].startswith("59")
    assert result["case_no"].startswith("CYTB59")


@pytest.mark.parametrize("kind", sorted(EXAMPLES.keys() - {"apply", "notice"}))
def test_follow_ups_go_to_the_other_party_of_their_case(kind):
    tree = json.loads(EXAMPLES[kind].read_text())
    case_no = (
        "CYTB5001032026112300000031" if tree["case"].startswith("CYTB") else "CYTB5901022026112300000031"
    )
    if tree["case"].startswith("CYTB"):
        tree |= {"case": case_no, "gatewayCase": case_no}
    context = {"case_no": case_no, "item": "injury_remote_treatment", "target_division": "500103"}
    result = run(NEW, json.dumps(tree).encode(), context)
    assert result["native"]["region"] == "chongqing"
    assert result["case_no"] == case_no


def test_a_made_up_case_whose_other_party_nobody_told_is_asked_for():
    with pytest.raises(BadContext, match="target_division"):
        run(NEW, EXAMPLES["rating"].read_bytes(), {"item": "injury_remote_treatment"})
    context = {"item": "injury_remote_treatment", "affair_code": "511024-20261123-900001"}
    assert run(NEW, EXAMPLES["rating"].read_bytes(), context)["native"]["region"] == "sichuan"


# --- never a guess ---


def findings(sender, body):
    opened = THREE[sender].parse(body)
    sight = Sight(TABLES_3, sender, sender, MAPS_3.routes.sole[sender], NOW.date())
    try:
        reading = translate.read(MAPS_3.reader(sender, opened.native_kind), opened, sight, MAPS_3.routes)
    except Refusal as refused:
        return "", [(found.code, found.path) for found in refused.findings]
    return reading.sight.receiver, [(found.code, found.path) for found in reading.findings]


UNKNOWN = [
    # a code or name that is in no table says by its beginning whose it would be
    ("sichuan", "tbty0001", {"param.aab299": "599999"}, NEW, [("1003", "param.aab299")]),
    ("sichuan", "tbty0001", {"param.aab299": "509999"}, "chongqing", [("1003", "param.aab299")]),
    ("chongqing", "TY_SQ", {"BODY/YWXX/YSDMC": "云岭省青溪市"}, NEW, [("1003", "BODY/YWXX/YSDMC")][:0]),
    ("chongqing", "TY_SQ", {"BODY/YWXX/YSDMC": "云岭省无此县"}, NEW, [("1003", "BODY/YWXX/YSDMC")]),
    ("chongqing", "TY_SQ", {"BODY/YWXX/YSDMC": "四川省无此县"}, "sichuan", [("1003", "BODY/YWXX/YSDMC")]),
    # what says nothing of the kind is refused
    ("chongqing", "TY_SQ", {"BODY/YWXX/YSDMC": "无此县"}, "", [("9043", "BODY/YWXX/YSDMC")]),
    # one's own side is no receiver, as ever
    ("sichuan", "tbty0001", {"param.aab299": "510104"}, "", [("9042", "param.aab299")]),
    ("chongqing", "TY_SQ", {"BODY/YWXX/YSDMC": "重庆市渝中区"}, "", [("9043", "BODY/YWXX/YSDMC")]),
]


@pytest.mark.parametrize(("sender", "kind", "edits", "receiver", "expected"), UNKNOWN)
def test_a_division_nobody_has_is_parked_where_it_would_lie_or_refused(
    sender, kind, edits, receiver, expected
):
    found, codes = findings(sender, body_of(kind, edits, sender))
    assert found == receiver
    place = next(iter(edits))
    assert [each for each in codes if each[1] == place] == expected


def test_a_kind_the_receiver_has_no_message_for_parks_at_the_kind():
    edits = {"param.yac250": PLACE, "param.yac256": NAME}
    with pytest.raises(Parked) as parked:
        run("sichuan", body_of("tbzy0001", edits, "sichuan"))
    assert ("1001", "fwid") in {(found.code, found.path) for found in parked.value.findings}
    assert run("sichuan", body_of("tbzy0001", {}, "sichuan"))["native"]["region"] == "chongqing"


# --- numbers ---


@pytest.mark.parametrize(
    ("kind", "path"), [("tbbz0001", "cytbh"), ("tbch0001", "cytbh"), ("BZ_CL", "BODY/BJXX/SBLSH")]
)
def test_a_number_of_the_gateway_has_the_prefix_of_a_region_in_force(kind, path):
    new, nobody = "CYTB5901022026112300000031", "CYTB5801022026112300000031"
    assert ("9042", path) in cross(kind, {path: new}).findings
    assert ("9042", path) in cross(kind, {path: nobody}).findings
    sender = "sichuan" if kind[0] == "t" else "chongqing"
    for number, is_formed in ((new, True), (nobody, False)):
        _, codes = findings(sender, body_of(kind, {path: number}, sender))
        assert (("9042", path) in codes) is not is_formed


def test_a_number_of_no_region_in_force_is_never_looked_up():
    opened = REGIONS["chongqing"].parse(
        body_of("BZ_CL", {"BODY/BJXX/SBLSH": "CYTB59" + "0" * 20}, "chongqing")
    )
    assert opened.case_ref
    assert MAPS.routes.readable(opened).case_ref == ""
    assert MAPS_3.routes.readable(opened) is opened


# --- with two, nothing has changed ---

HINTS = {
    ("tbzy0001", "param.yac250"): "应为 50 开头的六位区划代码",
    ("tbzy0001", "param.aab299"): "应为 50 或 51 开头的六位区划代码",
    ("tbty0001", "param.aab299"): "应为 50 开头的六位区划代码",
    ("tbbz0001", "cytbh"): "应为 CYTB 加 22 位数字的通办编号",
}


@pytest.mark.parametrize(("kind", "path"), HINTS)
def test_between_two_the_other_sides_place_is_asked_for_in_the_same_words(kind, path):
    tree = edited(kind, {path: "X"})
    reading = MAPS.reader("sichuan", kind).read(tree, Sight(TABLES, "sichuan", "sichuan", "", NOW.date()))
    assert [found.text for found in reading.findings if found.path == path] == [HINTS[kind, path]]


def test_between_two_the_receiver_is_the_other_one_whatever_a_message_says():
    assert MAPS.routes.sole == {"sichuan": "chongqing", "chongqing": "sichuan"}
    assert cross("TY_SQ", {"BODY/YWXX/YSDMC": "无此县"}).findings == (("1003", "BODY/YWXX/YSDMC"),)
    assert cross("tbty0001", {"param.aab299": PLACE}).findings == (("9042", "param.aab299"),)
    assert cross("TY_SQ", {"BODY/YWXX/YSDMC": NAME}).findings == (("1003", "BODY/YWXX/YSDMC"),)
    assert CONTEXT
