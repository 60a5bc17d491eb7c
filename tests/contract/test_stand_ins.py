"""A stand-in and the wire of its region were written apart: what the laws (R-F01 to R-F13) do not say of them."""

from __future__ import annotations

import importlib
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from adapters.chongqing import wire as chongqing
from adapters.sichuan import wire as sichuan
from gateway.canonical.kinds import Kind
from gateway.canonical.rehearsal import Draw, Unheard
from gateway.conformance.errands import Errands
from gateway.conformance.simulator import new_keys, stand_in_of, worked_messages
from gateway.errors import Finding, Level
from gateway.mapping.load import PACKAGED, load_tables
from gateway.region import Outcome, Receipt, Taken

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
WIRES = {"sichuan": sichuan, "chongqing": chongqing}
TABLES = load_tables(PACKAGED, 2026)
PREFIXES = {"sichuan": "51", "chongqing": "50"}


class Side:
    """A stand-in with its keys, and the gateway's wire and credentials towards it."""

    def __init__(self, slug: str) -> None:
        self.stand_in, self.wire = stand_in_of(slug), WIRES[slug]
        section, own = new_keys(slug)
        self.keys = self.stand_in.keys(own)
        self.credentials = self.wire.Credentials(base_url="http://127.0.0.1:9", **section)

    def draw(self, seed: int = 1) -> Draw:
        return Draw(Random(seed), seed, NOW)

    def apply(self, kind: Kind, seed: int = 1):
        errands = Errands(TABLES, PREFIXES, self.stand_in.slug)
        draw = self.draw(seed)
        return self.stand_in.apply(errands.any(kind, draw.chance, TODAY), draw)

    def delivery(self, kind: str) -> tuple[str, dict[str, str], bytes]:
        """A worked message as the gateway delivers it."""
        examples = importlib.resources.files(f"adapters.{self.stand_in.slug}") / "examples"
        body = next(
            entry for entry in examples.iterdir() if entry.name.startswith(f"{kind}.native.")
        ).read_bytes()
        rendered = self.wire.render(self.wire.parse(body).tree, kind)
        sealed = self.wire.seal(rendered, kind, self.credentials, NOW, "0123456789abcdef")
        assert sealed.path == f"{self.stand_in.inbox}/{kind}"
        return kind, {name.lower(): value for name, value in sealed.headers.items()}, sealed.body

    def hear(self, kind, headers, body, now=NOW):
        return self.stand_in.hear(kind, headers, body, self.keys, now)


@pytest.fixture(params=WIRES)
def side(request) -> Side:
    return Side(request.param)


DELIVERED = [
    *[("sichuan", kind) for kind in ("tbzy0002", "tbsy0001", "tbzt0001", "tbch0001")],
    *[("chongqing", kind) for kind in ("YLZY_SQ", "SYJ_HF", "ZGRZ_TZ", "TY_SQ", "BZ_CL", "PJ_TS")],
]


def test_a_later_attempt_is_the_same_message(side):
    said = side.apply(Kind.TRANSFER_APPLY)
    bodies = [side.stand_in.request(said, side.keys, NOW + timedelta(minutes=m), "n" * 8)[1] for m in (0, 9)]
    first, second = (side.wire.parse(body) for body in bodies)
    assert (first.key, first.digest) == (second.key, second.digest)


@pytest.mark.parametrize(("slug", "kind"), DELIVERED)
def test_a_delivery_of_the_gateway_is_heard(slug, kind):
    side = Side(slug)
    heard = side.hear(*side.delivery(kind))
    assert heard.native_kind == kind
    assert heard.key.startswith("TB")
    assert bool(heard.facts) == heard.kind.opens_case
    assert bool(heard.state) == (heard.kind is Kind.STATUS_REPORT)


def test_a_stranger_is_not_heard(side):
    kind, headers, body = side.delivery({"sichuan": "tbzt0001", "chongqing": "SYJ_HF"}[side.stand_in.slug])
    with pytest.raises(Unheard):
        side.hear(kind, {}, body)
    with pytest.raises(Unheard):
        Side(side.stand_in.slug).hear(kind, headers, body)


def test_the_facts_of_a_transfer_say_who_keeps_the_record():
    side = Side("chongqing")
    facts = side.hear(*side.delivery("YLZY_SQ")).facts
    assert (facts.case_ref, facts.division) == ("CYTB5101042026112300000017", "500103")
    assert (facts.old_place, facts.origin_concludes, facts.origin) == (True, True, False)


@pytest.mark.parametrize(
    ("receipt", "taken"),
    [
        (Receipt(Outcome.ACCEPTED, 202, case_no="CYTB5101042026112300000017"), True),
        (Receipt(Outcome.PARKED, 202, findings=(Finding("a", "1001", "x", Level.PARK),)), True),
        (Receipt(Outcome.IGNORED, 202, "1101", "早于已有状态"), True),
        (Receipt(Outcome.REFUSED, 422, "9043", "共 1 项", (Finding("a", "9043", "x"),)), False),
    ],
)
def test_receipts_of_the_gateway_are_read(side, receipt, taken):
    told = side.stand_in.read(receipt.status, side.wire.receipt(receipt, side.wire.message_key(1, NOW), NOW))
    assert told.taken is taken
    assert told.case_no == receipt.case_no
    assert told.code == ("" if receipt.outcome is Outcome.ACCEPTED else (receipt.code or "1001"))
    assert side.stand_in.read(502, b"<html/>").taken is None


def test_receipts_of_a_stand_in_are_read(side):
    heard = side.hear(*side.delivery({"sichuan": "tbsy0001", "chongqing": "YLZY_SQ"}[side.stand_in.slug]))
    accepted = side.wire.read_reply(202, side.stand_in.answer(heard, None, side.draw()))
    assert accepted.taken is Taken.DELIVERED
    refusal = Unheard(422, "9043", "param", "核验未通过")
    refused = side.wire.read_reply(422, side.stand_in.answer(None, refusal, side.draw()))
    assert (refused.taken, refused.code) == (Taken.REFUSED, "9043")
    assert "核验未通过" in refused.text


def test_worked_messages_are_found_and_a_follow_up_is_addressed_to_its_case(side):
    own, people = worked_messages(side.stand_in)
    assert people
    answer = {"sichuan": Kind.UNEMPLOYMENT_ANSWER, "chongqing": Kind.TRANSFER_SHEET}[side.stand_in.slug]
    facts = side.apply(Kind.TRANSFER_APPLY).facts
    addressed = side.stand_in.address(own[answer], facts, NOW)
    opened = side.wire.parse(addressed.body)
    assert opened.case_ref == addressed.case_ref == facts.case_ref
    assert opened.gateway_ref == ""
    assert side.stand_in.adopt(own[answer]).body == own[answer]


def test_the_two_sides_publish_every_kind_between_them():
    assert set().union(*(worked_messages(stand_in_of(slug))[0] for slug in WIRES)) == set(Kind)


@pytest.mark.parametrize("slug", WIRES)
def test_a_worked_follow_up_is_dated_when_it_is_sent(slug):
    side = Side(slug)
    own, _ = worked_messages(side.stand_in)
    facts = side.apply(Kind.GENERAL_APPLY).facts
    later = NOW + timedelta(days=400)
    dated = [kind for kind in own if kind.value.split(".")[0] in {"status", "material", "case"}]
    assert dated
    for kind in dated:
        first, second = (side.stand_in.address(own[kind], facts, at).body for at in (NOW, later))
        assert first != second
        assert first == side.stand_in.address(own[kind], facts, NOW).body
