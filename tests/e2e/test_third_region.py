"""Three regions at once: an invented one, which is nothing but folders in these tests, exchanges cases with both others."""

import json
import os
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from town import FINAL, Town, violations
from waiting import until

from adapters.sichuan import simulated as sichuan
from gateway.asgi import join
from gateway.exchange import accounts, entry
from gateway.runtime import Runtime, configure
from gateway.web.app import create

ROOT = Path(__file__).parents[2]
THIRD = ROOT / "tests" / "third_region"
NEW, OLD = "yunling", ("chongqing", "sichuan")
#: Everybody asks for materials in every case: what comes then is a supplement or a withdrawal.
HABITS = ("--work-s", "0.02", "--correct-rate", "1", "--withdraw-rate", "0.4", "--decline-rate", "0")
CASES = 5
PAGES = (
    *("", "wall", "routes", "cases", "stuck", "reruns", "performance", "running", "audit", "exports"),
    *(
        "rules",
        "rules/tables",
        "rules/coverage",
        "rules/alignment",
        "rules/tables?table=places/divisions.csv",
    ),
    f"rules/tables?table=codes/{NEW}/recognition.csv",
    *(f"{page}/{NEW}" for page in ("routes",)),
    f"cases?destination={NEW}",
    f"rules/coverage?region={NEW}",
)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    rest = '[dashboard]\nsecond_factor = "optional"\n'
    with Town(tmp_path_factory.mktemp("three"), habits=HABITS, regions_dirs=(THIRD,), rest=rest) as running:
        yield running


@pytest.fixture(scope="module")
def crossed(town):
    """Cases both ways between the new region and each of the others, until nobody has anything to do."""
    for old in OLD:
        town.sides[NEW].tell("send", n=CASES, to=old)
        town.sides[old].tell("send", n=CASES, to=NEW)
    until(lambda: _is_quiet(town), 60, "cases that end")
    return list(town.cases())


def _is_quiet(town):
    cases = list(town.cases())
    ended = len(cases) == 4 * CASES and all(case["state"]["code"] in FINAL for case in cases)
    return ended and town.is_quiet()


def test_cases_cross_both_ways_with_each_region_exactly_once_and_in_order(town, crossed):
    ways = [(case["origin"]["region"], case["target"]["region"]) for case in crossed]
    assert {way: ways.count(way) for way in ways} == {
        way: CASES for old in OLD for way in ((NEW, old), (old, NEW))
    }
    assert violations(town) == []


@pytest.mark.parametrize("old", OLD)
def test_reports_and_answers_to_them_cross_in_both_directions(town, crossed, old):
    seen = {slug: town.sides[slug].ask("effects")["effects"] for slug in (NEW, old)}
    ours = {case["case_no"]: {case["origin"]["region"], case["target"]["region"]} for case in crossed}
    refs = {
        (case[role]["region"], case[role]["case_no"])
        for case in crossed
        for role in ("origin", "target")
        if ours[case["case_no"]] == {NEW, old}
    }
    for slug, effects in seen.items():
        kinds = {town.sides[slug].kinds[one["kind"]] for one in effects if (slug, one["case_ref"]) in refs}
        assert {"general.apply", "status.report"} <= kinds
        assert kinds & {"material.supplement", "case.withdraw"}


def test_a_kind_the_receiver_has_no_message_for_is_parked_whole_and_visible(town):
    told, body = _transfer_to_the_new_region(town)
    assert (told.taken, told.text.split("；")[0]) == (True, "PARKED 1001 fwid")
    case = town.client.get(f"/v1/cases/{told.case_no}").raise_for_status().json()
    assert (case["target"]["region"], case["state"]["code"]) == (NEW, "10")
    groups = town.client.get("/v1/parked/groups").raise_for_status().json()["groups"]
    (group,) = [each for each in groups if each["path"] == "fwid"]
    assert (group["code"], group["value"], group["messages"]) == ("1001", "tbzy0001", 1)
    assert town.sides[NEW].ask("summary")["refused"] == {}
    again, _ = _post(town, body)
    assert again.text == told.text


def _transfer_to_the_new_region(town):
    tree = json.loads((ROOT / "adapters/sichuan/examples/tbzy0001.native.json").read_text())
    tree["param"] |= {"yac250": "590102", "yac256": "云岭省青溪市松林区"}
    tree["param"]["clist"] = [one for one in tree["param"]["clist"] if one["clbm"] == "CL001"]
    return _post(town, json.dumps(tree, ensure_ascii=False).encode())


def _post(town, body):
    own = sichuan.keys(json.loads((town.home / "sichuan.json").read_text()))
    said = sichuan.adopt(body)
    headers, sent = sichuan.request(said, own, datetime.fromtimestamp(time.time(), UTC), secrets.token_hex(8))
    answer = httpx.post(f"{town.stack.url}{sichuan.stand_in.outbox}", content=sent, headers=dict(headers))
    return sichuan.read(answer.status_code, answer.content), body


async def test_every_page_of_the_dashboard_opens_with_three_regions(town, crossed):
    _transfer_to_the_new_region(town)
    pages = [*PAGES, *(f"cases/{crossed[place]['case_no']}" for place in (0, -1))]
    async with Runtime.open(configure(town.config, os.environ | town.environ), role="web") as rt:
        app = create()
        app.state.runtime = rt
        join(app)
        await accounts.add(
            rt,
            "all",
            "all",
            ("operator", "approver", "auditor"),
            "three-regions-at-once",
            second_factor=False,
            actor="t",
        )
        entered = await entry.sign_in(rt, "all", "three-regions-at-once", "")
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
            client.cookies.set("tongban_ops", entered.token)
            answers = {page: await client.get(f"/ops/{page}", follow_redirects=True) for page in pages}
            stuck = answers["stuck"].text
    assert {page: answer.status_code for page, answer in answers.items() if answer.status_code != 200} == {}
    assert "云岭省" in answers["routes"].text
    assert "云岭省" in answers["cases"].text
    assert "tbzy0001" in stuck
