"""The doors over a real database: who may look, what they see, what is refused and how."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from gateway import log
from gateway.store.engine import single
from gateway.web import schemas


@pytest.fixture
async def stranger(door):
    async with door() as client:
        yield client


@pytest.fixture
async def desk(door):
    async with door("desk-token") as client:
        yield client


@pytest.fixture
async def chief(door):
    async with door("chief-token") as client:
        yield client


def problem(response, status, code):
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    schemas.Problem.model_validate(body)
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:tongban:problem:{code}")
    return body


async def test_alive_ready_and_numbers_need_no_token(stranger):
    assert (await stranger.get("/healthz")).json() == {"status": "ok"}
    ready = await stranger.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    numbers = await stranger.get("/metrics")
    assert numbers.headers["content-type"].startswith("text/plain")
    assert "tongban_delivery_seconds" in numbers.text


@pytest.mark.parametrize(
    "path", ["/v1/cases", "/v1/cases/CYTB1", "/v1/parked", "/v1/items", "/v1/items/x", "/v1/cases?odd=1"]
)
async def test_without_a_token_nothing_is_shown_and_nothing_else_is_said(stranger, path):
    response = await stranger.get(path)
    problem(response, 401, "unauthorized")
    assert response.headers["www-authenticate"].startswith("Bearer")
    for wrong in ("Bearer wrong", "Basic ZGVzazp4", "Bearer ", "desk-token"):
        problem(await stranger.get(path, headers={"authorization": wrong}), 401, "unauthorized")


async def test_a_token_opens_only_the_doors_of_its_scopes(door, desk, chief):
    async with door("nobody-token") as nobody:
        for path in ("/v1/cases", "/v1/parked", "/v1/items"):
            problem(await nobody.get(path), 403, "forbidden")
        problem(await nobody.post("/v1/translate?from=sichuan"), 403, "forbidden")
    problem(await desk.post("/v1/parked/x/release"), 403, "forbidden")
    problem(await chief.get("/v1/items"), 403, "forbidden")
    assert (await chief.get("/v1/cases")).status_code == 200


async def test_a_token_of_the_store_works_until_it_is_revoked(rt, door):
    digest = hashlib.sha256(b"made later").hexdigest()
    await rt.tokens.create("later", digest, {"items"}, rt.clock.now())
    async with door("made later") as later:
        assert (await later.get("/v1/items")).status_code == 200
        problem(await later.get("/v1/cases"), 403, "forbidden")
        await rt.tokens.revoke("later", rt.clock.now())
        problem(await later.get("/v1/items"), 401, "unauthorized")


async def test_unknown_addresses_and_methods_are_problems(stranger):
    problem(await stranger.get("/v2/cases"), 404, "not-found")
    problem(await stranger.get("/v1/cases/"), 404, "not-found")
    problem(await stranger.get("/docs/../secret"), 404, "not-found")
    refused = await stranger.delete("/v1/cases")
    problem(refused, 405, "method-not-allowed")
    assert "GET" in refused.headers["allow"]
    problem(await stranger.get("/v1/sichuan/messages"), 405, "method-not-allowed")
    problem(await stranger.post("/v1/atlantis/messages"), 404, "not-found")


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=ten",
        "region=atlantis",
        "state=99",
        "division=51",
        "received_from=yesterday",
        "received_to=2026-11-23T10:00:00",
        "page=2",
        "item=%00",
    ],
)
async def test_a_list_that_cannot_be_asked_for_is_a_bad_request(desk, query):
    body = problem(await desk.get(f"/v1/cases?{query}"), 400, "bad-request")
    assert body["detail"]


async def test_all_bad_parameters_are_named_at_once(desk):
    body = problem(await desk.get("/v1/cases?limit=0&state=99&page=2"), 400, "bad-request")
    assert {finding["path"] for finding in body["findings"]} == {"limit", "state", "page"}


@pytest.mark.parametrize("path", ["/v1/cases", "/v1/parked"])
@pytest.mark.parametrize("cursor", ["x", "AAAA", "%F0%9F%98%80", "MTIz", "1" * 200])
async def test_a_cursor_that_is_not_ours_is_refused(desk, path, cursor):
    problem(await desk.get(f"{path}?after={cursor}"), 400, "bad-cursor")


async def test_unknown_query_parameters_are_refused_everywhere(desk, chief):
    for path in ("/v1/cases/CYTB1", "/v1/parked", "/v1/items", "/v1/items/pension_transfer"):
        problem(await desk.get(f"{path}?odd=1"), 400, "bad-request")
    problem(await desk.post("/v1/translate?from=sichuan&odd=1"), 400, "bad-request")
    problem(await desk.post("/v1/translate"), 400, "bad-request")
    problem(await chief.post("/v1/parked/x/release?odd=1"), 400, "bad-request")


async def test_what_is_not_there_is_not_found(desk, chief):
    problem(await desk.get("/v1/cases/CYTB5101042026112399999999"), 404, "not-found")
    problem(await desk.get("/v1/cases/%00"), 404, "not-found")
    problem(await desk.get("/v1/items/perpetual_motion"), 404, "not-found")
    for id_ in ("x", "0193b2b0-0000-7000-8000-123456789012"):
        problem(await chief.post(f"/v1/parked/{id_}/release"), 404, "not-found")


async def test_items_are_those_in_force_on_the_day(desk):
    page = (await desk.get("/v1/items")).json()
    schemas.ItemPage.model_validate(page)
    transfer = next(item for item in page["items"] if item["item"] == "pension_transfer")
    assert transfer["promised_limit"] == {"value": 5, "unit": "工作日"}
    assert (transfer["sichuan_base_code"], transfer["chongqing_base_code"]) == (
        "512B0068100002",
        "002014006002",
    )
    assert (transfer["effective_from"], transfer["effective_to"]) == ("2025-11-01", None)
    older = (await desk.get("/v1/items?on=2021-06-01")).json()["items"]
    limit = next(item for item in older if item["item"] == "pension_transfer")["promised_limit"]
    assert limit == {"value": 15, "unit": "工作日"}
    problem(await desk.get("/v1/items?on=2021-6-1"), 400, "bad-request")


async def test_an_item_has_all_its_versions_oldest_first(desk):
    item = (await desk.get("/v1/items/pension_transfer")).json()
    schemas.ItemView.model_validate(item)
    starts = [version["effective_from"] for version in item["versions"]]
    assert len(starts) == 4
    assert starts == sorted(starts)
    assert item["effective_from"] == starts[-1]


async def test_a_bug_is_an_id_and_no_stack(rt, door, monkeypatch, capsys):
    async def broken(*_args):
        raise RuntimeError("secret of 张三 510104198803150011")

    monkeypatch.setattr(type(rt.cases), "history", broken)
    log.configure()
    async with door("desk-token") as client:
        body = problem(await client.get("/v1/cases/CYTB1"), 500, "internal")
    assert body["instance"].startswith("urn:uuid:")
    assert "secret" not in json.dumps(body)
    logged = capsys.readouterr().err
    assert body["instance"].removeprefix("urn:uuid:") in logged
    assert "RuntimeError" in logged
    assert "张三" not in logged
    assert "510104198803150011" not in logged


async def test_while_the_store_is_away_everything_that_needs_it_says_so(rt, door, monkeypatch):
    async def away(*_args, **_options):
        raise ConnectionRefusedError("no route to the database of 张三")

    monkeypatch.setattr(type(rt.cases), "page", away)
    monkeypatch.setattr(type(rt.tokens), "find", away)
    async with door("desk-token") as desk, door("unknown") as stranger:
        for client in (desk, stranger):
            response = await client.get("/v1/cases")
            body = problem(response, 503, "not-ready")
            assert "张三" not in json.dumps(body, ensure_ascii=False)
            assert response.headers["retry-after"] == "5"


async def test_readiness_names_what_is_missing(rt, door, monkeypatch):
    monkeypatch.setattr(type(rt.engine), "execution_options", lambda *_a, **_o: 1 / 0)
    async with door() as client:
        body = problem(await client.get("/readyz"), 503, "not-ready")
    assert "database_url" in body["detail"]
    assert "redis_url" not in body["detail"]


async def test_a_store_that_may_not_be_written_is_not_ready(rt, door):
    async with single(rt.engine) as connection:
        name = (await connection.execute(text("SELECT current_database()"))).scalar_one()
        await connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
    await rt.engine.dispose()
    try:
        async with door() as client:
            for path in ("/readyz", "/readyz/intake"):
                assert "只读" in problem(await client.get(path), 503, "not-ready")["detail"]
    finally:
        async with single(rt.engine) as connection:
            await connection.execute(text("SET default_transaction_read_only = off"))
            await connection.execute(text(f'ALTER DATABASE "{name}" RESET default_transaction_read_only'))
        await rt.engine.dispose()
    async with door() as client:
        assert (await client.get("/readyz/intake")).status_code == 200


async def test_the_clock_starts_where_the_configuration_says(rt):
    start = datetime(2026, 11, 23, 7, 42, 17, tzinfo=UTC)
    assert start <= rt.clock.now() < start + timedelta(minutes=10)
