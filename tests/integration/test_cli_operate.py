"""Operators' commands as people and scripts see them, on the embedded servers of a gateway that runs."""

from __future__ import annotations

import asyncio
import os
import re

import pytest
from commands import invoke
from configs import REGIONS
from sqlalchemy import text
from staff_builders import Side, settle

from gateway.embedded import postgres, redis
from gateway.exchange import rerun
from gateway.runtime import Runtime, configure
from gateway.store import engine as engines
from gateway.store.records import Ending

CONFIG = f"""{REGIONS}
[delivery]
rerun_alone_up_to = 2
[clock]
now = "2026-11-23T15:42:17+08:00"
"""
WHY = ("--reason", "对方通知今晚升级", "--by", "zhang")


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """The configuration of a gateway whose servers run."""
    folder = tmp_path_factory.mktemp("gateway")
    servers = [postgres.start(folder / "data"), redis.start(folder / "data")]
    asyncio.run(engines.migrate(servers[0].url))
    file = folder / "gateway.toml"
    file.write_text(CONFIG, encoding="utf-8")
    urls = {"TONGBAN_DATABASE_URL": servers[0].url, "TONGBAN_REDIS_URL": servers[1].url}
    yield file, urls
    for server in servers:
        server.stop()


@pytest.fixture
def tongban(gateway):
    """One run of the command: exit status, what it said, what it found."""
    file, _ = gateway

    def once(*words, status=0):
        result = invoke(*words, "--config", file, env={"COLUMNS": "200"})
        assert result.exit_code == status, result.output
        return result.stdout + result.stderr

    return once


@pytest.fixture
def within(gateway):
    """Runs work on the gateway's own runtime."""
    file, urls = gateway

    async def opened(work):
        settings = configure(file, {**os.environ, **urls, "TONGBAN_DATA_DIR": str(file.parent / "data")})
        async with Runtime.open(settings, environ={}) as rt:
            return await work(rt)

    return lambda work: asyncio.run(opened(work))


@pytest.fixture(autouse=True)
def nothing_open(within):
    async def clean(rt):
        async with engines.single(rt.engine) as connection:
            for table in ("deliveries", "peers", "reruns"):
                await connection.execute(text(f"DELETE FROM {table}"))

    within(clean)


def dead(*numbers):
    async def work(rt):
        for number in numbers:
            await Side(rt).hand_in("tbzy0001", number)
        await settle(rt, await rt.deliveries.claim("chongqing", 99, 30), Ending.DEAD, "timeout", "x")

    return work


async def carried_out(rt):
    """What workers and the peer do: every message has its turn and is delivered."""
    while await rt.reruns.any_running():
        await rerun.step(rt)
    await settle(rt, await rt.deliveries.claim("chongqing", 99, 30), Ending.DELIVERED, "0000")
    await asyncio.sleep(1.1)
    while await rt.reruns.look():
        continue


def test_a_side_is_paused_listed_paced_and_resumed(tongban):
    assert "chongqing 已暂停投递" in tongban("pause", "chongqing", *WHY)
    assert "此前已经暂停" in tongban("pause", "chongqing", *WHY)
    assert "同时 8 个" in tongban("pace", "chongqing", *WHY, "--per-second", 2.5, "--concurrency", 8)
    shown = tongban("peers")
    for word in ("chongqing", "sichuan", "已暂停", "staff:zhang", "对方通知今晚升级", "每秒 2.5 次", "不限"):
        assert word in shown
    assert "已恢复投递" in tongban("resume", "chongqing", *WHY)
    assert "没有暂停" in tongban("resume", "chongqing", *WHY)
    assert "不限" in tongban("pace", "chongqing", *WHY)


def test_a_side_nobody_knows_or_an_act_without_a_reason_cannot_run(tongban):
    for verb in ("pause", "resume", "pace", "probe"):
        assert "atlantis" in tongban(verb, "atlantis", *WHY, status=2)
        tongban(verb, "chongqing", status=2)


def test_a_connection_test_prints_each_step_and_ends_with_1_when_one_failed(tongban):
    shown = tongban("probe", "chongqing", *WHY, status=1)
    assert re.search(r"✓ 通过\s+域名解析", shown)
    assert re.search(r"✗ 失败\s+TCP 连接", shown)
    assert "怎么办：" in shown
    assert "HTTP 应答" not in shown


def test_a_rerun_is_tried_dry_started_and_its_diff_shown(tongban, within):
    within(dead(901, 902))
    dry = tongban("rerun", "start", "--state", "dead", "--cause", "timeout", *WHY, "--dry-run")
    assert "符合条件的报文 2 条" in dry
    assert "timeout" in dry
    assert "符合条件的报文 0 条" in tongban("rerun", "start", "--state", "refused", *WHY)
    started = tongban("rerun", "start", "--state", "dead", *WHY, "--per-second", 100, "--no-watch")
    id_ = re.search(r"重办编号 (\S+)", started)[1]
    assert "已暂停，已重办 0/2" in tongban("rerun", "show", id_) + tongban("rerun", "pause", id_, *WHY)
    assert "conflict" in tongban("rerun", "pause", id_, *WHY, status=1)
    assert "进行中" in tongban("rerun", "resume", id_, *WHY)
    within(carried_out)
    shown = tongban("rerun", "show", id_, "--watch", "--items")
    assert re.search(r"dead timeout\s*│\s*delivered 0000\s*│\s*2", shown)
    assert (
        len(
            re.findall(
                r"^\d\t\S+\tCYTB\d+\tYLZY_SQ\tdead timeout\ttried\tdelivered 0000$", shown, re.MULTILINE
            )
        )
        == 2
    )
    listed = tongban("rerun", "list")
    assert id_ in listed
    assert "完成" in listed


def test_a_large_rerun_waits_for_another_person(tongban, within):
    within(dead(911, 912, 913))
    started = tongban("rerun", "start", "--state", "dead", *WHY)
    id_ = re.search(r"tongban rerun approve (\S+)", started)[1]
    assert "由另一人批准" in tongban("rerun", "approve", id_, *WHY, status=1)
    assert "进行中" in tongban("rerun", "approve", id_, "--reason", "同意", "--by", "li")
    assert "已取消，已重办 0/3" in tongban("rerun", "cancel", id_, *WHY)


def test_a_rerun_that_is_not_there_is_not_found(tongban):
    id_ = "01900000-0000-7000-8000-000000000000"
    for verb in ("pause", "resume", "cancel", "approve"):
        assert "not-found" in tongban("rerun", verb, id_, *WHY, status=1)
    assert "not-found" in tongban("rerun", "show", id_, status=1)
    tongban("rerun", "start", "--state", "ready", *WHY, status=2)
