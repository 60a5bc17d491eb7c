"""What the figures depend on."""

from __future__ import annotations

import os
import platform
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from gateway.embedded import postgres, redis

LIBRARIES = (
    "asyncpg",
    "sqlalchemy",
    "celery",
    "fastapi",
    "uvicorn",
    "httpx",
    "aiohttp",
    "tongsuopy",
    "lxml",
    "pydantic",
)


def machine() -> dict[str, str]:
    """Name → value, each a short text."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),  # noqa: TID251 - of the report
        "commit": _said(["git", "rev-parse", "--short", "HEAD"]) or "?",
        "cpu": f"{os.cpu_count()} × {_line('/proc/cpuinfo', 'model name')}",
        "memory": f"{int(_line('/proc/meminfo', 'MemTotal').split()[0]) / 1e6:.0f} GB",
        "kernel": platform.release(),
        "load": f"{os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "postgresql": _said([str(postgres._INSTALL / "bin/postgres"), "--version"]).split()[-1],
        "redis": _said([str(redis._PROGRAM), "--version"]).partition("v=")[2].split(" ")[0],
        **{name: version(name) for name in LIBRARIES},
    }


def _line(path: str, head: str) -> str:
    with suppress(OSError):
        for line in Path(path).read_text().splitlines():
            if line.startswith(head):
                return line.partition(":")[2].strip()
    return "0 ?"


def _said(command: list[str]) -> str:
    with suppress(OSError):
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return ""
