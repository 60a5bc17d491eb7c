"""A real worker process on real PostgreSQL and Redis, sending to small real HTTP peers."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import redis
import uuid_utils.compat
from beats import has_beaten
from sqlalchemy import text
from waiting import eventually

from gateway.canonical.kinds import Kind, State
from gateway.canonical.tracking import Move, TrackedCase
from gateway.store.cases import Cases
from gateway.store.deliveries import Deliveries
from gateway.store.engine import single
from gateway.store.intake import Intake
from gateway.store.records import Intent, Part, Person, StoredReceipt
from gateway.transport.bell import Bell

KEYS = Path(__file__).parents[1] / "keys"
TAKEN = {
    "sichuan": b'{"recode":"1","message":"","aaz002":"SC1"}',
    "chongqing": b'<?xml version="1.0" encoding="GB18030"?>'
    b"<PACKET><BODY><FH><FHM>0000</FHM></FH></BODY></PACKET>",
}
REFUSED = b'{"recode":"-1","message":"9044 \xe6\x97\xa0\xe6\xad\xa4\xe5\x8a\x9e\xe4\xbb\xb6","aaz002":"SC1"}'


def now():
    return datetime.now(UTC)  # noqa: TID251 - what the worker's own clock shows


@dataclass
class Peer:
    """One side: remembers what came when, and answers as the test wants."""

    slug: str
    calls: list[tuple[int, float]] = field(default_factory=list)
    answer: object = None
    flying: int = 0
    most: int = 0

    def reset(self):
        self.calls, self.most = [], 0
        self.answer = lambda number, attempt: (200, TAKEN[self.slug])

    @property
    def numbers(self):
        return [number for number, _ in self.calls]

    def takes(self, body):
        number = int(re.search(rb"<N>(\d+)</N>", body)[1])
        self.calls.append((number, time.monotonic()))
        self.flying += 1
        self.most = max(self.most, self.flying)
        try:
            return self.answer(number, self.numbers.count(number))
        finally:
            self.flying -= 1


class Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        status, answer = self.server.peer.takes(body)
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


class Listening(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        """A worker that was killed leaves broken pipes."""


@pytest.fixture(scope="module")
def peers():
    made, servers = {}, []
    for slug in TAKEN:
        server = Listening(("127.0.0.1", 0), Door)
        made[slug] = server.peer = Peer(slug)
        made[slug].url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
    yield made
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def config(tmp_path_factory, peers):
    folder = tmp_path_factory.mktemp("worker")
    (folder / "gateway.toml").write_text(f"""
        data_dir = "data"
        [keys]
        master_key = "{bytes(range(32)).hex()}"
        [regions.sichuan]
        base_url = "{peers["sichuan"].url}"
        paasid = "sc-lemis-test"
        token = "TEST-TOKEN-NOT-A-SECRET"
        [regions.chongqing]
        base_url = "{peers["chongqing"].url}"
        client_id = "CYTB-TEST"
        private_key_file = "{KEYS / "TEST_ONLY_gateway_private.pem"}"
        peer_client_id = "CQ-LEMIS-TEST"
        peer_public_key_file = "{KEYS / "TEST_ONLY_chongqing_public.pem"}"
        [delivery]
        schedule_s = [0.5, 1]
        give_up_s = 60
        timeout_s = 3
        lease_s = 4
    """)
    return folder / "gateway.toml"


class Worker:
    """The process under test."""

    def __init__(self, config, database_url, redis_url):
        self.log = config.parent / "worker.log"
        self.redis_url = redis_url
        self.env = {
            **os.environ,
            "TONGBAN_CONFIG": str(config),
            "TONGBAN_DATABASE_URL": database_url,
            "TONGBAN_REDIS_URL": redis_url,
        }

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gateway.worker"], env=self.env, stdout=log, stderr=log
            )
        deadline = time.monotonic() + 30
        while not has_beaten(self.env["TONGBAN_DATABASE_URL"], self.process.pid):
            assert self.process.poll() is None, self.log.read_text()[-3000:]
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def end(self, how):
        self.process.send_signal(how)
        return self.process.wait(30)


@pytest.fixture(scope="module")
def worker(config, database_url, redis_server):
    worker = Worker(config, database_url, redis_server.url)
    worker.start()
    yield worker
    if worker.process.poll() is None:
        assert worker.end(signal.SIGTERM) == 0


@pytest.fixture
async def gateway(engine, vault, redis_server, peers, worker):
    for peer in peers.values():
        peer.reset()
    async with single(engine) as connection:
        await connection.execute(text("DELETE FROM deliveries"))
    gateway = Gateway(engine, vault, Bell(redis_server.url))
    yield gateway
    await gateway.intake.close()
    await gateway.bell.close()


class Gateway:
    """The door's part: stores and rings."""

    def __init__(self, engine, vault, bell):
        self.engine, self.bell = engine, bell
        self.intake, self.cases = Intake(engine, vault), Cases(engine, vault)
        self.deliveries = Deliveries(engine, vault, clock=now)
        self.known = {}

    async def store(self, number, *, case=None, to="sichuan", application=False, ring=True):
        ident = uuid_utils.compat.uuid7()
        kind = Kind.TRANSFER_APPLY if application else Kind.STATUS_REPORT
        new = case not in self.known
        case_id = self.known.setdefault(case, ident)
        tracked = TrackedCase(
            id=case_id,
            case_no=f"CYTB51010420261123{case_id.int % 10**8:08d}",
            kind=Kind.TRANSFER_APPLY,
            origin="chongqing" if to == "sichuan" else "sichuan",
            target=to,
            origin_case_no=str(case_id),
            received_at=now(),
            state=State.ACCEPTED,
        )
        acceptance = await self.intake.accept(
            Intent(
                message_id=ident,
                region=tracked.origin,
                destination=to,
                key=str(ident),
                digest="0" * 64,
                kind=kind,
                native_kind="tbzt0001",
                out_kind="tbzt0001",
                received_at=now(),
                case_id=case_id,
                tables_digest="0" * 64,
                bodies={
                    Part.RAW: b"raw",
                    Part.CANONICAL: b"{}",
                    Part.TRACE: b"[]",
                    Part.RENDERED: f"<PACKET><N>{number}</N></PACKET>".encode(),
                },
                decide=lambda case: Move(case, ()),
                receipt=lambda move: StoredReceipt(202, b"ok", "0" * 64),
                new_case=tracked if new else None,
                person=Person("张三", "01", "510103196602144000") if new else None,
            )
        )
        if ring:
            await self.bell.ring(acceptance.ring or to)
        return tracked.case_no

    async def open(self):
        return (await self.deliveries.open(limit=200))[0]

    async def until_settled(self, seconds=10.0):
        await eventually(lambda: self.is_left(0), seconds)

    async def is_left(self, count):
        return len(await self.open()) == count

    async def until_nobody_looks(self, redis_url):
        """A drain lingers after its last message; these tests are about what happens when none runs."""
        with redis.Redis.from_url(redis_url) as client:
            await eventually(lambda: not client.exists("bell:sichuan"))
        await asyncio.sleep(0.2)

    async def state(self, case_no):
        return (await self.cases.by_no(case_no)).case.state


