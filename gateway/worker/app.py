"""The Celery application: doorbells only. Every setting has its reason beside it (traps of Celery with Redis)."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from celery import Celery, signals
from kombu.entity import Queue

from gateway.errors import CannotStart
from gateway.transport.bell import MAINTAIN, SWEEP, broker_url, drain_queue, worker_name
from gateway.worker.ear import ear_queue
from gateway.worker.hands import Hands

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from gateway.runtime import Runtime
    from gateway.worker.scrape import Place

SWEEP_QUEUE = "sweep"

#: Months ahead, retention, counters and their gauges: often enough for an alert within the hour. Seconds.
MAINTAIN_EVERY_S = 600.0

_LINE = {
    "visibility_timeout": 3600,
    # A socket that hangs is given up and opened anew: the deaf worker of celery#8030 and #10205.
    "socket_timeout": 5,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 10,
}

_hands: list[Hands] = []


def create(redis_url: str, *, destinations: Sequence[str], sweep_every_s: float) -> Celery:
    """The application for these destinations; no process is started."""
    app = Celery("tongban", broker=broker_url(redis_url), include=["gateway.worker.tasks"])
    app.conf.update(
        # A queue per destination: a slow side has its own line, and a worker may serve one side only.
        # And one that only this process listens to, by which it knows that it hears.
        task_queues=[
            *(Queue(name) for name in (*map(drain_queue, destinations), SWEEP_QUEUE)),  # type: ignore[no-untyped-call]
            ear_queue(worker_name(os.getpid())),
        ],
        task_default_queue=SWEEP_QUEUE,
        # Nothing is learnt from a ring's result, and result states race (celery#10752): no backend at all.
        result_backend=None,
        task_ignore_result=True,
        # A ring counts when it was heard: a worker that dies over it leaves it to another, repeats are harmless.
        task_acks_late=True,
        # Prefetched rings would wait behind a long drain in this process while others are idle (celery#10291).
        worker_prefetch_multiplier=1,
        # Unacknowledged rings return after this. No drain is ever longer, and what returns has expired: with a
        # short one, long tasks run twice (kombu#337). No ETA and no countdown for the same reason.
        broker_transport_options=_LINE,
        # Redis may be down for any time, at start too: the worker waits, its own watch keeps sweeping.
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # A Redis that is full, or read-only after a failover, answers with errors: for Celery the end of the
        # worker, and with it of all delivery. The consumer waits like for one that is away.
        broker_channel_error_retry=True,
        # Rings in hand when the connection breaks are finished: their work is in PostgreSQL, not in Redis.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # Fewer Pub/Sub subscriptions to lose on reconnect; `inspect ping` is a poor probe (celery#4079): the
        # heartbeat is written by the loop that does the work.
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        # JSON only: a broker must not be able to make a worker run code.
        task_serializer="json",
        accept_content=["json"],
        # Our log is set up before Celery starts.
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        beat_schedule=_schedule(sweep_every_s),
    )
    return app


def _schedule(sweep_every_s: float) -> dict[str, Any]:
    # What nobody took must not pile up while no worker runs: everything expires.
    return {
        "sweep": {
            "task": SWEEP,
            "schedule": sweep_every_s,
            "options": {"queue": SWEEP_QUEUE, "expires": 2 * sweep_every_s},
        },
        "maintain": {
            "task": MAINTAIN,
            "schedule": MAINTAIN_EVERY_S,
            "options": {"queue": SWEEP_QUEUE, "expires": MAINTAIN_EVERY_S},
        },
    }


def worker_arguments(destinations: Sequence[str], *, sweeps: bool) -> list[str]:
    """The command line of a worker for these destinations."""
    own = f"ear.{worker_name(os.getpid())}"
    queues = [*map(drain_queue, destinations), *([SWEEP_QUEUE] if sweeps else []), own]
    return [
        "worker",
        # Threads: a task only waits for the loop. With more places than destinations no side waits for a place.
        "--pool=threads",
        f"--concurrency={2 * len(destinations) + 2}",
        f"--queues={','.join(queues)}",
        # No chatter between workers: less to lose on a reconnect (celery#8091), and a quicker start.
        "--without-mingle",
        "--without-gossip",
        "--without-heartbeat",
        "--loglevel=INFO",
    ]


def beat_arguments() -> list[str]:
    """The command line of the schedule."""
    return ["beat", "--scheduler=gateway.worker.schedule:Pulse", "--loglevel=WARNING"]


def hands() -> Hands:
    """The hands of this process."""
    if not _hands:
        raise CannotStart("this process is no worker: start it with `python -m gateway.worker`")
    return _hands[0]


def employ(
    opened: Callable[[], AbstractAsyncContextManager[Runtime]],
    *,
    serves: frozenset[str],
    place: Place | None = None,
) -> None:
    """Give this process its hands, and let Celery's signals start and stop them.

    ``place``: where its numbers and probes are answered, if anywhere.
    """
    mine = Hands(opened, serves=serves, place=place)
    _hands[:] = [mine]

    def start(**_: Any) -> None:
        mine.start()

    def stop(**_: Any) -> None:
        mine.stop()

    def close(**_: Any) -> None:
        mine.close()

    # SIGTERM: no more claims at once; Celery then waits for its tasks, and the hands settle what is in flight.
    signals.worker_init.connect(start, weak=False)
    signals.worker_shutting_down.connect(stop, weak=False)
    signals.worker_shutdown.connect(close, weak=False)
    # Having a receiver keeps Celery from setting up logging on top of ours.
    signals.setup_logging.connect(_keep_our_log, weak=False)


def _keep_our_log(**_: Any) -> None:
    # A line per ring says nothing: what was done is told by those who did it.
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)
