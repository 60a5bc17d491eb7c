"""The Sichuan envelope: what is let in, what is refused, what is answered."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from adapters.sichuan import wire
from gateway.errors import Finding, Level, Refusal
from gateway.region import Inbound, Outcome, Receipt, Taken

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
CREDENTIALS = wire.Credentials(
    base_url="https://sichuan.example/", paasid="sc-lemis-test", token="TEST-TOKEN-NOT-A-SECRET\n"
)
BODY = b'{"fwid":"tbzt0001"}'
GOOD = dict(wire.seal(BODY, "tbzt0001", CREDENTIALS, NOW, "4b1c9e7a2f").headers)


def refusal(
    headers: dict[str, str], body: bytes = BODY, credentials: wire.Credentials = CREDENTIALS
) -> Refusal:
    with pytest.raises(Refusal) as caught:
        wire.verify(Inbound(headers, body), credentials, NOW)
    return caught.value


def test_the_published_vector_comes_out():
    at = datetime.fromtimestamp(1795420800, UTC)
    sealed = wire.seal(BODY, "tbzt0001", CREDENTIALS, at, "4b1c9e7a2f")
    assert sealed.path == "/gw/sc/tbzt0001"
    assert sealed.body == BODY
    assert sealed.headers == {
        "content-type": "application/json; charset=utf-8",
        "x-tif-paasid": "sc-lemis-test",
        "x-tif-timestamp": "1795420800",
        "x-tif-nonce": "4b1c9e7a2f",
        "x-tif-signature": "d49adb4bc9ac5c6a416a4789fb0b3cbde4037045f0c8c091cc6196017608765d",
        "x-body-sm3": "5eb91cb654710ef51f9d9d28c6a7591a8dadaae7f82ef01073d17869671eb186",
    }


def test_what_is_sealed_is_let_in():
    wire.verify(Inbound(GOOD, BODY), CREDENTIALS, NOW)


@pytest.mark.parametrize("name", ["x-tif-signature", "x-body-sm3"])
def test_hex_is_compared_without_letter_case(name):
    wire.verify(Inbound({**GOOD, name: GOOD[name].upper()}, BODY), CREDENTIALS, NOW)


@pytest.mark.parametrize(
    "written", ["application/json", "Application/JSON; Charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_the_content_type_may_be_spelt_as_http_allows(written):
    wire.verify(Inbound({**GOOD, "content-type": written}, BODY), CREDENTIALS, NOW)


@pytest.mark.parametrize(
    "written", ["", "text/json", "application/xml; charset=utf-8", "application/json; charset=gbk"]
)
def test_another_content_type_is_415_before_any_look_at_the_proof(written):
    refused = refusal({"content-type": written})
    assert (refused.status, refused.code) == (415, "9031")


@pytest.mark.parametrize(
    "name", ["x-tif-paasid", "x-tif-timestamp", "x-tif-nonce", "x-tif-signature", "x-body-sm3"]
)
@pytest.mark.parametrize("value", [None, ""])
def test_each_header_of_the_proof_is_needed_and_named_when_missing(name, value):
    headers = {key: held for key, held in GOOD.items() if key != name}
    refused = refusal(headers if value is None else {**headers, name: value})
    assert (refused.status, refused.code) == (401, "9001")
    assert name in refused.text


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"x-tif-paasid": "sc-lemis-tesu"}, "9001"),
        ({"x-tif-paasid": "四川"}, "9001"),
        ({"x-tif-timestamp": "1795420801"}, "9001"),
        ({"x-tif-timestamp": "now"}, "9001"),
        ({"x-tif-nonce": "other-nonce"}, "9001"),
        ({"x-tif-nonce": "short"}, "9001"),
        ({"x-tif-nonce": "n" * 65}, "9001"),
        ({"x-tif-nonce": "with space"}, "9001"),
        ({"x-tif-signature": "0" * 64}, "9001"),
        ({"x-tif-signature": "\udcff"}, "9001"),
        ({"x-body-sm3": "0" * 64}, "9004"),
    ],
)
def test_a_wrong_proof_is_401(change, code):
    refused = refusal({**GOOD, **change})
    assert (refused.status, refused.code) == (401, code)


def test_a_changed_body_is_401_9004():
    assert refusal(GOOD, BODY + b" ").code == "9004"


def test_another_token_is_401_9001():
    other = CREDENTIALS.model_copy(update={"token": SecretStr("other")})
    assert refusal(GOOD, credentials=other).code == "9001"


def test_a_known_caller_who_is_switched_off_is_403_only_after_a_valid_proof():
    disabled = CREDENTIALS.model_copy(update={"enabled": False})
    refused = refusal(GOOD, credentials=disabled)
    assert (refused.status, refused.code) == (403, "9010")
    assert refusal({**GOOD, "x-tif-signature": "0" * 64}, credentials=disabled).code == "9001"


def test_opening_takes_numbers_from_the_body_and_time_from_the_headers():
    body = json.dumps(
        {
            "fwid": "tbzt0001",
            "aaz002": "SC202611230000998",
            "affairCode": "510104-20261123-000017",
            "cytbh": "CYTB5101042026112300000017",
        }
    ).encode()
    opened = wire.open_message(Inbound(GOOD, body))
    assert (opened.native_kind, opened.key) == ("tbzt0001", "SC202611230000998")
    assert (opened.case_ref, opened.gateway_ref) == ("510104-20261123-000017", "CYTB5101042026112300000017")
    assert (opened.sent_at, opened.nonce, opened.sender) == (NOW, "4b1c9e7a2f", "")
    assert opened.digest == wire.digest.sm3_hex(body)
    assert opened.digest != wire.parse(body + b"\n").digest


def test_numbers_without_their_form_are_never_looked_up():
    opened = wire.parse(b'{"fwid":5,"aaz002":"SC1\\u0000","affairCode":"510104","cytbh":["x"]}')
    assert (opened.native_kind, opened.key, opened.case_ref, opened.gateway_ref) == ("", "", "", "")


def test_what_cannot_be_read_is_422_with_a_finding():
    with pytest.raises(Refusal) as caught:
        wire.parse(b"\xef\xbb\xbf{}")
    refused = caught.value
    assert (refused.status, refused.code) == (422, "9041")
    assert [finding.code for finding in refused.findings] == ["9041"]


def status_of(step) -> int:
    try:
        step()
    except Refusal as refused:
        return refused.status
    return 202


@given(st.dictionaries(st.sampled_from([*GOOD, "x"]), st.text()), st.binary() | st.just(BODY))
def test_any_request_is_opened_or_refused(headers, body):
    inbound = Inbound({**GOOD, **headers}, body)
    for step in (lambda: wire.verify(inbound, CREDENTIALS, NOW), lambda: wire.open_message(inbound)):
        assert status_of(step) in {202, 401, 415, 422}


@pytest.mark.parametrize(
    ("given_receipt", "expected"),
    [
        (
            Receipt(
                Outcome.ACCEPTED, 202, case_ref="510104-20261123-000017", case_no="CYTB5101042026112300000017"
            ),
            {
                "recode": "1",
                "message": "",
                "affairCode": "510104-20261123-000017",
                "cytbh": "CYTB5101042026112300000017",
            },
        ),
        (
            Receipt(
                Outcome.PARKED,
                202,
                findings=(
                    Finding("param.aac005", "1001", "x", Level.PARK),
                    Finding("param.yac250", "1003", "y", Level.PARK),
                ),
            ),
            {"recode": "1", "message": "PARKED 1001 param.aac005; 1003 param.yac250"},
        ),
        (
            Receipt(Outcome.IGNORED, 202, "1101", "早于已有状态"),
            {"recode": "1", "message": "IGNORED 1101 早于已有状态"},
        ),
        (
            Receipt(
                Outcome.REFUSED, 422, "9043", "共 1 项", (Finding("param.aae035", "9043", "没有这一天"),)
            ),
            {
                "recode": "-1",
                "message": "9043 共 1 项",
                "findings": [{"path": "param.aae035", "code": "9043", "text": "没有这一天"}],
            },
        ),
        (Receipt(Outcome.REFUSED, 401, "9001", "缺少请求头"), {"recode": "-1", "message": "9001 缺少请求头"}),
    ],
)
def test_receipts_say_it_in_the_words_of_the_side(given_receipt, expected):
    body = wire.receipt(given_receipt, "TB202611230000000098", NOW)
    assert json.loads(body) == {"aaz002": "TB202611230000000098", **expected}


def test_a_path_quoted_back_never_breaks_a_receipt():
    finding = Finding('param."\ud800\x00', "9042", "多余")
    body = wire.receipt(Receipt(Outcome.REFUSED, 422, "9042", "x", (finding,)), "TB202611230000000098", NOW)
    assert json.loads(body)["findings"][0]["path"] == finding.path


@pytest.mark.parametrize(
    ("status", "body", "taken"),
    [
        (200, b'{"recode":"1","message":""}', Taken.DELIVERED),
        (202, b'{"recode":"1","message":"PARKED 1001 x","aaz002":"SC1"}', Taken.DELIVERED),
        (202, b'{"recode":"-1","message":"9043 no"}', Taken.REFUSED),
        (200, b'{"recode":1}', Taken.UNREADABLE),
        (200, b"<html/>", Taken.UNREADABLE),
        (200, b"", Taken.UNREADABLE),
        (422, b'{"recode":"-1","message":"9043 no"}', Taken.REFUSED),
        (404, b"<html/>", Taken.REFUSED),
        (409, b'{"recode":"1"}', Taken.REFUSED),
        (408, b"", Taken.UNREADABLE),
        (429, b"", Taken.UNREADABLE),
        (503, b'{"recode":"-1","message":"9060 busy"}', Taken.UNREADABLE),
        (302, b'{"recode":"1"}', Taken.UNREADABLE),
    ],
)
def test_answers_are_read_by_status_and_receipt(status, body, taken):
    assert wire.read_reply(status, body).taken is taken


def test_the_words_of_a_refusal_are_kept():
    body = json.dumps(
        {
            "recode": "-1",
            "message": "9043 共 1 项",
            "findings": [{"path": "param.aae035", "text": "没有这一天"}, 7],
        }
    ).encode()
    reply = wire.read_reply(422, body)
    assert (reply.code, reply.text) == ("9043", "共 1 项；param.aae035 没有这一天")
    assert "404" in wire.read_reply(404, b"nothing").text


@given(st.integers(100, 599), st.binary())
def test_any_answer_is_read(status, body):
    assert wire.read_reply(status, body).taken in Taken


def test_numbers_are_made_by_the_beijing_date():
    late = datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
    assert wire.message_key(98, late) == "TB202611230000000098"
    assert wire.mint_case_no("510104", date(2026, 11, 23), 51) == "510104-20261123-900051"


def test_a_day_with_no_numbers_left_is_told_to_come_back():
    with pytest.raises(Refusal) as caught:
        wire.mint_case_no("510104", date(2026, 11, 23), 100_000)
    assert caught.value.status == 503
    assert caught.value.retry_after


@pytest.mark.parametrize(
    "change",
    [{"base_url": "sichuan.example"}, {"paasid": " "}, {"token": ""}, {"tokn": "x"}, {"enabled": "perhaps"}],
)
def test_settings_that_cannot_work_are_refused(change):
    section = {"base_url": "https://sichuan.example", "paasid": "x", "token": "y"}
    assert wire.Credentials(**section).enabled
    with pytest.raises(ValidationError):
        wire.Credentials(**{**section, **change})


def test_the_token_does_not_show_itself():
    assert "NOT-A-SECRET" not in repr(CREDENTIALS)
    assert CREDENTIALS.base_url == "https://sichuan.example"
