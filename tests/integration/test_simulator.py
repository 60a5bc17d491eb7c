"""A simulated region takes in once, retries until it has a receipt, and keeps the order of a case."""

from __future__ import annotations

import asyncio
import importlib.resources
import json
from datetime import UTC, datetime
from itertools import count

import httpx
import pytest

from adapters.sichuan import wire
from gateway.canonical.kinds import Kind
from gateway.conformance.desk import Place
from gateway.conformance.script import Habits
from gateway.conformance.simulator import Faults, Simulator, new_keys, stand_in_of
from gateway.region import Outcome, Receipt

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
QUICK = Habits(work_s=0.001, decline_rate=0, return_rate=0, suspend_rate=1)


class Gateway:
    """A gateway that answers as it is told and remembers what it got."""

    def __init__(self, answers=()):
        self.answers, self.got, self._serials = list(answers), [], count(1)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.got.append(wire.parse(request.read()))
        answer = self.answers.pop(0) if self.answers else 202
        if answer == "cut":
            raise httpx.ReadError("cut")
        if answer in {429, 503}:
            return httpx.Response(answer, headers={"retry-after": "0"})
        if answer == "nonsense":
            return httpx.Response(200, content=b"<html/>")
        outcome = Outcome.ACCEPTED if answer == 202 else Outcome.REFUSED
        receipt = Receipt(outcome, answer, "9002" if answer == 401 else "9022", "不行", case_no="CYTB1")
        return httpx.Response(
            answer, content=wire.receipt(receipt, wire.message_key(next(self._serials), NOW), NOW)
        )


class Rig:
    """A running simulator of the Sichuan side, a gateway for it, and a client for its doors."""

    def __init__(self, gateway: Gateway, monkeypatch, **options) -> None:
        section, own = new_keys("sichuan")
        self.credentials = wire.Credentials(base_url="http://side", **section)
        stand_in = stand_in_of("sichuan")
        serials = count(10_000_000)
        place = Place(stand_in, stand_in.keys(own), "http://gateway", lambda: NOW, lambda: str(next(serials)))
        monkeypatch.setattr(
            "gateway.conformance.simulator.AiohttpTransport", lambda: httpx.MockTransport(gateway)
        )
        self.simulator = Simulator(
            place,
            habits=QUICK,
            faults=options.get("faults", Faults()),
            seed=7,
            rate=options.get("rate", 0),
            limit=5,
        )
        self.app = self.simulator.app()
        self._life = self.simulator._lifespan(self.app)

    async def __aenter__(self):
        await self._life.__aenter__()
        self.doors = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://side")
        return self

    async def __aexit__(self, *_):
        await self.doors.aclose()
        await self._life.__aexit__(None, None, None)

    async def deliver(self, kind: str, *, key: str | None = None, nonce="0123456789") -> httpx.Response:
        example = importlib.resources.files("adapters.sichuan") / "examples" / f"{kind}.native.json"
        tree = wire.parse(example.read_bytes()).tree
        if key:
            tree["aaz002"] = key
        sealed = wire.seal(wire.render(tree, kind), kind, self.credentials, NOW, nonce)
        return await self.doors.post(sealed.path, content=sealed.body, headers=dict(sealed.headers))

    async def quiet(self) -> dict:
        for _ in range(400):
            summary = (await self.doors.get("/sim/summary")).json()
            if summary["pending"] == 0:
                return summary
            await asyncio.sleep(0.02)
        raise AssertionError("still at work")


@pytest.fixture
def rig(monkeypatch):
    return lambda gateway=None, **options: Rig(gateway or Gateway(), monkeypatch, **options)


async def test_a_delivery_is_taken_in_once_however_often_it_comes(rig):
    async with rig() as side:
        answers = [await side.deliver("tbsy0001", nonce=f"nonce-{n}-{n}") for n in range(3)]
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.content for answer in answers}) == 1
        effects = (await side.doors.get("/sim/effects")).json()["effects"]
        assert [(effect["kind"], effect["count"]) for effect in effects] == [("tbsy0001", 3)]


