"""Questions about cases, over the interface and, where it has none, over the store itself. Units: ms."""

from __future__ import annotations

import os
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import asyncpg

from bench.figures import percentiles
from bench.load import Line, wire
from gateway.runtime import Runtime, configure
from gateway.store import cases as store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bench.contenders import Tongban

#: The filters a page may have: name of the parameter → column.
FILTERS = {
    "": (),
    "region": ("origin",),
    "division": ("origin_division",),
    "item": ("item",),
    "state": ("state",),
    "division, state": ("origin_division", "state"),
    "region, item": ("origin", "item"),
}
COLUMN = {"region": "origin", "division": "origin_division", "item": "item", "state": "state"}


async def measure(contender: Tongban, token: str, stored: int, times: int) -> AsyncIterator[dict[str, Any]]:
    """A row per question."""
    connection = await asyncpg.connect(contender.database_url)
    line = await Line.to(contender.url)
    try:
        questions = await _pages(connection) | await _single(connection)
        for name, path in questions.items():
            yield {
                "question": name,
                "stored": stored,
                **await _timed(times, lambda path=path: _get(line, path, token)),
            }
        yield {
            "question": "scrape",
            "stored": stored,
            **await _timed(times, lambda: _get(line, "/metrics", token)),
        }
        async for name, figures in _store(contender, connection, times):
            yield {"question": name, "stored": stored, **figures}
    finally:
        line.transport.close()
        await connection.close()


async def _pages(connection: Any) -> dict[str, str]:
    """The first page and one from the middle, by each filter; the values are those of a case in the middle."""
    case = await connection.fetchrow(
        "SELECT * FROM cases ORDER BY received_at OFFSET (SELECT count(*) / 2 FROM cases) LIMIT 1"
    )
    questions = {}
    for name in FILTERS:
        words = [word for word in name.split(", ") if word]
        query = {word: case[COLUMN[word]] for word in words}
        middle = await _middle(connection, {COLUMN[word]: value for word, value in query.items()})
        title = f"by {name}" if name else "newest"
        questions[f"{title}, first page"] = f"/v1/cases?{urlencode(query)}"
        questions[f"{title}, middle page"] = f"/v1/cases?{urlencode({**query, 'after': middle})}"
    day = case["received_at"].date().isoformat()
    questions["received on a day"] = f"/v1/cases?received_from={day}&received_to={day}"
    return questions


async def _middle(connection: Any, filters: dict[str, str]) -> str:
    where = " AND ".join(f"{column} = ${n}" for n, column in enumerate(filters, 1)) or "true"
    row = await connection.fetchrow(
        f"SELECT received_at, case_no FROM cases WHERE {where} ORDER BY received_at DESC, case_no DESC"
        f" OFFSET (SELECT count(*) / 2 FROM cases WHERE {where}) LIMIT 1",
        *filters.values(),
    )
    return store._cursor(SimpleNamespace(**row))


async def _single(connection: Any) -> dict[str, str]:
    case = await _newest(connection)
    return {
        "by case number, with history": f"/v1/cases/{case['case_no']}",
        "by the origin's number": f"/v1/cases?{urlencode({'origin_case_no': case['origin_case_no']})}",
    }


async def _newest(connection: Any) -> Any:
    return await connection.fetchrow(
        "SELECT * FROM cases WHERE citizen_index IS NOT NULL AND person IS NOT NULL"
        " ORDER BY received_at DESC LIMIT 1"
    )


async def _store(
    contender: Tongban, connection: Any, times: int
) -> AsyncIterator[tuple[str, dict[str, float]]]:
    """What the door and the staff ask the store for, in this process."""
    settings = configure(contender.config, os.environ).model_copy(
        update={"database_url": contender.database_url, "redis_url": contender.redis_url}
    )
    case = await _newest(connection)
    async with Runtime.open(settings, role="cli") as rt:
        found = await rt.cases.find(case["origin"], case["origin_case_no"])
        assert found is not None
        person = found.person.id_no
        yield (
            "store: by the target's number",
            await _timed(times, lambda: rt.cases.find(case["target"], case["target_case_no"])),
        )
        yield "store: by citizen", await _timed(times, lambda: rt.cases.by_citizen(person))


async def _get(line: Line, path: str, token: str) -> None:
    status, body, _ = await line.ask(wire(f"GET {path}", {"authorization": f"Bearer {token}"}))
    if status != 200:
        raise RuntimeError(f"{path}: {status} {body[:300]!r}")


async def _timed(times: int, ask: Callable[[], Awaitable[Any]]) -> dict[str, float]:
    for _ in range(min(5, times)):
        await ask()
    took = []
    for _ in range(times):
        began = time.monotonic()
        await ask()
        took.append(time.monotonic() - began)
    return percentiles(took)
