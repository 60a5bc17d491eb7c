"""Carries out the plan: each blow when the cases have come that far, and mends what is to last only a while."""

from __future__ import annotations

import signal
import time
from collections import Counter
from typing import TYPE_CHECKING

import psycopg
import redis

from gateway.errors import CannotStart
from tests.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.ground import Ground
    from tests.chaos.plan import Fault

#: Seconds between two blows of a group, so that what was hit comes up before it is hit again.
_REST_S = {"process": 1.2, "postgres": 4.0, "redis": 0.3, "peer": 0.05, "door": 0.3, "clock": 0.1}
_SIGNALS = {"kill": signal.SIGKILL, "term": signal.SIGTERM, "stop": signal.SIGSTOP}


class Saboteur:
    """Does what operators dread. `turn` is called often, and never waits long."""

    def __init__(self, ground: Ground, plan: list[Fault], cases: int) -> None:
        self.ground, self.cases, self.waiting = ground, cases, list(reversed(plan))
        self.done: Counter[str] = Counter()
        self._mends: list[tuple[float, Callable[[], None]]] = []
        self._rested: dict[str, float] = {}

    @property
    def over(self) -> bool:
        """Every blow is dealt and mended."""
        return not self.waiting and not self._mends

    def allowed(self, in_play: int) -> int:
        """How many cases may be begun: none may be through before its blow has come."""
        if not self.waiting:
            return self.cases
        return min(self.cases, int(self.waiting[-1].at * self.cases) + in_play)

    def turn(self, decided: int) -> Fault | None:
        """Mend what is due; deal the next blow if its time has come."""
        now = time.monotonic()
        for due, mend in [pair for pair in self._mends if pair[0] <= now]:
            self._mends.remove((due, mend))
            mend()
        if not self.waiting or decided < self.waiting[-1].at * self.cases:
            return None
        fault = self.waiting[-1]
        group = _group(fault)
        if now < self._rested.get(group, 0.0):
            return None
        self.waiting.pop()
        self.ground.tell(
            "note",
            line={"what": str(fault), "kind": fault.kind, "target": fault.target, "lasts_s": fault.lasts_s},
        )
        self._deal(fault)
        self.done[fault.kind] += 1
        self._rested[group] = time.monotonic() + _REST_S[group]
        return fault

    def _deal(self, fault: Fault) -> None:
        verb, what = fault.kind.split(" ")
        if what == "peer":
            self.ground.tell("mood", side=fault.target, mood=verb, seconds=fault.lasts_s)
        elif what == "clock":
            self.ground.tell("skew", side=fault.target, seconds=fault.skew_s)
            self._later(fault, lambda: self.ground.tell("skew", side=fault.target, seconds=0.0))
        elif what in {"web", "worker", "beat"}:
            self._process(verb, fault)
        elif verb in {"cut", "silence", "refuse"}:
            self._line(verb, fault)
        else:
            getattr(self, f"_{verb.replace('-', '_')}_{what}")(fault)

    def _later(self, fault: Fault, mend: Callable[[], object]) -> None:
        self._mends.append((time.monotonic() + fault.lasts_s, lambda: (mend(), None)[1]))

    def _process(self, verb: str, fault: Fault) -> None:
        pid = self.ground.pid(fault.target)
        self.ground.signal(fault.target, _SIGNALS[verb])
        if verb == "stop":

            def go_on() -> None:
                if self.ground.pid(fault.target) == pid:
                    self.ground.signal(fault.target, signal.SIGCONT)

            self._later(fault, go_on)

    def _line(self, verb: str, fault: Fault) -> None:
        proxy = self.ground.proxies[fault.target]
        getattr(proxy, verb)()
        if verb != "cut":
            self._later(fault, proxy.mend)

    # -- Redis -----------------------------------------------------------------------------------

    def _flush_redis(self, _: Fault) -> None:
        self._of_redis(lambda client: client.flushall())

    def _kill_redis(self, fault: Fault) -> None:
        self.ground.held_until["redis"] = time.monotonic() + fault.lasts_s
        self.ground.signal("redis", signal.SIGKILL)

    def _full_redis(self, fault: Fault) -> None:
        self._of_redis(lambda client: client.config_set("maxmemory", "1"))
        self._later(fault, lambda: self._of_redis(lambda client: client.config_set("maxmemory", "0")))

    def _read_only_redis(self, fault: Fault) -> None:
        # a replica of nobody: as after a failover that clients have not noticed
        self._of_redis(lambda client: client.replicaof(HOST, 1))
        self._later(fault, lambda: self._of_redis(lambda client: client.replicaof("NO", "ONE")))

    def _of_redis(self, act: Callable[[redis.Redis], object]) -> None:
        try:
            with redis.Redis.from_url(self.ground.redis_url, socket_timeout=2) as client:
                act(client)
        except (redis.RedisError, OSError):
            return  # it is down: a server that starts anew has forgotten all that as well

    # -- PostgreSQL ------------------------------------------------------------------------------

    def _restart_postgres(self, _: Fault) -> None:
        server = self.ground.servers._embedded["postgres"]
        server.stop()
        self.ground.tend()

    def _kill_postgres(self, fault: Fault) -> None:
        self.ground.held_until["postgres"] = time.monotonic() + fault.lasts_s
        self.ground.signal("postgres", signal.SIGKILL)

    def _read_only_postgres(self, fault: Fault) -> None:
        # as after a failover that clients have not noticed
        self._of_postgres("ALTER SYSTEM SET default_transaction_read_only = on")
        self._later(fault, self._writable)

    def _writable(self) -> None:
        deadline = time.monotonic() + 60
        while not self._of_postgres("ALTER SYSTEM RESET default_transaction_read_only"):
            if time.monotonic() > deadline:
                raise CannotStart("PostgreSQL stays read-only")
            self.ground.held_until.pop("postgres", None)
            self.ground.tend()
            time.sleep(0.2)

    def _of_postgres(self, statement: str) -> bool:
        try:
            with psycopg.connect(self.ground.database_url, autocommit=True, connect_timeout=3) as connection:
                connection.execute("SET default_transaction_read_only = off")
                connection.execute(statement)
                connection.execute("SELECT pg_reload_conf()")
        except psycopg.Error:
            return False
        return True


def _group(fault: Fault) -> str:
    what = fault.kind.split(" ")[1]
    return "process" if what in {"web", "worker", "beat"} else what
