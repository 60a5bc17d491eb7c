"""The figures this release was measured with, as `make chaos` and `make bench-full` left them."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any


@functools.cache
def figures(name: str) -> dict[str, Any] | None:
    """Those of ``chaos`` or ``bench``; None when nobody has measured yet."""
    file = resources.files(__package__).joinpath(f"{name}.json")
    if not file.is_file():
        return None
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found
