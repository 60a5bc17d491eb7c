"""Every number the gateway publishes, named here; several processes add up through a shared folder.

``PROMETHEUS_MULTIPROC_DIR`` must be set before this module is imported when web and worker are
processes of their own: the client library chooses its kind of counter at import.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

if TYPE_CHECKING:
    from gateway.store.growth import Growth

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
    "How long the oldest due delivery has been waiting, by destination; 0 while it is paused",
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
PAUSED = Gauge(
    "tongban_paused",
    "1 while an operator holds a destination",
    ("region",),
    multiprocess_mode="mostrecent",
    registry=REGISTRY,
)
HELD_AGE_SECONDS = Gauge(
    "tongban_held_age_seconds",
    "How long the oldest due delivery of a paused destination has been waiting; 0 when it is not paused",
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

OLDEST_BODY = Gauge(
    "tongban_oldest_body_timestamp_seconds",
    "When the oldest retained message bytes were received (Unix time; 0: none are stored)",
    multiprocess_mode="mostrecent",
    registry=REGISTRY,
)
RETENTION_OVERDUE = Gauge(
    "tongban_retention_overdue_seconds",
    "How long data that should be gone has been kept, by kind; 0 when policy and reality agree",
    ("kind",),
    multiprocess_mode="mostrecent",
    registry=REGISTRY,
)
REST_ROWS = Gauge(
    "tongban_default_partition_rows",
    "Rows that lie in a default partition because no month takes them (counted up to 100000)",
    ("table",),
    multiprocess_mode="mostrecent",
    registry=REGISTRY,
)
PARTITIONS_UNTIL = Gauge(
    "tongban_partitions_until_timestamp_seconds",
    "Until when every month has its partition, by table (Unix time)",
    ("table",),
    multiprocess_mode="mostrecent",
    registry=REGISTRY,
)
TABLE_ROWS = Gauge(
    "tongban_table_rows_estimate",
    "Rows by table, all partitions, as the catalogue estimates them",
    ("table",),
    multiprocess_mode="mostrecent",
    registry=REGISTRY,
)
TABLE_BYTES = Gauge(
    "tongban_table_bytes_estimate",
    "Bytes by table with indexes and large values, all partitions, as the catalogue estimates them",
    ("table",),
    multiprocess_mode="mostrecent",
    registry=REGISTRY,
)
LAST_MAINTENANCE = Gauge(
    "tongban_last_maintenance_timestamp_seconds",
    "When maintenance last ran to its end (Unix time)",
    multiprocess_mode="mostrecent",
    registry=REGISTRY,
)


def show_growth(seen: Growth, *, at: float) -> None:
    """Publish what maintenance saw; ``at``: Unix time."""
    OLDEST_BODY.set(0 if seen.oldest_body is None else seen.oldest_body.timestamp())
    for kind, seconds in seen.overdue_s.items():
        RETENTION_OVERDUE.labels(kind).set(seconds)
    for table, rows in seen.rest_rows.items():
        REST_ROWS.labels(table).set(rows)
    for table, until in seen.ahead_until.items():
        PARTITIONS_UNTIL.labels(table).set(until.timestamp())
    for table, size in seen.sizes.items():
        TABLE_ROWS.labels(table).set(size.rows)
        TABLE_BYTES.labels(table).set(size.bytes)
    LAST_MAINTENANCE.set(at)


def render() -> bytes:
    """The Prometheus text of all processes; reads counters only, never a table."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return generate_latest(together)
