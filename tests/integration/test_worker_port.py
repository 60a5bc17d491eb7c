"""A worker and a beat on their own show numbers and probes, as a container platform asks for them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import httpx
import pytest
from configs import CONFIG, MASTER_KEY
from ports import free_port
from waiting import until


def status(port, path):
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=2).status_code
    except httpx.HTTPError:
        return None


@pytest.fixture
def started(database_url, redis_server, tmp_path):
    """``started(part, **environment)``: a process of the engine; its port."""
    running = []
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG.format(now="2026-11-23T15:42:17+08:00"))

    def start(part, **environment):
        port = free_port()
        known = {
            **{name: value for name, value in os.environ.items() if name != "PROMETHEUS_MULTIPROC_DIR"},
            "TONGBAN_CONFIG": str(config),
            "TONGBAN_DATABASE_URL": database_url,
            "TONGBAN_REDIS_URL": redis_server.url,
            "TONGBAN_KEYS_MASTER_KEY": MASTER_KEY.hex(),
            "TONGBAN_METRICS_PORT": str(port),
            **environment,
        }
        command = [sys.executable, "-m", "gateway.worker", part]
        running.append(subprocess.Popen(command, env=known, stderr=subprocess.PIPE, text=True))
        return port, running[-1]

    yield start
    for process in running:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.communicate(timeout=30)


def test_a_worker_is_alive_then_ready_and_tells_how_long_work_has_waited(started):
    port, _ = started("worker")
    until(lambda: status(port, "/readyz") == 200)
    assert status(port, "/healthz") == 200

    def told():
        return (
            'tongban_due_age_seconds{region="sichuan"} 0.0'
            in httpx.get(f"http://127.0.0.1:{port}/metrics").text
        )

    until(told)


def test_a_worker_whose_store_is_away_is_alive_and_not_ready(started):
    port, _ = started("worker", TONGBAN_DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    until(lambda: status(port, "/healthz") == 200)
    assert status(port, "/readyz") == 503


def test_a_worker_that_stands_still_answers_no_probe(started):
    port, process = started("worker")
    until(lambda: status(port, "/healthz") == 200)
    process.send_signal(signal.SIGSTOP)
    assert status(port, "/healthz") is None


def test_the_schedule_shows_that_it_ticks(started):
    port, _ = started("beat")
    until(lambda: status(port, "/readyz") == 200)
    assert status(port, "/healthz") == 200


def test_a_window_that_needs_more_descriptors_than_there_are_stops_the_start(started):
    _, process = started("worker", TONGBAN_DELIVERY_WINDOW="100000000")
    assert process.wait(20) == 2
    assert "delivery.window" in process.stderr.read()
