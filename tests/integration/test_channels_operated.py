"""Collected cases at the operators' desk: parked and released, explained, studied, given back, seen."""

from __future__ import annotations

import shutil
from dataclasses import replace
from uuid import UUID

from channel_builders import SOMEBODY, application, post, reported, sent_to, settings  # noqa: F401 - a fixture
from staff_builders import settle

from gateway.exchange import intervene
from gateway.exchange.impact import Study, impact
from gateway.exchange.receive import Collection, Post
from gateway.exchange.translate import compile_maps
from gateway.mapping.load import PACKAGED, load_tables
from gateway.shelf import InForce, Shelf
from gateway.store.archive import Archive
from gateway.store.records import Ending
from gateway.web import canonical_schemas


async def test_what_no_rule_covers_waits_whole_and_is_released(rt, door, ops, tmp_path):
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
        desk = await ops("operator")
        for page in (f"/ops/cases/{case_no}", "/ops/stuck", "/ops/stuck?kind=parked"):
            shown = await desk.get(page, follow_redirects=True)
            assert shown.status_code == 200, page
        # the desk offers the one row that is missing, not a word of a region's list
        offered = await desk.get(
            "/ops/rules/missing?cause=1002:materials[].type=residence_permit&region=chongqing"
        )
        assert "它的含义（公共代码）" not in offered.text
        assert "居住证" in offered.text
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
    listed = (await client.get("/ops/cases")).text
    assert "示例银行 锦江支行" in listed
    assert 'href="/ops/cases?channel=bank"' in page
    own = (await client.get("/ops/cases?channel=bank&item=injury_remote_treatment")).text
    assert case_no in own
    assert '<option value="bank" selected>示例银行</option>' in own
    assert case_no not in (await client.get("/ops/cases?channel=office")).text
    gone = (await client.get("/ops/cases?channel=closed")).text
    assert '<option value="closed" selected>closed</option>' in gone
    assert "没有符合条件的办件" in gone
    forms = (await client.get(f"/ops/cases/{case_no}/messages/1", headers={"hx-request": "true"})).text
    assert forms.count('<section class="form"') == 3
    assert "collected_at" in forms
    assert "收件渠道，规范码表 channel 的键" in forms
    for shown in (page, listed, forms):
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
