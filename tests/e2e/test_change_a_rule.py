"""The page on changing a rule, run as it stands against a real gateway: two cases wait, both keys, both cases go."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
from peer import Peer, example
from waiting import until

from gateway.cli.stack import Stack
from gateway.conformance import keys
from gateway.regions import discover
from gateway.runtime import configure

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/change-a-rule.md").read_text(encoding="utf-8")
PREPARED, *STEPS = re.findall(r"^```bash\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(APPROVAL,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
#: a dozen programs start one after another, perhaps on a busy machine
WITHIN_S = 400
pytestmark = pytest.mark.timeout(WITHIN_S + 200)
#: the day the page releases for
NOW = datetime.fromisoformat("2026-11-23T16:00:00+08:00")


def run(script, folder):
    """A script of the page where a newcomer stands."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-1500:]
    return done.stdout, done.stderr


class Gateway:
    """A gateway whose tables need both keys, between two peers, in a folder with the tables and the program."""

    def __init__(self, home):
        self.home = home
        shutil.copytree(ROOT / "mappings", home / "mappings")
        program = home / ".venv/bin/tongban"
        program.parent.mkdir(parents=True)
        command = f"exec {shlex.quote(sys.executable)} -c 'from gateway.cli.main import app; app()' \"$@\""
        program.write_text(f"#!/bin/sh\n{command}\n")
        program.chmod(0o755)
        self.peers = {slug: Peer(slug) for slug in discover()}
        config = keys.write(home, {slug: peer.url for slug, peer in self.peers.items()})
        run(PREPARED, home)
        more = f'\n[server]\nport = 0\n[clock]\nnow = "{NOW.isoformat()}"\n[delivery]\nschedule_s = [1]\n'
        config.write_text(config.read_text() + more + APPROVAL)
        token = tomllib.loads(config.read_text())["tokens"][0]["token"]
        began = time.monotonic()
        self.stack = Stack(configure(config, os.environ), config)
        self.stack.start()
        headers = {"authorization": f"Bearer {token}"}
        self.api = httpx.Client(base_url=self.stack.url, headers=headers, timeout=20)
        for slug, peer in self.peers.items():
            peer.keys = peer.stand_in.keys(json.loads((home / f"{slug}.json").read_text()))
            peer.now = lambda: NOW + timedelta(seconds=time.monotonic() - began)
            peer.gateway = self.stack.url

    def close(self):
        self.api.close()
        self.stack.stop()
        for peer in self.peers.values():
            peer.close()

    def hand_in(self, number):
        """The worked application under a number of its own, with an ethnic group no table knows."""
        body = example("tbzy0001").replace(b'"aac005": "01"', b'"aac005": "88"')
        body = body.replace(b"510104-20261123-000017", f"510104-20261123-{number:06d}".encode())
        body = re.sub(rb'"SC20261123\d+"', b'"SC20261123%07d"' % number, body)
        sichuan = self.peers["sichuan"]
        return sichuan.send(sichuan.stand_in.adopt(body))

    def parked(self):
        return self.api.get("/v1/parked").raise_for_status().json()["parked"]

    def heard(self):
        """The applications that arrived at the other side, in order."""
        return self.peers["chongqing"].received.get("YLZY_SQ", [])


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("rule"))
    try:
        yield gateway
    finally:
        gateway.close()


def test_the_page_takes_two_parked_cases_to_the_other_side(gateway):
    for number in (801, 802):
        gateway.hand_in(number)
    assert len(gateway.parked()) == 2
    assert gateway.heard() == []

    said, findings = run("".join(STEPS), gateway.home)
    assert "只有一方批准，不能启用" in said
    assert "chongqing 尚未批准" in findings
    assert "+ canonical/ethnic_group.csv 88" in said

    until(lambda: len(gateway.heard()) == 2, 60, "both applications arrive")
    assert gateway.parked() == []
    bodies = [gateway.peers["chongqing"].region.parse(body).tree for _, body, _ in gateway.heard()]
    assert [tree["BODY"]["SQR"]["MZ"] for tree in bodies] == ["示例族", "示例族"]


def test_the_door_uses_the_release_at_once_and_says_so(gateway):
    before = len(gateway.heard())
    gateway.hand_in(803)
    until(lambda: len(gateway.heard()) == before + 1, 60, "it goes without waiting")
    listed, _ = run(".venv/bin/tongban mappings list --json --config gateway.toml", gateway.home)
    (told,) = map(json.loads, listed.splitlines())
    assert (told["state"], told["faults"], set(told["approvals"])) == ("现用", [], {"sichuan", "chongqing"})


def test_all_processes_go_on_with_the_release_after_they_are_started_anew(gateway):
    gateway.stack.stop()
    gateway.stack = Stack(configure(gateway.home / "gateway.toml", os.environ), gateway.home / "gateway.toml")
    gateway.stack.start()
    gateway.peers["sichuan"].gateway = gateway.stack.url
    gateway.peers["sichuan"].now = lambda: NOW
    before = len(gateway.heard())
    gateway.hand_in(804)
    until(lambda: len(gateway.heard()) == before + 1, 60, "the release is still in force")
