"""Operators' doors: who may act, that a reason is asked for and kept, and that what is said is done."""

from __future__ import annotations

from hashlib import sha256

import pytest
from sqlalchemy import text
from staff_builders import Side, settle

from gateway.exchange import rerun
from gateway.store.engine import single
from gateway.store.records import Ending
from gateway.web import operate_schemas as shapes
from gateway.web import schemas

WHY = {"reason": "对方通知今晚升级"}


@pytest.fixture(autouse=True)
async def nothing_held(rt):
    async with single(rt.engine) as connection:
        for table in ("deliveries", "peers", "reruns"):
            await connection.execute(text(f"DELETE FROM {table}"))


@pytest.fixture
async def chief(door):
    async with door("chief-token") as client:
        yield client


@pytest.fixture
async def second(rt, door):
    """Another person who may operate."""
    digest = sha256(b"second-token").hexdigest()
    if await rt.tokens.find(digest) is None:
        await rt.tokens.create("second", digest, {"operate"}, rt.clock.now())
    async with door("second-token") as client:
        yield client


def problem(response, status, code):
    assert response.status_code == status, response.text
    body = response.json()
    schemas.Problem.model_validate(body)
    assert body["code"] == code
    return body


def shaped(response, shape, status=200):
    assert response.status_code == status, response.text
    shape.model_validate(response.json())
    return response.json()


async def audited(rt, verb):
    async with single(rt.engine) as connection:
        found = await connection.execute(
            text("SELECT id, actor, target FROM audit WHERE verb = :verb ORDER BY id DESC LIMIT 1"),
            {"verb": verb},
        )
        row = found.one()
    return row.actor, row.target, await rt.audit.reason(row.id)


async def dead(rt, *numbers):
    """Applications that were given up; their message ids."""
    side = Side(rt)
    for number in numbers:
        await side.hand_in("tbzy0001", number)
    claimed = await rt.deliveries.claim("chongqing", 100, 30)
    await settle(rt, claimed, Ending.DEAD, "timeout", "no answer 510100198803150179")
    return [str(each.message_id) for each in sorted(claimed, key=lambda each: each.case_no)]


async def test_every_door_asks_for_the_scope_and_every_act_for_a_reason(door, chief):
    id_ = "01900000-0000-7000-8000-000000000000"
    acts = [f"/v1/deliveries/{id_}/{verb}" for verb in ("retry", "cancel")]
    acts += [f"/v1/peers/chongqing/{verb}" for verb in ("pause", "resume", "pace", "probe")]
    acts += [f"/v1/reruns/{id_}/{verb}" for verb in ("approve", "pause", "resume", "cancel")]
    async with door("desk-token") as desk:
        for path in ("/v1/deliveries", "/v1/peers", "/v1/reruns", f"/v1/reruns/{id_}"):
            problem(await desk.get(path), 403, "forbidden")
        for path in (*acts, "/v1/reruns"):
            problem(await desk.post(path, json=WHY), 403, "forbidden")
    for path in acts:
        for body in ({}, {"reason": " "}, {"reason": "x", "odd": 1}, {"reason": "x\x00"}):
            problem(await chief.post(path, json=body), 400, "bad-request")
        problem(await chief.post(path, content=b"{"), 400, "bad-request")
        problem(await chief.post(f"{path}?odd=1", json=WHY), 400, "bad-request")


async def test_a_moment_is_written_as_one_and_a_flag_is_true_or_false(chief):
    for wrong in (
        {"filter": {"state": "dead", "since": 0}},
        {"filter": {"state": "dead", "until": "0"}},
        {"dry_run": 1},
    ):
        body = WHY | {"filter": {"state": "dead"}} | wrong
        problem(await chief.post("/v1/reruns", json=body), 400, "bad-request")


async def test_another_method_is_told_every_method_of_the_address(chief):
    answer = await chief.delete("/v1/reruns")
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET, POST"


async def test_open_deliveries_are_listed_a_page_at_a_time_without_the_numbers_of_persons(rt, chief):
    ids = await dead(rt, 801, 802, 803)
    first = shaped(await chief.get("/v1/deliveries?state=dead&limit=2"), shapes.DeliveryPage)
    rest = shaped(
        await chief.get(f"/v1/deliveries?state=dead&limit=2&after={first['next']}"), shapes.DeliveryPage
    )
    assert [line["id"] for page in (first, rest) for line in page["deliveries"]] == ids
    assert rest["next"] is None
    assert {line["last_error"][:7] for line in first["deliveries"]} == {"timeout"}
    assert "19880315" not in str(first)
    assert (
        shaped(await chief.get("/v1/deliveries?destination=sichuan"), shapes.DeliveryPage)["deliveries"] == []
    )
    problem(await chief.get("/v1/deliveries?after=x"), 400, "bad-cursor")
    problem(await chief.get("/v1/deliveries?state=odd"), 400, "bad-request")


