"""Metrics: the pinned names exist and several processes add up."""

from __future__ import annotations

import os
import subprocess
import sys

from gateway import metrics


def test_the_pinned_names_are_published():
    metrics.MESSAGES.labels(region="north", direction="in", kind="transfer.apply", outcome="accepted").inc()
    metrics.DELIVERY_SECONDS.labels(region="north", outcome="delivered").observe(0.2)
    text = metrics.render().decode()
    assert (
        'tongban_messages_total{direction="in",kind="transfer.apply",outcome="accepted",region="north"} 1.0'
        in text
    )
    assert 'tongban_delivery_seconds_bucket{le="0.25",outcome="delivered",region="north"} 1.0' in text


def test_two_processes_add_up_through_the_shared_folder(tmp_path):
    environ = {
        **os.environ,
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    count = "from gateway import metrics; metrics.LATE_SETTLEMENTS.labels(region='north').inc()"
    for _ in range(2):
        subprocess.run([sys.executable, "-c", count], env=environ, check=True)
    read = "from gateway import metrics; print(metrics.render().decode())"
    shown = subprocess.run(
        [sys.executable, "-c", read], env=environ, check=True, capture_output=True, text=True
    )
    assert 'tongban_late_settlements_total{region="north"} 2.0' in shown.stdout
