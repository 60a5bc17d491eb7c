"""What operators hold a destination to is kept by every claim, whoever makes it."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest
from sqlalchemy import text
from store_builders import NOW, application

from gateway.canonical.tracking import Move
from gateway.store import engine as engines
from gateway.store.deliveries import Deliveries
from gateway.store.engine import single
from gateway.store.intake import Intake
from gateway.store.peers import Pace, Peers, Sighting
from gateway.store.records import Ending, Settlement


@pytest.fixture
async def intake(engine, vault):
    async with single(engine) as connection:
        await connection.execute(text("DELETE FROM deliveries"))
        await connection.execute(text("DELETE FROM peers"))
    made = Intake(engine, vault)
    yield made
    await made.close()


@pytest.fixture
def peers(engine):
    return Peers(engine)


@pytest.fixture
async def hosts(database_url, vault):
    """Two hosts: each with connections of its own."""
    pools = [engines.create(database_url) for _ in range(2)]
    yield [Deliveries(pool, vault, clock=lambda: NOW) for pool in pools]
    for pool in pools:
        await pool.dispose()


async def line(connection):
    return (await connection.execute(text("SELECT uuidv7()"))).scalar_one()


async def stored(intake, count):
    await asyncio.gather(*(intake.accept(application()) for _ in range(count)))


async def delivered(deliveries, claimed):
    ended = [Settlement(each, Ending.DELIVERED, NOW, 0.1) for each in claimed]
    await deliveries.settle(ended, on_end=lambda case, _: Move(case, ()))


async def test_a_paused_side_gives_no_host_anything_and_what_flies_still_ends(intake, peers, hosts):
    await stored(intake, 3)
    flying = await hosts[0].claim("south", 1, 30)
    assert await peers.pause("south", "staff:a", line)
    for host in hosts:
        assert await host.claim("south", 10, 30) == []
    await delivered(hosts[0], flying)
    assert await peers.resume("south", line)
    assert len(await hosts[1].claim("south", 10, 30)) == 2


async def test_a_pause_leaves_the_other_sides_alone(intake, peers, hosts):
    await intake.accept(application(destination="north"))
    await peers.pause("south", "staff:a", line)
    assert len(await hosts[0].claim("north", 10, 30)) == 1


async def test_once_the_pause_has_returned_no_claim_of_many_succeeds(intake, peers, hosts):
    await stored(intake, 300)
    claims, stop = [], asyncio.Event()

    async def claimer(host):
        while not stop.is_set():
            claims.extend(await host.claim("south", 1, 30))

    claimers = [asyncio.create_task(claimer(host)) for host in hosts for _ in range(3)]
    await asyncio.sleep(0.3)
    await peers.pause("south", "staff:a", line)
    async with single(peers._engine) as connection:
        left = (await connection.execute(text(_UNCLAIMED))).scalar_one()
        await asyncio.sleep(0.3)
        assert (await connection.execute(text(_UNCLAIMED))).scalar_one() == left
    stop.set()
    await asyncio.gather(*claimers)
    assert 0 < len(claims) == 300 - left


_UNCLAIMED = "SELECT count(*) FROM deliveries WHERE destination = 'south' AND fence = 0"


async def test_a_pause_waits_for_a_claim_that_did_not_see_it(intake, peers, engine):
    async with engine.begin() as claiming:
        await claiming.execute(text("SELECT peer_places('south', 1, 30)"))
        pausing = asyncio.create_task(peers.pause("south", "staff:a", line))
        await asyncio.sleep(0.2)
        assert not pausing.done()
    assert await pausing


async def test_pausing_twice_keeps_who_did_it_first(intake, peers):
    assert await peers.pause("south", "staff:a", line)
    assert not await peers.pause("south", "staff:b", line)
    kept = await peers.find("south")
    assert (kept.is_paused, kept.paused_by) == (True, "staff:a")
    assert await peers.resume("south", line)
    assert not await peers.resume("south", line)
    assert not (await peers.find("south")).is_paused


async def test_a_paused_side_is_held_not_overdue(intake, peers, hosts, engine):
    await stored(intake, 1)
    async with single(engine) as connection:
        await connection.execute(text("UPDATE deliveries SET due_at = now() - interval '90 s'"))
    assert (await hosts[0].due())["south"] >= 90
    await peers.pause("south", "staff:a", line)
    assert "south" not in await hosts[0].due()
    assert await hosts[0].next_due_in("south") is None
    assert (await peers.held())["south"] >= 90
    await peers.resume("south", line)
    assert (await hosts[0].due())["south"] >= 90
    assert await peers.held() == {}


async def test_a_pace_per_second_holds_over_all_hosts_together(intake, peers, hosts):
    await stored(intake, 100)
    await peers.set_pace("south", Pace(per_second=20), line)
    began, claimed = time.monotonic(), []

    async def claimer(host):
        while time.monotonic() - began < 2:
            claimed.extend(await host.claim("south", 10, 30))
            await asyncio.sleep(0.01)

    await asyncio.gather(*(claimer(host) for host in hosts for _ in range(2)))
    took = time.monotonic() - began
    assert 20 * 2 * 0.7 <= len(claimed) <= 20 * took + 4
    assert len({each.id for each in claimed}) == len(claimed)


async def test_a_concurrency_holds_over_all_hosts_together(intake, peers, hosts):
    await stored(intake, 60)
    await peers.set_pace("south", Pace(concurrency=5), line)
    flying, most, done = 0, 0, 0

    async def claimer(host):
        nonlocal flying, most, done
        while done < 60:
            claimed = await host.claim("south", 4, 30)
            flying += len(claimed)
            most = max(most, flying)
            await asyncio.sleep(0.01)
            # counted out first: between the settle's commit and its return another may claim the place
            flying -= len(claimed)
            done += len(claimed)
            if claimed:
                await delivered(host, claimed)

    await asyncio.gather(*(claimer(host) for host in hosts for _ in range(3)))
    assert done == 60
    assert most <= 5


async def test_calls_whose_lease_has_ended_take_no_place(intake, peers, hosts, engine):
    await stored(intake, 4)
    await peers.set_pace("south", Pace(concurrency=2), line)
    assert len(await hosts[0].claim("south", 4, 30)) == 2
    assert await hosts[1].claim("south", 4, 30) == []
    async with single(engine) as connection:
        await connection.execute(text("UPDATE deliveries SET due_at = now() WHERE state = 'sending'"))
    assert len(await hosts[1].claim("south", 4, 30)) == 2


async def test_places_that_find_nothing_due_spend_no_pace(intake, peers, hosts):
    await peers.set_pace("south", Pace(per_second=1), line)
    await asyncio.sleep(1.1)
    for _ in range(20):
        assert await hosts[0].claim("south", 4, 30) == []
    await stored(intake, 2)
    assert len(await hosts[0].claim("south", 4, 30)) == 1


async def test_without_bounds_a_pace_is_none(intake, peers, hosts):
    await stored(intake, 30)
    await peers.set_pace("south", Pace(per_second=0.01), line)
    assert await hosts[0].claim("south", 30, 30) == []
    await peers.set_pace("south", Pace(), line)
    assert len(await hosts[0].claim("south", 30, 30)) == 30


async def test_of_all_workers_one_probes_an_open_side_until_somebody_reaches_it(intake, peers, engine):
    await peers.saw("south", Sighting(is_open=True, error_at=NOW, error="connect"))
    turns = await asyncio.gather(*(peers.may_probe("south", 60) for _ in range(6)))
    assert sorted(turns) == [False] * 5 + [True]
    async with single(engine) as connection:
        await connection.execute(text("UPDATE peers SET probe_at = probe_at - interval '60 s'"))
    assert await peers.may_probe("south", 60)
    await peers.saw("south", Sighting(is_open=False, ok_at=NOW))
    assert await peers.may_probe("south", 60)


async def test_the_newest_of_each_kind_is_kept(intake, peers):
    later = NOW + timedelta(seconds=9)
    await peers.saw("south", Sighting(is_open=True, error_at=later, error="timeout"))
    opened = (await peers.find("south")).breaker_at
    await peers.saw("south", Sighting(is_open=True, ok_at=NOW, error_at=NOW, error="connect"))
    kept = await peers.find("south")
    assert (kept.breaker, kept.breaker_at) == ("open", opened)
    assert (kept.last_ok_at, kept.last_error_at, kept.last_error) == (NOW, later, "timeout")
