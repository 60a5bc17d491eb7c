"""What a worker shows of itself: its numbers, and whether its loop turns; and the descriptors its calls need."""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import time
from types import SimpleNamespace

import httpx
import pytest
from ports import free_port

from gateway.errors import CannotStart
from gateway.worker import descriptors, schedule
from gateway.worker.__main__ import _place
from gateway.worker.scrape import Place, Probes, shown


@pytest.fixture
def port():
    return free_port()


async def ask(port, path, method="GET"):
    async with httpx.AsyncClient() as client:
        return await client.request(method, f"http://127.0.0.1:{port}{path}")


async def test_numbers_and_probes_are_answered(port):
    state = SimpleNamespace(alive=True, ready=False)
    probes = Probes(alive=lambda: state.alive, ready=lambda: state.ready)
    async with shown(Place("127.0.0.1", port), probes):
        numbers = await ask(port, "/metrics?x=1")
        assert (numbers.status_code, "tongban_due_age_seconds" in numbers.text) == (200, True)
        assert (await ask(port, "/healthz")).status_code == 200
        assert (await ask(port, "/readyz")).status_code == 503
        state.alive, state.ready = False, True
        assert (await ask(port, "/healthz")).status_code == 503
        assert (await ask(port, "/readyz")).status_code == 200
        assert (await ask(port, "/cases")).status_code == 404
        assert (await ask(port, "/metrics", "POST")).status_code == 405
        assert (await ask(port, "/healthz", "HEAD")).content == b""
    with pytest.raises(httpx.ConnectError):
        await ask(port, "/healthz")


async def test_a_caller_who_says_nothing_or_nonsense_keeps_nobody_from_an_answer(port):
    probes = Probes(alive=lambda: True, ready=lambda: True)
    async with shown(Place("127.0.0.1", port), probes):
        silent = await asyncio.open_connection("127.0.0.1", port)
        noisy = await asyncio.open_connection("127.0.0.1", port)
        noisy[1].write(b"x" * 20_000)
        assert (await ask(port, "/healthz")).status_code == 200
        for _, writer in (silent, noisy):
            writer.close()


async def test_a_port_that_is_taken_does_not_keep_the_worker_from_its_work(port):
    probes = Probes(alive=lambda: True, ready=lambda: True)
    async with shown(Place("127.0.0.1", port), probes), shown(Place("127.0.0.1", port), probes):
        assert (await ask(port, "/healthz")).status_code == 200


async def test_without_a_place_nothing_is_shown():
    async with shown(None, Probes(alive=lambda: True, ready=lambda: True)):
        pass


def test_under_a_supervisor_only_the_web_process_tells_the_numbers():
    """Or a scrape of both would count every delivery twice."""
    settings = SimpleNamespace(metrics=SimpleNamespace(host="0.0.0.0", port=9464))
    assert _place(settings, {}) == Place("0.0.0.0", 9464)
    assert _place(settings, {"PROMETHEUS_MULTIPROC_DIR": "/x"}) is None
    assert _place(SimpleNamespace(metrics=SimpleNamespace(host="", port=None)), {}) is None


def test_the_schedule_lives_while_it_ticks(monkeypatch):
    monkeypatch.setattr(schedule, "_ticked", [time.monotonic()])
    assert schedule.ticks()
    schedule._ticked[:] = [time.monotonic() - 61]
    assert not schedule.ticks()


def test_the_soft_limit_of_descriptors_is_raised_when_the_calls_need_it():
    script = (
        "import resource; from gateway.worker import descriptors\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, 4096)); descriptors.provide(1000)\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) >= 1000


def test_a_hard_limit_that_is_too_low_is_explained(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 512))
    with pytest.raises(CannotStart, match="ulimit -Hn"):
        descriptors.provide(1000)
