"""Requests written by hand onto one connection: whether it serves several, and what becomes of half a one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import h11

from gateway.region import Taken
from gateway.transport.client import tls

if TYPE_CHECKING:
    from gateway.conformance.endpoint.bench import Bench
    from gateway.region import SignedRequest

_CHUNK = 1 << 16
#: A server that closes does so at once.
_LINGER_S = 0.3
#: Long enough for the rest of an answer whose head is there.
_HALF_S = 2.0
_LENGTH = "Content-Length 写编码后的字节数（不是字符数），报文体写完要关闭输出"
#: How the sentence ends when the line is in order and the message was not taken.
NOT_TAKEN = "，没有受理"
_SILENT = "没有应答就断开了连接，也没有在前一个应答里写 Connection: close"


async def on_one_line(bench: Bench, requests: list[SignedRequest]) -> str:
    """What went wrong when ``requests`` went over one connection; ``""`` when nothing did."""
    reader, writer = await _connected(bench)
    line = h11.Connection(h11.CLIENT)
    try:
        async with asyncio.timeout(bench.options.timeout_s):
            for place, request in enumerate(requests, 1):
                fault = await _exchange(bench, line, (reader, writer), request)
                if fault:
                    return f"第 {place} 条：{fault}"
                if line.our_state is h11.MUST_CLOSE:
                    return ""  # it said that it closes: allowed, if slow
                line.start_next_cycle()
    except TimeoutError:
        return f"{bench.options.timeout_s:g} 秒内没有应答完"
    except (OSError, h11.RemoteProtocolError) as error:
        return f"连接上出错（{type(error).__name__}）：应答不合 HTTP/1.1，或没有说明就断开"
    finally:
        writer.close()
    return ""


async def closes_silently(bench: Bench, request: SignedRequest) -> bool:
    """Whether the server answers this, and closes the line without having said so."""
    reader, writer = await _connected(bench)
    line = h11.Connection(h11.CLIENT)
    try:
        async with asyncio.timeout(bench.options.timeout_s):
            if await _exchange(bench, line, (reader, writer), request) == _SILENT:
                return False
            if line.our_state is h11.MUST_CLOSE:
                return False
            async with asyncio.timeout(_LINGER_S):
                return not await reader.read(1)
    except ConnectionError:
        return True
    except (TimeoutError, OSError, h11.RemoteProtocolError):
        return False
    finally:
        writer.close()


async def how_far(bench: Bench, request: SignedRequest) -> str:
    """What comes of an answer that does not come to its end, on a line of its own; ``""`` when nothing does."""
    line = h11.Connection(h11.CLIENT)
    head, size, writer = None, 0, None
    try:
        reader, writer = await _connected(bench)
        async with asyncio.timeout(min(_HALF_S, 5 * bench.options.timeout_s)):
            for part in (_head(bench, request), h11.Data(data=request.body), h11.EndOfMessage()):
                writer.write(_bytes(line, part))
            while not isinstance(event := line.next_event(), h11.EndOfMessage | h11.ConnectionClosed):
                if event is h11.NEED_DATA:
                    line.receive_data(await reader.read(_CHUNK))
                elif isinstance(event, h11.Response):
                    head = event
                elif isinstance(event, h11.Data):
                    size += len(event.data)
    except (TimeoutError, OSError, h11.RemoteProtocolError):
        return _half(head, size)
    finally:
        if writer is not None:
            writer.close()
    return ""


def _half(head: h11.Response | None, size: int) -> str:
    if head is None:
        return ""
    length = dict(head.headers).get(b"content-length", b"").decode("ascii", "replace")
    told = f"Content-Length: {length}，" if length else ""
    return f"应答头已到：HTTP {head.status_code}，{told}报文体只到 {size} 字节就没有下文；{_LENGTH}"


async def half_a_message(bench: Bench, request: SignedRequest) -> None:
    """Sends headers and half of the body, and hangs up."""
    _, writer = await _connected(bench)
    line = h11.Connection(h11.CLIENT)
    try:
        writer.write(_bytes(line, _head(bench, request)))
        half = request.body[: len(request.body) // 2]
        writer.write(_bytes(line, h11.Data(data=half)))
        await writer.drain()
    finally:
        writer.close()


async def _exchange(
    bench: Bench,
    line: h11.Connection,
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    request: SignedRequest,
) -> str:
    reader, writer = streams
    for part in (_head(bench, request), h11.Data(data=request.body), h11.EndOfMessage()):
        writer.write(_bytes(line, part))
    await writer.drain()
    status, body = 0, b""
    while True:
        event: Any = line.next_event()
        if event is h11.NEED_DATA:
            data = await reader.read(_CHUNK)
            line.receive_data(data)
            if not data and not status:
                return _SILENT
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            break
        elif isinstance(event, h11.ConnectionClosed):
            return _SILENT
    reply = bench.region.read_reply(status, body)
    return "" if reply.taken is Taken.DELIVERED else f"应答 HTTP {status}{NOT_TAKEN}"


async def _connected(bench: Bench) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    url = urlsplit(bench.url)
    secure = url.scheme == "https"
    port = url.port or (443 if secure else 80)
    return await asyncio.open_connection(url.hostname, port, ssl=tls() if secure else None)


def _head(bench: Bench, request: SignedRequest) -> h11.Request:
    url = urlsplit(bench.url)
    headers = [("host", url.netloc), ("content-length", str(len(request.body))), *request.headers.items()]
    return h11.Request(method="POST", target=f"{url.path.rstrip('/')}{request.path}", headers=headers)


def _bytes(line: h11.Connection, event: h11.Event) -> bytes:
    return line.send(event) or b""
