"""Bytes as the stand-in writes and reads them, apart from ``codec.py``: JSON by the standard library."""

from __future__ import annotations

import json
from typing import Any

CONTENT_TYPE = "application/json; charset=utf-8"


def write(tree: Any) -> bytes:
    return json.dumps(tree, ensure_ascii=False).encode()


def read(body: bytes) -> Any:
    """Errors: `ValueError`."""
    return json.loads(body.decode("utf-8"))
