"""Two web and four worker processes on one store: each message sent once, in the order of its case, whoever dies."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections import Counter

import asyncpg
import httpx
import pytest
from town import Town, violations
from waiting import until

from gateway.cli.stack import Stack
from gateway.conformance import keys
from gateway.errors import CannotStart
from gateway.regions import discover
from gateway.runtime import configure

CASES_EACH_WAY = 30
WEB = ("web", "web-2")
WORKERS = ("worker", "worker-2", "worker-3", "worker-4")
#: So narrow that one worker does not keep up, and the others are needed.
DELIVERY = "worker_processes = 4\nwindow = 2\nschedule_s = [0.3, 0.6, 1]\ntimeout_s = 8\nlease_s = 9"

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    os.environ["TONGBAN_SERVER_WEB_PROCESSES"] = "2"
    try:
        habits = ("--work-s", "0.2", "--slow-rate", "1", "--slow-s", "0.1")
        with Town(tmp_path_factory.mktemp("many"), delivery=DELIVERY, habits=habits) as town:
            yield town
    finally:
        del os.environ["TONGBAN_SERVER_WEB_PROCESSES"]


def log_of(town, name):
    return (town.stack.settings.data_dir / "logs" / f"{name}.log").read_text()


def send_and_wait(town):
    for side in town.sides.values():
        side.tell("send", n=CASES_EACH_WAY)
    until(town.is_quiet, 60, "everything is delivered")


async def attempts(town):
    connection = await asyncpg.connect(town.stack.database_url)
    try:
        return Counter(row["message_id"] for row in await connection.fetch("SELECT message_id FROM attempts"))
    finally:
        await connection.close()


def test_all_of_them_run_and_are_told_by_name(town):
    assert set(town.stack.pids()) == {*WEB, *WORKERS, "beat", "postgres", "redis"}
    assert len(set(town.stack.pids().values())) == 9


def test_each_message_is_sent_once_and_in_the_order_of_its_case_by_several_workers(town):
    send_and_wait(town)
    assert violations(town) == []
    assert {slug: side.ask("summary")["repeats"] for slug, side in town.sides.items()} == dict.fromkeys(
        town.sides, 0
    )
    made = asyncio.run(attempts(town))
    assert set(made.values()) == {1}
    assert sum(made.values()) == town.effects()
    sent = {name: log_of(town, name).count('"delivery_attempted"') for name in WORKERS}
    assert sum(sent.values()) == town.effects()
    assert sum(count > 0 for count in sent.values()) >= 2, sent


def test_the_numbers_of_all_processes_add_up_and_count_once(town):
    text = town.client.get("/metrics").text
    delivered = re.findall(
        r'^tongban_messages_total\{direction="out",.*outcome="delivered".*\} (\S+)', text, re.MULTILINE
    )
    assert sum(map(float, delivered)) == town.effects()


@pytest.mark.parametrize("name", ["web-2", "worker-3"])
def test_one_of_many_that_is_killed_is_replaced_and_the_others_go_on(town, name):
    before = town.stack.pids()
    os.kill(before[name], signal.SIGKILL)
    for _ in range(20):
        # The other web process takes what comes on the socket both listen to.
        assert httpx.get(f"{town.stack.url}/healthz", timeout=20).status_code == 200
    until(lambda: town.stack.pids().get(name) not in {None, before[name]}, 20, f"{name} is replaced")
    after = town.stack.pids()
    assert {other: pid for other, pid in after.items() if other != name} == {
        other: pid for other, pid in before.items() if other != name
    }


def test_after_the_kills_everything_still_arrives_once_and_in_order(town):
    send_and_wait(town)
    assert violations(town) == []


def test_more_processes_than_the_database_has_connections_for_do_not_start(tmp_path, monkeypatch):
    monkeypatch.setenv("TONGBAN_SERVER_WEB_PROCESSES", "1")
    monkeypatch.setenv("TONGBAN_DELIVERY_WORKER_PROCESSES", "30")
    config = keys.write(tmp_path, dict.fromkeys(discover(), "http://127.0.0.1:9"))
    config.write_text(config.read_text() + "\n[server]\nport = 0\n")
    with pytest.raises(CannotStart, match="31 个进程可能用到 256 个数据库连接"):
        Stack(configure(config, os.environ), config).start()
