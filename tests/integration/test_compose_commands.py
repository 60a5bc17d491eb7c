"""The commands of docker-compose.yml, run as they stand there: together they are a gateway."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml
from beats import has_beaten
from ports import free_port

from gateway.conformance import keys

SERVICES = yaml.safe_load((Path(__file__).parents[2] / "docker-compose.yml").read_text())["services"]
# The programs of this environment, whether or not it is activated.
PROGRAMS = {
    "python": [sys.executable],
    "tongban": [sys.executable, "-c", "from gateway.cli.main import app; app()"],
    "uvicorn": [sys.executable, "-m", "uvicorn"],
}


def until(true, processes, seconds=90.0):
    deadline = time.monotonic() + seconds
    while not true():
        for process in processes:
            assert process.poll() is None, process.communicate()[0].decode()[-2000:]
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("compose") / "etc"
    keys.write(made, {"sichuan": "http://127.0.0.1:9", "chongqing": "http://127.0.0.1:9"})
    return made


@pytest.fixture
def start(folder, database_url, redis_server):
    """Start a service's command with its environment; only addresses and folders are those of this test."""
    running = []
    instead = {"TONGBAN_DATABASE_URL": database_url, "TONGBAN_REDIS_URL": redis_server.url}

    def start(name, **ports):
        environment = {**SERVICES[name]["environment"], **instead}
        words = [ports.get(word, word) for word in map(str, SERVICES[name]["command"])]
        here = [text.replace("/etc/tongban", str(folder)) for text in words]
        process = subprocess.Popen(
            [*PROGRAMS[here[0]], *here[1:]],
            env={**os.environ, **{k: v.replace("/etc/tongban", str(folder)) for k, v in environment.items()}},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder.parent,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def is_ready(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=3) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def test_migrate_may_be_repeated(start):
    for _ in range(2):
        process = start("migrate")
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said.decode()


def test_web_workers_and_beat_are_a_gateway_and_end_when_told(start, database_url):
    port = str(free_port())
    web = start("web", **{"8080": port})
    workers = [start(name) for name in SERVICES if name.startswith("worker-")]
    beat = start("beat")
    running = (web, *workers, beat)
    until(lambda: is_ready(port), running)
    until(lambda: all(has_beaten(database_url, each.pid) for each in workers), running)
    for process in running:
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
    for process in running:
        said, _ = process.communicate(timeout=30)
        # uvicorn ends its work in order and then passes the signal on
        assert process.returncode in {0, -signal.SIGTERM} if process is web else process.returncode == 0, (
            said.decode()[-2000:]
        )
