"""Parked messages by what they wait for, and their release by cause."""

from __future__ import annotations

from sqlalchemy import text
from test_intervene import Side, mended

from gateway.exchange import backlog, intervene
from gateway.store.parked import Cause
from gateway.web import schemas

NATION = Cause("1001", "param.aac005")


async def wait(rt, *changes):
    """Applications that park, in order; their receipts."""
    side = Side(rt)
    receipts = []
    for number, each in changes:
        status, receipt = await side.hand_in("tbzy0001", number, **each)
        assert (status, receipt["message"][:6]) == (202, "PARKED")
        receipts.append(receipt)
    return receipts


async def clear(rt):
    """No message of another test waits."""
    async with rt.engine.begin() as connection:
        await connection.execute(text("UPDATE deliveries SET state = 'refused' WHERE state = 'parked'"))


async def released(rt, cause):
    return [tried async for tried in backlog.release(rt, "staff:test", cause)]


async def test_messages_that_wait_for_the_same_row_are_one_group_with_what_is_missing(rt, door):
    await clear(rt)
    material = [{"clbm": "CL024", "clmc": "电子居民身份证", "sqfs": "2", "dzzz": "0"}]
    usual = [{"clbm": "CL001", "clmc": "居民身份证", "sqfs": "1", "dzzz": "0"}]
    await wait(
        rt,
        (701, {"aac005": "77"}),
        (702, {"aac005": "77"}),
        (703, {"aac005": "78"}),
        (704, {"clist": [*usual, *material]}),
    )
    async with door("desk-token") as desk:
        page = (await desk.get("/v1/parked/groups?limit=2")).json()
        schemas.ParkedGroups.model_validate(page)
        rest = (await desk.get("/v1/parked/groups", params={"after": page["next"]})).json()
        assert (await desk.get("/v1/parked/groups?after=x")).json()["code"] == "bad-cursor"
        assert (await desk.get("/v1/parked")).json()["parked"][0]["findings"][0].keys() == {
            "path",
            "code",
            "text",
        }
    found = [(g["code"], g["path"], g["value"], g["messages"]) for g in page["groups"] + rest["groups"]]
    assert found == [
        ("1001", "param.aac005", "77", 2),
        ("1001", "param.aac005", "78", 1),
        ("1002", "param.clist[].clbm", "CL024", 1),
    ]
    assert rest["next"] is None
    first = page["groups"][0]
    assert (first["region"], first["agencies"]) == ("sichuan", ["510104"])
    assert "ethnic_group" in first["text"]
    assert first["first_seen_at"] <= first["last_seen_at"]


async def test_a_cause_is_released_in_order_and_what_still_waits_says_why(rt, tmp_path):
    await clear(rt)
    other = {"aac005": "77", "aac009": "98"}
    first, second, third = await wait(rt, (721, {"aac005": "77"}), (722, other), (723, {"aac005": "77"}))
    now = mended(rt, tmp_path)
    tried = await released(now, NATION)
    assert [bool(each.findings) for each in tried] == [False, True, False]
    assert {found["path"] for found in tried[1].findings} == {"param.aac009"}
    cases = [(await rt.cases.by_no(each["cytbh"])).case for each in (first, second, third)]
    assert [case.parked for case in cases] == [False, True, False]
    assert await rt.cases.parked_for(NATION, 10) == []
    groups, _ = await rt.cases.parked_groups(10)
    assert [(group.cause.path, group.cause.value) for group in groups] == [("param.aac009", "98")]
    assert [len(each.findings) for each in await released(now, None)] == [1]


async def test_a_word_narrows_a_cause_and_a_path_is_named_with_any_index(rt):
    await clear(rt)
    await wait(rt, (731, {"aac005": "77"}), (732, {"aac005": "78"}))
    assert len(await rt.cases.parked_for(NATION, 10)) == 2
    one = await rt.cases.parked_for(Cause(NATION.code, NATION.path, "78"), 10)
    assert len(one) == 1
    assert await rt.cases.parked_for(NATION, 10, after=one[0]) == []
    assert backlog.pattern_of("BODY/CLLB/CL[12]/CLBH") == "BODY/CLLB/CL[]/CLBH"


async def test_a_message_that_is_parked_no_more_keeps_the_reasons_it_had(rt, tmp_path):
    await clear(rt)
    await wait(rt, (741, {"aac005": "77"}))
    message_id = (await rt.cases.parked_for(NATION, 1))[0]
    assert await intervene.release(mended(rt, tmp_path), message_id, "staff:test") == []
    await rt.intake.still_parked(message_id, [{"path": "x", "code": "1001", "text": "x"}])
    kept = text("SELECT findings->0->>'path' FROM messages WHERE id = :id")
    async with rt.engine.connect() as connection:
        assert (await connection.execute(kept, {"id": message_id})).scalar_one() == "param.aac005"
