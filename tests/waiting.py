"""Waiting for what happens elsewhere: what does not come in time fails the test."""

from __future__ import annotations

import asyncio
import time
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOKS_EVERY_S = 0.05


def until(true: Callable[[], Any], seconds: float = 20.0, what: str = "") -> None:
    """Return once it is so."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(_LOOKS_EVERY_S)


async def eventually(true: Callable[[], Any], seconds: float = 20.0) -> None:
    """The same on a loop; what is asked may itself have to be waited for."""
    async with asyncio.timeout(seconds):
        while not (await found if isawaitable(found := true()) else found):  # noqa: ASYNC110 - it happens elsewhere
            await asyncio.sleep(_LOOKS_EVERY_S)
