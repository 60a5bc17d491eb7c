"""Server-sent events: what changed, by topic, so that pages ask again for what they show.

One look a second at the store serves every open page of this process; nobody's data is in an event.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from gateway import log
from gateway.store.changes import changes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping

    from gateway.runtime import Runtime

LOOKS_EVERY_S = 1.0
#: A line to keep proxies from closing the stream, and to show pages that it lives.
BEATS_EVERY_S = 10.0
BEAT = "beat"

_log = log.get(__name__)

#: Set when this process is told to stop: streams end, so that it can.
CLOSING = threading.Event()


class Hub:
    """Watches the store while anybody listens."""

    def __init__(self, runtime: Callable[[], Runtime]) -> None:
        self._runtime = runtime
        self._ears: set[_Ear] = set()
        self._watching: asyncio.Task[None] | None = None
        #: Set once the store was looked at: what a later look finds changed is told.
        self._looked = asyncio.Event()
        #: When a change was last told, on the loop's clock: what was read before may be out of date.
        self.told_at = 0.0

    async def listen(self) -> AsyncIterator[str]:
        """Topics as they change; ``beat`` now and then; ends when the process is told to stop.

        The first is a ``beat``: whatever changes after it is told.
        """
        ear = _Ear()
        self._ears.add(ear)
        if self._watching is None or self._watching.done():
            self._looked.clear()
            self._watching = asyncio.create_task(self._watch())
        try:
            await self._looked.wait()
            yield BEAT
            while not CLOSING.is_set():
                for topic in await ear.heard():
                    yield topic
        finally:
            self._ears.discard(ear)

    async def _watch(self) -> None:
        known: Mapping[str, str] = {}
        while self._ears and not CLOSING.is_set():
            found = await self._look()
            changed = [topic for topic, mark in found.items() if known.get(topic, mark) != mark]
            if changed:
                self.told_at = asyncio.get_running_loop().time()
            self._tell(changed)
            known = found or known
            self._looked.set()
            await asyncio.sleep(LOOKS_EVERY_S)
        self._looked.set()
        self._tell((BEAT,))  # whoever still waits looks whether to end

    async def _look(self) -> Mapping[str, str]:
        try:
            return await changes(self._runtime().engine)
        except Exception as error:  # noqa: BLE001 - the store may be away; pages are told when it is back
            _log.warning("live_look_failed", cause=type(error).__name__)
            return {}

    def _tell(self, topics: Iterable[str]) -> None:
        for topic in topics:
            for ear in self._ears:
                ear.tell(topic)


class _Ear:
    """What one page has not been told yet; a topic counts once however often it changed."""

    def __init__(self) -> None:
        self._untold: set[str] = set()
        self._told = asyncio.Event()

    def tell(self, topic: str) -> None:
        self._untold.add(topic)
        self._told.set()

    async def heard(self) -> list[str]:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._told.wait(), BEATS_EVERY_S)
        topics, self._untold = self._untold or {BEAT}, set()
        self._told.clear()
        return sorted(topics)
