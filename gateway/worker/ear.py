"""Does this process still hear? Rings sent to itself through Redis and its own Celery consumer.

A consumer can be alive and deaf: after a reconnect it waits on a connection that nobody answers (celery#8030,
#10205). Its loop beats, its pool is idle, and no ring ever comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kombu.entity import Exchange, Queue

from gateway.transport.bell import quick_broker

if TYPE_CHECKING:
    from collections.abc import Callable

ECHO = "gateway.echo"

#: Seconds between two echoes; an echo is worth nothing after a minute.
ECHO_EVERY_S = 5.0
_EXPIRES_S = 60
#: So many echoes that Redis took, over so many seconds, and not one ring came out: deaf. More than the longest
#: time for which all places of the pool may wait for the store, and than kombu's own check needs to reconnect.
DEAF_AFTER = 4
DEAF_AFTER_S = 40.0


@dataclass(slots=True)
class Ear:
    """What was sent to ourselves, and what was heard. Units: seconds of one monotonic clock.

    `heard` may be called from any thread.
    """

    heard_at: float | None = None
    _unheard: int = 0
    _since: float | None = None

    def asked(self, now: float) -> None:
        """Redis took an echo."""
        if self._since is None or (self.heard_at is not None and self.heard_at >= self._since):
            self._since, self._unheard = now, 0
        self._unheard += 1

    def heard(self, now: float) -> None:
        """A ring came out of the consumer, whichever it was."""
        self.heard_at = now

    def is_deaf(self, now: float) -> bool:
        """Several echoes in a row went in, and nothing has come out since the first of them."""
        if self._since is None or (self.heard_at is not None and self.heard_at >= self._since):
            return False
        return self._unheard >= DEAF_AFTER and now - self._since >= DEAF_AFTER_S


def ear_queue(worker: str) -> Queue:
    """The queue only this worker listens to; Redis forgets it, and its binding, when the worker is gone."""
    name = f"ear.{worker}"
    return Queue(name, Exchange(name), routing_key=name, expires=2 * _EXPIRES_S)  # type: ignore[no-untyped-call]


def echo_by_celery(redis_url: str, worker: str) -> Callable[[], None]:
    """Sends a ring to ourselves; raises within a second when Redis does not take it."""
    app, queue = quick_broker(redis_url), ear_queue(worker)

    def send() -> None:
        options: dict[str, Any] = {"queue": queue, "expires": _EXPIRES_S, "retry": False}
        app.send_task(ECHO, **options)

    return send
