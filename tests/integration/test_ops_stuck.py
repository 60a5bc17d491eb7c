"""The page of stuck messages and that of bulk reruns, over the application with a real store."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from itertools import count

import pytest
from sqlalchemy import text
from staff_builders import Side, mended, settle

from gateway.exchange import rerun
from gateway.store.engine import single
from gateway.store.records import Ending

_serial = count(300)
ADDRESS = "/ops/stuck/group?state=parked&destination=chongqing&code=1001&path=param.aac005&value={}"


@pytest.fixture(autouse=True)
async def nothing_open(rt):
    async with single(rt.engine) as connection:
        await connection.execute(text("DELETE FROM deliveries"))
        await connection.execute(text("DELETE FROM reruns"))


@pytest.fixture
def side(rt):
    return Side(rt)


async def hand_in(side, many, **changes):
    for _ in range(many):
        await side.hand_in("tbzy0001", next(_serial), **changes)


async def ended(rt, ending, code, words, places=100):
    claimed = await rt.deliveries.claim("chongqing", places, 30)
    await settle(rt, claimed, ending, code, words)
    return [each.message_id for each in claimed]


def words_of(page):
    """What a person reads, blanks joined."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


def form(page, action):
    """The hidden fields of the form that posts to ``action``."""
    found = re.search(rf'<form[^>]*action="{re.escape(action)}"[^>]*>(.*?)</form>', page.text, re.DOTALL)
    assert found, action
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', found[1])
    return {name: value.replace("&amp;", "&") for name, value in fields}


async def test_with_nothing_stuck_the_page_says_so(ops):
    client = await ops("viewer")
    for path in ("/ops/stuck", "/ops/stuck/groups"):
        page = await client.get(path)
        assert page.status_code == 200
        assert "没有停下的报文" in page.text
    page = await client.get("/ops/reruns")
    assert "还没有批量重办" in page.text
    assert re.search(r'href="/ops/stuck"[^>]*aria-current="page"', page.text)


async def test_each_cause_is_one_line_that_says_what_is_missing_and_leads_to_its_mending(rt, ops, side):
    await hand_in(side, 2, aac005="77")
    await hand_in(side, 1, aac005="78")
    client = await ops("operator")
    page = await client.get("/ops/stuck")
    said = words_of(page)
    assert said.count("四川省的码表“民族”缺少“77”这一行") == 1
    assert "缺少“78”这一行" in said
    assert "/ops/rules/missing?cause=1001%3Aparam.aac005%3D77&amp;region=sichuan" in page.text
    assert "/ops/reruns/try?state=parked&amp;destination=chongqing&amp;code=1001" in page.text
    english = words_of(await (await ops("operator", language="en")).get("/ops/stuck"))
    assert "missing" in english


async def test_dead_and_refused_are_told_apart_with_the_other_sides_words(rt, ops, side):
    await hand_in(side, 3)
    await ended(rt, Ending.DEAD, "timeout", "no answer within 30 s", places=2)
    await ended(rt, Ending.REFUSED, "9043", "联系电话 13912345678 格式不对")
    page = await (await ops("viewer")).get("/ops/stuck")
    said = words_of(page)
    assert "对方在时限内没有应答" in said
    assert "对方拒收，应答代码 9043" in said
    assert "139****5678" in said
    assert "13912345678" not in page.text
    assert "/ops/routes#chongqing" in page.text


async def test_a_group_is_read_message_by_message_and_one_of_it_released(rt, ops, side, tmp_path):
    await hand_in(side, 2, aac005="77")
    client = await ops("operator")
    address = ADDRESS.format("77")
    english = await ops("operator", language="en")
    assert "Code list ethnic_group has no row" in words_of(
        await english.get("/ops/rules/missing?cause=1001:param.aac005=77&region=sichuan")
    )
    page = await client.get(address)
    action = re.search(r"/ops/stuck/messages/[0-9a-f-]+/release", page.text)[0]
    hidden = form(page, action)
    assert hidden["back"] == address
    kept = await client.post(action, data=hidden | {"reason": "试一下"})
    assert kept.status_code == 409
    assert "仍不能放行" in kept.text
    client._transport.app.state.runtime = mended(rt, tmp_path)
    told = words_of(await client.get("/ops/stuck"))
    assert "已补上，可以放行" in told
    assert "补上这一行" not in told
    done = await client.post(action, data=hidden | {"reason": "已补表行"})
    assert (done.status_code, done.headers["location"]) == (303, address)
    assert (await client.post(action, data=hidden | {"reason": "再来"})).status_code == 404
    assert len(re.findall(r"/ops/stuck/messages/[0-9a-f-]+/release", (await client.get(address)).text)) == 1
    (line,) = await audited(rt, "release", action.split("/")[-2])
    assert (line.actor, await rt.audit.reason(line.id)) == ("staff:p-operator", "已补表行")


