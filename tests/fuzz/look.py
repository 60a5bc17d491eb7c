"""Schemathesis as its users run it, by the configuration beside this file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.fuzz.served import CHANNEL_TOKEN, TOKEN, Served

CONFIG = Path(__file__).with_name("schemathesis.toml")
ROOT = Path(__file__).parents[2]


def look(place: Served, *more: str, **options: object) -> subprocess.CompletedProcess[str]:
    """One run over the whole document; ``more`` are schemathesis' own options."""
    program = Path(sys.executable).with_name("st")
    command = [
        str(program),
        "--no-color",
        "--config-file",
        str(CONFIG),
        "run",
        f"{place.url}/openapi.json",
        *more,
    ]
    tokens = {"FUZZ_TOKEN": TOKEN, "FUZZ_CHANNEL_TOKEN": CHANNEL_TOKEN}
    environ = {**os.environ, **tokens, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environ, cwd=place.home, text=True, check=False, **options)
