"""The gateway watches over itself: frozen and deaf workers, a Redis in any trouble, a PostgreSQL that hangs."""

from __future__ import annotations

import http.client
import os
import signal
import time
from contextlib import contextmanager

import psycopg
import pytest

from gateway.cli import stack
from tests.chaos.ground import Ground
from tests.chaos.plan import Fault
from tests.chaos.run import carry_out
from tests.chaos.saboteur import Saboteur
from tests.ports import HOST
from tests.proxy import _Pipe
from tests.town import Town
from tests.waiting import until

pytestmark = pytest.mark.timeout(240)


@contextmanager
def asked_of(ground, path, n=0):
    asking = http.client.HTTPConnection(HOST, ground.proxies[f"door-{n}"].port, timeout=30)
    try:
        asking.request("GET", path)
        yield asking.getresponse().status
    finally:
        asking.close()


def status(ground, path):
    with asked_of(ground, path) as code:
        return code


def rows(ground, statement):
    with psycopg.connect(ground.database_url, autocommit=True) as connection:
        return connection.execute(statement).fetchall()


def tend_until(ground, true, seconds, what):
    """Wait as the supervisor would; the seconds it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        ground.tend()
        time.sleep(0.05)
    return time.monotonic() - began


# -- Redis -----------------------------------------------------------------------------------------


def test_redis_in_any_trouble_delays_no_acceptance_and_stops_no_delivery(tmp_path):
    kinds = ("silence redis", "refuse redis", "full redis", "read-only redis", "kill redis")
    plan = [Fault(n, n / 6, kind, "redis", 3.0) for n, kind in enumerate(kinds, 1)]
    with Ground(tmp_path, 5, workers=2) as ground:
        outcome = carry_out(ground, Saboteur(ground, plan, 1500))
    print(outcome.as_json())
    assert outcome.violations == []
    assert sum(outcome.faults.values()) == len(kinds)
    median, _, slowest = outcome.accept_s
    assert median < 0.5
    assert slowest < 5
    assert outcome.longest_s < 15
    assert outcome.restarts == 0, "a worker left because of Redis"


def test_without_redis_the_doors_take_messages_and_readiness_says_what_is_missing(tmp_path):
    with Ground(tmp_path, 5, webs=1, workers=1) as ground:
        ground.proxies["redis"].refuse()
        assert status(ground, "/readyz") == 503
        assert status(ground, "/readyz/intake") == 200
        ground.proxies["redis"].mend()
        tend_until(ground, lambda: status(ground, "/readyz") == 200, 10, "ready again")


# -- PostgreSQL ------------------------------------------------------------------------------------


def test_a_postgresql_that_hangs_is_waited_for_within_bounds_and_found_again(tmp_path):
    with Ground(tmp_path, 6, webs=1, workers=1) as ground:
        ground.proxies["postgres"].silence()
        began = time.monotonic()
        assert status(ground, "/readyz/intake") == 503
        assert time.monotonic() - began < 5
        time.sleep(25)  # longer than any statement may take
        assert status(ground, "/readyz/intake") == 503
        ground.proxies["postgres"].mend()
        tend_until(ground, lambda: status(ground, "/readyz") == 200, 15, "ready again")
        outcome = carry_out(ground, Saboteur(ground, [], 40))
    assert outcome.violations == []


# -- workers ---------------------------------------------------------------------------------------


def test_a_worker_frozen_for_longer_than_its_lease_is_taken_over_and_doubles_nothing(tmp_path):
    plan = [
        Fault(1, 0.2, "late peer", "sichuan", 3.0),  # calls in flight when it freezes
        Fault(2, 0.22, "stop worker", "worker-0", 9.0),
        Fault(3, 0.6, "stop worker", "worker-1", 9.0),
    ]
    with Ground(tmp_path, 7, workers=2) as ground:
        outcome = carry_out(ground, Saboteur(ground, plan, 800))
        late = rows(ground, "SELECT count(*) FROM attempts WHERE attempt > 1")
    print(outcome.as_json())
    assert outcome.violations == []
    assert late[0][0] > 0, "nothing was in flight"
    # lease 5 s, found by a sweep at most two later; a call that times out, and a wait by the schedule
    assert outcome.longest_net_s < 20


def test_work_nobody_rang_for_is_found_in_seconds(tmp_path):
    with Ground(tmp_path, 8, webs=1, workers=2) as ground:
        assert carry_out(ground, Saboteur(ground, [], 30)).violations == []
        # delivered long ago, and now again as if: the ring was lost; its worker died over it; its
        # predecessor left and nobody told it
        rows(
            ground,
            """
            INSERT INTO deliveries (id, case_id, case_no, seq, destination, kind, native_kind, state, rendered,
                                    due_at, fence, attempt)
            SELECT m.id, m.case_id, c.case_no, m.seq, m.destination, m.kind, m.out_kind, s.state, TRUE, s.due, 7, 1
              FROM (SELECT *, row_number() OVER () AS place FROM (
                      SELECT DISTINCT ON (case_id) * FROM messages
                       WHERE outcome = 'accepted' AND kind = 'status.report') one) m
              JOIN cases c ON c.id = m.case_id
              JOIN (VALUES (1, 'ready', now()), (2, 'sending', now() - interval '1 second'),
                           (3, 'behind', NULL)) s(place, state, due) ON s.place = m.place
            RETURNING state
            """,
        )
        before = ground.tell("status")["again"]
        took = tend_until(
            ground, lambda: rows(ground, "SELECT FROM deliveries WHERE fence >= 7") == [], 60, "found"
        )
        print(f"found and delivered within {took:.1f} s")
        assert ground.tell("status")["again"] - before == 3
        assert took < 10


def test_a_worker_that_is_alive_but_deaf_notices_tells_and_is_replaced(tmp_path, monkeypatch):
    deafening = {"on": False}

    def received(self, data):
        if b"BRPOP" in data:
            self.waits = True
        if deafening["on"] and getattr(self.other, "waits", False):
            return
        plain(self, data)

    plain = _Pipe.data_received
    monkeypatch.setattr(_Pipe, "data_received", received)
    with Ground(tmp_path, 9, webs=1, workers=1) as ground:
        heard = "SELECT name FROM workers WHERE heard_at > now() - interval '10 seconds'"
        tend_until(ground, lambda: rows(ground, heard), 20, "it hears itself")
        former = ground.pid("worker-0")
        deafening["on"] = True
        log = ground.children["worker-0"].log
        # kombu reconnects its line after some 20 s, in vain; four echoes and 40 s make it deaf
        tend_until(ground, lambda: "worker_deaf" in log.read_text(), 90, "it notices")
        tend_until(ground, lambda: ground.pid("worker-0") not in {None, former}, 40, "it is replaced")
        deafening["on"] = False
        alive = f"{heard} AND name NOT LIKE '%:{former}'"
        tend_until(ground, lambda: rows(ground, alive), 40, "the new one hears")
        assert carry_out(ground, Saboteur(ground, [], 30)).violations == []


def test_a_worker_whose_loop_hangs_is_ended_and_replaced_by_the_supervisor(tmp_path, monkeypatch):
    monkeypatch.setattr(stack, "_HANGS_AFTER_S", 6.0)
    monkeypatch.setattr(stack, "_MINDED_EVERY_S", 1.0)
    with Town(tmp_path) as town:
        former = town.stack.pids()["worker"]
        os.kill(former, signal.SIGSTOP)
        until(lambda: town.stack.pids().get("worker") not in {None, former}, 30, "it is replaced")
        for side in town.sides.values():
            side.tell("send", n=3)
        until(lambda: town.effects() >= 6, 30, "the new one works")