async def audited(rt, verb, target):
    async with single(rt.engine) as connection:
        query = text("SELECT id, actor FROM audit WHERE verb = :verb AND target = :target ORDER BY id")
        return (await connection.execute(query, {"verb": verb, "target": target})).all()


async def test_a_viewer_sees_why_the_buttons_are_disabled_and_cannot_post(rt, ops, side):
    await hand_in(side, 1, aac005="77")
    client = await ops("viewer")
    page = await client.get(ADDRESS.format("77"))
    assert "需要操作角色" in page.text
    assert "<form" not in page.text.partition('<main id="content"')[2]
    (message,) = (await rt.deliveries.open("parked"))[0]
    refused = await client.post(
        f"/ops/stuck/messages/{message.message_id}/cancel", data={"csrf": client.csrf, "reason": "试"}
    )
    assert refused.status_code == 403
    started = await client.post("/ops/reruns", data={"csrf": client.csrf, "reason": "试", "state": "parked"})
    assert started.status_code == 403
    assert len((await rt.deliveries.open("parked"))[0]) == 1


async def test_dead_messages_are_retried_and_refused_ones_cancelled_one_by_one(rt, ops, side):
    await hand_in(side, 2)
    (dead,) = await ended(rt, Ending.DEAD, "timeout", "", places=1)
    (refused,) = await ended(rt, Ending.REFUSED, "9043", "")
    client = await ops("operator")
    page = await client.get("/ops/stuck/group?state=dead&destination=chongqing&code=timeout")
    action = f"/ops/stuck/messages/{dead}/retry"
    assert (await client.post(action, data=form(page, action) | {"reason": "已恢复"})).status_code == 303
    page = await client.get("/ops/stuck/group?state=refused&destination=chongqing&code=9043")
    action = f"/ops/stuck/messages/{refused}/cancel"
    without_reason = await client.post(action, data=form(page, action))
    assert without_reason.status_code == 400
    outside = form(page, action) | {"reason": "来源方重报", "back": "//elsewhere.example/ops/stuck"}
    done = await client.post(action, data=outside)
    assert done.headers["location"] == "/ops/stuck"
    assert {each.state for each in (await rt.deliveries.open())[0]} == {"ready"}
    assert (
        "这一组没有停下的报文了"
        in (await client.get("/ops/stuck/group?state=refused&destination=chongqing&code=9043")).text
    )


async def test_the_dry_run_of_a_release_says_how_many_would_pass(rt, ops, side, tmp_path):
    await hand_in(side, 2, aac005="77")
    client = await ops("operator")
    address = ADDRESS.format("77").replace("/ops/stuck/group", "/ops/reruns/try")
    page = await client.get(address)
    assert "试转了前 2 条，全部仍会挂起" in words_of(page)
    client._transport.app.state.runtime = mended(rt, tmp_path)
    page = await client.get(address)
    assert "试转了前 2 条，全部可以转出" in words_of(page)
    assert "2 条将按现在的规则表再办一次" in words_of(page)
    assert len((await rt.deliveries.open("parked"))[0]) == 2
    assert (await client.get(address + "&cap=0")).status_code == 400
    assert "1 条将按现在的规则表再办一次 （还有更多，本次到上限为止）" in words_of(
        await client.get(address + "&cap=1")
    )
    nothing = await client.get(ADDRESS.format("99").replace("/ops/stuck/group", "/ops/reruns/try"))
    assert "没有可办的报文了" in nothing.text


