"""Whether a worker process beats, as a supervisor asks."""

from __future__ import annotations

import asyncio

from gateway.store.workers import beat_ago
from gateway.transport.bell import worker_name


def has_beaten(database_url, pid):
    return asyncio.run(beat_ago(database_url, worker_name(pid))) is not None
