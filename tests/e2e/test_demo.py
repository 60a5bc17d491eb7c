"""`tongban demo` as a program: every case arrives, it says so, and nothing is left running, however it ends."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from gateway.cli.demo_view import KINDS

TONGBAN = [sys.executable, "-c", "from gateway.cli.main import app; app()"]
#: As on a terminal, whatever these tests were started under.
HUNG_UP = "import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL); "


def processes_of(session, folder):
    """What still runs of a session, or on its folder (servers leave the session they were started in)."""
    left = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError, IndexError):
            # behind the name: state, parent, group, session
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            at_work_there = str(folder) in command or str(folder) in str((entry / "cwd").readlink())
            if fields[0] != "Z" and (int(fields[3]) == session or at_work_there):
                left.append(command)
    return left


def remaining(session, folder):
    """The same, ten seconds on at most."""
    # the postmaster removes its pid file, which ends the wait for it, a moment before it ends itself
    until = time.monotonic() + 10
    while (left := processes_of(session, folder)) and time.monotonic() < until:
        time.sleep(0.1)
    return left


def test_twenty_cases_arrive_and_nothing_is_left_running(tmp_path):
    arguments = ["--cases", "20", "--exit", "--port", "0", "--data-dir", str(tmp_path)]
    demo = subprocess.Popen(
        [*TONGBAN, "demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    said, errors = demo.communicate(timeout=110)
    assert demo.returncode == 0, said + errors
    assert "Traceback" not in said + errors
    assert "全部到位" in said
    # ten of each side, and the worked applications
    told = re.search(r"合计\D+(\d+)\D+(\d+)", said)
    assert all(int(count) >= 10 for count in told.groups()), said
    # every kind of message arrived on both sides, however few the cases
    arrived = said[said.index("送达的报文") :].splitlines()
    counts = {row[1].strip(): row[2:4] for row in (line.split("│") for line in arrived) if len(row) == 5}
    assert set(KINDS.values()) <= set(counts), said
    assert all(int(count) > 0 for name in KINDS.values() for count in counts[name]), said
    assert re.search(r"\d+/40 事项双向已通办", said), said
    assert remaining(demo.pid, tmp_path) == []


def test_a_terminal_that_is_closed_leaves_nothing_running(tmp_path):
    demo = subprocess.Popen(
        [sys.executable, "-c", HUNG_UP + TONGBAN[-1], "demo", "--port", "0", "--data-dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until = time.monotonic() + 40
    while not any("postgres" in each for each in processes_of(demo.pid, tmp_path)):
        assert time.monotonic() < until
        assert demo.poll() is None
        time.sleep(0.1)
    demo.send_signal(signal.SIGHUP)
    demo.wait(60)
    assert remaining(demo.pid, tmp_path) == []
