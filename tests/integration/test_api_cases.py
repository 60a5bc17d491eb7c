"""Worked messages through the door: receipts, the case view, masking, parked messages, limits."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway import log
from gateway.crypto.digest import hmac_sm3_hex
from gateway.transport.quota import Quota
from gateway.web import schemas

ADAPTERS = Path(__file__).parents[2] / "adapters"
TOKEN = "TEST-TOKEN-NOT-A-SECRET"
CANARIES = ("510100198803150179", "张䶮", "13800000001", "0000000000000001")


def worked(region, kind, suffix):
    """A worked message as sent: path, headers, bytes."""
    examples = ADAPTERS / region / "examples"
    frame = json.loads((examples / f"{kind}.http.json").read_bytes())
    return frame["path"], frame["headers"], (examples / f"{kind}.native.{suffix}").read_bytes()


def proven(rt, body):
    """Fresh headers of the side that signs with a token."""
    stamp, nonce = str(int(rt.clock.now().timestamp())), rt.new_id().hex
    signature = hashlib.sha256(f"{stamp}{TOKEN}{nonce}{stamp}".encode()).hexdigest()
    return {
        "content-type": "application/json; charset=utf-8",
        "x-tif-paasid": "sc-lemis-test",
        "x-tif-timestamp": stamp,
        "x-tif-nonce": nonce,
        "x-tif-signature": signature,
        "x-body-sm3": hmac_sm3_hex(TOKEN.encode(), f"{stamp}\n{nonce}\n".encode() + body),
    }


def application(number, **changes):
    """The worked transfer application under other numbers."""
    tree = json.loads(worked("sichuan", "tbzy0001", "json")[2])
    tree |= {"aaz002": f"SC20261123{number:07d}", "affairCode": f"510104-20261123-{number:06d}"}
    for path, value in changes.items():
        tree["param"][path] = value
    return json.dumps(tree, ensure_ascii=False).encode()


async def hand_in(rt, client, body):
    return await client.post("/v1/sichuan/messages", content=body, headers=proven(rt, body))


async def test_a_worked_message_becomes_a_case_anyone_may_ask_for(door):
    path, headers, body = worked("sichuan", "tbzy0001", "json")
    async with door("desk-token") as desk:
        receipt = await desk.post(path, content=body, headers=headers)
        assert (receipt.status_code, receipt.json()["recode"]) == (202, "1")
        case_no = receipt.json()["cytbh"]
        again = await desk.post(path, content=body, headers=headers | {"x-tif-nonce": headers["x-tif-nonce"]})
        assert again.status_code == 401
        case = (await desk.get(f"/v1/cases/{case_no}")).json()
    schemas.CaseView.model_validate(case)
    assert case_no.startswith("CYTB51010420261123")
    assert case["origin"] == {"region": "sichuan", "division": "510104", "case_no": "510104-20261123-000017"}
    assert case["target"] == {"region": "chongqing", "division": "500103", "case_no": case_no}
    assert case["state"] == {"code": "20", "name": "受理"}
    assert (case["accepted_at"], case["due_on"]) == ("2026-11-23T15:42:10+08:00", "2026-11-30")
    assert case["timeline"][0]["kind"] == "application"
    assert case["timeline"][0]["to_state"] == "20"
    assert case["timeline"][0]["actor"] == "sichuan"
    viewpoint = next(entry for entry in case["trace"] if entry["rule"] == "M15")
    assert (viewpoint["before"], viewpoint["after"]) == ("2", "转出")


@pytest.mark.parametrize("settings", ["2026-11-23T09:30:15+08:00"], indirect=True, ids=["in the morning"])
async def test_a_worked_xml_message_crosses_the_same_door(door):
    path, headers, body = worked("chongqing", "SYJ_SQ", "xml")
    async with door("desk-token") as desk:
        receipt = await desk.post(path, content=body, headers=headers)
        assert receipt.status_code == 202
        assert receipt.headers["content-type"] == "application/xml; charset=GB18030"
        cases = (await desk.get("/v1/cases?region=chongqing")).json()["cases"]
    assert [case["item"] for case in cases] == ["unemployment_benefit_claim"]


async def test_persons_are_masked_but_for_who_may_see_them_and_that_is_written_down(rt, door):
    async with door("desk-token") as desk, door("chief-token") as chief:
        receipt = await hand_in(rt, desk, application(101))
        masked = await desk.get(f"/v1/cases/{receipt.json()['cytbh']}")
        case_no = receipt.json()["cytbh"]
        assert not [canary for canary in CANARIES if canary in masked.text]
        assert masked.json()["applicant"] == {"name": "张*", "id_type": "01", "id_no": "5101**********0179"}
        async with rt.engine.connect() as connection:
            looks = text("SELECT count(*) FROM audit WHERE verb = 'look' AND target = :case_no")
            assert (await connection.execute(looks, {"case_no": case_no})).scalar_one() == 0
            full = (await chief.get(f"/v1/cases/{case_no}")).json()
            assert full["applicant"] == {"name": "张䶮", "id_type": "01", "id_no": "510100198803150179"}
            await connection.rollback()
            assert (await connection.execute(looks, {"case_no": case_no})).scalar_one() == 1


@pytest.mark.parametrize("settings", ["2026-11-23T20:00:00+08:00"], indirect=True, ids=["in the evening"])
async def test_pages_do_not_shift_while_cases_arrive(rt, door):
    async with door("desk-token") as desk:
        for number in range(200, 205):
            assert (await hand_in(rt, desk, application(number))).status_code == 202
        first = (await desk.get("/v1/cases?limit=2&region=sichuan")).json()
        schemas.CasePage.model_validate(first)
        await hand_in(rt, desk, application(205))
        second = (
            await desk.get("/v1/cases", params={"limit": 3, "region": "sichuan", "after": first["next"]})
        ).json()
        numbers = [case["origin"]["case_no"][-6:] for case in first["cases"] + second["cases"]]
        assert numbers == ["000204", "000203", "000202", "000201", "000200"]
        one = (await desk.get("/v1/cases?origin_case_no=510104-20261123-000203")).json()
        assert len(one["cases"]) == 1
        assert one["next"] is None
        assert set(one["cases"][0]) == {
            "case_no",
            "origin",
            "target",
            "item",
            "state",
            "due_on",
            "received_at",
        }
        for none in (
            "state=90",
            "item=x",
            "division=510199",
            "received_to=2026-11-22",
            "received_from=2026-11-24",
        ):
            assert (await desk.get(f"/v1/cases?{none}")).json() == {"cases": [], "next": None}
        assert (
            len((await desk.get("/v1/cases?received_from=2026-11-23&received_to=2026-11-23")).json()["cases"])
            > 5
        )


async def test_a_message_without_a_table_row_waits_and_is_shown(rt, door):
    body = application(300, aac005="77")
    async with door("desk-token") as desk, door("chief-token") as chief:
        receipt = await hand_in(rt, desk, body)
        assert (receipt.status_code, receipt.json()["message"]) == (202, "PARKED 1001 param.aac005")
        page = (await desk.get("/v1/parked")).json()
        schemas.ParkedPage.model_validate(page)
        parked = next(line for line in page["parked"] if line["message_key"] == "SC202611230000300")
        assert parked["case_no"] == receipt.json()["cytbh"]
        assert [finding["path"] for finding in parked["findings"]] == ["param.aac005"]
        released = await chief.post(f"/v1/parked/{parked['id']}/release")
        assert (released.status_code, released.json()["code"]) == (409, "still-parked")
        assert released.json()["findings"][0]["code"] == "1001"
        case = (await desk.get(f"/v1/cases/{parked['case_no']}")).json()
        schemas.CaseView.model_validate(case)
        assert (case["state"]["code"], case["parked"]) == ("10", True)


async def test_a_body_over_a_mebibyte_is_refused_in_the_senders_format(rt, door):
    async with door() as client:
        for size, status in ((1_048_576, 401), (1_048_577, 413), (3_000_000, 413)):
            answer = await client.post("/v1/sichuan/messages", content=b"{" * size)
            assert answer.status_code == (status if status == 413 else 415)
        assert answer.json()["recode"] == "-1"
        assert answer.json()["message"].startswith("9030 ")
        xml = await client.post("/v1/chongqing/messages", content=b"x" * 1_048_577)
        assert xml.status_code == 413
        assert b"<FHM>9030</FHM>" in xml.content


async def test_one_message_too_many_is_told_when_to_come_back(rt, door, monkeypatch):
    monkeypatch.setattr(rt.limiter, "per_minute", 1)
    async with door() as client:
        assert (await hand_in(rt, client, application(400))).status_code == 202
        answer = await hand_in(rt, client, application(401))
        assert answer.status_code == 429
        assert answer.json()["message"].startswith("9050 ")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert isinstance(rt.limiter, Quota)


async def test_a_dry_run_shows_everything_and_stores_nothing(rt, door):
    _, _, body = worked("sichuan", "tbzy0001", "json")
    async with door("desk-token") as desk:
        before = (await desk.get("/v1/cases?limit=200")).json()
        headers = {"content-type": "application/json"}
        result = await desk.post("/v1/translate?from=sichuan", content=body, headers=headers)
        assert result.status_code == 200
        schemas.Translation.model_validate(result.json())
        assert result.json()["canonical"]["kind"] == "transfer.apply"
        assert result.json()["native"]["region"] == "chongqing"
        bad = json.loads(body) | {"aac002": "1", "aac003": ""}
        refused = await desk.post(
            "/v1/translate?from=sichuan", content=json.dumps(bad).encode(), headers=headers
        )
        assert (refused.status_code, refused.json()["code"]) == (422, "invalid-message")
        assert {finding["path"] for finding in refused.json()["findings"]} >= {"aac003"}
        parked = json.loads(application(500, aac005="77"))
        waits = await desk.post(
            "/v1/translate?from=sichuan", content=json.dumps(parked).encode(), headers=headers
        )
        assert (waits.status_code, waits.json()["code"]) == (422, "parked")
        assert waits.json()["findings"][0]["code"] == "1001"
        wrong = await desk.post(
            "/v1/translate?from=sichuan", content=body, headers={"content-type": "text/xml"}
        )
        assert (wrong.status_code, wrong.json()["code"]) == (415, "unsupported-media-type")
        much = await desk.post("/v1/translate?from=sichuan", content=b" " * 1_048_577, headers=headers)
        assert (much.status_code, much.json()["code"]) == (413, "too-large")
        for context in ("%%%", "bm8", "W10"):
            odd = await desk.post(
                "/v1/translate", params={"from": "sichuan", "context": context}, content=body, headers=headers
            )
            assert (odd.status_code, odd.json()["code"]) == (400, "bad-request")
        assert (await desk.get("/v1/cases?limit=200")).json() == before


@pytest.fixture
def everything_logged():
    """All that this process logs at any level."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = StringIO()
    log.configure(stream, level=logging.DEBUG)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


