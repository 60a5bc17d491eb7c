"""A channel's cases: canonical JSON in, the receiver's own format out, states back to whoever asks."""

from __future__ import annotations

import asyncio
import copy
import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from conftest import CONFIG, KEYS, MASTER_KEY
from jsonschema import Draft202012Validator
from sqlalchemy import text
from staff_builders import settle
from test_api_cases import proven

from gateway.exchange import intervene
from gateway.exchange.impact import Study, impact
from gateway.exchange.receive import Collection, Post
from gateway.exchange.translate import compile_maps
from gateway.mapping.load import PACKAGED, load_tables
from gateway.regions import discover
from gateway.runtime import configure
from gateway.shelf import InForce, Shelf
from gateway.store.archive import Archive
from gateway.store.records import Ending
from gateway.web import canonical_schemas, schemas

CHANNELS = """
[[channels]]
name = "bank"
title = "示例银行"
side = "chongqing"
items = ["injury_remote_treatment", "pension_transfer", "unemployment_benefit_claim", "pension_certification"]
divisions = ["5001"]
[[channels.credentials]]
token = "bank-token"
[[channels.credentials]]
token_sha256 = "{branch}"
outlets = ["0440200999"]
[[channels]]
name = "office"
title = "示例街道"
side = "chongqing"
items = ["pension_transfer"]
divisions = ["500103"]
reports = true
credentials = [{{token = "office-token"}}]
[[channels]]
name = "town"
title = "示例镇"
side = "sichuan"
items = ["injury_remote_treatment"]
divisions = ["510104"]
credentials = [{{token = "town-token"}}]
[[channels]]
name = "kiosk"
title = "示例自助终端"
side = "sichuan"
items = ["injury_remote_treatment"]
divisions = ["51"]
per_minute = 1
credentials = [{{token = "kiosk-token"}}]
"""
EXAMPLES = Path(__file__).parents[2] / "adapters/sichuan/examples"
SOMEBODY = "500100198507220249"


@pytest.fixture
def settings(database_url, redis_server, tmp_path):
    file = tmp_path / "gateway.toml"
    branch = hashlib.sha256(b"branch-token").hexdigest()
    written = CONFIG.format(keys=KEYS, now="2026-11-23T16:00:00+08:00") + CHANNELS.format(branch=branch)
    file.write_text(written, encoding="utf-8")
    environ = {
        "TONGBAN_DATABASE_URL": database_url,
        "TONGBAN_REDIS_URL": redis_server.url,
        "TONGBAN_DATA_DIR": str(tmp_path / "data"),
        "TONGBAN_KEYS_MASTER_KEY": MASTER_KEY.hex(),
    }
    return configure(file, environ)


def application(**changes):
    """The worked general application, from the other side's division to this one's; ``__`` goes down a level."""
    body = copy.deepcopy(canonical_schemas.example_of(canonical_schemas.Kind.GENERAL_APPLY))
    body |= {"origin": {"division": "500103"}, "target": {"division": "510104"}}
    body["applicant"] |= {"name": "王秀", "id_no": SOMEBODY, "mobile": "13800000002"}
    for path, value in changes.items():
        *parents, last = path.split("__")
        node = body
        for name in parents:
            node = node[name]
        node[last] = value
    return body


async def post(client, body, key, path="/v1/cases"):
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    headers = {"content-type": "application/json", "idempotency-key": key}
    return await client.post(path, content=content, headers=headers)


async def sent_to(rt, case_no):
    """What waits to be sent of a case: destination, native kind, the message as a tree."""
    async with rt.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT id, destination, native_kind FROM deliveries WHERE case_no = :no ORDER BY seq"),
            {"no": case_no},
        )
        return [(row.destination, row.native_kind) for row in rows]


async def reported(rt, client, case_no, state, at, **more):
    """The target's own system reports a state, in its own format, by its own number."""
    number = (await rt.cases.by_no(case_no)).case.target_case_no
    key = f"SC20261123{int(hashlib.sha256((case_no + state).encode()).hexdigest(), 16) % 10**9:09d}"
    param = {"blzt": state, "blsj": at, **more}
    body = json.dumps({"fwid": "tbzt0001", "aaz002": key, "affairCode": number, "param": param}).encode()
    return await client.post("/v1/sichuan/messages", content=body, headers=proven(rt, body))


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
        for state, at in (("03", "20261123161000"), ("06", "20261124101000"), ("09", "20261125101000")):
            receipt = await reported(rt, sichuan, case_no, state, at)
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
        assert [answer.status_code for answer in hasty] == [422, 429]
        assert hasty[1].json()["code"] == "rate-limited"
        assert int(hasty[1].headers["retry-after"]) > 0
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


