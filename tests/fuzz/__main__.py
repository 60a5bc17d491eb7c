"""python -m tests.fuzz: every operation of the OpenAPI document under schemathesis, over a real store.

Whatever is not named here is handed to schemathesis: ``--seed 7 --include-path /v1/cases``. Exit status: 1 when a
check fails, with the request that shows it.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from gateway import log
from gateway.embedded import postgres, redis
from gateway.store import engine as engines
from tests.fuzz.look import look
from tests.fuzz.served import served


def parser() -> argparse.ArgumentParser:
    """The command line."""
    line = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    line.add_argument("--max-examples", type=int, default=300, help="generated requests for each operation")
    return line


def main() -> int:
    """Start what is needed, look, stop it."""
    asked, rest = parser().parse_known_args()
    log.configure(level=logging.ERROR)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        home = Path(folder)
        store = postgres.start(home)
        bell = redis.start(home)
        try:
            asyncio.run(engines.migrate(store.url))
            with served(home / "own", store.url, bell.url) as place:
                done = look(place, "--max-examples", str(asked.max_examples), *rest, stdout=sys.stdout)
                return done.returncode
        finally:
            bell.stop()
            store.stop()


if __name__ == "__main__":
    raise SystemExit(main())
