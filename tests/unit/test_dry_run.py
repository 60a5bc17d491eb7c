"""The dry run of gateway §4: what it answers, what it takes from a context, what it leaves out."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from crossings import CONTEXT, MAPS, NOW, REGIONS, SIDE, TABLES, cross, cross_bytes, example

from gateway.canonical.kinds import Kind
from gateway.canonical.tracking import TrackedCase
from gateway.exchange.dry_run import BadContext, DryRun, dry_run
from gateway.store.records import CaseRecord, Person

FOLLOW_UPS = sorted(CONTEXT)
BJXX = "BODY/BJXX"


def run(kind, **changes):
    sender = SIDE[kind]
    given = {"sender": sender, "now": NOW} | changes
    return dry_run(DryRun(REGIONS, TABLES, MAPS, **given), example(kind))


# --- the answer ---


def test_the_answer_has_the_members_of_the_interface():
    answer = run("tbzy0001")
    assert list(answer) == ["kind", "item", "case_no", "canonical", "native", "trace"]
    assert (answer["kind"], answer["item"]) == ("transfer.apply", "pension_transfer")
    native = answer["native"]
    assert (native["region"], native["encoding"]) == ("chongqing", "base64")
    assert native["content_type"] == "application/xml; charset=GB18030"
    assert {*answer["trace"][0]} == {"path_in", "path_out", "rule", "kind", "before", "after"}


def test_the_native_body_is_the_bytes_that_would_be_sent():
    body = base64.b64decode(run("tbzy0001")["native"]["body"])
    assert body.startswith(b'<?xml version="1.0" encoding="GB18030"?>')
    assert bytes.fromhex("FE9F") in body
    assert base64.b64decode(run("SYJ_SQ")["native"]["body"]).startswith(b'{"fwid":"tbsy0001"')


def test_key_and_time_are_placeholders_of_the_right_pattern():
    there, back = cross("tbzy0001"), cross("SYJ_SQ")
    assert there.at("HEAD/LSH") == "TB20261123160000000000"
    assert there.at("HEAD/FSSJ") == "2026-11-23 16:00:00"
    assert back.at("aaz002") == "TB202611230000000000"


def test_the_day_of_a_new_number_is_the_beijing_day():
    crossed = cross("SYJ_SQ", now=datetime(2026, 11, 23, 17, 0, tzinfo=UTC))
    assert crossed.case_no == "CYTB5001032026112400000000"
    assert crossed.at("affairCode") == "510104-20261124-900000"


def test_nothing_is_masked():
    assert cross("tbzy0001").canonical["applicant"]["id_no"] == "510100198803150179"


@pytest.mark.parametrize("kind", ["tbzy0001", "SYJ_SQ"])
def test_an_application_may_be_given_its_numbers(kind):
    context = {"case_no": "CYTB5101042026112300000017", "affair_code": "510104-20261123-900017"}
    crossed = cross(kind, context=context)
    assert crossed.case_no == crossed.canonical["case_no"] == "CYTB5101042026112300000017"
    written = crossed.at("affairCode") if kind == "SYJ_SQ" else crossed.at(f"{BJXX}/SBLSH")
    assert written == ("510104-20261123-900017" if kind == "SYJ_SQ" else "CYTB5101042026112300000017")


# --- follow-ups ---


@pytest.mark.parametrize("kind", FOLLOW_UPS)
def test_a_follow_up_without_context_has_no_case(kind):
    crossed = cross(kind, context=None)
    path = "affairCode" if SIDE[kind] == "sichuan" else f"{BJXX}/SBLSH"
    assert (crossed.verdict, crossed.findings) == ("refused", (("9044", path),))


def test_the_form_and_values_of_a_follow_up_are_looked_at_before_its_case():
    assert cross("tbpj0001", {"param.pjdj": "10"}, context=None).findings == (("9042", "param.pjdj"),)
    reason = cross("tbzt0001", {"param.blyy": None}, context=None)
    assert reason.findings == (("9043", "param.blyy"),)
    # what would park it comes after the case
    assert cross("tbpj0001", {"param.pjdj": "9"}, context=None).findings == (("9044", "affairCode"),)


@pytest.mark.parametrize("kind", ["tbsy0002", "tbzt0001", "tbbz0001", "tbch0001", "tbpj0001", "tbzy0002"])
def test_the_receiver_of_a_follow_up_is_the_one_asked_for_or_the_municipality(kind):
    assert cross(kind).at("HEAD/JSF") == "CQ500000"
    assert cross(kind, target_division="500153").at("HEAD/JSF") == "CQ500153"
    named = CONTEXT[kind] | {"target_division": "500109"}
    assert cross(kind, context=named).at("HEAD/JSF") == "CQ500109"


def test_a_division_of_the_other_side_is_no_receiver():
    assert cross("tbpj0001", target_division="510104").at("HEAD/JSF") == "CQ500000"
    assert cross("PJ_TS", target_division="500103").verdict == "taken"


def test_each_side_is_written_its_own_number():
    for kind in FOLLOW_UPS:
        crossed, context = cross(kind), CONTEXT[kind]
        if SIDE[kind] == "sichuan":
            assert crossed.at(f"{BJXX}/SBLSH") == context["sblsh"]
        else:
            assert crossed.at("affairCode") == context["affair_code"]
            assert crossed.at("cytbh") == context["case_no"]
        assert crossed.case_no == context["case_no"]


def test_numbers_that_are_not_given_are_the_messages_own_or_placeholders():
    crossed = cross("PJ_TS", context={"item": "pension_transfer"})
    assert crossed.case_no == "CYTB5101042026112300000017"  # the SBLSH of the message
    assert crossed.at("affairCode") == "510000-20261123-900000"
    crossed = cross("tbpj0001", {"cytbh": None}, context={})
    assert crossed.at(f"{BJXX}/SBLSH") == "CYTB5100002026112300000000"


@pytest.mark.parametrize("missing", ["applicant", "old_place"])
def test_a_context_that_does_not_say_what_the_receiver_must_be_told_is_no_case(missing):
    context = {name: value for name, value in CONTEXT["YLZY_XXB"].items() if name != missing}
    assert cross("YLZY_XXB", context=context).findings == (("9044", f"{BJXX}/SBLSH"),)


def test_what_is_not_given_is_not_compared():
    assert cross("tbzy0002", context={"old_place": "500103"}).verdict == "taken"


@pytest.mark.parametrize(
    ("context", "member"),
    [
        ({"odd": "1"}, "context.odd"),
        ({"item": 1}, "context.item"),
        ({"applicant": "张䶮"}, "context.applicant"),
        ({"applicant": {"name": 1}}, "context.applicant"),
        ({"accepted_on": "23.11.2026"}, "context.accepted_on"),
        ({"target_division": "1"}, "target_division"),
    ],
)
def test_a_context_of_another_form_is_told_by_its_member(context, member):
    with pytest.raises(BadContext, match=f"^{member}"):
        cross("tbpj0001", context=context)


# --- a stored case ---

RECORD = CaseRecord(
    TrackedCase(
        id=UUID(int=1),
        case_no="CYTB5101042026112300000017",
        kind=Kind.TRANSFER_APPLY,
        origin="sichuan",
        target="chongqing",
        origin_case_no="510104-20261123-000017",
        target_case_no="CYTB5101042026112300000017",
        received_at=datetime(2026, 11, 23, 8, 0, tzinfo=UTC),
        item="pension_transfer",
        scheme="110",
        origin_division="510104",
        target_division="500103",
        accepted_on=date(2026, 11, 23),
        old_division="500103",
    ),
    Person("张䶮", "01", "510100198803150179"),
)


def test_a_stored_case_fills_what_the_context_leaves_out():
    answer = run("YLZY_XXB", context={"case_no": RECORD.case.case_no}, record=RECORD)
    assert answer["item"] == "pension_transfer"
    assert answer["canonical"]["applicant"]["name"] == "张䶮"
    body = base64.b64decode(answer["native"]["body"]).decode()
    assert '"affairCode":"510104-20261123-000017"' in body
    assert '"aab299":"500103"' in body


def test_a_stored_case_names_the_receiver():
    answer = run("tbpj0001", context={"case_no": RECORD.case.case_no}, record=RECORD)
    assert b"<JSF>CQ500103</JSF>" in base64.b64decode(answer["native"]["body"])


# --- what cannot be read ---


@pytest.mark.parametrize(
    ("sender", "body", "code", "path"),
    [
        ("sichuan", b"", "9041", ""),
        ("sichuan", b'{"fwid":"tbzy0001","fwid":"tbzy0001"}', "9041", ""),
        ("sichuan", b"{}", "9042", "fwid"),
        ("sichuan", b'{"fwid":"tbxx0001"}', "9042", "fwid"),
        ("sichuan", b'{"fwid":1}', "9042", "fwid"),
        ("chongqing", b"<PACKET/>", "9041", "PACKET"),
        ("chongqing", b'<?xml version="1.0" encoding="UTF-8"?><PACKET/>', "9041", "PACKET"),
        ("chongqing", b'<?xml version="1.0" encoding="GB18030"?><PACKET/>', "9042", "HEAD/JYM"),
        ("chongqing", b'<?xml version="1.0" encoding="GB18030"?><!DOCTYPE P><PACKET/>', "9041", "PACKET"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_step(sender, body, code, path):
    assert cross_bytes(sender, body).findings == ((code, path),)


def test_a_number_too_long_is_named_by_its_path():
    body = example("tbzy0002").replace(b"17792.46", b"17792.46" + b"0" * 30, 1)
    crossed = cross_bytes("sichuan", body, CONTEXT["tbzy0002"])
    assert {code for code, _ in crossed.findings} == {"9042"}
    assert {path for _, path in crossed.findings} <= {"param.aic089", "param.aic083"}