async def test_a_rerun_of_one_cause_runs_takes_only_its_own_and_shows_what_it_changed(rt, ops, side):
    await hand_in(side, 3)
    await ended(rt, Ending.DEAD, "timeout", "", places=2)
    await ended(rt, Ending.DEAD, "status", "")
    client = await ops("operator")
    page = await client.get("/ops/reruns/try?state=dead&destination=chongqing&code=timeout&per_second=200")
    assert "一人即可" in page.text
    started = await client.post("/ops/reruns", data=form(page, "/ops/reruns") | {"reason": "对方已恢复"})
    address = started.headers["location"]
    (job,) = await rt.reruns.page(9, None)
    assert (job.state, job.total, job.reason, job.created_by) == (
        "running",
        2,
        "对方已恢复",
        "staff:p-operator",
    )
    while (await rt.reruns.find(job.id)).state == "running":
        await rerun.step(rt)
    await ended(rt, Ending.DELIVERED, "0000", "")
    async with asyncio.timeout(10):
        while not (await rt.reruns.find(job.id)).is_over:
            await rt.reruns.look()
            await asyncio.sleep(0.1)
    part = words_of(await client.get(f"{address}/progress"))
    assert "死信 超时 已送达 0000 2" in part
    assert "已办 2 / 2" in part
    assert "已结束" in words_of(await client.get("/ops/reruns"))
    gone = await client.post("/ops/reruns", data=form(page, "/ops/reruns") | {"reason": "又一次"})
    assert gone.status_code == 409


async def test_above_the_set_size_only_another_person_with_the_right_may_approve(rt, ops, side):
    await hand_in(side, 2)
    await ended(rt, Ending.DEAD, "timeout", "")
    order = {"state": "dead", "destination": "chongqing", "code": "timeout", "reason": "对方已恢复"}
    both = await ops("operator", "approver")
    delivery = rt.settings.delivery.model_copy(update={"rerun_alone_up_to": 1})
    both._transport.app.state.runtime = replace(
        rt, settings=rt.settings.model_copy(update={"delivery": delivery})
    )
    tried = await both.get("/ops/reruns/try?state=dead&destination=chongqing&code=timeout")
    assert "超过 1 条，提交后由另一人批准才开始" in words_of(tried)
    started = await both.post("/ops/reruns", data=order | {"csrf": both.csrf})
    address = started.headers["location"]
    other = await ops("approver", name="li")
    shown = words_of(await both.get(address))
    assert "发起人不能批准自己的批量重办" in shown
    assert "可以批准的人： li" in shown
    own = await both.post(f"{address}/approve", data={"csrf": both.csrf, "reason": "我自己"})
    assert own.status_code == 403
    operator = await ops("operator")
    assert (
        await operator.post(f"{address}/approve", data={"csrf": operator.csrf, "reason": "不该"})
    ).status_code == 403
    done = await other.post(f"{address}/approve", data={"csrf": other.csrf, "reason": "已核对试算"})
    assert (done.status_code, done.headers["location"]) == (303, address)
    (job,) = await rt.reruns.page(9, None)
    assert (job.state, job.approved_by) == ("running", "staff:li")
    again = await other.post(f"{address}/approve", data={"csrf": other.csrf, "reason": "再批"})
    assert again.status_code == 409
    for verb, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        moved = await operator.post(f"{address}/{verb}", data={"csrf": operator.csrf, "reason": "测试"})
        assert moved.status_code == 303, verb
        assert (await rt.reruns.find(job.id)).state == state
    assert (await other.post(f"{address}/burn", data={"csrf": other.csrf, "reason": "?"})).status_code == 404
    missing = address[:-4] + "0000"
    assert (await operator.get(missing)).status_code == 404


async def test_whoever_approves_may_turn_a_rerun_down_before_it_starts_and_no_later(rt, ops, side):
    await hand_in(side, 1)
    await ended(rt, Ending.DEAD, "timeout", "")
    operator, approver, viewer = await ops("operator"), await ops("approver"), await ops("viewer")
    order = {"state": "dead", "destination": "chongqing", "code": "timeout", "reason": "对方已恢复"}
    running = await operator.post("/ops/reruns", data=order | {"csrf": operator.csrf})
    address = running.headers["location"]
    said = {"csrf": approver.csrf, "reason": "不同意"}
    assert (await approver.post(f"{address}/cancel", data=said)).status_code == 403
    async with single(rt.engine) as connection:
        await connection.execute(text("UPDATE reruns SET state = 'unapproved'"))
    assert (await viewer.post(f"{address}/cancel", data=said | {"csrf": viewer.csrf})).status_code == 403
    assert (await approver.post(f"{address}/cancel", data=said)).status_code == 303
    (job,) = await rt.reruns.page(9, None)
    assert job.state == "cancelled"
    assert "已取消" in words_of(await viewer.get(address))
