"""What waits, from a test whose thread has the loop of the browser's driver."""

import asyncio
from concurrent.futures import ThreadPoolExecutor


def aside(work):
    """The result of a coroutine, run in a thread of its own."""
    with ThreadPoolExecutor(1) as hand:
        return hand.submit(asyncio.run, work).result()