async def test_what_no_rule_covers_waits_whole_and_is_released(rt, door, tmp_path):
    """A material without a rule parks; the rule's row releases it, and what came meanwhile follows it."""
    asked = application(materials=[{"type": "residence_permit", "method": "original"}])
    async with door("bank-token") as bank, door("chief-token") as chief:
        taken = await post(bank, asked, "f-1")
        assert (taken.status_code, taken.json()["outcome"]) == (202, "parked"), taken.text
        assert [(f["code"], f["path"]) for f in taken.json()["findings"]] == [("1002", "materials[0].type")]
        case_no = taken.json()["case_no"]
        (waiting,) = [m for m in (await chief.get("/v1/parked")).json()["parked"] if m["case_no"] == case_no]
        withdrawal = canonical_schemas.example_of(canonical_schemas.Kind.CASE_WITHDRAW)
        await post(bank, withdrawal, "f-2", f"/v1/cases/{case_no}/messages")
        still = await chief.post(f"/v1/parked/{waiting['id']}/release")
        assert (still.status_code, still.json()["code"]) == (409, "still-parked")
        mended = with_a_rule(rt, tmp_path)
        # the studies of proposed tables see it coming: one message of one case comes out differently
        study = Study(rt.regions, rt.tables, mended.tables)
        report = await impact(Archive(rt.engine, rt.vault), study, 500)
        assert (report.changed_cases, report.changed_messages) == (1, 1)
        assert await intervene.release(mended, UUID(waiting["id"]), "staff:test") == []
        assert await sent_to(rt, case_no) == [("sichuan", "tbty0001"), ("sichuan", "tbch0001")]
        case = (await bank.get(f"/v1/cases/{case_no}")).json()
        assert case["collected_at"]["agency"]["name"] == rt.tables.agencies.of("500103").name
        actors = [(event["kind"], event["actor"]) for event in case["timeline"]]
        assert actors[:3] == [
            ("application", "channel:bank"),
            ("parked", "gateway"),
            ("withdrawal", "channel:bank"),
        ]


def with_a_rule(rt, tmp_path):
    """The same runtime, where what was issued here as a residence permit is accepted there."""
    folder = tmp_path / "mappings"
    shutil.copytree(PACKAGED, folder)
    with (folder / "recognition/materials.csv").open("a", encoding="utf-8") as rules:
        rules.write("R900,chongqing,sichuan,material,residence_permit,residence_permit,*,示例,2020-09-01,,\n")
    tables = load_tables(folder, None)
    return replace(rt, shelf=Shelf(InForce(tables, compile_maps(rt.regions, tables))))


async def test_operators_see_who_collected_it_and_every_value_of_its_message(rt, door, ops):
    """The case's page says so; the three forms stand side by side, masked, with the canonical JSON as what came in."""
    async with door("bank-token") as bank:
        case_no = (await post(bank, application(), "k-1")).json()["case_no"]
    client = await ops("viewer")
    page = (await client.get(f"/ops/cases/{case_no}")).text
    agency = rt.tables.agencies.of("500103").name
    assert f"由 示例银行 锦江支行 代 {agency} 收取" in page
    forms = (await client.get(f"/ops/cases/{case_no}/messages/1", headers={"hx-request": "true"})).text
    assert forms.count('<section class="form"') == 3
    assert "collected_at" in forms
    assert "收件渠道，规范码表 channel 的键" in forms
    for shown in (page, forms):
        assert [word for word in (SOMEBODY, "王秀", "13800000002") if word in shown] == []


async def test_what_cannot_be_delivered_goes_back_to_the_channel(rt, door):
    """Returned to its origin, the case is declined; its region's own system is told nothing."""
    async with door("bank-token") as bank:
        case_no = (await post(bank, application(), "i-1")).json()["case_no"]
        claimed = [d for d in await rt.deliveries.claim("sichuan", 100, 30) if d.case_no == case_no]
        await settle(rt, claimed, Ending.REFUSED, "9043", "不受理")
        await intervene.return_to_origin(rt, case_no, "staff:test", "对方不受理，请到窗口办理")
        case = (await bank.get(f"/v1/cases/{case_no}")).json()
        assert case["state"]["code"] == "21"
        assert await sent_to(rt, case_no) == []
        assert [d for d in await rt.deliveries.claim("chongqing", 100, 30) if d.case_no == case_no] == []


async def test_its_regions_own_system_has_no_part_in_the_case(rt, door):
    """A collected case belongs to its channel and its target: its own side's system names a case it does not know."""
    async with door("town-token") as town:
        body = application(origin__division="510104", target__division="500103")
        case = (await rt.cases.by_no((await post(town, body, "j-1")).json()["case_no"])).case
    opened = rt.regions["sichuan"].parse(b"{}")
    senders = {
        ("town", "sichuan"),
        ("bank", "sichuan"),
        ("", "sichuan"),
        ("", "chongqing"),
        ("bank", "chongqing"),
    }
    parties = {
        (channel, slug)
        for channel, slug in senders
        if Post(
            rt.regions[slug], opened, b"", rt.clock.now(), Collection(channel, "") if channel else None
        ).is_party_to(case)
    }
    assert parties == {("town", "sichuan"), ("", "chongqing")}


async def test_it_is_explained_and_translated_again_as_any_other(rt, door):
    """Each value of the receiver's message has its source in the canonical JSON, by name and with the row behind it."""
    async with door("bank-token") as bank, door("chief-token") as chief:
        case_no = (await post(bank, application(), "g-1")).json()["case_no"]
        told = (await chief.get(f"/v1/cases/{case_no}/explain")).json()
        (message,) = told["messages"]
        assert message["native_kind"] == "canonical/general.apply"
        by_source = {value["path_in"]: value for value in message["values"]}
        assert (by_source["applicant.id_type"]["name_in"], by_source["applicant.id_type"]["after"]) == (
            "证件类型，规范码表 id_type 的键",
            "01",
        )
        again = (await chief.get(f"/v1/cases/{case_no}/explain?on=2026-11-24")).json()
        (replayed,) = (again.get("travelled") or again)["messages"]
        assert replayed.get("changes", []) == []


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
