"""``python -m gateway.worker [worker|beat] [--destination SLUG …]``: one process of the delivery engine."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gateway import log
from gateway.errors import CannotStart
from gateway.runtime import Runtime, configure
from gateway.worker import app as celery_app
from gateway.worker import descriptors, schedule
from gateway.worker.rounds import sweep_every_s
from gateway.worker.scrape import Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.settings import Settings


def main(arguments: list[str]) -> int:
    """Run until told to stop. Exit status: Celery's own, or 2 when the configuration is unusable."""
    asked = _parser().parse_args(arguments)
    log.configure()
    path = os.environ.get("TONGBAN_CONFIG")
    try:
        settings = configure(Path(path) if path else None, os.environ)
    except CannotStart as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if settings.redis_url is None or settings.database_url is None:
        sys.stderr.write("database_url, redis_url: 投递进程需要这两个地址，请在配置或环境变量中填写\n")
        return 2
    destinations = tuple(asked.destination or sorted(settings.regions))
    place = _place(settings, os.environ)
    application = celery_app.create(
        settings.redis_url,
        destinations=sorted(settings.regions),
        sweep_every_s=sweep_every_s(settings.delivery),
    )
    if asked.part == "beat":
        schedule.show(place)
        application.start(celery_app.beat_arguments())
        return 0
    try:
        descriptors.provide(sum(map(settings.delivery.window_of, settings.regions)))
    except CannotStart as error:
        sys.stderr.write(f"{error}\n")
        return 2
    opened = partial(Runtime.served, settings, role="worker")
    celery_app.employ(opened, serves=frozenset(destinations), place=place)
    application.worker_main(celery_app.worker_arguments(destinations, sweeps=not asked.no_sweep))
    return 0


def _place(settings: Settings, environ: Mapping[str, str]) -> Place | None:
    """Where this process tells its numbers; under a supervisor web tells them, and they must count once."""
    port = settings.metrics.port
    if port is None or "PROMETHEUS_MULTIPROC_DIR" in environ:
        return None
    return Place(settings.metrics.host, port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateway.worker", description=__doc__)
    parser.add_argument("part", nargs="?", choices=("worker", "beat"), default="worker")
    parser.add_argument("--destination", action="append", help="serve this destination only (repeatable)")
    parser.add_argument("--no-sweep", action="store_true", help="leave the sweeps to other workers")
    return parser


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
