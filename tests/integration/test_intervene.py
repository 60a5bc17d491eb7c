"""Staff verbs on the real store: release, followers, retry, cancel, return to the origin."""

from __future__ import annotations

import json

import pytest
from staff_builders import Side, mended, settle

from gateway.canonical.kinds import State
from gateway.errors import Refusal
from gateway.exchange import intervene
from gateway.store.records import Ending


@pytest.fixture
async def sichuan(rt):
    yield Side(rt)
    while claimed := await rt.deliveries.claim("chongqing", 100, 30):
        await settle(rt, claimed, Ending.DELIVERED)


async def case_of(rt, receipt):
    return (await rt.cases.by_no(receipt["cytbh"])).case


async def parked_id(rt, case_no):
    page, _ = await rt.cases.parked_page(100)
    return next(message.id for message in page if message.case_no == case_no)


async def test_a_mended_table_lets_the_parked_application_and_its_followers_go_in_order(
    rt, sichuan, tmp_path
):
    status, receipt = await sichuan.hand_in("tbzy0001", 601, aac005="77")
    assert (status, receipt["message"]) == (202, "PARKED 1001 param.aac005")
    assert (await sichuan.hand_in("tbch0001", 601))[1]["message"] == ""
    assert (await case_of(rt, receipt)).state is State.WITHDRAWN
    assert await rt.deliveries.claim("chongqing", 10, 30) == []

    message_id = await parked_id(rt, receipt["cytbh"])
    still = await intervene.release(rt, message_id, "staff:test")
    assert [finding["code"] for finding in still] == ["1001"]

    assert await intervene.release(mended(rt, tmp_path), message_id, "staff:test") == []
    first = await rt.deliveries.claim("chongqing", 10, 30)
    assert [each.native_kind for each in first] == ["YLZY_SQ"]
    assert "试验族" in first[0].rendered.decode("gb18030")
    await settle(rt, first, Ending.DELIVERED)
    second = await rt.deliveries.claim("chongqing", 10, 30)
    assert [each.native_kind for each in second] == ["CH_SQ"]
    assert receipt["cytbh"] in second[0].rendered.decode("gb18030")
    kinds = [event.kind for event in (await rt.cases.history(receipt["cytbh"])).events]
    assert kinds[:4] == ["application", "parked", "withdrawal", "released"]
    assert (await case_of(rt, receipt)).state is State.WITHDRAWN


async def test_new_tables_release_whatever_they_can_when_a_worker_starts(rt, sichuan, tmp_path):
    _, known = await sichuan.hand_in("tbzy0001", 602, aac005="77")
    _, unknown = await sichuan.hand_in("tbzy0001", 603, aac005="78")
    released = await intervene.release_all(mended(rt, tmp_path), "gateway")
    assert released == 1
    assert (await case_of(rt, known)).state is State.ACCEPTED
    assert (await case_of(rt, unknown)).parked


async def test_a_follower_that_came_during_the_release_is_healed_by_the_sweep(rt, sichuan, tmp_path):
    _, receipt = await sichuan.hand_in("tbzy0001", 604, aac005="77")
    await sichuan.hand_in("tbch0001", 604)
    desk = mended(rt, tmp_path)
    message_id = await parked_id(rt, receipt["cytbh"])
    # the release that crashed before it gave the follower its bytes
    message = await rt.cases.parked(message_id)
    record = await rt.cases.by_no(receipt["cytbh"])
    assert await intervene._release(desk, message, record, "staff:test") == []
    assert await intervene.heal(desk) == 1
    await settle(rt, await rt.deliveries.claim("chongqing", 10, 30), Ending.DELIVERED)
    assert [d.native_kind for d in await rt.deliveries.claim("chongqing", 10, 30)] == ["CH_SQ"]


async def test_a_refused_application_is_seen_retried_and_then_forwarded(rt, sichuan):
    _, receipt = await sichuan.hand_in("tbzy0001", 605)
    claimed = await rt.deliveries.claim("chongqing", 10, 30)
    await settle(rt, claimed, Ending.REFUSED, "9043", "证件号码核验未通过")
    case = await case_of(rt, receipt)
    assert case.state is State.UNDELIVERED
    events = (await rt.cases.history(receipt["cytbh"])).events
    assert "证件号码核验未通过" in events[-1].note

    await intervene.retry(rt, claimed[0].message_id, "staff:test", "对方已更正")
    again = await rt.deliveries.claim("chongqing", 10, 30)
    assert [each.message_id for each in again] == [claimed[0].message_id]
    assert again[0].rendered == claimed[0].rendered
    await settle(rt, again, Ending.DELIVERED)
    assert (await case_of(rt, receipt)).state is State.FORWARDED


async def test_an_undeliverable_case_goes_back_to_its_origin_in_the_origins_words(rt, sichuan):
    _, receipt = await sichuan.hand_in("tbzy0001", 606)
    await settle(rt, await rt.deliveries.claim("chongqing", 10, 30), Ending.REFUSED, "9043", "不受理")
    await intervene.return_to_origin(rt, receipt["cytbh"], "staff:test", "对方不受理，请线下联系")
    assert (await case_of(rt, receipt)).state is State.DECLINED
    told = await rt.deliveries.claim("sichuan", 10, 30)
    report = json.loads(told[0].rendered)
    assert report["fwid"] == "tbzt0001"
    assert report["affairCode"] == "510104-20261123-000606"
    assert (report["param"]["blzt"], report["param"]["blyy"]) == ("04", "对方不受理，请线下联系")
    await settle(rt, told, Ending.DELIVERED)


async def test_a_case_that_flows_cannot_be_returned(rt, sichuan):
    _, receipt = await sichuan.hand_in("tbzy0001", 607)
    with pytest.raises(Refusal) as refused:
        await intervene.return_to_origin(rt, receipt["cytbh"], "staff:test", "误操作")
    assert refused.value.code == "9022"
    # nothing was given up: the application is still on its way
    assert [d.native_kind for d in await rt.deliveries.claim("chongqing", 10, 30)] == ["YLZY_SQ"]


async def test_what_is_not_there_is_a_lookup_error(rt):
    with pytest.raises(LookupError):
        await intervene.retry(rt, rt.new_id(), "staff:test", "")
    with pytest.raises(LookupError):
        await intervene.cancel(rt, rt.new_id(), "staff:test", "")
    with pytest.raises(LookupError):
        await intervene.release(rt, rt.new_id(), "staff:test")
