"""Rings for a destination: a Redis key that coalesces, and a Celery task sent by name."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING

import redis.asyncio
import structlog
from celery import Celery
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

DRAIN = "gateway.drain"
SWEEP = "gateway.sweep"
MAINTAIN = "gateway.maintain"

#: A ring that nobody took is worth nothing after this; a held bell is free again after that. Seconds.
RING_EXPIRES_S = 30
HELD_S = 5

_PATIENCE_S = 0.5
_REST_S = 0.005
_REST_AFTER_FAILURE_S = 1.0
#: While Redis is away, what a drain tells it is left out for so long: each try may cost the whole patience.
_SILENT_S = 5.0

_log = structlog.get_logger(__name__)


def drain_queue(destination: str) -> str:
    """The Celery queue of a destination: one each, so that no side waits behind another."""
    return f"drain.{destination}"


def broker_url(redis_url: str) -> str:
    """The same Redis as kombu spells it: it knows sockets as ``redis+socket``."""
    return (
        redis_url.replace("unix://", "redis+socket://", 1) if redis_url.startswith("unix://") else redis_url
    )


def quick_broker(redis_url: str) -> Celery:
    """A Celery client that gives up within a second: whoever rings must not hang on a dead broker."""
    app = Celery("bell", broker=broker_url(redis_url), set_as_current=False)
    app.conf.update(
        task_ignore_result=True,
        broker_connection_timeout=1,
        broker_transport_options={"socket_timeout": 1, "socket_connect_timeout": 1},
    )
    return app


class Bell:
    """Tells workers that a destination has work. Loses nothing that matters: the sweep rings again.

    `ring` returns at once and never raises; rings that come while one is under way become one. A drain
    *holds* the bell while it looks for work anyway, so that nobody rings, and *lifts* its hand before its
    last look, so that whatever is stored later rings anew.
    """

    def __init__(self, redis_url: str, *, send: Callable[[str], None] | None = None) -> None:
        self._redis = redis.asyncio.Redis.from_url(
            redis_url,
            socket_timeout=_PATIENCE_S,
            socket_connect_timeout=_PATIENCE_S,
            retry=Retry(NoBackoff(), 1),
        )
        self._send = send or _by_celery(redis_url)
        self._wanted: dict[str, bool] = {}
        self._ringers: dict[str, asyncio.Task[None]] = {}
        self._silent_until = 0.0

    async def ring(self, destination: str, *, loudly: bool = False) -> None:
        """Ask for a drain; ``loudly`` also when somebody holds the bell (he may be dead, or need help)."""
        self._wanted[destination] = loudly or self._wanted.get(destination, False)
        if destination not in self._ringers:
            self._ringers[destination] = asyncio.create_task(self._ring_wanted(destination))

    async def hold(self, destination: str) -> None:
        """Keep others from ringing for some seconds."""
        await self._quietly(lambda: self._redis.set(_key(destination), "held", ex=HELD_S))

    async def lift(self, destination: str) -> None:
        """Let the next ring through."""
        await self._quietly(lambda: self._redis.delete(_key(destination)))

    async def first(self, what: str, seconds: float) -> bool:
        """True for one of all processes that ask within so many seconds, and for each while Redis is away."""
        mine: list[object] = [True]

        async def take() -> None:
            mine[0] = await self._redis.set(f"first:{what}", "taken", nx=True, px=int(seconds * 1000))

        await self._quietly(take)
        return bool(mine[0])

    async def version(self) -> str | None:
        """What Redis calls itself; None while it is away or refuses to say."""
        try:
            told = await self._redis.info("server")
        except (redis.RedisError, OSError):
            return None
        return str(told.get("redis_version", ""))

    async def close(self) -> None:
        """Finish the rings under way, within the patience for each, and leave."""
        if self._ringers:
            await asyncio.wait(self._ringers.values(), timeout=3 * _PATIENCE_S)
        for ringer in tuple(self._ringers.values()):
            ringer.cancel()
        await asyncio.gather(*self._ringers.values(), return_exceptions=True)
        await self._redis.aclose()

    async def _ring_wanted(self, destination: str) -> None:
        try:
            while destination in self._wanted:
                done = await self._ring_once(destination, loudly=self._wanted.pop(destination))
                # Also when nobody wants more yet: while Redis refuses, every message would try, and tell, anew.
                if not done or destination in self._wanted:
                    await asyncio.sleep(_REST_S if done else _REST_AFTER_FAILURE_S)
        finally:
            del self._ringers[destination]

    async def _ring_once(self, destination: str, *, loudly: bool) -> bool:
        try:
            key = _key(destination)
            fresh = await self._redis.set(key, "rung", nx=not loudly, ex=HELD_S)
            if not fresh:
                return True
            try:
                await asyncio.to_thread(self._send, destination)
            except Exception:
                await self._redis.delete(key)
                raise
        except Exception as error:  # noqa: BLE001 - whatever happens here, the sweep heals it
            _log.warning("ring_lost", destination=destination, cause=type(error).__name__)
            return False
        return True

    async def _quietly(self, act: Callable[[], Awaitable[object]]) -> None:
        # While Redis is away a drain must not pay the time limit at every step.
        if time.monotonic() < self._silent_until:
            return
        try:
            await act()
        except Exception as error:  # noqa: BLE001 - a key nobody can set is as good as no key
            self._silent_until = time.monotonic() + _SILENT_S
            _log.warning("bell_unreachable", cause=type(error).__name__)


def worker_name(pid: int) -> str:
    """How a worker process of this machine signs its heartbeat."""
    return f"{socket.gethostname()}:{pid}"


def _key(destination: str) -> str:
    return f"bell:{destination}"


def _by_celery(redis_url: str) -> Callable[[str], None]:
    app = quick_broker(redis_url)

    def send(destination: str) -> None:
        app.send_task(
            DRAIN, (destination,), queue=drain_queue(destination), expires=RING_EXPIRES_S, retry=False
        )

    return send
