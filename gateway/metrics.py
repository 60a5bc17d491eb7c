"""Every number the gateway publishes, named here; several processes add up through a shared folder.

``PROMETHEUS_MULTIPROC_DIR`` must be set before this module is imported when web and worker are
processes of their own: the client library chooses its kind of counter at import.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

REGISTRY = CollectorRegistry(auto_describe=True)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

MESSAGES = Counter(
    "tongban_messages_total",
    "Messages by region, direction (in: handed in, out: delivery settled), kind and outcome",
    ("region", "direction", "kind", "outcome"),
    registry=REGISTRY,
)
INTAKE_SECONDS = Histogram(
    "tongban_intake_seconds",
    "Time from the last byte of a message to its receipt",
    ("region",),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=REGISTRY,
)
DELIVERY_SECONDS = Histogram(
    "tongban_delivery_seconds",
    "Duration of one delivery attempt by destination and ending",
    ("region", "outcome"),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
DUE_AGE_SECONDS = Gauge(
    "tongban_due_age_seconds",
    "How long the oldest due delivery has been waiting, by destination",
    ("region",),
    multiprocess_mode="mostrecent",
    registry=REGISTRY,
)
BREAKER_OPEN = Gauge(
    "tongban_breaker_open",
    "1 while nothing is sent to a destination because it keeps failing",
    ("region",),
    multiprocess_mode="mostrecent",
    registry=REGISTRY,
)
LAST_SWEEP = Gauge(
    "tongban_last_sweep_timestamp_seconds",
    "When the schedule last looked for forgotten work (Unix time)",
    multiprocess_mode="mostrecent",
    registry=REGISTRY,
)
WORKER_BEAT = Gauge(
    "tongban_worker_beat_timestamp_seconds",
    "When a worker that serves this destination last wrote its heartbeat (Unix time)",
    ("region",),
    multiprocess_mode="mostrecent",
    registry=REGISTRY,
)
WORKER_LAG = Histogram(
    "tongban_worker_loop_lag_seconds",
    "How late the loop of a worker was, at worst between two heartbeats",
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10),
    registry=REGISTRY,
)
WORKER_DEAF = Counter(
    "tongban_worker_deaf",
    "Times a worker was found alive but deaf: rings reach Redis and never its consumer",
    registry=REGISTRY,
)
LATE_SETTLEMENTS = Counter(
    "tongban_late_settlements_total",
    "Verdicts that came after their lease had passed to someone else",
    ("region",),
    registry=REGISTRY,
)


def render() -> bytes:
    """The Prometheus text of all processes; reads counters only, never a table."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return generate_latest(together)
