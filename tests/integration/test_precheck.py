"""`POST /v1/precheck` through the door."""

from __future__ import annotations

import pytest

from gateway.web.precheck import PrecheckView

ASKED = {"item": "unemployment_benefit_claim", "side": "chongqing", "on": "2026-11-23"}


async def ask(desk, **changes):
    return await desk.post("/v1/precheck", json=ASKED | changes)


async def test_a_material_is_named_by_its_key_or_by_a_regions_code(door):
    async with door("desk-token") as desk:
        by_code = [{"region": "chongqing", "code": "8f1c0a52-0000-4000-8000-000000000011"}]
        answer = await ask(desk, materials=by_code)
        found = answer.json()
        assert answer.status_code == 200
        PrecheckView.model_validate(found)
        for same in (["id_or_social_security_card"], [{"material": "id_or_social_security_card"}]):
            assert (await ask(desk, materials=same)).json() == found
    assert (found["target"], found["ready"], found["missing"]) == ("sichuan", True, [])
    (required,) = found["required"]
    assert (required["material"], required["code"], required["name"]) == ("id_card", "CL001", "居民身份证")
    assert required["grounds"] == [{"rule": "R003", "basis": "川渝失业保险关系转移协议（2020-12-21）"}]
    assert found["in_hand"][0]["name"] == "身份证或社会保障卡"
    assert (found["promised_limit"], found["due_on"]) == ({"value": 10, "unit": "日"}, "2026-12-03")


async def test_without_materials_everything_required_is_missing(door):
    async with door("desk-token") as desk:
        found = (await ask(desk, side="sichuan")).json()
    assert [each["material"] for each in found["missing"]] == ["id_or_social_security_card"]
    assert (found["ready"], found["open"]) == (False, True)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"item": "nothing"}, 404, "not-found"),
        ({"on": "2010-01-01"}, 404, "not-found"),
        ({"side": "yunnan"}, 400, "bad-request"),
        ({"target": "chongqing"}, 400, "bad-request"),
        ({"materials": ["spoon"]}, 400, "bad-request"),
        ({"materials": [{"region": "sichuan", "code": "CL999"}]}, 400, "bad-request"),
        ({"materials": [{}]}, 400, "bad-request"),
        ({"materials": ["id_card"] * 51}, 400, "bad-request"),
        ({"odd": 1}, 400, "bad-request"),
        ({"on": "yesterday"}, 400, "bad-request"),
    ],
)
async def test_what_cannot_be_answered_is_a_problem(door, changes, status, code):
    async with door("desk-token") as desk:
        answer = await ask(desk, **changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_only_who_may_see_items_may_ask(door):
    async with door() as anyone, door("nobody-token") as nobody, door("desk-token") as desk:
        assert (await ask(anyone)).status_code == 401
        assert (await ask(nobody)).status_code == 403
        assert (await desk.post("/v1/precheck", content=b"{")).json()["code"] == "bad-request"
