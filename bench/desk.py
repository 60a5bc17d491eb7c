"""The operators' pages over a filled store: what a signed-in browser waits for, and what crosses the wire. Units: ms."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import httpx
from sqlalchemy import text

from bench.figures import percentiles
from gateway.dashboard.desk import COOKIE
from gateway.exchange import accounts, entry
from gateway.runtime import Runtime, configure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bench.contenders import Tongban

_NAME, _PASSWORD = "bench", "only-for-the-bench-1"
_ROLES = ("operator", "approver", "auditor")

#: Title → path; ``{case_no}`` is a case from the middle of the store.
PAGES = {
    "总览": "/ops/",
    "路由": "/ops/routes",
    "办件": "/ops/cases",
    "一个办件": "/ops/cases/{case_no}",
    "滞留与死信": "/ops/stuck",
    "互认规则": "/ops/rules",
    "时限与绩效": "/ops/performance",
    "运行": "/ops/running",
    "审计": "/ops/audit",
    "大屏": "/ops/wall",
}


async def measure(contender: Tongban, stored: int, times: int) -> AsyncIterator[dict[str, Any]]:
    """A row per page: p50 and p95 from request to last byte, and the bytes sent (gzip)."""
    settings = configure(contender.config, os.environ).model_copy(
        update={"database_url": contender.database_url, "redis_url": contender.redis_url}
    )
    async with Runtime.open(settings, role="cli") as rt:
        if await rt.staff.find(_NAME) is None:
            await accounts.add(rt, _NAME, _NAME, _ROLES, _PASSWORD, second_factor=False, actor="staff:bench")
        session = await entry.sign_in(rt, _NAME, _PASSWORD, "")
        if isinstance(session, entry.Refusal):
            raise TypeError(session.text)
        case_no = await _one_in_the_middle(rt)
    async with httpx.AsyncClient(
        base_url=contender.url,
        cookies={COOKIE: session.token},
        headers={"accept-encoding": "gzip"},
        timeout=30,
    ) as client:
        for title, path in PAGES.items():
            if "{case_no}" in path and not case_no:
                continue
            yield {
                "page": title,
                "stored": stored,
                **await _timed(client, path.format(case_no=case_no), times),
            }


async def _one_in_the_middle(rt: Runtime) -> str:
    query = text(
        "SELECT case_no FROM cases ORDER BY received_at OFFSET (SELECT count(*) / 2 FROM cases) LIMIT 1"
    )
    async with rt.engine.begin() as connection:
        return (await connection.execute(query)).scalar_one_or_none() or ""


async def _timed(client: httpx.AsyncClient, path: str, times: int) -> dict[str, Any]:
    took, sent = [], 0
    for turn in range(times + 3):
        began = time.monotonic()
        answer = await client.get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:300]}")
        if turn >= 3:
            took.append(time.monotonic() - began)
        sent = max(sent, answer.num_bytes_downloaded)
    return {**percentiles(took), "kB": round(sent / 1000, 1)}
