"""The supervisor's children: replaced when they die, gone when their parent is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from waiting import until

from gateway.cli.child import Child, is_running

SLEEPS = [sys.executable, "-c", "import time; print('born', flush=True); time.sleep(60)"]


@pytest.fixture
def child(tmp_path):
    child = Child("sleeper", SLEEPS, env=os.environ, logs=tmp_path)
    child.start()
    until(lambda: "born" in child.last_words())
    yield child
    child.stop(1)


def test_one_that_is_killed_is_replaced_within_a_second(child):
    first = child.pid
    os.kill(first, signal.SIGKILL)
    began = time.monotonic()
    until(lambda: not is_running(first))

    def replaced():
        child.tend()
        return child.pid not in {None, first}

    until(replaced, 1.0)
    assert time.monotonic() - began < 1.0
    assert (child.falls, child.status) == (1, -signal.SIGKILL)


def test_one_that_keeps_dying_is_started_ever_more_rarely(tmp_path):
    child = Child(
        "broken", [sys.executable, "-S", "-c", "raise SystemExit(3)"], env=os.environ, logs=tmp_path
    )
    until(lambda: child.tend() or child.falls == 3)
    assert child.status == 3
    fallen = time.monotonic()
    until(lambda: child.tend() or child.pid)
    assert time.monotonic() - fallen > 0.3
    child.stop(1)


def test_stopping_takes_a_deaf_process_and_its_children_too(tmp_path):
    script = """
        import signal, subprocess, sys, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print(child.pid, flush=True)
        time.sleep(60)
    """
    child = Child("deaf", [sys.executable, "-c", textwrap.dedent(script)], env=os.environ, logs=tmp_path)
    child.start()
    until(lambda: child.last_words().strip())
    grandchild = int(child.last_words())
    child.stop(0.2)
    child.stop(0.2)
    until(lambda: not is_running(grandchild))
    assert child.pid is None


@pytest.mark.skipif(sys.platform != "linux", reason="the bond is Linux's")
def test_children_die_with_a_parent_that_is_killed(tmp_path):
    script = f"""
        import os, pathlib, time
        from gateway.cli.child import Child
        child = Child("orphan", {SLEEPS!r}, env=os.environ, logs=pathlib.Path({str(tmp_path)!r}))
        child.start()
        while "born" not in child.last_words():
            time.sleep(0.02)
        print(child.pid, flush=True)
        time.sleep(60)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE)
    with parent:
        orphan = int(parent.stdout.readline())
        assert is_running(orphan)
        parent.kill()
    until(lambda: not is_running(orphan))
