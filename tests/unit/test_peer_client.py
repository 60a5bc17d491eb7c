"""Every way a call can go wrong becomes a failure with a name."""

from __future__ import annotations

import asyncio

import httpx
import pytest
import respx

from gateway.errors import PeerFailure
from gateway.region import SignedRequest
from gateway.transport.client import PeerClient, tls

ASK = SignedRequest("/v1/in", {"content-type": "application/json", "x-proof": "abc"}, b"{}")


@pytest.fixture
async def peer():
    router = respx.MockRouter(base_url="https://peer.example/base")
    client = PeerClient(
        "https://peer.example/base",
        timeout_s=0.2,
        body_limit=100,
        transport=httpx.MockTransport(router.async_handler),
    )
    yield client, router
    await client.close()


async def test_bytes_and_headers_go_out_as_sealed_and_the_answer_comes_back(peer):
    client, router = peer
    route = router.post("/v1/in").respond(202, content=b"taken", headers={"Retry-After": "3"})
    answered = await client.send(ASK)
    assert (answered.status, answered.body, answered.headers["retry-after"]) == (202, b"taken", "3")
    sent = route.calls.last.request
    assert (sent.content, sent.headers["x-proof"], sent.headers["accept-encoding"]) == (
        b"{}",
        "abc",
        "identity",
    )


@pytest.mark.parametrize("status", [301, 404, 429, 500])
async def test_an_answer_of_any_status_is_an_answer_and_no_redirect_is_followed(peer, status):
    client, router = peer
    route = router.post("/v1/in").respond(status, headers={"Location": "https://peer.example/base/v1/in"})
    assert (await client.send(ASK)).status == status
    assert route.call_count == 1


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (httpx.ConnectError("no"), "connect"),
        (httpx.ReadError("cut"), "connect"),
        (httpx.WriteError("cut"), "connect"),
        (httpx.RemoteProtocolError("odd"), "connect"),
        (httpx.ConnectTimeout("late"), "timeout"),
        (httpx.ReadTimeout("late"), "timeout"),
        (httpx.PoolTimeout("late"), "timeout"),
        (OSError("network is down"), "connect"),
    ],
)
async def test_every_lower_error_is_named(peer, error, cause):
    client, router = peer
    router.post("/v1/in").mock(side_effect=error)
    with pytest.raises(PeerFailure) as failure:
        await client.send(ASK)
    assert failure.value.cause == cause


async def test_the_time_limit_is_for_the_whole_call(peer):
    client, router = peer

    async def slowly(request):
        await asyncio.sleep(5)

    router.post("/v1/in").mock(side_effect=slowly)
    with pytest.raises(PeerFailure) as failure:
        await client.send(ASK)
    assert failure.value.cause == "timeout"


async def test_an_answer_beyond_the_limit_or_encoded_is_not_read(peer):
    client, router = peer
    router.post("/v1/in").respond(200, content=b"x" * 101)
    with pytest.raises(PeerFailure, match="too large"):
        await client.send(ASK)
    # httpx would unpack a small bomb before we could look at its size
    router.post("/v1/in").respond(200, content=b"", headers={"content-encoding": "gzip"})
    with pytest.raises(PeerFailure, match="encoded"):
        await client.send(ASK)


def test_the_process_has_one_tls_context():
    assert tls() is tls()


@pytest.mark.parametrize("late_s", [0.0, 0.02])
async def test_an_answer_that_comes_twice_is_never_taken_for_the_next_one(late_s):
    asked = 0

    async def answer(reader, writer):
        nonlocal asked
        while await reader.readuntil(b"\r\n\r\n"):
            await reader.readexactly(2)
            asked += 1
            told = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n%d" % asked
            writer.write(told)
            await asyncio.sleep(late_s)
            writer.write(told)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    client = PeerClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", timeout_s=2)
    bodies = []
    for _ in range(5):
        bodies.append((await client.send(ASK)).body)
        await asyncio.sleep(late_s + 0.1)
    await client.close()
    server.close()
    assert bodies == [b"1", b"2", b"3", b"4", b"5"]