async def test_a_ring_brings_the_message_to_its_destination_within_a_second(gateway, peers):
    began = time.monotonic()
    case_no = await gateway.store(1, application=True)
    await gateway.until_settled()
    assert time.monotonic() - began < 1
    assert peers["sichuan"].numbers == [1]
    assert await gateway.state(case_no) is State.FORWARDED


async def test_messages_of_a_case_arrive_in_order_and_cases_do_not_wait_for_each_other(gateway, peers):
    def answer(number, attempt):
        time.sleep(0.01)
        # one of ten calls fails at first, in the middle of its case
        return (503, b"") if number % 10 == 3 and attempt == 1 else (200, TAKEN["sichuan"])

    peers["sichuan"].answer = answer
    for number in range(100):
        await gateway.store(number, case=f"order {number // 5}")
    await gateway.until_settled()
    for case in range(20):
        once = list(dict.fromkeys(n for n in peers["sichuan"].numbers if n // 5 == case))
        assert once == list(range(case * 5, case * 5 + 5))
    assert peers["sichuan"].most > 1
    assert len(peers["sichuan"].calls) == 110


async def test_a_slow_side_does_not_hold_back_the_other(gateway, peers):
    def slowly(number, attempt):
        time.sleep(1.5)
        return (200, TAKEN["chongqing"])

    peers["chongqing"].answer = slowly
    for number in range(200):
        await gateway.store(number, to="chongqing", case=f"slow {number}")
    for number in range(40):
        await gateway.store(number, case=f"quick {number}")
    await eventually(lambda: len(peers["sichuan"].calls) == 40, 1.5)
    await gateway.until_settled(20)
    assert sorted(peers["chongqing"].numbers) == list(range(200))


async def test_a_failed_call_is_repeated_by_the_schedule_with_the_same_bytes(gateway, peers):
    peers["sichuan"].answer = lambda number, attempt: (503, b"") if attempt < 3 else (200, TAKEN["sichuan"])
    await gateway.store(7)
    await gateway.until_settled()
    first, second, third = (at for _, at in peers["sichuan"].calls)
    assert 0.4 <= second - first < 0.9
    assert 0.8 <= third - second < 1.5


async def test_a_refusal_is_final_sets_28_and_lets_the_next_pass(gateway, peers):
    peers["sichuan"].answer = lambda n, _: (200, REFUSED) if n == 1 else (200, TAKEN["sichuan"])
    case_no = await gateway.store(1, case="refused", application=True)
    await gateway.store(2, case="refused")
    await eventually(lambda: gateway.is_left(1))
    (left,) = await gateway.open()
    assert (left.state, left.last_error) == ("refused", "9044 无此办件")
    assert peers["sichuan"].numbers == [1, 2]
    assert await gateway.state(case_no) is State.UNDELIVERED


async def test_a_backlog_that_is_rung_for_again_and_again_leaves_places_for_the_other_side(
    gateway, peers, redis_server
):
    def slowly(number, attempt):
        time.sleep(1.5)
        return (200, TAKEN["chongqing"])

    await gateway.until_nobody_looks(redis_server.url)
    peers["chongqing"].answer = slowly
    for number in range(150):
        await gateway.store(number, to="chongqing", case=f"backlog {number}")
    # as sweeps of several processes do while work is overdue: more rings than the pool has places
    for _ in range(10):
        await gateway.bell.ring("chongqing", loudly=True)
        await asyncio.sleep(0.05)
    began = time.monotonic()
    await gateway.store(1)
    await eventually(lambda: peers["sichuan"].calls)
    assert time.monotonic() - began < 1
    await gateway.until_settled(20)


async def test_without_rings_and_without_a_schedule_the_work_is_still_found(gateway, peers, redis_server):
    await gateway.until_nobody_looks(redis_server.url)
    with redis.Redis.from_url(redis_server.url) as client:
        await gateway.store(1, ring=False)
        client.flushall()
    await gateway.until_settled(8)
    assert peers["sichuan"].numbers == [1]


async def test_a_held_bell_of_a_dead_worker_delays_work_by_seconds_only(gateway, peers, redis_server):
    await gateway.until_nobody_looks(redis_server.url)
    await gateway.bell.hold("sichuan")
    await gateway.store(1)
    await gateway.until_settled(8)


async def test_a_killed_worker_loses_nothing_and_its_calls_are_repeated_unchanged(gateway, peers, worker):
    killed = threading.Event()

    def hang_once(number, attempt):
        if attempt == 1 and number < 5:
            killed.wait(10)
        return (200, TAKEN["sichuan"])

    peers["sichuan"].answer = hang_once
    for number in range(20):
        await gateway.store(number, case=f"killed {number}")
    await eventually(lambda: len(peers["sichuan"].calls) == 20)
    assert worker.end(signal.SIGKILL) == -signal.SIGKILL
    killed.set()
    worker.start()
    await gateway.until_settled(20)
    # the five in flight were taken without our knowing: sent again when their lease was over
    assert set(peers["sichuan"].numbers) == set(range(20))
    assert all(peers["sichuan"].numbers.count(number) == 2 for number in range(5))


async def test_a_worker_told_to_stop_settles_what_is_in_flight_and_repeats_nothing(gateway, peers, worker):
    told = threading.Event()

    def slowly(number, attempt):
        told.wait(10)
        time.sleep(0.3)
        return (200, TAKEN["sichuan"])

    peers["sichuan"].answer = slowly
    for number in range(30):
        await gateway.store(number, case=f"stopped {number}")
    await eventually(lambda: peers["sichuan"].flying == 30)
    began = time.monotonic()
    threading.Timer(0.3, told.set).start()
    assert await asyncio.to_thread(worker.end, signal.SIGTERM) == 0
    assert time.monotonic() - began < 5
    assert await gateway.open() == []
    assert sorted(peers["sichuan"].numbers) == list(range(30))
    worker.start()
