"""The JDK's client offers HTTP/2 on every plain connection: its bodies arrive all the same."""

from __future__ import annotations

import asyncio

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


async def asked(line, streams, *, split):
    """The body of the answer to one request with an offer; head and body in one piece or in two."""
    reader, writer = streams
    headers = [("Host", "x"), ("Content-Length", str(len(BODY))), *OFFER]
    head = line.send(h11.Request(method="POST", target="/", headers=headers))
    rest = line.send(h11.Data(data=BODY)) + line.send(h11.EndOfMessage())
    for piece in (head, rest) if split else (head + rest,):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
    answer = b""
    while not isinstance(event := line.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            line.receive_data(await reader.read(1 << 16))
        elif isinstance(event, h11.Data):
            answer += event.data
    return answer


@pytest.mark.parametrize("split", [False, True])
async def test_an_offer_of_http2_costs_nobody_the_body(split):
    server = uvicorn.Server(uvicorn.Config(echo, http=Http1, port=0, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(3):
        line = h11.Connection(h11.CLIENT)
        assert await asked(line, (reader, writer), split=split) == BODY
    writer.close()
    server.should_exit = True
    await serving
