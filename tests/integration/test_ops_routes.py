"""The page of routes and its verbs, over the application with a real store."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import text
from staff_builders import Side, settle

from gateway.canonical.worktime import BEIJING
from gateway.dashboard.views.lanes import SHOWN, _figures, _spark
from gateway.store.audit import Line
from gateway.store.engine import single
from gateway.store.peers import Pace, Sighting
from gateway.store.records import Ending
from gateway.store.routes import Lately, Minute
from gateway.store.workers import Beat

_serial = count(600)
_AT = "/ops/routes/chongqing"
_LINE = Line("staff:tests", "pace", "chongqing", "试")


@pytest.fixture(autouse=True)
async def nothing_known(rt):
    async with single(rt.engine) as connection:
        for table in ("deliveries", "peers", "workers", "tallies", "tally_deltas"):
            await connection.execute(text(f"DELETE FROM {table}"))


def words_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


async def beat(rt, *serves, flying=3):
    lanes = {slug: {"flying": flying, "claimed": 9, "breaker": "closed"} for slug in serves}
    await rt.workers.beat(Beat("host:1", 60.0, serves, "1", lanes))


async def test_each_destination_says_what_is_due_how_fast_it_goes_and_who_serves_it(rt, ops):
    side = Side(rt)
    for _ in range(4):
        await side.hand_in("tbzy0001", next(_serial))
    await settle(rt, await rt.deliveries.claim("chongqing", 2, 30), Ending.DELIVERED, "0000")
    await settle(rt, await rt.deliveries.claim("chongqing", 1, 30), Ending.DEAD, "timeout")
    await beat(rt, "chongqing")
    await rt.peers.set_pace("chongqing", Pace(20.0, 8), lambda connection: rt.audit.write(connection, _LINE))
    said = words_of(await (await ops("viewer")).get("/ops/routes/chongqing/lane"))
    assert "畅通" in said
    assert "待投递 1 最早等了" in said
    assert "成功率 66.7% 近 15 分钟 3 次" in said
    assert "在途 / 窗口 3 / 64 每秒至多 20，同时至多 8" in said
    assert "投递进程 1 host:1" in said
    assert "企业职工基本养老保险关系转移接续申请 1 " in said
    assert "未成 1" in said


async def test_without_a_message_and_a_worker_the_page_says_both(rt, ops):
    page = await (await ops("viewer")).get("/ops/routes")
    said = words_of(page)
    assert said.count("近一小时没有报文") == 2
    assert said.count("没有投递进程负责这个去向") == 2
    assert "需要操作角色" in said
    assert "To Chongqing" in words_of(await (await ops("viewer", language="en")).get("/ops/routes"))


async def test_pause_resume_and_pace_are_done_with_a_reason_by_those_who_may(rt, ops):
    await beat(rt, "chongqing", "sichuan")
    operator, viewer = await ops("operator"), await ops("viewer")
    refused = await viewer.post(f"{_AT}/pause", data={"csrf": viewer.csrf, "reason": "不该"})
    assert refused.status_code == 403
    assert (await operator.post(f"{_AT}/pause", data={"csrf": operator.csrf})).status_code == 400
    done = await operator.post(f"{_AT}/pause", data={"csrf": operator.csrf, "reason": "对方检修到 18:00"})
    assert (done.status_code, done.headers["location"]) == (303, "/ops/routes#chongqing")
    page = await viewer.get("/ops/routes")
    said = words_of(page)
    assert "已暂停" in said
    assert "对方检修到 18:00" in said
    assert "p-operator" in said
    assert (await rt.peers.find("chongqing")).is_paused
    await operator.post(f"{_AT}/resume", data={"csrf": operator.csrf, "reason": "检修完毕"})
    assert not (await rt.peers.find("chongqing")).is_paused
    form = {"csrf": operator.csrf, "reason": "对方限流", "per_second": "5", "concurrency": ""}
    assert (await operator.post(f"{_AT}/pace", data=form)).status_code == 303
    assert (await rt.peers.find("chongqing")).pace == Pace(5.0, None)
    assert (await operator.post(f"{_AT}/pace", data=form | {"per_second": "-1"})).status_code == 400
    assert (await operator.post("/ops/routes/nowhere/pause", data=form)).status_code == 404


async def test_an_open_breaker_says_since_when_and_why(rt, ops):
    await beat(rt, "chongqing")
    await rt.peers.saw("chongqing", Sighting(is_open=True, error_at=rt.clock.now(), error="connect"))
    said = words_of(await (await ops("viewer")).get(f"{_AT}/lane"))
    assert "断路 从 " in said
    assert "连不上对方 connect" in said


async def test_the_connection_test_tells_each_step_and_its_remedy_as_a_stream(rt, ops):
    client = await ops("operator")
    asked = await client.post(f"{_AT}/probe", data={"csrf": client.csrf, "reason": "排查"})
    address = asked.headers["location"]
    page = await client.get(address)
    assert f'sse-connect="{address}/steps"' in page.text
    assert page.text.count("未检查") == 5  # no TLS where the address has none
    stream = (await client.get(f"{address}/steps")).text
    events = re.findall(r"^event: (\w+)$", stream, re.MULTILINE)
    assert events == ["name", "name", "tcp", "tcp", "verdict", "done"]
    assert "卡在“TCP 连接”这一步" in stream
    told = stream.rpartition("event: verdict")[2]
    assert "walk-remedy" in stream.partition("event: verdict")[0]
    assert len(re.sub(r"<[^>]+>", "", told)) > 20
    other = await ops("operator", name="other")
    assert (await other.get(f"{address}/steps")).status_code == 404
    async with single(rt.engine) as connection:
        found = await connection.execute(
            text("SELECT actor, target FROM audit WHERE verb = 'probe' ORDER BY id DESC")
        )
        assert found.first() == ("staff:p-operator", "chongqing")


async def test_a_connection_test_is_not_run_again_later(rt, ops, monkeypatch):
    monkeypatch.setattr("gateway.dashboard.pages.routes.ASKED_WITHIN_S", -1.0)
    client = await ops("operator")
    asked = await client.post(f"{_AT}/probe", data={"csrf": client.csrf, "reason": "排查"})
    page = await client.get(asked.headers["location"])
    assert page.status_code == 410
    assert "重新发起" in page.text


def test_a_rate_counts_the_minute_that_runs_as_far_as_it_has_run():
    now = datetime(2026, 11, 23, 16, 0, 30, tzinfo=BEIJING)
    minute = now.replace(second=0)
    well = Lately("south", "x", "delivered", told=11, paced=11)
    assert _figures([well], now).per_minute == pytest.approx(2.0)
    assert _figures([replace(well, paced=0)], now).per_minute == 0
    told = _figures([well, replace(well, measure="refused")], now)
    assert (told.success, told.attempts) == (0.5, 22)
    one = Minute(minute, "south", "delivered", 0, 11)
    failed = replace(one, measure="refused")
    assert _figures([], now).success is None
    spark = _spark(
        [
            one,
            replace(failed, at=minute - timedelta(minutes=59)),
            replace(one, at=minute - timedelta(minutes=60)),
        ],
        now,
    )
    assert (spark.delivered[-1], sum(spark.delivered), spark.failed[0]) == (11, 11, 11)
    assert len(spark.line.split()) == SHOWN