async def test_no_person_is_in_any_log_metric_or_refusal(rt, door, everything_logged):
    async with door("desk-token") as desk, door("chief-token") as chief:
        bodies = (
            application(600),
            application(600),
            application(600, aae036="20261123154211"),
            application(601, aac147="510100198803150178"),
            application(602, aac005="77"),
            application(603, aae005="1" * 40),
            b"{" + CANARIES[0].encode(),
        )
        said = [(await hand_in(rt, desk, body)).text for body in bodies]
        said.append((await desk.get("/v1/cases")).text)
        said.append((await desk.get("/metrics")).text)
        await chief.get("/v1/cases")
        said.append(repr(rt))
    logged = everything_logged.getvalue()
    assert "message_refused" in logged
    assert not [canary for canary in CANARIES for text_ in (*said, logged) if canary in text_]


def test_the_proof_used_here_is_that_of_the_specification():
    """The vector of SC-N §2, so that a broken helper cannot make the tests above pass."""
    stamp, nonce = "1795420800", "4b1c9e7a2f"
    proof = hmac_sm3_hex(TOKEN.encode(), f"{stamp}\n{nonce}\n".encode() + b'{"fwid":"tbzt0001"}')
    assert hmac.compare_digest(proof, "5eb91cb654710ef51f9d9d28c6a7591a8dadaae7f82ef01073d17869671eb186")
