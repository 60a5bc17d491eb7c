"""Rings on a real Redis: coalesced, held, lost without harm."""

from __future__ import annotations

import asyncio
import json
import socket
import time

import pytest
import redis

from gateway.embedded import redis as embedded_redis
from gateway.transport.bell import Bell, drain_queue


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    server = embedded_redis.start(tmp_path_factory.mktemp("bell"))
    yield server.url
    server.stop()


@pytest.fixture
def client(broker):
    with redis.Redis.from_url(broker) as client:
        client.flushall()
        yield client


@pytest.fixture
async def rung(broker, client):
    heard = []
    bell = Bell(broker, send=heard.append)
    yield bell, heard
    await bell.close()


async def quiet(bell):
    while bell._ringers:
        await asyncio.wait(bell._ringers.values())


async def test_many_rings_become_one_until_the_bell_is_lifted(rung):
    bell, heard = rung
    for _ in range(50):
        await bell.ring("there")
    await quiet(bell)
    assert heard == ["there"]
    await bell.lift("there")
    await bell.ring("there")
    await quiet(bell)
    assert heard == ["there", "there"]


async def test_a_held_bell_is_rung_loudly_only(rung):
    bell, heard = rung
    await bell.hold("there")
    await bell.ring("there")
    await quiet(bell)
    assert heard == []
    await bell.ring("there", loudly=True)
    await quiet(bell)
    assert heard == ["there"]


async def test_destinations_ring_apart(rung):
    bell, heard = rung
    await bell.ring("here")
    await bell.ring("there")
    await quiet(bell)
    assert sorted(heard) == ["here", "there"]


async def test_a_ring_that_could_not_be_sent_leaves_the_bell_free(broker, client):
    def refuse(destination):
        raise OSError

    bell = Bell(broker, send=refuse)
    await bell.ring("there")
    await bell.close()
    assert not client.exists("bell:there")


async def test_a_ring_is_a_celery_task_in_the_queue_of_its_destination_even_after_a_flush(broker, client):
    bell = Bell(broker)
    for _ in range(2):
        await bell.ring("there")
        await quiet(bell)
        task = json.loads(client.lpop(drain_queue("there")))
        assert task["headers"]["task"] == "gateway.drain"
        assert task["headers"]["expires"]
        client.flushall()
    await bell.close()


@pytest.mark.parametrize("listens", [True, False], ids=["hangs", "is gone"])
async def test_a_redis_that_hangs_or_is_gone_delays_nobody(listens):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        if listens:
            deaf.listen()
        bell = Bell(f"redis://127.0.0.1:{deaf.getsockname()[1]}/0")
        began = time.monotonic()
        for _ in range(100):
            await bell.ring("there")
        assert time.monotonic() - began < 0.1
        await bell.hold("there")
        await bell.lift("there")
        assert time.monotonic() - began < 2
        await bell.close()
        assert time.monotonic() - began < 5
