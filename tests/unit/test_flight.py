"""Calls under way: each handed out once, and the queue asked as often as it is worth."""

from __future__ import annotations

import asyncio
import time

import pytest

from gateway.exchange.flight import AT_ONCE, Flight, Refill


async def after(seconds, word):
    await asyncio.sleep(seconds)
    return word


async def test_whatever_has_ended_is_handed_out_once():
    flight = Flight()
    for word in ("a", "b"):
        flight.launch(after(0, word))
    flight.launch(after(5, "late"))
    seen = []
    while len(seen) < 2:
        seen += await flight.landed(1)
    assert sorted(seen) == ["a", "b"]
    assert len(flight) == 1
    assert await flight.landed(0.01) == []
    await flight.abandon()


async def test_waiting_ends_with_the_patience_and_with_the_first_call():
    flight = Flight()
    called = asyncio.Event()

    async def call():
        await called.wait()
        return "a"

    flight.launch(call())
    began = asyncio.get_running_loop().time()
    assert await flight.landed(0.01) == []
    called.set()
    assert await flight.landed(5) == ["a"]
    assert asyncio.get_running_loop().time() - began < 1


async def test_a_thousand_calls_wait_without_being_looked_at():
    """A turn with nothing ended does not touch the calls: it costs the same however many wait."""
    flight = Flight()
    for _ in range(1000):
        flight.launch(after(30, ""))
    await asyncio.sleep(0)
    began = time.process_time()
    for _ in range(200):
        assert await flight.landed(0) == []
    assert time.process_time() - began < 0.1
    await flight.abandon()


def test_a_claim_is_at_most_a_chunk_and_the_rest_follows_at_once():
    refill = Refill(1200)
    assert refill.places(1200, flying=0, now=0.0) == AT_ONCE
    refill.claimed(AT_ONCE, AT_ONCE, now=0.0)
    assert refill.patience_s(0.05) == 0
    assert refill.places(1000, flying=AT_ONCE, now=0.001) == AT_ONCE


def test_few_free_places_wait_a_moment_for_more():
    refill = Refill(64)
    refill.claimed(64, 64, now=0.0)
    assert refill.places(3, flying=61, now=0.004) == 0
    assert refill.patience_s(0.05) == pytest.approx(0.01)
    assert refill.places(3, flying=61, now=0.011) == 3
    refill.claimed(3, 3, now=0.011)
    assert refill.places(8, flying=56, now=0.012) == 8


def test_after_a_claim_that_found_less_the_next_one_waits_too():
    refill = Refill(64)
    refill.claimed(64, 5, now=0.0)
    assert refill.places(59, flying=5, now=0.005) == 0
    assert refill.places(59, flying=5, now=0.02) == 59


def test_nothing_under_way_is_never_held_back():
    refill = Refill(64)
    refill.claimed(64, 0, now=0.0)
    assert refill.places(64, flying=0, now=0.0) == 64
    assert refill.patience_s(0.05) == pytest.approx(0.05)
