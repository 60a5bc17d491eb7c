"""300 cases in flight both ways while processes are killed: nothing lost, nothing doubled, nothing out of order.

Judged by three witnesses from outside: both simulated systems and the gateway's own interface. The seed is
``CRASH_SEED``; what was done, and when, is printed (``pytest -s``).
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from collections import Counter
from random import Random

import pytest
import redis
from town import Town, violations
from waiting import until

SEED = int(os.environ.get("CRASH_SEED", "20261123"))
CASES_EACH_WAY = 150
HABITS = ("--work-s", "0.8", "--suspend-rate", "0.1")
#: Peers that answer 503 now and then, or take a message in and lose the answer.
TROUBLE = {"e5xx_rate": 0.03, "drop_after_processing_rate": 0.05}
QUIET_WITHIN_S = 90.0

#: They take 20 to 30 s; a machine busy with other things gets the rest.
pytestmark = pytest.mark.timeout(240)


class Saboteur:
    """Does what operators dread, and says when."""

    def __init__(self, town, chance):
        self.town, self.chance, self.began = town, chance, time.monotonic()
        self.done = Counter()

    def say(self, text):
        print(f"{time.monotonic() - self.began:6.2f} s  {text}", flush=True)

    def kill(self, name):
        pid = self.town.stack.pids()[name]
        os.kill(pid, signal.SIGKILL)
        self.note(f"SIGKILL {name}")

    def flush(self):
        with redis.Redis.from_url(self.town.stack.redis_url) as client:
            client.flushall()
        self.note("FLUSHALL")

    def note(self, what):
        """A fault counts only while there is work to lose."""
        effects, pending = self.town.effects(), self.town.pending()
        self.say(f"{what}: {effects} effects so far, {pending} cases at work")
        assert pending, "too late: everything was done already"
        self.done[what] += 1

    def rest(self, least=0.2, most=1.2):
        time.sleep(self.chance.uniform(least, most))

    def let_work(self, least, most):
        """Wait until so many more messages took effect: the next blow falls into work under way."""
        wanted = self.town.effects() + self.chance.randint(least, most)
        until(lambda: self.town.effects() >= wanted, 60, f"{wanted} effects")


def send_all(town):
    for side in town.sides.values():
        side.tell("faults", TROUBLE)
        side.tell("send", n=CASES_EACH_WAY)


def wait_until_quiet(town, saboteur):
    deadline = time.monotonic() + QUIET_WITHIN_S
    while not town.is_quiet():
        if time.monotonic() > deadline:
            saboteur.say(f"not quiet: {asyncio.run(town.open_deliveries())}, {town.pending()} at work")
            break
        time.sleep(0.2)
    took = time.monotonic() - saboteur.began
    repeats = {slug: side.ask("summary")["repeats"] for slug, side in town.sides.items()}
    attempts = {slug: side.ask("summary")["attempts"] for slug, side in town.sides.items()}
    saboteur.say(
        f"quiet after {took:.1f} s: {town.effects()} effects, repeats {repeats}, attempts {attempts}"
    )


def broken_promises(town):
    """Nothing is open, the ledgers agree, and the gateway's own timelines tell each delivery once."""
    left = asyncio.run(town.open_deliveries())
    found = [f"open deliveries: {left}"] if left else []
    cases = list(town.cases())
    if len(cases) != 2 * CASES_EACH_WAY:
        found.append(f"{len(cases)} cases")
    effects = town.effects()
    told = 0
    for case in cases:
        timeline = town.client.get(f"/v1/cases/{case['case_no']}").raise_for_status().json()["timeline"]
        told += sum(line["kind"] == "delivery" for line in timeline)
        steps = [(line["from_state"], line["to_state"]) for line in timeline]
        if any(before[1] != after[0] for before, after in itertools.pairwise(steps)):
            found.append(f"{case['case_no']}: broken chain {steps}")
    if told != effects:
        found.append(f"timelines tell {told} deliveries, {effects} took effect")
    return found + violations(town)


@pytest.fixture
def town(tmp_path):
    with Town(tmp_path, habits=HABITS, seed=SEED) as town:
        yield town


def test_kills_and_a_flushed_redis_lose_double_and_reorder_nothing(town):
    saboteur = Saboteur(town, Random(SEED))
    saboteur.say(f"seed {SEED}")
    send_all(town)
    saboteur.let_work(20, 120)
    for blow in (lambda: saboteur.kill("worker"), lambda: saboteur.kill("web"), saboteur.flush):
        blow()
        saboteur.rest()
    saboteur.let_work(50, 250)
    again = [lambda: saboteur.kill("web"), saboteur.flush, lambda: saboteur.kill("worker")]
    saboteur.chance.shuffle(again)
    for blow in again:
        blow()
        saboteur.rest()
    wait_until_quiet(town, saboteur)
    assert broken_promises(town) == []


def test_a_database_that_dies_and_comes_back_loses_doubles_and_reorders_nothing(town):
    saboteur = Saboteur(town, Random(SEED + 1))
    saboteur.say(f"seed {SEED}")
    send_all(town)
    for _ in range(2):
        saboteur.let_work(20, 250)
        first = town.stack.pids()["postgres"]
        saboteur.kill("postgres")
        until(lambda gone=first: town.stack.pids().get("postgres") not in {None, gone}, 30, "it is replaced")
        saboteur.say("PostgreSQL runs again")
    wait_until_quiet(town, saboteur)
    assert broken_promises(town) == []
