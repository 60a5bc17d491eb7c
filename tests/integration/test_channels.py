"""A channel's cases: canonical JSON in, the receiver's own format out, states back to whoever asks."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

from channel_builders import SOMEBODY, application, post, reported, sent_to, settings  # noqa: F401 - a fixture
from jsonschema import Draft202012Validator
from test_api_cases import proven

from gateway.regions import discover
from gateway.web import canonical_schemas, schemas

EXAMPLES = Path(__file__).parents[2] / "adapters/sichuan/examples"


async def test_a_collected_case_is_a_case_like_any_other(rt, door):
    """Posted, told on in the receiver's format, reported on, and read by the channel; nothing waits for its region."""
    async with door("bank-token") as bank, door() as sichuan:
        taken = await post(bank, application(), "a-1")
        assert taken.status_code == 202, taken.text
        schemas.Collected.model_validate(taken.json())
        case_no = taken.json()["case_no"]
        assert case_no.startswith("CYTB500103")
        assert taken.headers["location"] == f"/v1/cases/{case_no}"
        assert await sent_to(rt, case_no) == [("sichuan", "tbty0001")]
        course = (("03", "23161000"), ("06", "24101000"), ("01", "23155000"), ("09", "25101000"))
        for state, at in course:
            receipt = await reported(rt, sichuan, case_no, state, f"202611{at}")
            assert (receipt.status_code, receipt.json()["recode"]) == (202, "1"), receipt.text
        # nobody is told: the channel asks, and its region's own system does not know the case
        assert await sent_to(rt, case_no) == [("sichuan", "tbty0001")]
        case = (await bank.get(f"/v1/cases/{case_no}")).json()
        schemas.CaseView.model_validate(case)
        assert case["state"] == {"code": "40", "name": "办结·准予"}
        assert case["origin"] == {"region": "chongqing", "division": "500103", "case_no": case_no}
        agency = rt.tables.agencies.of("500103").name
        assert case["collected_at"]["text"] == f"由 示例银行 锦江支行 代 {agency} 收取"
        assert case["collected_at"]["outlet"] == {"code": "0440200123", "name": "锦江支行"}
        assert case["timeline"][0]["actor"] == "channel:bank"
        assert SOMEBODY not in json.dumps(case)
        assert "王秀" not in json.dumps(case, ensure_ascii=False)
        dropped = {entry["path_in"] for entry in case["trace"] if entry["kind"] == "dropped"}
        assert "collected_at.outlet.code" in dropped
        # the report of 10 came after 30: it is kept on the timeline, and told to nobody
        assert [event["kind"] for event in case["timeline"]].count("ignored") == 1
        told = (await bank.get(f"/v1/cases/{case_no}/messages")).json()
        schemas.ToldPage.model_validate(told)
        assert [line["message"]["status"]["state"] for line in told["messages"]] == ["20", "30", "40"]
        assert told["messages"][0]["message"]["case_no"] == case_no
        rated = await post(
            bank,
            canonical_schemas.example_of(canonical_schemas.Kind.CASE_RATING),
            "a-2",
            f"/v1/cases/{case_no}/messages",
        )
        assert (rated.status_code, rated.json()["state"]["code"]) == (202, "60"), rated.text
        assert await sent_to(rt, case_no) == [("sichuan", "tbty0001"), ("sichuan", "tbpj0001")]


