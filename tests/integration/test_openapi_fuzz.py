"""Every operation of the OpenAPI document keeps to it, whatever a stranger sends: schemathesis over a real store.

The operations are those the document has: a new one is looked at without a word here. A longer look:
``python -m tests.fuzz``.
"""

from __future__ import annotations

import re

import pytest

from gateway.regions import discover
from tests.fuzz.look import look
from tests.fuzz.served import served

SEED, EXAMPLES = "20261123", "6"


@pytest.fixture
def place(tmp_path, database_url, redis_server):
    with served(tmp_path / "gateway", database_url, redis_server.url) as found:
        yield found


def looked(place, *more):
    done = look(place, "--seed", SEED, *more, capture_output=True, timeout=100)
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

    async def broken(limit: int = 1):
        return {"surprise": "x" * limit}[str(limit)]

    del place.app.state.document
    place.app.add_api_route("/v1/broken", broken, summary="故障", description="故障")
    status, said = looked(
        place, "--max-examples", "1", "--include-path", "/v1/broken", "--phases", "examples,coverage"
    )
    assert status == 1
    assert "Server error" in said, said
