"""The gateway's own account of every case: its API for all it tells, its store for what the API does not number."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import httpx
import psycopg

from tests.chaos.checker import Known, Step
from tests.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.chaos.ground import Ground

_STEPS = (
    "SELECT c.case_no, e.n, e.kind, e.from_state, e.to_state FROM events e"
    " JOIN cases c ON c.id = e.case_id ORDER BY c.case_no, e.n"
)
_OPEN = "SELECT case_no, destination, state FROM deliveries ORDER BY case_no, seq"


def at_work(ground: Ground) -> int:
    """Deliveries that will still be sent."""
    with psycopg.connect(ground.database_url, connect_timeout=5) as connection:
        found = connection.execute(
            "SELECT count(*) FROM deliveries WHERE state IN ('behind', 'ready', 'sending')"
        )
        row = found.fetchone()
    return int(row[0]) if row else 0


def read(ground: Ground) -> list[Known]:
    """Every case, as listed by the API, with its steps."""
    steps, left = defaultdict(list), defaultdict(list)
    with psycopg.connect(ground.database_url, connect_timeout=5) as connection:
        for case_no, *step in connection.execute(_STEPS):
            steps[case_no].append(Step(*step))
        for case_no, destination, state in connection.execute(_OPEN):
            left[case_no].append((destination, state))
    return [
        Known(
            case_no=case["case_no"],
            origin=(case["origin"]["region"], case["origin"]["case_no"]),
            target=(case["target"]["region"], case["target"]["case_no"]),
            state=case["state"]["code"],
            steps=tuple(steps[case["case_no"]]),
            open=tuple(left[case["case_no"]]),
        )
        for case in _listed(ground)
    ]


def timeline(ground: Ground, case_no: str) -> list[dict[str, Any]]:
    """A case's timeline as the API tells it."""
    with _client(ground) as client:
        told: list[dict[str, Any]] = client.get(f"/v1/cases/{case_no}").raise_for_status().json()["timeline"]
    return told


def _listed(ground: Ground) -> Iterator[dict[str, Any]]:
    after = None
    with _client(ground) as client:
        while True:
            query = {"limit": 200, **({"after": after} if after else {})}
            page = client.get("/v1/cases", params=query).raise_for_status().json()
            yield from page["cases"]
            after = page["next"]
            if after is None:
                return


def _client(ground: Ground) -> httpx.Client:
    token = tomllib.loads(ground.config.read_text())["tokens"][0]["token"]
    url = f"http://{HOST}:{ground.proxies['door-0'].port}"
    return httpx.Client(base_url=url, timeout=30, headers={"authorization": f"Bearer {token}"})