async def test_a_transfer_goes_through_its_sheet_to_the_report_of_the_new_place(rt, door):
    """What the old place sends waits for the channel; the rest is the new place's to report, where it may."""
    body = canonical_schemas.example_of(canonical_schemas.Kind.TRANSFER_APPLY)
    body |= {"origin": {"division": "500103"}, "target": {"division": "510104"}}
    body["transfer"] = {"from_division": "510104", "to_division": "500103"}
    async with door("office-token") as office, door() as sichuan:
        case_no = (await post(office, body, "t-1")).json()["case_no"]
        sheet = json.loads((EXAMPLES / "tbzy0002.native.json").read_bytes())
        sheet["affairCode"] = (await rt.cases.by_no(case_no)).case.target_case_no
        sheet["aaz002"] = "SC20261123777000001"
        sheet.pop("cytbh", None)
        sent = json.dumps(sheet, ensure_ascii=False).encode()
        receipt = await sichuan.post("/v1/sichuan/messages", content=sent, headers=proven(rt, sent))
        assert receipt.json()["recode"] == "1", receipt.text
        (told,) = (await office.get(f"/v1/cases/{case_no}/messages")).json()["messages"]
        assert told["kind"] == "transfer.sheet"
        assert told["message"]["amounts"]["total"] == f"{sheet['param']['aic102']:.2f}"
        assert told["message"]["applicant"]["name"] == "张*"
        # the old place has no more to say of states, and the channel reports for its agency
        report = {"kind": "status.report", "status": {"state": "40", "at": "2026-12-01T10:00:00+08:00"}}
        done = await post(office, report, "t-2", f"/v1/cases/{case_no}/messages")
        assert (done.status_code, done.json()["state"]["code"]) == (202, "40"), done.text
        assert [kind for _, kind in await sent_to(rt, case_no)] == ["tbzy0001", "tbzt0001"]
        from_the_old = body | {"transfer": {"from_division": "500103", "to_division": "510104"}}
        refused = await post(office, from_the_old, "t-3")
        assert [f["path"] for f in refused.json()["findings"]] == ["transfer.to_division"]


async def test_a_citizen_may_supply_and_withdraw_at_the_window(rt, door):
    """Correction asked, material supplied, application withdrawn: all by the channel's one credential."""
    async with door("bank-token") as bank, door() as sichuan:
        case_no = (await post(bank, application(), "b-1")).json()["case_no"]
        messages = f"/v1/cases/{case_no}/messages"
        supplement = canonical_schemas.example_of(canonical_schemas.Kind.MATERIAL_SUPPLEMENT)
        early = await post(bank, supplement, "b-2", messages)
        assert (early.status_code, early.json()["code"]) == (409, "conflict")
        assert early.json()["findings"][0]["code"] == "9022"
        await reported(rt, sichuan, case_no, "02", "20261123161000", blyy="材料不齐，请补充")
        supplied = await post(bank, supplement, "b-2", messages)
        assert (supplied.status_code, supplied.json()["state"]["code"]) == (202, "10"), supplied.text
        withdrawn = await post(
            bank, canonical_schemas.example_of(canonical_schemas.Kind.CASE_WITHDRAW), "b-3", messages
        )
        assert withdrawn.json()["state"] == {"code": "23", "name": "撤回"}
        kinds = [kind for _, kind in await sent_to(rt, case_no)]
        assert kinds == ["tbty0001", "tbbz0001", "tbch0001"]


async def test_a_repeated_post_has_one_effect_and_the_first_receipt(rt, door):
    """The same key and bytes, also at once: one case; other bytes: refused; the key is the channel's own."""
    body = json.dumps(application(), ensure_ascii=False).encode()
    async with door("bank-token") as bank, door("town-token") as town:
        at_once = await asyncio.gather(*(post(bank, body, "c-1") for _ in range(6)))
        assert {answer.status_code for answer in at_once} == {202}
        assert len({answer.content for answer in at_once}) == 1
        later = await post(bank, body, "c-1")
        assert later.content == at_once[0].content
        assert later.headers["idempotency-replayed"] == "true"
        case_no = later.json()["case_no"]
        assert await sent_to(rt, case_no) == [("sichuan", "tbty0001")]
        other = await post(bank, application(remark="另一内容"), "c-1")
        assert (other.status_code, other.json()["findings"][0]["code"]) == (409, "9020")
        elsewhere = await post(town, application(origin__division="510104", target__division="500103"), "c-1")
        assert elsewhere.status_code == 202
        async with door("kiosk-token") as kiosk:
            hasty = [await post(kiosk, {"kind": "?"}, f"c-{number}") for number in range(2)]
            hasty.append(await translate(kiosk, {"kind": "?"}, "kiosk"))
        assert [answer.status_code for answer in hasty] == [422, 429, 429]
        for answer in hasty[1:]:
            assert answer.json()["code"] == "rate-limited"
            assert int(answer.headers["retry-after"]) > 0
        assert (
            await bank.post("/v1/cases", content=body, headers={"content-type": "application/json"})
        ).status_code == 400


