"""Whether a worker process beats, as a supervisor asks."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from gateway.store.workers import beat_ago
from gateway.transport.bell import worker_name


def has_beaten(database_url, pid):
    def ask():
        return asyncio.run(beat_ago(database_url, worker_name(pid)))

    # a thread has no loop running, whatever the test's own has
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(ask).result() is not None