async def test_a_claim_is_accepted_worked_on_and_answered_in_order(rig):
    gateway = Gateway()
    async with rig(gateway) as side:
        await side.deliver("tbsy0001")
        await side.quiet()
        assert [opened.native_kind for opened in gateway.got] == ["tbzt0001"] * 4 + ["tbsy0002"]
        words = [opened.tree["param"].get("blzt") for opened in gateway.got]
        assert words == ["03", "06", "08", "06", None]
        assert {opened.case_ref for opened in gateway.got} == {"510104-20261123-900051"}
        cases = (await side.doors.get("/sim/cases")).json()["cases"]
        assert [(case["role"], case["state"]) for case in cases] == [("target", "30")]


@pytest.mark.parametrize("trouble", ["cut", 503, 429, "nonsense", 401])
async def test_a_message_is_sent_under_its_key_until_there_is_a_receipt(rig, trouble):
    gateway = Gateway([trouble, trouble, 202])
    async with rig(gateway) as side:
        await side.doors.post("/sim/send")
        await side.quiet()
        sent = (await side.doors.get("/sim/sent")).json()["sent"]
        assert [(one["outcome"], one["attempts"], one["case_no"]) for one in sent] == [
            ("accepted", 3, "CYTB1")
        ]
        assert len({(opened.key, opened.digest) for opened in gateway.got}) == 1


async def test_after_a_refusal_the_case_is_left_alone(rig):
    gateway = Gateway([202, 409])
    async with rig(gateway) as side:
        await side.deliver("tbsy0001")
        summary = await side.quiet()
        assert summary["sent"] == {"accepted": 1, "refused": 1}
        assert len(gateway.got) == 2


async def test_a_follow_up_of_an_unknown_case_is_refused(rig):
    async with rig() as side:
        answer = await side.deliver("tbzt0001")
        assert (answer.status_code, wire.read_reply(422, answer.content).code) == (422, "9044")


@pytest.mark.parametrize(
    ("faults", "status", "effects"),
    [
        ({"down": True}, 503, 0),
        ({"e5xx_rate": 1}, 503, 0),
        ({"refuse_rate": 1}, 422, 0),
        ({"drop_after_processing_rate": 1}, 504, 1),
        ({"slow_rate": 1, "slow_s": 0.01}, 202, 1),
    ],
)
async def test_faults_are_switched_on_and_off_from_outside(rig, faults, status, effects):
    async with rig() as side:
        await side.doors.post("/sim/faults", content=json.dumps(faults))
        assert (await side.deliver("tbsy0001")).status_code == status
        assert len((await side.doors.get("/sim/effects")).json()["effects"]) == effects
        off = {
            "down": False,
            "e5xx_rate": 0,
            "refuse_rate": 0,
            "drop_after_processing_rate": 0,
            "slow_rate": 0,
        }
        await side.doors.post("/sim/faults", content=json.dumps(off))
        assert (await side.deliver("tbsy0001", nonce="9876543210")).status_code == 202


async def test_applications_stream_in_until_drained_or_used_up(rig):
    gateway = Gateway()
    async with rig(gateway, rate=500) as side:
        for _ in range(200):
            if len(gateway.got) == 5:
                break
            await asyncio.sleep(0.02)
        assert (await side.doors.post("/sim/drain")).json()["pending"] >= 0
        summary = await side.quiet()
        assert summary["cases"]["origin"]["total"] == 5
        assert (
            len({opened.key for opened in gateway.got})
            == len({opened.case_ref for opened in gateway.got})
            == 5
        )


async def test_the_same_seed_says_the_same(rig):
    said = []
    for _ in range(2):
        gateway = Gateway()
        async with rig(gateway) as side:
            await side.doors.post("/sim/send?n=6")
            await side.quiet()
        said.append(sorted(opened.digest for opened in gateway.got))
    assert said[0] == said[1]


def test_every_offered_kind_is_one_that_opens_a_case():
    assert all(kind.opens_case for kind in stand_in_of("sichuan").offers)
    assert Kind.TRANSFER_APPLY in stand_in_of("sichuan").offers
