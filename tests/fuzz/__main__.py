"""python -m tests.fuzz: every operation of the OpenAPI document under schemathesis, over a real store.

Exit status: 1 when a check fails, with the request that shows it. What is not known here goes to schemathesis.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from gateway.embedded import postgres, redis
from gateway.store import engine as engines
from tests.fuzz.served import TOKEN, served

CONFIG = Path(__file__).with_name("schemathesis.toml")
ROOT = Path(__file__).parents[2]


def look(url: str, *more: str, **options: object) -> subprocess.CompletedProcess[str]:
    """Schemathesis as its users run it, by the configuration beside this file."""
    program = Path(sys.executable).with_name("st")
    command = [str(program), "--no-color", "--config-file", str(CONFIG), "run", f"{url}/openapi.json", *more]
    environ = {**os.environ, "FUZZ_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environ, text=True, check=False, **options)


def main() -> int:
    """Start what is needed, look, stop it."""
    line = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    line.add_argument("--max-examples", default="500")
    asked, rest = line.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        home = Path(folder)
        store, bell = postgres.start(home), redis.start(home)
        try:
            engines_ready = engines.migrate(store.url)
            import asyncio

            asyncio.run(engines_ready)
            with served(home / "own", store.url, bell.url) as place:
                return look(place.url, "--max-examples", asked.max_examples, *rest).returncode
        finally:
            bell.stop()
            store.stop()


if __name__ == "__main__":
    raise SystemExit(main())
