"""The Chongqing envelope: what is let in, what is refused, what is answered."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.chongqing import wire
from gateway.crypto import digest, signing
from gateway.errors import Finding, Level, Refusal
from gateway.formats import xml_bytes
from gateway.formats.xml_bytes import DECLARATION
from gateway.region import Inbound, Outcome, Receipt, Taken

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
OURS, THEIRS = signing.generate(), signing.generate()
SECTION = {
    "base_url": "https://chongqing.example",
    "client_id": "CYTB-TEST",
    "private_key": signing.private_pem(OURS),
    "peer_client_id": "CQ-LEMIS-TEST",
    "peer_public_key": signing.public_pem(THEIRS.public),
}
CREDENTIALS = wire.Credentials(**SECTION)
HEAD = "<BBH>1.0</BBH><FSF>CQ500103</FSF><JSF>CYTB</JSF><JYM>ZT_TZ</JYM><LSH>CQ20261123093012000051</LSH>"
CASE = "<BJXX><SBLSH>CQ50010320261123000051</SBLSH><BJZT>已受理</BJZT></BJXX>"


def message(*, sent: str = "2026-11-23 16:00:00", inside: str = f"<BODY>{CASE}</BODY>") -> bytes:
    text = f"{DECLARATION}\n<PACKET><HEAD>{HEAD}<FSSJ>{sent}</FSSJ></HEAD>\n{inside}</PACKET>"
    return text.encode("gb18030")


BODY = message()


def proof(body: bytes) -> dict[str, str]:
    return {
        "content-type": "application/xml; charset=GB18030",
        "x-cq-clientid": "CQ-LEMIS-TEST",
        "x-cq-sm3": digest.sm3_hex(body),
        "x-cq-sign": base64.b64encode(THEIRS.sign(body)).decode(),
    }


GOOD = proof(BODY)


def refusal(
    headers: dict[str, str], body: bytes = BODY, credentials: wire.Credentials = CREDENTIALS
) -> Refusal:
    with pytest.raises(Refusal) as caught:
        wire.verify(Inbound(headers, body), credentials, NOW)
    return caught.value


def test_a_good_proof_is_let_in():
    wire.verify(Inbound(GOOD, BODY), CREDENTIALS, NOW)
    wire.verify(Inbound({**GOOD, "x-cq-sm3": GOOD["x-cq-sm3"].upper()}, BODY), CREDENTIALS, NOW)


@pytest.mark.parametrize(
    "written", ["application/xml;charset=gb18030", 'Application/XML; Charset="GB18030"; x=y']
)
def test_the_content_type_may_be_spelt_as_http_allows(written):
    wire.verify(Inbound({**GOOD, "content-type": written}, BODY), CREDENTIALS, NOW)


@pytest.mark.parametrize(
    "written", ["", "application/xml", "application/xml; charset=utf-8", "text/xml; charset=GB18030"]
)
def test_another_content_type_is_415_before_any_look_at_the_proof(written):
    refused = refusal({"content-type": written})
    assert (refused.status, refused.code) == (415, "9031")


@pytest.mark.parametrize("name", ["x-cq-clientid", "x-cq-sm3", "x-cq-sign"])
def test_each_header_of_the_proof_is_needed_and_named_when_missing(name):
    refused = refusal({key: held for key, held in GOOD.items() if key != name})
    assert (refused.status, refused.code) == (401, "9001")
    assert name.upper() in refused.text


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"x-cq-clientid": "CYTB-TEST"}, "9001"),
        ({"x-cq-sm3": "0" * 64}, "9004"),
        ({"x-cq-sign": "AAAA"}, "9001"),
        ({"x-cq-sign": "not base64!"}, "9001"),
        ({"x-cq-sign": "签名"}, "9001"),
        ({"x-cq-sign": base64.b64encode(OURS.sign(BODY)).decode()}, "9001"),
        ({"x-cq-sign": base64.b64encode(THEIRS.sign(BODY + b" ")).decode()}, "9001"),
    ],
)
def test_a_wrong_proof_is_401(change, code):
    refused = refusal({**GOOD, **change})
    assert (refused.status, refused.code) == (401, code)


def test_a_changed_body_is_401_9004():
    assert refusal(GOOD, BODY + b" ").code == "9004"


def test_a_known_caller_who_is_switched_off_is_403_only_after_a_valid_proof():
    disabled = wire.Credentials(**SECTION, enabled=False)
    refused = refusal(GOOD, credentials=disabled)
    assert (refused.status, refused.code) == (403, "9010")
    assert refusal({**GOOD, "x-cq-sign": "AAAA"}, credentials=disabled).code == "9001"


def test_opening_takes_everything_from_the_message():
    opened = wire.open_message(Inbound(GOOD, BODY))
    assert (opened.native_kind, opened.key, opened.sender) == ("ZT_TZ", "CQ20261123093012000051", "CQ500103")
    assert (opened.case_ref, opened.gateway_ref) == ("CQ50010320261123000051", "")
    assert (opened.sent_at, opened.nonce) == (NOW, None)
    content = f"<BODY>{CASE}</BODY>ZT_TZ"
    assert opened.digest == digest.sm3_hex(content.encode("utf-8"))


def test_the_digest_of_a_message_survives_a_retry_and_notices_a_change():
    first = wire.parse(BODY).digest
    assert wire.parse(message(sent="2026-11-23 16:05:00")).digest == first
    assert wire.parse(message(inside=f"<BODY>{CASE} </BODY>")).digest != first
    assert wire.parse(BODY.replace(b"<JYM>ZT_TZ", b"<JYM>CH_SQ")).digest != first
    blank = [wire.parse(message(sent=sent, inside=f"<BODY >{CASE}</BODY\n>")).digest for sent in ("a", "b")]
    assert blank[0] == blank[1]


def test_numbers_without_their_form_are_never_looked_up():
    body = f"{DECLARATION}<PACKET><HEAD><LSH>CQ1</LSH><FSF>CYTB</FSF><JYM><A/></JYM></HEAD></PACKET>".encode()
    opened = wire.parse(body)
    assert (opened.native_kind, opened.key, opened.case_ref, opened.sender) == ("", "", "", "")


@pytest.mark.parametrize(
    "sent", ["", "2026-02-30 00:00:00", "2026-11-23T16:00:00", "2026-11-23 16:00", "昨天"]
)
def test_a_time_that_is_none_is_none(sent):
    assert wire.parse(message(sent=sent)).sent_at is None


@pytest.mark.parametrize(
    "body", [b"", b"{}", BODY[:-5], BODY.replace(b"GB18030", b"GBK"), message(inside="<BODY/>&x;")]
)
def test_what_cannot_be_read_is_422_with_a_finding(body):
    with pytest.raises(Refusal) as caught:
        wire.parse(body)
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


def test_sealing_renews_the_time_and_signs_the_bytes_as_sent():
    stored = wire.render(wire.parse(message(sent="1999-01-01 00:00:00")).tree, "ZT_TZ")
    sealed = wire.seal(stored, "ZT_TZ", CREDENTIALS, NOW, "unused")
    assert sealed.path == "/gw/cq/ZT_TZ"
    assert sealed.body == stored.replace(b"1999-01-01 00:00:00", b"2026-11-23 16:00:00")
    assert sealed.headers["content-type"] == "application/xml; charset=GB18030"
    assert sealed.headers["X-CQ-CLIENTID"] == "CYTB-TEST"
    assert sealed.headers["X-CQ-SM3"] == digest.sm3_hex(sealed.body)
    assert OURS.public.verify(base64.b64decode(sealed.headers["X-CQ-SIGN"]), sealed.body)


def test_a_text_that_looks_like_the_time_is_not_renewed():
    tree = {"HEAD": {"FSSJ": "x"}, "BODY": {"BZ": "<FSSJ>y</FSSJ>"}}
    sealed = wire.seal(wire.render(tree, "ZT_TZ"), "ZT_TZ", CREDENTIALS, NOW, "")
    assert xml_bytes.read(sealed.body)[0] == {**tree, "HEAD": {"FSSJ": "2026-11-23 16:00:00"}}


def told(given_receipt: Receipt) -> dict:
    tree, faults = xml_bytes.read(wire.receipt(given_receipt, "TB20261123093013000051", NOW))
    assert faults == ()
    assert tree["HEAD"] | {"JSF": ""} == {
        "BBH": "1.0",
        "FSF": "CYTB",
        "JSF": "",
        "JYM": "FH",
        "LSH": "TB20261123093013000051",
        "FSSJ": "2026-11-23 16:00:00",
    }
    return {"JSF": tree["HEAD"]["JSF"], **tree["BODY"]["FH"]}


FAULT = Finding("BODY/YWXX/YLLX", "9043", "XZLX 为 1 时必填，请补充")
GAP = Finding("BODY/YWXX/CBDMC", "1003", "x", Level.PARK)


@pytest.mark.parametrize(
    ("given_receipt", "expected"),
    [
        (
            Receipt(Outcome.ACCEPTED, 202, case_ref="CQ1", case_no="CYTB1", sender="CQ500103"),
            {"JSF": "CQ500103", "FHM": "0000", "SBLSH": "CQ1", "CYTBH": "CYTB1"},
        ),
        (
            Receipt(Outcome.PARKED, 202, findings=(GAP, GAP), sender="CQ500103"),
            {"JSF": "CQ500103", "FHM": "0000", "FHXX": "PARKED 1003 BODY/YWXX/CBDMC; 1003 BODY/YWXX/CBDMC"},
        ),
        (
            Receipt(Outcome.IGNORED, 202, "1102", "状态相同"),
            {"JSF": "CQ500000", "FHM": "0000", "FHXX": "IGNORED 1102 状态相同"},
        ),
        (
            Receipt(Outcome.REFUSED, 422, "9043", "共 1 项", (FAULT,), case_ref="CQ1", sender="CQ500103"),
            {
                "JSF": "CQ500103",
                "FHM": "9043",
                "FHXX": "共 1 项",
                "SBLSH": "CQ1",
                "CW": {"LJ": "BODY/YWXX/YLLX", "DM": "9043", "MS": "XZLX 为 1 时必填，请补充"},
            },
        ),
        (
            Receipt(Outcome.REFUSED, 401, "9001", "缺少请求头", sender="CYTB"),
            {"JSF": "CQ500000", "FHM": "9001", "FHXX": "缺少请求头"},
        ),
    ],
)
def test_receipts_say_it_in_the_words_of_the_side(given_receipt, expected):
    assert told(given_receipt) == expected


def test_receipts_stay_within_their_form_whatever_they_quote():
    long = Finding("A/" * 200, "9042", " 多\x00余\n" + "长" * 600)
    answer = told(Receipt(Outcome.REFUSED, 422, "9042", "x" * 600, (long,) * 60))
    assert len(answer["FHXX"]) == 500
    assert len(answer["CW"]) == 50
    assert len(answer["CW"][0]["LJ"]) == 200
    assert len(answer["CW"][0]["MS"]) == 500
    assert answer["CW"][0]["MS"].startswith("多\ufffd余 长")


def reply(inside: str) -> bytes:
    return f"{DECLARATION}<PACKET><BODY><FH>{inside}</FH></BODY></PACKET>".encode("gb18030")


@pytest.mark.parametrize(
    ("status", "body", "taken"),
    [
        (200, reply("<FHM>0000</FHM>"), Taken.DELIVERED),
        (202, reply("<FHM>0000</FHM><FHXX>PARKED 1001 x</FHXX>"), Taken.DELIVERED),
        (200, reply("<FHM>9043</FHM>"), Taken.REFUSED),
        (200, reply(""), Taken.UNREADABLE),
        (200, b"ok", Taken.UNREADABLE),
        (422, reply("<FHM>9043</FHM>"), Taken.REFUSED),
        (404, b"<html/>", Taken.REFUSED),
        (425, b"", Taken.UNREADABLE),
        (500, reply("<FHM>9060</FHM>"), Taken.UNREADABLE),
        (307, reply("<FHM>0000</FHM>"), Taken.UNREADABLE),
    ],
)
def test_answers_are_read_by_status_and_receipt(status, body, taken):
    assert wire.read_reply(status, body).taken is taken


def test_the_words_of_a_refusal_are_kept():
    body = reply("<FHM>9043</FHM><FHXX>共 1 项</FHXX><CW><LJ>A</LJ><DM>9043</DM><MS>必填</MS></CW>")
    answer = wire.read_reply(422, body)
    assert (answer.code, answer.text) == ("9043", "共 1 项；A 必填")


@given(st.integers(100, 599), st.binary())
def test_any_answer_is_read(status, body):
    assert wire.read_reply(status, body).taken in Taken


def test_numbers_are_made_by_beijing_time():
    assert wire.message_key(51, NOW) == "TB20261123160000000051"
    assert wire.mint_case_no("500103", date(2026, 11, 23), 1) is None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"private_key": "x"}, "SM2 私钥"),
        ({"private_key": SECTION["peer_public_key"]}, "SM2 私钥"),
        ({"peer_public_key": "x"}, "SM2 公钥"),
        ({"client": "x"}, "client"),
    ],
)
def test_settings_that_cannot_work_are_refused(change, word):
    with pytest.raises(ValidationError, match=word):
        wire.Credentials(**{**SECTION, **change})


def test_the_private_key_does_not_show_itself():
    assert "PrivateKey" not in repr(CREDENTIALS)
