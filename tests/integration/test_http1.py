"""The JDK's client offers HTTP/2 on every plain connection: its bodies arrive all the same."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import h11
import pytest
import uvicorn

from gateway.transport.http1 import Http1

OFFER = [
    ("Connection", "Upgrade, HTTP2-Settings"),
    ("HTTP2-Settings", "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"),
    ("Upgrade", "h2c"),
]
BODY = b"<BODY>\r\nUpgrade: h2c\r\n\r\nis a text like others</BODY>"


async def echo(_, receive, send):
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


async def asked(line, streams, cuts):
    """The body of the answer to one request with an offer, sent in pieces: cut at these bytes."""
    reader, writer = streams
    headers = [("Host", "x"), ("Content-Length", str(len(BODY))), *OFFER]
    head = line.send(h11.Request(method="POST", target="/", headers=headers))
    rest = line.send(h11.Data(data=BODY)) + line.send(h11.EndOfMessage())
    whole = head + rest
    places = [0, *(cut if cut >= 0 else len(head) + cut for cut in cuts), len(whole)]
    for start, end in pairwise(places):
        writer.write(whole[start:end])
        await writer.drain()
        await asyncio.sleep(0.01 if cuts else 0)  # so that it arrives by itself
    answer = b""
    while not isinstance(event := line.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            line.receive_data(await reader.read(1 << 16))
        elif isinstance(event, h11.Data):
            answer += event.data
    return answer


@pytest.fixture
async def port():
    """Where a server of this protocol listens."""
    server = uvicorn.Server(uvicorn.Config(echo, http=Http1, port=0, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


@pytest.mark.parametrize("cuts", [(), (-1,), (40, 80), (-40, -20)], ids=str)
async def test_an_offer_of_http2_costs_nobody_the_body(port, cuts):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(3):
        line = h11.Connection(h11.CLIENT)
        assert await asked(line, (reader, writer), cuts) == BODY
    writer.close()


async def test_a_head_without_end_is_refused_and_not_kept(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write((b"POST /" + b"x" * (1 << 16))[: 1 << 16])
    assert b"64 KiB" in await asyncio.wait_for(reader.read(), 10)
    writer.close()


async def test_what_is_no_http_is_told_so_at_once(port):
    for said in (b"\x16\x03\x01\x02\x00\x01\xfc\x03\x03", b"GET / HTTP/1.1\n\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        assert (await asyncio.wait_for(reader.read(100), 10)).startswith(b"HTTP/1.1 ")
        writer.close()
