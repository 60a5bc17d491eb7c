"""The page for three in the morning: what is wrong first, then who works, what ran, what is kept."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from gateway.exchange.maintain import Order, maintain
from gateway.store import runs
from gateway.store.engine import single
from gateway.store.retention import Who
from gateway.store.workers import Beat


def alarms(page):
    return re.findall(
        r'<li class="is-(\w+)">.*?<strong>(?:<a[^>]*>)?(.*?)(?:</a>)?</strong>', page, re.DOTALL
    )


@pytest.fixture
async def busy(rt):
    """A gateway with a worker that serves both sides and swept just now."""
    await rt.workers.beat(
        Beat(
            "vm:1",
            60.0,
            list(rt.regions),
            "0.1.0",
            {"sichuan": {"flying": 3, "claimed": 9, "breaker": "open"}},
        )
    )
    await runs.note(rt.engine, runs.Run(runs.SWEEP, 0.02))
    yield rt
    async with single(rt.engine) as connection:
        await connection.execute(text("DELETE FROM workers"))
        await connection.execute(text("DELETE FROM runs"))


async def test_a_gateway_nobody_works_in_says_so_first(ops):
    page = (await (await ops("viewer")).get("/ops/running")).text
    found = alarms(page)
    assert ("critical", "超过一分钟无人巡检") in found
    assert sum("没有投递进程负责" in title for _, title in found) == 2
    assert "没有投递进程" in page
    assert page.index('id="alarms"') < page.index('id="workers"') < page.index('id="queue"')


async def test_a_gateway_that_works_shows_who_and_has_no_alarm(ops, busy):
    page = (await (await ops("viewer")).get("/ops/running/now")).text
    assert alarms(page) == []
    assert "没有告警" in page
    assert "vm:1" in page
    assert "3 个在途" in page
    assert "断开" in page


async def test_a_paused_destination_is_a_note_and_no_fault(ops, busy):
    await busy.peers.pause("sichuan", "staff:x", lambda _: busy.audit.write(_, _line()))
    try:
        page = (await (await ops("viewer")).get("/ops/running/now")).text
        assert [(level, "暂停" in title) for level, title in alarms(page)] == [("note", True)]
        assert "没有告警" in page
    finally:
        await busy.peers.resume("sichuan", lambda _: busy.audit.write(_, _line()))


def _line():
    from gateway.store.audit import Line  # noqa: PLC0415

    return Line("staff:x", "pause", "sichuan", "试验")


async def test_maintenance_is_noted_step_by_step_and_its_sizes_are_drawn(ops, busy):
    async for _ in maintain(busy, busy.settings.retention, Order(Who("gateway", "test"))):
        pass
    client = await ops("viewer")
    page = (await client.get("/ops/running")).text
    assert alarms(page) == []
    assert page.count("<tr><td>") > 10
    assert "新建月分区 0 个" in page
    drawn = (await client.get("/ops/running/growth.json")).json()
    assert len(drawn["series"]) == 6
    assert len(drawn["xAxis"]["data"]) == 1


async def test_a_step_that_failed_is_an_alarm_and_opens_the_steps(ops, busy):
    await runs.note(
        busy.engine, runs.Run("maintain.retention", 0.1, failed=True, said="出错（ValueError），下次再试")
    )
    page = (await (await ops("viewer")).get("/ops/running/now")).text
    assert alarms(page) == [("warning", "维护步骤 到期月份清理 出错")]
    assert re.search(r'<details class="card upkeep" open>', page)
    assert "出错（ValueError）" in page


async def test_versions_and_measured_figures_are_shown(ops, rt):
    page = (await (await ops("viewer")).get("/ops/running")).text
    assert rt.tables.digest[:12] in page
    assert "PostgreSQL" in page
    assert "全部承诺守住" in page
    assert "102,535" in page


async def test_what_is_kept_tells_which_month_goes_next(ops, rt):
    async with single(rt.engine) as connection:
        await connection.execute(
            text(
                "INSERT INTO events (id, case_id, n, at, kind, to_state, actor)"
                " VALUES (uuidv7(), uuidv7(), 1, now(), 'status', '20', 'gateway')"
            )
        )
    page = (await (await ops("viewer", language="en")).get("/ops/running")).text
    assert re.search(r"Time lines.*?kept 120 months.*?<progress", page, re.DOTALL)
    assert "No data yet" in page
