"""The operators' pages over a filled store: what a signed-in browser waits for, and what crosses the wire. Units: ms.

Beforehand the facts of all stored cases are folded for the page of performance, as a worker does over some hours.
"""

from __future__ import annotations

import html
import os
import re
import time
from typing import TYPE_CHECKING, Any

import httpx
from sqlalchemy import text

from bench import case_lists
from bench.figures import percentiles
from gateway.dashboard.desk import COOKIE
from gateway.exchange import accounts, entry
from gateway.runtime import Runtime, configure
from gateway.store.performance import Folder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bench.contenders import Tongban

_NAME, _PASSWORD = "bench", "only-for-measuring-1"
_NEXT = re.compile(r'rel="next" href="([^"]+)"')
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
_IN_ENGLISH = {
    "总览": "overview",
    "路由": "routes",
    "办件": "cases",
    "一个办件": "one case",
    "滞留与死信": "stuck",
    "互认规则": "rules",
    "时限与绩效": "performance",
    "运行": "running",
    "审计": "audit",
    "大屏": "wall",
}


def in_english(tables: str) -> str:
    """Markdown tables with the pages under their English names."""
    return re.sub(r"(?m)^\| (\S+) \|", lambda cell: f"| {_IN_ENGLISH.get(cell[1], cell[1])} |", tables)


async def measure(contender: Tongban, stored: int, times: int) -> AsyncIterator[dict[str, Any]]:
    """A row per page: p50 and p95 from request to last byte, and the bytes sent (gzip)."""
    settings = configure(contender.config, os.environ).model_copy(
        update={"database_url": contender.database_url, "redis_url": contender.redis_url}
    )
    async with Runtime.open(settings, role="cli") as rt:
        token = await _sign_in(rt)
        case = await _one_in_the_middle(rt)
        folder = Folder(rt.engine, rt.vault, rt.tables.calendar)
        while (await folder.walk(2_000)).more:
            pass
    paths = {title: path.format(**case) for title, path in PAGES.items()}
    paths |= case_lists.addresses(case, case["received_at"].date())
    paths["list: the next page"] = ""
    headers = {"accept-encoding": "gzip"}
    async with httpx.AsyncClient(
        base_url=contender.url, cookies={COOKIE: token}, headers=headers, timeout=30
    ) as client:
        following = _NEXT.search((await client.get("/ops/cases")).text)
        paths["list: the next page"] = html.unescape(following[1]) if following else "/ops/cases"
        for title, path in paths.items():
            yield {"page": title, "stored": stored, **await _timed(client, path, times)}


async def _sign_in(rt: Runtime) -> str:
    if await rt.staff.find(_NAME) is None:
        await accounts.add(rt, _NAME, _NAME, _ROLES, _PASSWORD, second_factor=False, actor="staff:bench")
    session = await entry.sign_in(rt, _NAME, _PASSWORD, "")
    if isinstance(session, entry.Refusal):
        raise TypeError(session.text)
    return session.token


async def _one_in_the_middle(rt: Runtime) -> Any:
    query = text("SELECT * FROM cases ORDER BY received_at OFFSET (SELECT count(*) / 2 FROM cases) LIMIT 1")
    async with rt.engine.begin() as connection:
        return (await connection.execute(query)).mappings().one()


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
