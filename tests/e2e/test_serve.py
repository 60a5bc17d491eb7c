"""`tongban serve` as a program: ready, healed after every kill, alone on its data, gone when told."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from configs import REGIONS
from waiting import until

from gateway.cli.child import is_running

ROOT = Path(__file__).parents[2]
OFFER = {
    "Connection": "Upgrade, HTTP2-Settings",
    "HTTP2-Settings": "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
    "Upgrade": "h2c",
}
TONGBAN = [sys.executable, "-c", "from gateway.cli.main import app; app()"]


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    file = tmp_path_factory.mktemp("serve") / "gateway.toml"
    file.write_text(f'data_dir = "data"\n[server]\nport = 0\n{REGIONS}')
    return file


class Served:
    """The running program."""

    def __init__(self, config):
        self.data = config.parent / "data"
        self.errors = (config.parent / "stderr").open("w+b")
        self.process = subprocess.Popen(
            [*TONGBAN, "serve", "--config", str(config)],
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            process_group=0,
        )
        self.line = self.process.stdout.readline()
        self.url = self.line.removeprefix("ready ").strip()

    def pids(self):
        """By name, from outside: children by their commands, servers by their files."""
        found = {}
        with suppress(OSError, IndexError):  # there is none for a moment while it is replaced
            found["postgres"] = int((self.data / "postgres/data/postmaster.pid").read_text().split()[0])
        for entry in Path("/proc").iterdir():
            with suppress(OSError, ValueError):
                words = (entry / "cmdline").read_bytes().decode().split("\0")
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent == self.process.pid and "-m" in words:
                    found["web" if "gateway.cli.webserver" in words else words[-2]] = int(entry.name)
                if str(self.data.resolve() / "redis") == str((entry / "cwd").readlink()):
                    found["redis"] = int(entry.name)
        return found

    def is_ready(self):
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
            return json.load(answer) == {"status": "ready"}
        return False

    def end(self):
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(40)
        self.rest = self.process.stdout.read()
        self.process.stdout.close()
        self.errors.seek(0)
        self.said = self.errors.read().decode()
        self.errors.close()
        return status, time.monotonic() - began


@pytest.fixture(scope="module")
def served(config):
    served = Served(config)
    assert served.line.startswith("ready http://127.0.0.1:"), served.errors.name
    yield served
    if served.process.poll() is None:
        served.end()


def test_ready_is_said_when_it_is(served):
    assert served.is_ready()
    assert set(served.pids()) == {"web", "worker", "beat", "redis", "postgres"}


def test_a_caller_that_offers_http2_is_served_by_what_it_sent(served):
    """The JDK's client offers it on every plain connection; the proof of a body that got lost fails (9004)."""
    sent = ROOT / "adapters/chongqing/examples/SYJ_SQ"
    headers = json.loads(sent.with_suffix(".http.json").read_text(encoding="utf-8"))["headers"]
    line = http.client.HTTPConnection(urlsplit(served.url).netloc, timeout=10)
    for _ in range(2):
        body = sent.with_suffix(".native.xml").read_bytes()
        line.request("POST", "/v1/chongqing/messages", body, {**headers, **OFFER})
        answer = line.getresponse()
        assert (answer.status, b"<FHM>9002</FHM>" in answer.read()) == (401, True)
    line.close()


@pytest.mark.parametrize("name", ["web", "worker", "beat", "redis", "postgres"])
def test_whatever_is_killed_is_replaced(served, name):
    before = served.pids()
    os.kill(before[name], signal.SIGKILL)
    until(lambda: served.pids().get(name) not in {None, before[name]})
    until(served.is_ready)
    after = served.pids()
    assert {other: pid for other, pid in after.items() if other != name} == {
        other: pid for other, pid in before.items() if other != name
    }


def test_while_the_web_process_is_replaced_callers_wait_and_are_not_refused(served):
    os.kill(served.pids()["web"], signal.SIGKILL)
    with urllib.request.urlopen(f"{served.url}/healthz", timeout=20) as answer:
        assert answer.status == 200


def test_a_second_one_on_the_same_data_is_refused_in_a_sentence(served, config):
    second = subprocess.run(
        [*TONGBAN, "serve", "--config", str(config)], capture_output=True, text=True, timeout=30, check=False
    )
    assert (second.returncode, second.stdout) == (2, "")
    assert "请先停止它" in second.stderr
    assert "Traceback" not in second.stderr


def test_it_ends_all_in_order_when_told_and_leaves_nothing_running(served):
    pids = served.pids()
    status, took = served.end()
    assert (status, served.rest) == (0, "")
    assert took < 15
    assert not [name for name, pid in pids.items() if is_running(pid)]
    assert "Traceback" not in served.said
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"{served.url}/healthz", timeout=2)


def test_a_bad_configuration_ends_with_2_and_every_finding(config):
    bad = config.with_name("bad.toml")
    bad.write_text(config.read_text().replace('paasid = "sc-lemis-test"', 'passid = "typo"'))
    ended = subprocess.run(
        [*TONGBAN, "serve", "--config", str(bad)], capture_output=True, text=True, timeout=30, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "regions.sichuan.passid" in ended.stderr
    assert "regions.sichuan.paasid" in ended.stderr


def test_after_a_kill_of_the_supervisor_its_processes_are_gone_and_the_next_adopts_the_servers(config):
    first = Served(config)
    pids = first.pids()
    first.process.kill()
    first.process.wait()
    first.process.stdout.close()
    first.errors.close()
    until(lambda: not any(is_running(pids[name]) for name in ("web", "worker", "beat")))
    second = Served(config)
    try:
        assert second.is_ready()
        again = second.pids()
        assert (again["redis"], again["postgres"]) == (pids["redis"], pids["postgres"])
    finally:
        status, _ = second.end()
    assert status == 0
    assert not any(is_running(pids[name]) for name in ("redis", "postgres"))
