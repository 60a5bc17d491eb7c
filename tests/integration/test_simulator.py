"""A simulated region takes in once, retries until it has a receipt, and keeps the order of a case."""

from __future__ import annotations

import asyncio
import importlib.resources
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import count

import httpx
import pytest

from adapters.sichuan import wire
from gateway.conformance.books import Place
from gateway.conformance.errands import Errands
from gateway.conformance.script import PLAIN
from gateway.conformance.simulator import Faults, Simulator, new_keys, stand_in_of, worked_messages
from gateway.mapping.load import PACKAGED, load_tables
from gateway.region import Outcome, Receipt

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
QUICK = replace(PLAIN, work_s=0.001, suspend_rate=1, serve_rate=0)
TABLES = load_tables(PACKAGED, 2026)
ITEMS = [version.item for version in TABLES.items.all(date(2026, 11, 23))]
PREFIXES = {"sichuan": "51", "chongqing": "50"}


class Gateway:
    """A gateway that answers as it is told and remembers what it got."""

    def __init__(self, answers=()):
        self.answers, self.got, self._serials = list(answers), [], count(1)
        self.asked = asyncio.Event()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.got.append(wire.parse(request.read()))
        self.asked.set()
        answer = self.answers.pop(0) if self.answers else 202
        if answer == "cut":
            raise httpx.ReadError("cut")
        if answer in {429, 503}:
            return httpx.Response(answer, headers={"retry-after": "0"})
        if answer == "nonsense":
            return httpx.Response(200, content=b"<html/>")
        if answer == "ignored":
            answer, receipt = 202, Receipt(Outcome.IGNORED, 202, "1102", "已登记", case_no="CYTB1")
        else:
            outcome = Outcome.ACCEPTED if answer == 202 else Outcome.REFUSED
            code = "9002" if answer == 401 else "9022"
            receipt = Receipt(outcome, answer, code, "不行", case_no="CYTB1")
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
        worked, people = worked_messages(stand_in) if options.get("worked") else ({}, frozenset())
        place = Place(
            stand_in=stand_in,
            keys=stand_in.keys(own),
            errands=Errands(TABLES, PREFIXES, "sichuan"),
            gateway_url="http://gateway",
            clock=lambda: NOW,
            nonce=lambda: str(next(serials)),
            worked=worked,
            worked_people=people,
        )
        monkeypatch.setattr(
            "gateway.conformance.simulator.AiohttpTransport", lambda: httpx.MockTransport(gateway)
        )
        self.simulator = Simulator(
            place,
            habits=options.get("habits", QUICK),
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

    async def deliver(
        self, kind: str, *, key: str | None = None, nonce="0123456789", **edits
    ) -> httpx.Response:
        example = importlib.resources.files("adapters.sichuan") / "examples" / f"{kind}.native.json"
        tree = wire.parse(example.read_bytes()).tree
        tree["aaz002"] = key or tree["aaz002"]
        tree |= {name: value for name, value in edits.items() if name in tree}
        tree["param"] |= {name: value for name, value in edits.items() if name not in tree}
        sealed = wire.seal(wire.render(tree, kind), kind, self.credentials, NOW, nonce)
        return await self.doors.post(sealed.path, content=sealed.body, headers=dict(sealed.headers))

    async def case(self) -> dict:
        """The one case there is."""
        (case,) = (await self.doors.get("/sim/cases")).json()["cases"]
        return case

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
        assert [words[n] for n in (0, 1, 3, 4)] == ["03", "06", "06", None]
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


# --- the other kinds ---


def said_by(gateway):
    """What the side sent, in order: its kind, and the state it reports."""
    return [(opened.native_kind, opened.tree["param"].get("blzt")) for opened in gateway.got]


async def test_a_target_that_asks_for_materials_waits_for_them(rig):
    gateway, asking = Gateway(), replace(PLAIN, work_s=0.001, correct_rate=1, serve_rate=0)
    async with rig(gateway, habits=asking) as side:
        await side.deliver("tbsy0001", sldbz="1")
        await side.quiet()
        asked = said_by(gateway)
        assert asked[-1] in {("tbzt0001", "02"), ("tbzt0001", "07")}
        ref = {"affairCode": "510104-20261123-900051"}
        supplement = {"key": "TB202611230000000777", "nonce": "supplement", **ref}
        await side.deliver("tbzt0001", blzt="01", nonce="a-stray-report", **ref)
        await side.quiet()
        assert said_by(gateway) == asked
        example = await side.deliver("tbbz0001", cytbh="CYTB5001032026112300000051", **supplement)
        assert example.status_code == 202
        await side.quiet()
        assert said_by(gateway)[len(asked) :][-2:] == [("tbsy0002", None), ("tbzt0001", "09")]
        assert (await side.case())["state"] == "40"


async def test_a_withdrawn_case_is_left_alone(rig):
    gateway, asking = Gateway(), replace(PLAIN, work_s=0.001, correct_rate=1)
    async with rig(gateway, habits=asking) as side:
        await side.deliver("tbsy0001")
        await side.quiet()
        asked = said_by(gateway)
        await side.deliver("tbch0001", affairCode="510104-20261123-900051", nonce="withdrawal")
        await side.quiet()
        assert said_by(gateway) == asked
        case = await side.case()
        assert (case["state"], case["final"]) == ("23", True)


@pytest.mark.parametrize(("rate", "kind", "state"), [(0, "tbbz0001", "10"), (1, "tbch0001", "23")])
async def test_an_origin_supplies_what_is_asked_for_or_withdraws(rig, rate, kind, state):
    gateway = Gateway()
    async with rig(gateway, habits=replace(PLAIN, work_s=0.001, withdraw_rate=rate)) as side:
        await side.doors.post("/sim/send")
        await side.quiet()
        case = await side.case()
        await side.deliver("tbzt0001", affairCode=case["case_ref"])
        await side.quiet()
        assert gateway.got[-1].native_kind == kind
        assert gateway.got[-1].case_ref == case["case_ref"]
        assert (await side.case())["state"] == state


async def test_an_origin_rates_when_the_result_was_served(rig):
    gateway = Gateway()
    async with rig(gateway, habits=replace(PLAIN, work_s=0.001)) as side:
        await side.doors.post("/sim/send")
        await side.quiet()
        ref = (await side.case())["case_ref"]
        for number, word in enumerate(("09", "11")):
            key = f"TB20261123000000090{number}"
            await side.deliver("tbzt0001", affairCode=ref, key=key, nonce=f"report-{word}", blzt=word)
        await side.quiet()
        assert [opened.native_kind for opened in gateway.got][1:] == ["tbpj0001"]
        assert (await side.case())["state"] == "60"


async def test_an_ignored_report_changes_nothing_here_either(rig):
    gateway, strays = Gateway([202, "ignored"]), replace(PLAIN, work_s=0.001, stray_rate=1, serve_rate=0)
    async with rig(gateway, habits=strays) as side:
        await side.deliver("tbsy0001", sldbz="1")
        summary = await side.quiet()
        assert summary["sent"]["ignored"] == 1
        words = [word for _, word in said_by(gateway) if word]
        assert len(words) == 1 + len(set(words))
        assert (await side.case())["state"] == "40"


async def test_what_is_heard_while_a_receipt_is_on_its_way_is_later_than_what_was_said(rig):
    gateway = Gateway(["cut"])
    asking = replace(PLAIN, work_s=0.001, correct_rate=1)
    async with rig(gateway, habits=asking) as side:
        await side.deliver("tbsy0001")
        await gateway.asked.wait()
        await side.deliver("tbch0001", affairCode="510104-20261123-900051", nonce="withdrawal")
        await side.quiet()
        assert (await side.case())["state"] == "23"


async def test_the_first_of_an_item_is_spared_when_told_so(rig):
    async with rig() as side:
        await side.doors.post("/sim/faults", content=json.dumps({"refuse_rate": 1, "spare_first": True}))
        assert (await side.deliver("tbsy0001")).status_code == 202
        again = {
            "key": "TB202611230000000778",
            "affairCode": "510104-20261123-900052",
            "nonce": "another-one",
        }
        assert (await side.deliver("tbsy0001", **again)).status_code == 422


async def test_a_rehearsal_sends_what_is_published_and_something_of_each_kind_it_leaves_out(rig):
    gateway = Gateway()
    async with rig(gateway, worked=True) as side:
        await side.doors.post("/sim/worked")
        await side.quiet()
        kinds = Counter(opened.native_kind for opened in gateway.got)
        assert kinds == {"tbzy0001": 1, "tbsy0001": 1, "tbrz0001": 1, "tbty0001": 3}
        folder = importlib.resources.files("adapters.sichuan") / "examples"
        published = {wire.parse((folder / f"{kind}.native.json").read_bytes()).digest for kind in kinds}
        assert len(published & {opened.digest for opened in gateway.got}) == 3
        summary = (await side.doors.get("/sim/summary")).json()
        assert summary["worked_left"] == ["case.rating", "material.supplement", "unemployment.answer"]
        # the worked general application is asked for materials and supplied as published
        await side.deliver("tbzt0001")
        await side.quiet()
        assert gateway.got[-1].key == "SC202611250000031"
        # the worked claim, as the gateway delivers it, is answered as published
        await side.deliver("tbsy0001", nonce="the-worked-claim")
        summary = await side.quiet()
        assert summary["worked_left"] == ["case.rating"]


async def test_a_round_of_applications_has_every_item(rig):
    gateway = Gateway()
    async with rig(gateway) as side:
        await side.doors.post(f"/sim/send?n={len(ITEMS)}")
        await side.quiet()
        codes = Counter(opened.tree["itemCode"].partition("-")[0] for opened in gateway.got)
        assert codes == {TABLES.items.code_of(item, "sichuan"): 1 for item in ITEMS}
