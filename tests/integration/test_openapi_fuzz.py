"""Every operation of the OpenAPI document keeps to it, whatever a stranger sends: schemathesis over a real store.

The operations are those the document has: a new one is looked at without a word here. A longer look:
``python -m tests.fuzz``.
"""

from __future__ import annotations

import re

import pytest
from fastapi import Depends
from starlette.responses import JSONResponse

from gateway.regions import discover
from gateway.web.auth import _bearer
from gateway.web.schemas import Health
from tests.fuzz.look import look
from tests.fuzz.served import served

pytestmark = pytest.mark.timeout(240)
SEED, EXAMPLES = "20261123", "4"


@pytest.fixture
def place(tmp_path, database_url, redis_server):
    with served(tmp_path / "gateway", database_url, redis_server.url) as found:
        yield found


def looked(place, *more):
    done = look(place, "--seed", SEED, *more, capture_output=True, timeout=200)
    return done.returncode, done.stdout + done.stderr


def test_schemathesis_finds_nothing_and_would_find_a_fault(place):
    document = place.app.state.describe(discover())
    operations = sum(len(methods) for methods in document["paths"].values())

    status, said = looked(place, "--max-examples", EXAMPLES)
    assert status == 0, said
    assert f"Selected: {operations}/{operations}" in said
    assert f"Tested: {operations}\n" in said
    for phase in ("Examples", "Coverage", "Fuzzing", "Stateful"):
        assert re.search(rf"✅\s+{phase} ", said), phase

    async def open_to_all(_nobody_looks=Depends(_bearer)):  # noqa: B008 - how FastAPI is told
        return JSONResponse({"surprise": True})

    async def crash():
        raise ZeroDivisionError

    del place.app.state.document
    for made in (open_to_all, crash):
        name = f"/v1/broken/{made.__name__}"
        place.app.add_api_route(name, made, summary="故障", description="故障", response_model=Health)
    only = ("--include-path-regex", "^/v1/broken", "--phases", "coverage,fuzzing")
    status, said = looked(place, "--max-examples", "1", *only)
    assert status == 1
    for fault in ("Server error", "accepts requests without authentication", "Response violates schema"):
        assert fault in said, said
