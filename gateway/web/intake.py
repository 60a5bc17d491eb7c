"""`POST /v1/{region}/messages`: read no more than allowed, hand over, answer in the region's own format."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from gateway import metrics
from gateway.exchange.receive import receive
from gateway.region import Inbound, Outcome, Receipt
from gateway.web.auth import runtime
from gateway.web.problem import Problem

if TYPE_CHECKING:
    from starlette.requests import Request

    from gateway.region import Region
    from gateway.runtime import Runtime

#: 1 MiB (crossing §1, step 1).
BODY_LIMIT = 1_048_576

# What is left of a body that is too large is read and thrown away up to here, because a client that is still
# writing when the connection closes sees a broken line instead of the receipt.
_DRAIN_LIMIT = 8 * BODY_LIMIT


async def take_message(request: Request) -> Response:
    """One message of one region."""
    rt = runtime(request)
    region = rt.regions.get(request.path_params["region"])
    if region is None:
        raise Problem("not-found", f"没有这个地区，请使用 {'、'.join(rt.regions)} 之一")
    began = time.perf_counter()
    try:
        body = await body_within(request, BODY_LIMIT)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    if body is None:
        return _too_large(rt, region)
    inbound = Inbound({name.lower(): value for name, value in request.headers.items()}, body)
    answer = await receive(rt, region, inbound)
    metrics.INTAKE_SECONDS.labels(region.slug).observe(time.perf_counter() - began)
    headers = {} if answer.retry_after is None else {"retry-after": str(answer.retry_after)}
    return Response(answer.body, answer.status, headers, answer.content_type)


async def body_within(request: Request, limit: int) -> bytes | None:
    """The body, or None when it is larger than ``limit``; never keeps more than that in memory."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        else:
            chunks.clear()
        if size > _DRAIN_LIMIT:
            break
    return b"".join(chunks) if size <= limit else None


def _too_large(rt: Runtime, region: Region) -> Response:
    text = f"报文超过 {BODY_LIMIT} 字节，请缩减后重发"
    receipt = Receipt(Outcome.REFUSED, 413, "9030", text)
    metrics.MESSAGES.labels(region.slug, "in", "unknown", Outcome.REFUSED.value).inc()
    now = rt.clock.now()
    key = region.message_key(0, now)
    return Response(region.receipt(receipt, key, now), 413, media_type=region.content_type)