async def test_one_is_sent_again_and_one_given_up_each_on_record(rt, chief):
    again, gone = await dead(rt, 811, 812)
    told = shaped(await chief.post(f"/v1/deliveries/{again}/retry", json=WHY), shapes.Acted, 202)
    assert told == {"id": again, "status": "retrying"}
    assert await audited(rt, "retry") == ("staff:chief", again, WHY["reason"])
    told = shaped(await chief.post(f"/v1/deliveries/{gone}/cancel", json=WHY), shapes.Acted)
    assert told["status"] == "cancelled"
    assert await audited(rt, "cancel") == ("staff:chief", gone, WHY["reason"])
    assert [str(one.message_id) for one in await rt.deliveries.claim("chongqing", 9, 30)] == [again]
    for id_ in (again, gone, "no-uuid"):
        for verb in ("retry", "cancel"):
            problem(await chief.post(f"/v1/deliveries/{id_}/{verb}", json=WHY), 404, "not-found")


async def test_what_cannot_be_recorded_is_not_done(rt, chief, monkeypatch):
    (id_,) = await dead(rt, 821)

    async def broken(*_):
        raise OSError("the audit is away")

    monkeypatch.setattr(type(rt.audit), "write", broken)
    problem(await chief.post(f"/v1/deliveries/{id_}/retry", json=WHY), 503, "not-ready")
    problem(await chief.post("/v1/peers/chongqing/pause", json=WHY), 503, "not-ready")
    assert await rt.deliveries.claim("chongqing", 9, 30) == []
    assert not (await rt.peers.find("chongqing")).is_paused


async def test_a_side_is_paused_shown_and_resumed(rt, chief):
    (id_,) = await dead(rt, 831)
    paused = shaped(await chief.post("/v1/peers/chongqing/pause", json=WHY), shapes.PeerShape)
    assert (paused["paused"]["by"], paused["paused"]["reason"]) == ("staff:chief", WHY["reason"])
    assert await audited(rt, "pause") == ("staff:chief", "chongqing", WHY["reason"])
    await chief.post(f"/v1/deliveries/{id_}/retry", json=WHY)
    assert await rt.deliveries.claim("chongqing", 9, 30) == []
    peers = shaped(await chief.get("/v1/peers"), shapes.PeerList)["peers"]
    assert [(peer["slug"], peer["paused"] is None) for peer in peers] == [
        ("chongqing", False),
        ("sichuan", True),
    ]
    assert peers[0]["waiting_s"] >= 0
    resumed = shaped(
        await chief.post("/v1/peers/chongqing/resume", json={"reason": "升级完成"}), shapes.PeerShape
    )
    assert resumed["paused"] is None
    assert len(await rt.deliveries.claim("chongqing", 9, 30)) == 1
    for verb in ("pause", "resume", "pace", "probe"):
        problem(await chief.post(f"/v1/peers/atlantis/{verb}", json=WHY), 404, "not-found")


async def test_a_pace_is_set_and_taken_away(rt, chief):
    body = WHY | {"per_second": 20, "concurrency": 8}
    set_ = shaped(await chief.post("/v1/peers/chongqing/pace", json=body), shapes.PeerShape)
    assert set_["pace"] == {"per_second": 20, "concurrency": 8}
    free = shaped(await chief.post("/v1/peers/chongqing/pace", json=WHY), shapes.PeerShape)
    assert free["pace"] == {"per_second": None, "concurrency": None}
    for wrong in (
        {"per_second": 0},
        {"concurrency": 0},
        {"per_second": "fast"},
        {"per_second": "5"},
        {"per_second": True},
        {"concurrency": True},
    ):
        problem(await chief.post("/v1/peers/chongqing/pace", json=WHY | wrong), 400, "bad-request")


async def test_a_connection_test_tells_every_step_it_came_to(rt, chief):
    told = shaped(await chief.post("/v1/peers/chongqing/probe", json=WHY), shapes.ProbeResult)
    assert told["ok"] is False
    assert [(step["name"], step["finish"]) for step in told["steps"]] == [
        ("name", "passed"),
        ("tcp", "failed"),
    ]
    assert told["steps"][-1]["remedy"]
    assert await audited(rt, "probe") == ("staff:chief", "chongqing", WHY["reason"])


