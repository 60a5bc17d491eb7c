"""The page of one case: what it shows, what it hides, what may be done, and that it follows the case."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout
from staff_builders import Side, settle

from gateway.canonical.kinds import State
from gateway.store.case_file import CaseFiles
from gateway.store.records import Ending

PERSON = ("张䶮", "510100198803150179", "13800000001", "5101000012345678", "0000000000000001")


@pytest.fixture
async def sichuan(rt):
    yield Side(rt)
    while claimed := await rt.deliveries.claim("chongqing", 100, 30):
        await settle(rt, claimed, Ending.DELIVERED)


async def sent(rt, sichuan, number, ending=Ending.DELIVERED, **changes):
    """The number of a case whose application was tried once."""
    _, receipt = await sichuan.hand_in("tbzy0001", number, **changes)
    claimed = await rt.deliveries.claim("chongqing", 10, 30)
    await settle(rt, claimed, ending, "9043", "申请人张䶮（电话13800000001）材料不符")
    return receipt["cytbh"]


async def open_message(rt, case_no):
    file = await CaseFiles(rt.engine, rt.vault).file(case_no)
    return next(message for message in file.messages if message.delivery)


def at(case_no, *more):
    return "/".join(["/ops/cases", case_no, *more])


FRAGMENT = {"hx-request": "true"}


# --- what it shows ---


async def test_a_delivered_case_shows_its_path_its_clock_and_whose_turn_it_is(rt, sichuan, ops):
    page = (await (await ops("viewer")).get(at(await sent(rt, sichuan, 7101)))).text
    flow = page[page.index('id="case-flow"') : page.index('id="case-clock"')]
    assert re.findall(r'class="node n-(taken|current)', flow) == ["taken", "current"]
    assert "该由 重庆市 办理" in page
    assert "5 个工作日" in page
    assert page.count('class="d d-left"') == 5
    assert "送达对方系统" in page


async def test_the_page_is_said_in_english_too(rt, sichuan, ops):
    page = (await (await ops("viewer", language="en-GB")).get(at(await sent(rt, sichuan, 7102)))).text
    assert "Waiting for Chongqing" in page
    assert "5 working days" in page


async def test_a_case_nobody_has_and_a_number_that_is_none_are_designed_pages(ops):
    client = await ops("viewer")
    assert (await client.get(at("CYTB0000"))).status_code == 404
    assert (await client.get(at("CYTB0000", "messages", "1"))).status_code == 404
    assert (await client.get(at("CYTB0000", "messages", "x"))).status_code in {400, 422}


async def test_a_parked_case_says_which_word_is_missing_in_which_table_and_where_to_add_it(rt, sichuan, ops):
    _, receipt = await sichuan.hand_in("tbzy0001", 7103, aac005="77")
    english = (await (await ops("operator", language="en-GB")).get(at(receipt["cytbh"]))).text
    assert "Code list ethnic_group has no row for this value, so the message is parked" in english
    page = (await (await ops("operator")).get(at(receipt["cytbh"]))).text
    assert "码表 ethnic_group 没有这个值对应的行，报文已挂起" in page
    assert "码表缺少一行" in page
    assert "mappings/codes/sichuan/ethnic_group.csv" in page
    assert "/ops/rules/missing?cause=1001%3Aparam.aac005%3D77&amp;region=sichuan&amp;kind=tbzy0001" in page
    assert 'data-opens="release-1"' in page
    assert 'data-opens="retry-1"' not in page
    assert "还没有对方格式的内容可投" in page


async def test_three_forms_stand_side_by_side_with_the_rule_the_row_and_the_basis(rt, sichuan, ops):
    case_no = await sent(rt, sichuan, 7104)
    told = (await (await ops("viewer")).get(at(case_no, "messages", "1"), headers=FRAGMENT)).text
    assert told.count('<section class="form"') == 3
    assert "&lt;MZ&gt;" in told
    assert '"aac005"' in told or "&#34;aac005&#34;" in told
    assert "codes/sichuan/ethnic_group.csv:" in told
    assert "/ops/rules/tables?set=active&amp;table=codes/ethnic_group&amp;q=01" in told
    assert "R001" in told
    assert rt.tables.digest[:12] in told
    assert "<main" not in told
    whole = (await (await ops("viewer")).get(at(case_no, "messages", "1"))).text
    assert "<main" in whole


# --- what it hides ---


async def test_nothing_of_a_person_is_shown_without_asking(rt, sichuan, ops):
    case_no = await sent(rt, sichuan, 7105, Ending.REFUSED)
    client = await ops("operator")
    answers = [
        await client.get(at(case_no)),
        await client.get(at(case_no, "changes")),
        await client.get(at(case_no, "messages", "1"), headers=FRAGMENT),
    ]
    for answer in answers:
        assert [word for word in PERSON if word in answer.text] == []
        assert answer.headers["cache-control"] == "no-store"
    assert "张*" in answers[0].text
    assert "138****0001" in answers[0].text


async def looks(engine, case_no):
    async with engine.connect() as connection:
        found = await connection.execute(
            text("SELECT id, actor, after FROM audit WHERE target = :no AND verb = 'reveal' ORDER BY id"),
            {"no": case_no},
        )
        return found.all()


async def test_an_unmasked_look_is_on_record_first_and_lasts_for_one_answer(rt, sichuan, ops, engine):
    case_no = await sent(rt, sichuan, 7106)
    client = await ops("operator")
    bare = await client.post(
        at(case_no, "messages", "1", "reveal"), data={"reason": "核对证件号码"}, headers=FRAGMENT
    )
    assert bare.status_code == 200
    assert bare.headers["cache-control"] == "no-store"
    assert [word for word in PERSON if word not in bare.text] == []
    ((line, actor, after),) = await looks(engine, case_no)
    assert (actor, after) == ("staff:p-operator", {"message": 1})
    assert await rt.audit.reason(line) == "核对证件号码"
    again = await client.get(at(case_no, "messages", "1"), headers=FRAGMENT)
    assert PERSON[1] not in again.text
    timeline = (await client.get(at(case_no))).text
    assert "查看原文 1 次" in timeline


async def test_without_a_reason_or_the_permission_nothing_is_shown_and_nothing_recorded(
    rt, sichuan, ops, engine
):
    case_no = await sent(rt, sichuan, 7107)
    for roles, reason, status in (("operator",), "  ", 400), (("viewer",), "好奇", 403):
        client = await ops(*roles)
        told = await client.post(at(case_no, "messages", "1", "reveal"), data={"reason": reason})
        assert told.status_code == status
        assert PERSON[1] not in told.text
    assert await looks(engine, case_no) == []


async def test_no_look_is_shown_when_it_could_not_be_recorded(rt, sichuan, ops, monkeypatch):
    case_no = await sent(rt, sichuan, 7108)
    client = await ops("operator")

    async def refuses(*_args, **_more):
        raise PoolTimeout("no audit, no look")

    monkeypatch.setattr(type(rt.audit), "append", refuses)
    told = await client.post(
        at(case_no, "messages", "1", "reveal"), data={"reason": "核对"}, headers=FRAGMENT
    )
    assert told.status_code == 503
    assert PERSON[1] not in told.text


async def test_after_their_time_only_digests_of_a_message_are_left(rt, sichuan, ops, engine):
    case_no = await sent(rt, sichuan, 7109)
    async with engine.begin() as connection:
        gone = "DELETE FROM bodies WHERE message_id = (SELECT m.id FROM messages m JOIN cases c ON c.id = m.case_id WHERE c.case_no = :no) RETURNING message_id"
        message_id = (await connection.execute(text(gone), {"no": case_no})).scalar_one()
        kept = "INSERT INTO evidence (message_id, raw, sealed, kept_at) VALUES (:id, :raw, false, now())"
        await connection.execute(text(kept), {"id": message_id, "raw": b"\x12" * 32})
    told = (await (await ops("operator")).get(at(case_no, "messages", "1"), headers=FRAGMENT)).text
    assert "内容已不可读" in told
    assert "12" * 32 in told
    assert "reveal" not in told


async def test_bytes_that_do_not_open_are_told_as_gone_too(rt, sichuan, ops, engine):
    case_no = await sent(rt, sichuan, 7110)
    spoilt = (
        "UPDATE bodies SET raw = set_byte(raw, 20, get_byte(raw, 20) # 1) WHERE message_id ="
        " (SELECT m.id FROM messages m JOIN cases c ON c.id = m.case_id WHERE c.case_no = :no)"
    )
    async with engine.begin() as connection:
        await connection.execute(text(spoilt), {"no": case_no})
    told = await (await ops("operator")).get(at(case_no, "messages", "1"), headers=FRAGMENT)
    assert told.status_code == 200
    assert "内容已不可读" in told.text


# --- what may be done ---


async def test_a_refused_message_is_sent_again_from_its_page_with_the_reason_on_record(rt, sichuan, ops):
    case_no = await sent(rt, sichuan, 7111, Ending.REFUSED)
    message = await open_message(rt, case_no)
    client = await ops("operator")
    page = (await client.get(at(case_no))).text
    assert "对方拒收" in page
    assert 'data-opens="return-case"' in page
    form = {"message": str(message.id), "reason": "对方已改正"}
    done = await client.post(at(case_no, "retry"), data=form)
    assert (done.status_code, done.headers["location"]) == (303, at(case_no))
    assert (await open_message(rt, case_no)).delivery == "ready"
    assert "对方已改正" in (await client.get(at(case_no))).text


async def test_what_was_just_delivered_is_neither_retried_nor_cancelled(rt, sichuan, ops):
    case_no = await sent(rt, sichuan, 7112, Ending.REFUSED)
    message = await open_message(rt, case_no)
    client = await ops("operator")
    form = {"message": str(message.id), "reason": "试一次"}
    assert (await client.post(at(case_no, "cancel"), data=form)).status_code == 303
    late = await client.post(at(case_no, "retry"), data=form)
    assert late.status_code == 409
    assert "刚刚变了" in late.text


async def test_a_form_about_a_message_of_another_case_is_refused(rt, sichuan, ops):
    one = await sent(rt, sichuan, 7113, Ending.REFUSED)
    other = await sent(rt, sichuan, 7114, Ending.REFUSED)
    message = await open_message(rt, other)
    form = {"message": str(message.id), "reason": "放错地方"}
    client = await ops("operator")
    assert (await client.post(at(one, "cancel"), data=form)).status_code == 404
    assert (await client.post(at(one, "explode"), data={**form, "message": "x"})).status_code == 404
    assert (await open_message(rt, other)).delivery == "refused"


async def test_who_may_only_look_sees_why_the_buttons_are_off_and_cannot_post(rt, sichuan, ops):
    case_no = await sent(rt, sichuan, 7115, Ending.REFUSED)
    message = await open_message(rt, case_no)
    client = await ops("viewer")
    page = (await client.get(at(case_no))).text
    assert "data-opens" not in page
    assert "操作需要值守角色" in page
    form = {"message": str(message.id), "reason": "试试"}
    assert (await client.post(at(case_no, "retry"), data=form)).status_code == 403


async def test_a_release_that_still_lacks_a_row_says_so(rt, sichuan, ops):
    _, receipt = await sichuan.hand_in("tbzy0001", 7116, aac005="77")
    message = await open_message(rt, receipt["cytbh"])
    client = await ops("operator")
    form = {"message": str(message.id), "reason": "以为补好了"}
    told = await client.post(at(receipt["cytbh"], "release"), data=form)
    assert told.status_code == 409
    assert "仍挂起" in told.text


async def test_an_undeliverable_case_is_returned_to_its_origin(rt, sichuan, ops):
    case_no = await sent(rt, sichuan, 7117, Ending.REFUSED)
    client = await ops("operator")
    done = await client.post(at(case_no, "return"), data={"reason": "对方不受理此类"})
    assert done.status_code == 303
    assert (await rt.cases.by_no(case_no)).case.state is State.DECLINED
    again = await client.post(at(case_no, "return"), data={"reason": "再退一次"})
    assert again.status_code == 409
    while claimed := await rt.deliveries.claim("sichuan", 100, 30):
        await settle(rt, claimed, Ending.DELIVERED)


# --- it follows the case ---


async def test_nothing_is_sent_while_nothing_changes_and_then_only_pieces(rt, sichuan, ops):
    case_no = await sent(rt, sichuan, 7118, Ending.REFUSED)
    client = await ops("operator")
    page = (await client.get(at(case_no))).text
    mark = re.search(r'name="mark" value="([^"]*)"', page)[1]
    asked = {"mark": mark, "seen": "1"}
    assert (await client.get(at(case_no, "changes"), params=asked)).status_code == 204
    assert await CaseFiles(rt.engine, rt.vault).mark(case_no) == mark
    await sichuan.hand_in("tbch0001", 7118)
    pieces = (await client.get(at(case_no, "changes"), params=asked)).text
    assert "<main" not in pieces
    assert '<section class="card" id="case-flow" aria-labelledby="flow-title" hx-swap-oob="true">' in pieces
    assert 'hx-swap-oob="beforeend:#messages"' in pieces
    assert pieces.count('<details class="message"') == 1
    assert 'id="m1-state"' in pieces


async def test_attempts_show_fence_status_and_time_and_many_of_them_are_folded(rt, sichuan, ops, engine):
    case_no = await sent(rt, sichuan, 7119, Ending.REFUSED)
    file = await CaseFiles(engine, rt.vault).file(case_no)
    many = (
        "INSERT INTO attempts (message_id, case_id, attempt, fence, began_at, took_s, http_status, outcome, code)"
        " SELECT message_id, case_id, n, n, began_at + n * interval '1 minute', 0.25, 503, 'retry', 'status'"
        " FROM attempts, generate_series(2, 30) n WHERE case_id = :id"
    )
    async with engine.begin() as connection:
        await connection.execute(text(many), {"id": file.record.case.id})
    page = (await (await ops("viewer")).get(at(case_no))).text
    assert "投递未成 29 次" in page
    assert 'id="older-attempts"' in page
    assert "250 毫秒" in page
    found = await CaseFiles(engine, rt.vault).file(case_no)
    assert len(found.attempts) == 30
    assert found.attempts[-1].began_at - found.attempts[0].began_at == timedelta(minutes=30)
