"""A worker's rounds under operators' hands: paused, out of reach, running a job, as one and as two workers."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress

import pytest
from sqlalchemy import text
from staff_builders import Side, settle
from waiting import eventually

from gateway import metrics
from gateway.exchange import peers as verbs
from gateway.exchange import rerun
from gateway.runtime import Runtime
from gateway.store.engine import single
from gateway.store.records import Ending
from gateway.store.reruns import Order, Wanted
from gateway.worker import reruns
from gateway.worker.rounds import Rounds

TAKEN = b'<?xml version="1.0" encoding="GB18030"?><PACKET><BODY><FH><FHM>0000</FHM></FH></BODY></PACKET>'
WHY = "对方通知今晚升级"


class Far:
    """The other side: counts calls; while it is down it takes the connection and breaks it."""

    def __init__(self):
        self.calls, self.down = [], False

    async def serve(self, reader, writer):
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                self.calls.append(time.monotonic())
                if self.down:
                    break
                writer.write(b"HTTP/1.1 202 X\r\ncontent-length: %d\r\n\r\n%b" % (len(TAKEN), TAKEN))
                await writer.drain()
        writer.close()


@pytest.fixture
async def far():
    side = Far()
    server = await asyncio.start_server(side.serve, "127.0.0.1", 0)
    side.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield side
    server.close()


@pytest.fixture
def worker(settings, far):
    """``worker()``: a worker's rounds on a runtime of its own, as on another host."""
    section = {**settings.regions["chongqing"], "base_url": far.url}
    ours = settings.model_copy(
        update={
            "regions": {**settings.regions, "chongqing": section},
            "delivery": settings.delivery.model_copy(update={"schedule_s": (1.5, 1.5)}),
        }
    )

    @asynccontextmanager
    async def opened():
        async with Runtime.open(ours, role="worker", environ={}) as rt:
            stopping = asyncio.Event()
            rounds = Rounds(rt, frozenset(rt.regions), stopping)
            try:
                yield rounds
            finally:
                stopping.set()
                await rounds.finish()

    return opened


@pytest.fixture(autouse=True)
async def nothing_held(rt):
    async with single(rt.engine) as connection:
        for table in ("deliveries", "peers", "reruns"):
            await connection.execute(text(f"DELETE FROM {table}"))


async def hand_in(rt, *numbers):
    for number in numbers:
        await Side(rt).hand_in("tbzy0001", number)


async def left(rt, state=None):
    return len((await rt.deliveries.open(state))[0])


def shown(metric):
    return metric.labels("chongqing")._value.get()


async def test_a_paused_side_is_left_alone_and_shown_as_held_not_as_overdue(rt, worker, far):
    await hand_in(rt, 951)
    await verbs.pause(rt, "chongqing", "staff:a", WHY)
    async with worker() as rounds:
        await asyncio.wait_for(rounds.ring("chongqing"), 4)  # the drain ends: nothing is due for it
        assert (far.calls, await left(rt, "ready")) == ([], 1)
        assert "chongqing" not in await rounds.sweep()
        assert (shown(metrics.PAUSED), shown(metrics.DUE_AGE_SECONDS)) == (1, 0)
        assert shown(metrics.HELD_AGE_SECONDS) > 0
        await verbs.resume(rt, "chongqing", "staff:a", "升级完成")
        await rounds.sweep()
        assert (shown(metrics.PAUSED), shown(metrics.HELD_AGE_SECONDS)) == (0, 0)
        await rounds.ring("chongqing")
        assert await left(rt) == 0


async def test_operators_see_a_side_out_of_reach_and_that_it_is_back(rt, worker, far):
    far.down = True
    await hand_in(rt, *range(960, 968))
    async with worker() as rounds:
        rounds.ring("chongqing")

        async def is_open():
            return (await rt.peers.find("chongqing")).breaker == "open"

        await eventually(is_open)
        seen = await rt.peers.find("chongqing")
        assert (seen.last_error, seen.last_ok_at) == ("connect", None)
        far.down = False

        async def is_back():
            rounds.ring("chongqing")
            return await left(rt) == 0

        await eventually(is_back)
        seen = await rt.peers.find("chongqing")
        assert seen.breaker == "closed"
        assert seen.last_ok_at >= seen.last_error_at


async def test_two_workers_send_one_probe_between_them(rt, worker, far):
    far.down = True
    await hand_in(rt, *range(970, 990))
    async with worker() as one, worker() as two:

        async def both_open():
            for rounds in (one, two):
                rounds.ring("chongqing")
            lanes = [rounds._lanes.get("chongqing") for rounds in (one, two)]
            return all(lane is not None and lane.breaker.is_open for lane in lanes)

        await eventually(both_open)
        began, before = time.monotonic(), len(far.calls)
        while time.monotonic() - began < 3:
            for rounds in (one, two):
                rounds.ring("chongqing")
            await asyncio.sleep(0.05)
        probes = len(far.calls) - before
        rest_s = one._lanes["chongqing"].breaker.rest_s
        # one for each rest, and the one whose turn came just before; two workers alone would make twice as many
        assert 3 <= probes <= 3 / rest_s + 2


async def test_a_worker_carries_out_a_rerun_and_notes_its_outcome(rt, worker, far):
    await hand_in(rt, 991, 992)
    await settle(rt, await rt.deliveries.claim("chongqing", 9, 30), Ending.DEAD, "timeout", "x")
    order = Order(rt.new_id(), Wanted("dead"), "staff:a", WHY, rt.clock.now(), 50.0, 10, 10)
    async with worker() as rounds:
        keeping = asyncio.create_task(reruns.keep(rounds.runtime, rounds.stopping))
        job = await rerun.start(rt, order)

        async def done():
            rounds.ring("chongqing")
            return (await rt.reruns.find(job.id)).state == "done"

        await eventually(done)
        rounds.stopping.set()
        await keeping
    (change,) = await rt.reruns.diff(job.id)
    assert (change.after_state, change.after_cause, change.messages) == ("delivered", "0000", 2)
    assert len(far.calls) == 2