async def test_a_rerun_is_tried_dry_started_followed_and_its_diff_shown(rt, chief):
    ids = await dead(rt, 841, 842)
    asked = WHY | {
        "filter": {"state": "dead", "cause": "timeout", "destination": "chongqing"},
        "per_second": 100,
    }
    dry = shaped(await chief.post("/v1/reruns", json=asked | {"dry_run": True}), shapes.RerunPreview)
    assert (dry["messages"], dry["causes"]) == (2, [{"cause": "timeout", "messages": 2}])
    assert [line["id"] for line in dry["sample"]] == ids
    job = shaped(await chief.post("/v1/reruns", json=asked), shapes.RerunShape, 202)
    assert (job["state"], job["total"], job["reason"]) == ("running", 2, WHY["reason"])
    assert await audited(rt, "rerun.start") == ("staff:chief", job["id"], WHY["reason"])
    url = f"/v1/reruns/{job['id']}"
    assert shaped(await chief.post(f"{url}/pause", json=WHY), shapes.RerunShape)["state"] == "paused"
    problem(await chief.post(f"{url}/approve", json=WHY), 409, "conflict")
    assert shaped(await chief.post(f"{url}/resume", json=WHY), shapes.RerunShape)["state"] == "running"
    while await rt.reruns.any_running():
        await rerun.step(rt)
    await settle(rt, await rt.deliveries.claim("chongqing", 9, 30), Ending.DELIVERED, "0000")
    async with single(rt.engine) as connection:
        await connection.execute(text("UPDATE reruns SET looked_at = now() - interval '2 s'"))
    assert await rt.reruns.look()
    first = shaped(await chief.get(f"{url}?limit=1"), shapes.RerunView)
    assert first["state"] == "done"
    (change,) = first["changes"]
    assert list(change.values()) == ["dead", "timeout", "delivered", "0000", 2]
    rest = shaped(await chief.get(f"{url}?limit=1&after={first['next']}"), shapes.RerunView)
    assert [item["id"] for page in (first, rest) for item in page["items"]] == ids
    problem(await chief.post(f"{url}/cancel", json=WHY), 409, "conflict")
    listed = shaped(await chief.get("/v1/reruns?limit=1"), shapes.RerunList)
    assert (listed["reruns"][0]["id"], listed["next"]) == (job["id"], None)
    for query in ("after=x", "after=-1"):
        problem(await chief.get(f"{url}?{query}"), 400, "bad-cursor")
    problem(await chief.get("/v1/reruns?after=x"), 400, "bad-cursor")


async def test_a_large_rerun_needs_a_second_person(rt, chief, second):
    await dead(rt, 851, 852)
    few = rt.settings.delivery.model_copy(update={"rerun_alone_up_to": 1})
    object.__setattr__(rt.settings, "delivery", few)
    asked = WHY | {"filter": {"state": "dead"}}
    job = shaped(await chief.post("/v1/reruns", json=asked), shapes.RerunShape, 202)
    assert (job["state"], job["needs_approval"]) == ("unapproved", True)
    url = f"/v1/reruns/{job['id']}/approve"
    problem(await chief.post(url, json=WHY), 409, "conflict")
    approved = shaped(await second.post(url, json=WHY), shapes.RerunShape)
    assert (approved["state"], approved["approved_by"]) == ("running", "staff:second")


async def test_a_rerun_that_cannot_be_is_told_why(rt, chief):
    asked = WHY | {"filter": {"state": "dead"}}
    problem(await chief.post("/v1/reruns", json=asked), 404, "not-found")
    for wrong in (
        {"filter": {}},
        {"filter": {"state": "ready"}},
        {"filter": {"state": "dead", "destination": "atlantis"}},
        {"filter": {"state": "dead", "since": "2026-11-23T10:00:00"}},
        {"cap": 0},
        {"per_second": 1000},
        {"reason": ""},
    ):
        assert problem(await chief.post("/v1/reruns", json=asked | wrong), 400, "bad-request")["detail"]
    for id_ in ("x", "01900000-0000-7000-8000-000000000000"):
        problem(await chief.get(f"/v1/reruns/{id_}"), 404, "not-found")
        problem(await chief.post(f"/v1/reruns/{id_}/pause", json=WHY), 404, "not-found")
