"""Operators' commands on a gateway that runs: a pause stops every process, a rerun survives the worker's death."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time

import asyncpg
import pytest
from town import Town, violations
from waiting import until

TONGBAN = [sys.executable, "-c", "from gateway.cli.main import app; app()"]
WHY = ("--reason", "演练", "--by", "zhang")

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    # given up after two tries, so that a side that is down leaves dead letters
    delivery = "schedule_s = [0.2, 0.2]\ngive_up_s = 1.5\ntimeout_s = 3\nlease_s = 4"
    with Town(tmp_path_factory.mktemp("operate"), delivery=delivery, habits=("--work-s", "0.05")) as town:
        yield town


def tongban(town, *words):
    config = ("--config", str(next(town.home.glob("*.toml"))))
    done = subprocess.run([*TONGBAN, *words, *config], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def effects(town, slug):
    return town.sides[slug].ask("summary")["effects"]


def states(town):
    return asyncio.run(town.open_deliveries())


async def _attempts(town):
    connection = await asyncpg.connect(town.stack.database_url)
    try:
        rows = await connection.fetch("SELECT state, tried, total FROM reruns")
    finally:
        await connection.close()
    return [tuple(row) for row in rows]


def test_a_pause_by_command_stops_every_process_even_a_new_one(town):
    town.sides["sichuan"].tell("send", n=20)
    until(lambda: effects(town, "chongqing") >= 5, 30, "the first arrive")
    tongban(town, "pause", "chongqing", *WHY)
    until(lambda: "sending" not in states(town), 20, "what was in flight ends")
    held = effects(town, "chongqing")
    town.sides["sichuan"].tell("send", n=20)
    old = town.stack.pids()["worker"]
    os.kill(old, signal.SIGKILL)
    until(lambda: town.stack.pids().get("worker") not in {None, old}, 30, "a new worker")
    time.sleep(4)
    assert effects(town, "chongqing") == held
    shown = tongban(town, "probe", "chongqing", *WHY)
    assert "回执可读" in shown
    assert effects(town, "chongqing") == held
    tongban(town, "resume", "chongqing", *WHY)
    until(town.is_quiet, 60, str(states(town)))
    assert violations(town) == []


def test_a_rerun_goes_on_when_its_worker_is_killed_and_takes_nothing_twice(town):
    town.sides["chongqing"].tell("faults", {"down": True})
    town.sides["sichuan"].tell("send", n=30)
    until(lambda: states(town) == {"dead": 30}, 60, str(states(town)))
    town.sides["chongqing"].tell("faults", {"down": False})
    started = tongban(town, "rerun", "start", "--state", "dead", *WHY, "--per-second", "8", "--no-watch")
    id_ = re.search(r"重办编号 (\S+)", started)[1]
    until(lambda: asyncio.run(_attempts(town))[0][1] >= 8, 30, "a third has had its turn")
    old = town.stack.pids()["worker"]
    os.kill(old, signal.SIGKILL)
    until(lambda: asyncio.run(_attempts(town)) == [("done", 30, 30)], 60, str(asyncio.run(_attempts(town))))
    assert re.search(r"dead status\s*│\s*delivered \S+\s*│\s*30", tongban(town, "rerun", "show", id_))
    until(town.is_quiet, 60, str(states(town)))
    retries = asyncio.run(_retries(town))
    assert len(retries) == len(set(retries)) == 30


async def _retries(town):
    connection = await asyncpg.connect(town.stack.database_url)
    try:
        return [row[0] for row in await connection.fetch("SELECT target FROM audit WHERE verb = 'retry'")]
    finally:
        await connection.close()
