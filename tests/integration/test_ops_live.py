"""The stream of the pages: once it is open nothing that changes goes by unheard."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from gateway.dashboard.live import Hub

#: The store is looked at every second.
WITHIN_S = 10


@pytest.fixture
async def stream(rt, ops):
    """``await stream()``: the lines of ``/ops/live`` as they come, from the moment its head is sent."""
    client = await ops("viewer")
    app = client._transport.app
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    running = []

    async def opened():
        begun, lines, left = asyncio.Event(), asyncio.Queue(), asyncio.Event()

        async def receive():
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            if message["type"] == "http.response.start":
                assert message["status"] == 200
                begun.set()
            elif message.get("body"):
                lines.put_nowait(message["body"].decode())

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/ops/live",
            "raw_path": b"/ops/live",
            "root_path": "",
            "query_string": b"",
            "headers": [(b"cookie", cookies.encode()), (b"host", b"gateway.test")],
            "scheme": "http",
            "server": ("gateway.test", 80),
            "client": ("127.0.0.1", 1),
            "http_version": "1.1",
        }
        running.append((asyncio.create_task(app(scope, receive, send)), left))
        await asyncio.wait_for(begun.wait(), WITHIN_S)
        return lines

    yield opened
    for task, left in running:
        left.set()
        await task


async def heard(lines, topic):
    async with asyncio.timeout(WITHIN_S):
        while f"event: {topic}\n" not in await lines.get():
            continue


async def test_who_listens_is_told_to_begin_when_the_store_was_looked_at_and_misses_nothing_after(rt):
    topics = Hub(lambda: rt).listen()
    async with rt.engine.begin() as connection:
        await connection.execute(text("LOCK TABLE audit"))  # the look waits
        first = asyncio.create_task(anext(topics))
        await asyncio.sleep(0.3)
        assert not first.done()
    assert await asyncio.wait_for(first, WITHIN_S) == "beat"
    await rt.audit.append("staff:li", "pause", "chongqing", "试验")
    assert await asyncio.wait_for(anext(topics), WITHIN_S) == "audit"
    await topics.aclose()


async def test_a_stream_says_that_it_is_open_when_it_misses_nothing_any_more(rt, stream):
    lines = await stream()
    await rt.audit.append("staff:li", "resume", "chongqing", "试验")
    await heard(lines, "beat")
    await heard(lines, "audit")
