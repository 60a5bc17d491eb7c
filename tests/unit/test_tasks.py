"""The tasks are doorbells with the names the bell sends."""

from __future__ import annotations

import os

from gateway.transport.bell import DRAIN, MAINTAIN, SWEEP, drain_queue, worker_name
from gateway.worker import app, tasks
from gateway.worker.ear import ECHO


def test_the_bell_and_the_worker_agree_on_names():
    assert (tasks.drain.name, tasks.sweep.name, tasks.maintain.name) == (DRAIN, SWEEP, MAINTAIN)
    application = app.create("redis://127.0.0.1:1/0", destinations=["east", "west"], sweep_every_s=2)
    queues = {queue.name for queue in application.conf.task_queues}
    own = f"ear.{worker_name(os.getpid())}"
    assert queues == {drain_queue("east"), drain_queue("west"), app.SWEEP_QUEUE, own}
    assert tasks.echo.name == ECHO
    assert application.conf.beat_schedule["sweep"]["task"] == SWEEP
    assert application.conf.beat_schedule["maintain"]["task"] == MAINTAIN


def test_a_worker_of_one_side_listens_to_that_side():
    arguments = app.worker_arguments(["east"], sweeps=False)
    own = f"ear.{worker_name(os.getpid())}"
    assert f"--queues=drain.east,{own}" in arguments


def test_no_ring_can_be_late_stored_or_repeated_by_celery():
    conf = app.create("redis://127.0.0.1:1/0", destinations=["east"], sweep_every_s=2).conf
    assert conf.result_backend is None
    assert conf.task_ignore_result
    assert conf.task_acks_late
    assert conf.broker_channel_error_retry
    assert conf.worker_prefetch_multiplier == 1
    assert conf.broker_transport_options["visibility_timeout"] == 3600