async def test_everything_wrong_is_said_at_once(door):
    """Form, values and unknown keys with their paths, in one answer; nothing is stored."""
    wrong = application(
        applicant__id_no="500100198507220248",
        channel="pigeon",
        accepted_at="2026-11-23 15:42:10",
        scheme=True,
        extra="?",
    )
    del wrong["collected_at"]["outlet"]["name"]
    async with door("bank-token") as bank:
        answer = await post(bank, wrong, "d-1")
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-message")
        found = {finding["path"] for finding in answer.json()["findings"]}
        assert found >= {"accepted_at", "scheme", "extra", "channel", "collected_at.outlet.name"}
        values = await post(bank, application(applicant__id_no="500100198507220248", channel="pigeon"), "d-1")
        assert {f["path"] for f in values.json()["findings"]} == {"applicant.id_no", "channel"}
        at_home = await post(bank, application(target__division="500112"), "d-1")
        assert [f["path"] for f in at_home.json()["findings"]] == ["target.division"]
        for broken in (
            b"{",
            b"[]",
            b"\xff",
            b'{"kind":"general.apply","kind":"x"}',
            b'{"kind":"general.apply","\\ud800":1}',
        ):
            assert (await post(bank, broken, "d-2")).status_code == 422
        assert (await post(bank, {"kind": "case.withdraw"}, "d-3")).json()["findings"][0]["path"] == "kind"
        assert (await bank.get("/v1/cases?item=injury_remote_treatment&state=99")).status_code == 400
        assert (await post(bank, application(), "d-1")).status_code == 202


async def test_a_channel_may_do_what_it_was_permitted_and_no_more(rt, door):
    """Item, agency and outlet are checked together; a region's own messages and staff's pages are closed to it."""
    asked = application(item="employment_injury", collected_at__outlet__code="0440200000")
    async with door("branch-token") as branch, door("bank-token") as bank, door("desk-token") as desk:
        refused = await post(branch, asked, "e-1")
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        assert {f["path"] for f in refused.json()["findings"]} == {"item", "collected_at.outlet.code"}
        elsewhere = await post(bank, application(origin__division="510104"), "e-1")
        assert [f["path"] for f in elsewhere.json()["findings"]] == ["origin.division"]
        case_no = (await post(bank, application(), "e-2")).json()["case_no"]
        report = canonical_schemas.example_of(canonical_schemas.Kind.STATUS_REPORT)
        assert (await post(bank, report, "e-3", f"/v1/cases/{case_no}/messages")).status_code == 403
        for path in ("/v1/parked", "/v1/deliveries", f"/v1/cases/{case_no}/explain", "/v1/tallies"):
            assert (await bank.get(path)).status_code == 403, path
        assert (await bank.get("/v1/items")).status_code == 200
        assert (await post(desk, application(), "e-4")).status_code == 403
        async with door("nobodys-token") as stranger:
            assert (await post(stranger, application(), "e-4")).status_code == 401
        # another channel, or a credential of another outlet, does not even learn that the case exists
        async with door("town-token") as town:
            for other in (town, branch):
                assert (await other.get(f"/v1/cases/{case_no}")).status_code == 404
                assert case_no not in (await other.get("/v1/cases")).text
                withdrawal = canonical_schemas.example_of(canonical_schemas.Kind.CASE_WITHDRAW)
                answer = await post(other, withdrawal, "e-5", f"/v1/cases/{case_no}/messages")
                assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
        assert case_no in (await bank.get("/v1/cases")).text
        listed = (await desk.get("/v1/cases?channel=bank")).json()["cases"]
        assert case_no in {case["case_no"] for case in listed}
        assert all(case["origin"]["region"] == "chongqing" for case in listed)


async def translate(client, body, sender="bank", **more):
    content = json.dumps(body, ensure_ascii=False).encode()
    headers = {"content-type": "application/json; charset=utf-8"}
    return await client.post(
        "/v1/translate", params={"from": sender, **more}, content=content, headers=headers
    )


