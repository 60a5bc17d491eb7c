"""The world the pages' blocks are run in: one gateway between two regions, as *getting started* makes it.

Every page stands in a folder of its own that looks like a fresh clone; all share the one gateway. Ports and
identifiers that a page gives as examples stand for those of this world.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import time
import tomllib
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import clones
import httpx
import warm
from pages import ROOT, blocks_of
from ports import free_port
from waiting import until

from gateway.conformance.simulator import stand_in_of
from gateway.regions import discover
from gateway.transport import bell
from gateway.worker.app import SWEEP_QUEUE

if TYPE_CHECKING:
    from pathlib import Path

MESSAGE = "01900000-0000-7000-8000-000000000000"
CASE = "CYTB5101042026112300000017"
START = ROOT / "docs/getting-started.md"
#: impatient, so that what is given up is given up while a test looks
SETTINGS = {
    "TONGBAN_DELIVERY_SCHEDULE_S": "[0.2, 0.2]",
    "TONGBAN_DELIVERY_GIVE_UP_S": "1.2",
    "TONGBAN_DELIVERY_TIMEOUT_S": "1",
    "TONGBAN_DELIVERY_LEASE_S": "3",
    "TONGBAN_DELIVERY_SWEEP_S": "1",
    "TONGBAN_DELIVERY_RERUN_ALONE_UP_TO": "2",
}
#: what a person types who is asked for a password
TYPED = b"open-sesame-of-the-pages\n" * 6
#: seconds a block may take
WITHIN_S = 100


@dataclass
class Result:
    """What a block did."""

    block: object
    status: int
    said: str


@dataclass
class World:
    """Started once; ``run`` takes a page through it."""

    home: Path
    ports: dict[str, int] = field(default_factory=dict)
    staying: list[subprocess.Popen] = field(default_factory=list)
    serial: int = 0
    job: str = ""
    #: identifiers that have been put into a page: an act on one of them changes it
    given: set[str] = field(default_factory=set)

    def __post_init__(self):
        self.zygote, address = warm.start(self.home, ROOT)
        clones.program(self.home / "tongban-warm", warm.client(address))
        self.token = ""

    def start(self):
        """As *getting started* says; answer: what its blocks did."""
        folder = self.clone("getting-started")
        self.rehearsal = folder / "rehearsal"
        done = self.run(START, folder)
        if all(each.status == 0 for each in done):
            self.token = tomllib.loads((self.rehearsal / "gateway.toml").read_text())["tokens"][0]["token"]
            self.api = httpx.Client(
                base_url=self.url(8080), headers={"authorization": f"Bearer {self.token}"}, timeout=20
            )
            self.settle()
        return done

    def stop(self):
        for process in reversed(self.staying):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in reversed(self.staying):
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
        self.zygote.kill()
        self.zygote.wait()
        self.zygote.stdout.close()
        if hasattr(self, "api"):
            self.api.close()

    def clone(self, name):
        """A folder that looks like a fresh clone after ``make setup``."""
        return clones.make(self.home / name, self.home / "tongban-warm")

    def furnish(self, folder):
        """With a configuration of the world, as a page has it that does not begin from nothing."""
        shutil.copy(self.rehearsal / "gateway.toml", folder)
        shutil.copy(self.rehearsal / "master.key", folder)
        (folder / "data").symlink_to(self.rehearsal / "data")
        return folder

    # -- blocks ----------------------------------------------------------------------------

    def run(self, page, folder):
        """Every block of a page that is run here, in order; stops after the first that fails."""
        done = []
        names = folder / ".variables"
        for block in blocks_of(page):
            if block.elsewhere or block.kind not in {"bash", "python"}:
                continue
            done.append(self._stay(block, folder) if block.stays else self._do(block, folder, names))
            if done[-1].status:
                break
        return done

    def _environ(self, folder):
        return {
            "PATH": f"{folder}/.bin:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "LC_ALL": "C.UTF-8",
            "HOME": str(folder),
            "COLUMNS": "160",
            "TOKEN": self.token,
            "TONGBAN_SERVER_PORT": str(self.port(8080)),
            **SETTINGS,
        }

    def _do(self, block, folder, names):
        text = self.meant(block.text)
        if block.kind == "python":
            (folder / ".block.py").write_text(text)
            text = ".venv/bin/python .block.py"
        # what one block names, the next may use, as in a terminal
        before = f"[ -f {names} ] && . {names}; "
        script = f"{before}set -euo pipefail\n{text}\ndeclare -p | grep -E '^declare -- [A-Z_]+=' > {names} || true"
        try:
            done = subprocess.run(
                ["bash", "-c", script],
                cwd=folder,
                env=self._environ(folder),
                input=TYPED,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=WITHIN_S,
                check=False,
            )
        except subprocess.TimeoutExpired as slow:
            return Result(block, 124, (slow.stdout or b"").decode(errors="replace"))
        return Result(block, done.returncode, done.stdout.decode(errors="replace"))

    def _stay(self, block, folder):
        """A program that goes on: started, and waited for until it answers."""
        log = folder / f"stays-{len(self.staying)}.log"
        text = self.meant(block.text)
        with log.open("wb") as out:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {text}"],
                cwd=folder,
                env=self._environ(folder),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.staying.append(process)
        asked = re.search(r"--port (\d+)", text)
        port = int(asked[1]) if asked else self.port(8080)
        ready = "/readyz" if "serve" in text else "/"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            with suppress(httpx.HTTPError):
                answer = httpx.get(f"http://127.0.0.1:{port}{ready}", timeout=5)
                if answer.status_code == 200 or ready == "/":
                    return Result(block, 0, "")
            time.sleep(0.1)
        return Result(block, process.poll() or 125, log.read_text(errors="replace"))

    # -- what a page's examples stand for ----------------------------------------------------

    def port(self, said):
        return self.ports.setdefault(str(said), free_port())

    def url(self, said):
        return f"http://127.0.0.1:{self.port(said)}"

    def meant(self, text):
        """The block with this world's ports and identifiers."""
        text = re.sub(
            r"(127\.0\.0\.1:|localhost:|--port[ =])(\d{4,5})\b", lambda m: f"{m[1]}{self.port(m[2])}", text
        )
        return "\n".join(map(self._line, text.split("\n")))

    def _line(self, line):
        if MESSAGE in line:
            verb = re.search(r"tongban (rerun \w+|\w+)|/v1/(\w+)", line)
            line = line.replace(MESSAGE, self._supply((verb[1] or verb[2]) if verb else "message"))
        if CASE in line:
            line = line.replace(CASE, self._undelivered() if "tongban return" in line else self._case())
        return line

    def _supply(self, verb):
        match verb:
            case "retry" | "cancel" | "deliveries":
                return self._delivery("dead")
            case "release" | "parked":
                return self._delivery("parked")
            case "rerun approve":
                return self._rerun("unapproved")
            case "rerun show":
                return self._finished()
            case "rerun pause" | "rerun resume" | "rerun cancel" | "reruns":
                return self._running()
        return self.api.get("/v1/parked").json()["parked"][0]["id"]

    def _delivery(self, state):
        if state == "parked":
            known = self.api.get("/v1/parked").raise_for_status().json()["parked"]
        else:
            until(lambda: not self._taken_up(state), 60, "no rerun goes on with these")
            known = self._open(state)
        fresh = [each["id"] for each in known if each["id"] not in self.given]
        if not fresh:
            self.park(1) if state == "parked" else self.fail(1, dead=state == "dead")
            return self._delivery(state)
        self.given.add(fresh[0])
        return fresh[0]

    def _open(self, state):
        query = {"state": state, "limit": 200}
        return self.api.get("/v1/deliveries", params=query).raise_for_status().json()["deliveries"]

    def _taken_up(self, state):
        return [
            job for job in self._reruns() if job["state"] == "running" and job["filter"].get("state") == state
        ]

    def _case(self):
        return self.api.get("/v1/cases", params={"limit": 1}).raise_for_status().json()["cases"][0]["case_no"]

    def _undelivered(self):
        """A case the other side has refused just now: nobody has sent anything of it again."""
        before = {each["id"] for each in self._open("refused")}
        self.fail(1, dead=False)
        return next(each["case_no"] for each in self._open("refused") if each["id"] not in before)

    def _reruns(self):
        return self.api.get("/v1/reruns").raise_for_status().json()["reruns"]

    def _rerun(self, state):
        return next(job["id"] for job in self._reruns() if job["state"] == state)

    def _start_rerun(self, **more):
        body = {"filter": {"state": "refused"}, "reason": "演练", "cap": 2, **more}
        return self.api.post("/v1/reruns", json=body).raise_for_status().json()

    def _finished(self):
        if not self._count("refused"):
            self.fail(1, dead=False)
        told = self._start_rerun(cap=1, per_second=100)
        return told.get("id") or told["rerun"]["id"]

    def _running(self):
        """A rerun slow enough to be held: its message waits its turn for minutes."""
        alive = [job["id"] for job in self._reruns() if job["state"] in {"running", "paused"}]
        if self.job in alive:
            return self.job
        while self._count("refused") < 2:
            self.fail(2, dead=False)
        told = self._start_rerun(per_second=0.01)
        self.job = told.get("id") or told["rerun"]["id"]
        return self.job

    # -- what has happened in it ---------------------------------------------------------------

    def settle(self):
        """Cases that came through, that wait for a row, that the other side refused, that never arrived."""
        for slug in discover():
            self._simulator(slug, "rate", per_s=0)
            self._simulator(slug, "send", n=2)
        until(lambda: len(self.api.get("/v1/cases").json()["cases"]) >= 4, 30, "the first cases")
        self.park(4)
        self.fail(5, dead=False)
        self.fail(6, dead=True)
        # what the schedule does every ten minutes, so that the metrics it writes are there
        redis = (self.rehearsal / "data/redis/url").read_text().strip()
        with bell.quick_broker(redis) as broker:
            broker.send_task(bell.MAINTAIN, queue=SWEEP_QUEUE)

    def _simulator(self, slug, path, body=None, **query):
        port = self.port(9001 if slug == "sichuan" else 9002)
        return httpx.post(f"http://127.0.0.1:{port}/sim/{path}", params=query, json=body, timeout=20)

    def fail(self, count, *, dead):
        """Applications that the other side refuses, or does not answer in time."""
        faults = {"slow_rate": 1.0, "slow_s": 1.6} if dead else {"refuse_rate": 1.0}
        self._simulator("chongqing", "faults", faults)
        before = self._count("dead" if dead else "refused")
        self._simulator("sichuan", "send", n=count)
        until(lambda: self._count("dead" if dead else "refused") >= before + count, 60, f"{count} {dead}")
        self._simulator("chongqing", "faults", dict.fromkeys(faults, 0.0))

    def _count(self, state):
        return len(self._open(state))

    def park(self, count):
        """Applications with an ethnic group no table knows."""
        stand_in = stand_in_of("sichuan")
        keys = stand_in.keys(json.loads((self.rehearsal / "sichuan.json").read_text()))
        worked = (ROOT / "adapters/sichuan/examples/tbzy0001.native.json").read_bytes()
        for _ in range(count):
            self.serial += 1
            body = worked.replace(b'"aac005": "01"', b'"aac005": "88"')
            body = body.replace(b"510104-20261123-000017", b"510104-20261123-%06d" % (900 + self.serial))
            body = re.sub(rb'"SC20261123\d+"', b'"SC20261123%07d"' % (9000 + self.serial), body)
            now = datetime.now(UTC)  # noqa: TID251 - the sender's own clock
            headers, sent = stand_in.request(stand_in.adopt(body), keys, now, secrets.token_hex(8))
            answer = httpx.post(
                self.url(8080) + stand_in.outbox, content=sent, headers=dict(headers), timeout=20
            )
            assert answer.status_code == 202, answer.text