async def test_a_channel_tries_a_message_as_a_region_does(rt, door):
    """The receiver's bytes, or everything that is wrong, at the door of the dry runs; nothing is stored or taken from a case."""

    def found(answer):
        return answer.status_code, answer.json()["code"], {f["path"] for f in answer.json()["findings"]}

    async with door("bank-token") as bank, door("branch-token") as branch, door("desk-token") as desk:
        before = (await bank.get("/v1/cases?limit=200")).json()
        for client in (bank, desk):
            result = await translate(client, application())
            assert result.status_code == 200, result.text
            schemas.Translation.model_validate(result.json())
            assert result.json()["native"]["region"] == "sichuan"
            assert result.json()["canonical"]["kind"] == "general.apply"
            refused = await translate(client, application(channel="pigeon", target__division="500112"))
            assert found(refused) == (422, "invalid-message", {"channel", "target.division"})
            shut = await translate(client, application(item="employment_injury", origin__division="510104"))
            assert found(shut) == (403, "forbidden", {"item", "origin.division"})
            asked = application(materials=[{"type": "residence_permit", "method": "original"}])
            assert found(await translate(client, asked)) == (422, "parked", {"materials[0].type"})
            assert found(await translate(client, {"kind": "?"})) == (422, "invalid-message", {"kind"})
        # a credential of one outlet tries for no other, and nobody else's messages
        assert found(await translate(branch, application()))[::2] == (403, {"collected_at.outlet.code"})
        for sender in ("town", "sichuan"):
            assert (await translate(bank, application(), sender)).status_code == 403
        assert found(await translate(desk, application(), "nobody")) == (400, "bad-request", {"from"})
        # what only the door refuses is refused here as well: a transfer is collected at the new place
        transfer = canonical_schemas.example_of(canonical_schemas.Kind.TRANSFER_APPLY)
        transfer |= {"origin": {"division": "500103"}, "target": {"division": "510104"}}
        transfer["transfer"] = {"from_division": "500103", "to_division": "510104"}
        assert found(await translate(bank, transfer))[::2] == (422, {"transfer.to_division"})
        assert (await bank.get("/v1/cases?limit=200")).json() == before
        # a follow-up: of a stored case staff see what would be written, a channel only what it tells itself
        case_no = (await post(bank, application(), "t-1")).json()["case_no"]
        withdrawal = canonical_schemas.example_of(canonical_schemas.Kind.CASE_WITHDRAW)
        context = base64.urlsafe_b64encode(json.dumps({"case_no": case_no}).encode()).decode().rstrip("=")
        numbers = []
        for client in (bank, desk):
            withdrawn = await translate(client, withdrawal, context=context)
            assert (withdrawn.status_code, withdrawn.json().get("kind")) == (200, "case.withdraw")
            written = json.loads(base64.b64decode(withdrawn.json()["native"]["body"]))
            numbers.append(written["affairCode"] == (await rt.cases.by_no(case_no)).case.target_case_no)
        assert numbers == [False, True]


def test_every_example_of_the_document_fits_its_schema():
    """What integrators copy is what the schema allows."""
    for kind in (*canonical_schemas.APPLICATIONS, *canonical_schemas.FOLLOW_UPS):
        Draft202012Validator(canonical_schemas.schema_of(kind)).validate(canonical_schemas.example_of(kind))


async def test_every_worked_application_of_the_document_is_taken(door):
    """Copied as they stand, but for the side they start from."""
    async with door("bank-token") as bank:
        for number, kind in enumerate(canonical_schemas.APPLICATIONS):
            body = canonical_schemas.example_of(kind)
            body |= {"origin": {"division": "500103"}, "target": {"division": "510104"}}
            if "transfer" in body:
                body["transfer"] = {"from_division": "510104", "to_division": "500103"}
            answer = await post(bank, body, f"h-{number}")
            assert (answer.status_code, answer.json().get("outcome")) == (202, "accepted"), answer.text


def test_the_regions_know_no_channel():
    """No region's own kind can be taken for canonical JSON."""
    assert not [
        kind for region in discover().values() for kind in region.maps if kind.startswith("canonical/")
    ]
