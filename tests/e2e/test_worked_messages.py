"""Every worked message crosses the running gateway: the other side gets, proven, what the example says."""

from __future__ import annotations

import json
import os
import re
import secrets
import time
import tomllib
from datetime import datetime, timedelta

import httpx
import pytest
from peer import Peer, example

from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Turn
from gateway.cli.stack import Stack
from gateway.conformance import keys
from gateway.regions import discover
from gateway.runtime import configure

#: The gateway's clock at its start: the day of the worked applications.
NOW = datetime.fromisoformat("2026-11-23T16:00:00+08:00")
PAIRS = {
    "tbzy0001": "YLZY_SQ",
    "YLZY_XXB": "tbzy0002",
    "tbpj0001": "PJ_TS",
    "SYJ_SQ": "tbsy0001",
    "tbsy0002": "SYJ_HF",
    "tbrz0001": "ZGRZ_TZ",
    "tbty0001": "TY_SQ",
    "ZT_TZ": "tbzt0001",
    "tbbz0001": "BZ_CL",
    "CH_SQ": "tbch0001",
}

#: when the worked follow-ups say that it happened
SAID_AT = {
    kind: datetime.fromisoformat(f"{said_at}+08:00")
    for kind, said_at in {
        "YLZY_XXB": "2026-11-25T10:15:00",
        "tbsy0002": "2026-11-25T10:15:00",
        "ZT_TZ": "2026-11-24T09:30:00",
        "tbbz0001": "2026-11-25T10:15:00",
        "CH_SQ": "2026-11-24T16:00:00",
        "tbpj0001": "2026-12-01T09:05:00",
    }.items()
}


class Gateway:
    """The stack under test, with the two peers around it."""

    def __init__(self, home):
        self.peers = {slug: Peer(slug) for slug in discover()}
        config = keys.write(home, {slug: peer.url for slug, peer in self.peers.items()})
        more = f'\n[server]\nport = 0\n[clock]\nnow = "{NOW.isoformat()}"\n[delivery]\nschedule_s = [1]\n'
        config.write_text(config.read_text() + more)
        token = tomllib.loads(config.read_text())["tokens"][0]["token"]
        began = time.monotonic()
        self.stack = Stack(configure(config, os.environ), config)
        self.stack.start()
        self.api = httpx.Client(
            base_url=self.stack.url, headers={"authorization": f"Bearer {token}"}, timeout=20
        )
        for slug, peer in self.peers.items():
            peer.keys = peer.stand_in.keys(json.loads((home / f"{slug}.json").read_text()))
            peer.now = lambda: NOW + timedelta(seconds=time.monotonic() - began)
            peer.gateway = self.stack.url

    def close(self):
        self.api.close()
        self.stack.stop()
        for peer in self.peers.values():
            peer.close()

    def play(self):
        """The worked messages in an order that a case can live through."""
        sichuan, chongqing = self.peers["sichuan"], self.peers["chongqing"]

        moved = sichuan.send(sichuan.stand_in.adopt(example("tbzy0001")))
        there = chongqing.wait_for("YLZY_SQ")[2].facts
        chongqing.send(chongqing.stand_in.address(example("YLZY_XXB"), there, SAID_AT["YLZY_XXB"]))
        sichuan.wait_for("tbzy0002")
        ended = Turn(Kind.STATUS_REPORT, State.CONCLUDED)
        sichuan.send(sichuan.stand_in.follow(moved.facts, ended, sichuan.draw()))
        sichuan.send(sichuan.stand_in.address(example("tbpj0001"), moved.facts, SAID_AT["tbpj0001"]))

        chongqing.send(chongqing.stand_in.adopt(example("SYJ_SQ")))
        there = sichuan.wait_for("tbsy0001")[2].facts
        sichuan.send(sichuan.stand_in.address(example("tbsy0002"), there, SAID_AT["tbsy0002"]))

        sichuan.send(sichuan.stand_in.adopt(example("tbrz0001")))

        injured = sichuan.send(sichuan.stand_in.adopt(example("tbty0001")))
        there = chongqing.wait_for("TY_SQ")[2].facts
        chongqing.send(chongqing.stand_in.address(example("ZT_TZ"), there, SAID_AT["ZT_TZ"]))
        sichuan.wait_for("tbzt0001")
        sichuan.send(sichuan.stand_in.address(example("tbbz0001"), injured.facts, SAID_AT["tbbz0001"]))

        # the worked withdrawal belongs to a claim of the next day that is not among the examples
        another = example("SYJ_SQ").replace(b"CQ50010320261123000051", b"CQ50010320261124000007")
        another = another.replace(b"CQ20261123093012000051", b"CQ20261124093012000007")
        withdrawn = chongqing.send(chongqing.stand_in.adopt(another))
        sichuan.wait_for("tbsy0001", 1)
        chongqing.send(chongqing.stand_in.address(example("CH_SQ"), withdrawn.facts, SAID_AT["CH_SQ"]))

        for peer, kind in ((chongqing, "PJ_TS"), (chongqing, "SYJ_HF"), (chongqing, "ZGRZ_TZ")):
            peer.wait_for(kind)
        chongqing.wait_for("BZ_CL")
        sichuan.wait_for("tbch0001")

    def numbers(self):
        """The numbers of the examples → those this run has given."""
        given = {}
        for case in self.api.get("/v1/cases").raise_for_status().json()["cases"]:
            ends = {case[role]["region"]: case[role]["case_no"] for role in ("origin", "target")}
            given[ends[case["origin"]["region"]]] = (case["case_no"], ends["sichuan"], ends["chongqing"])
        worked = {
            "510104-20261123-000017": ("CYTB5101042026112300000017", "", "CYTB5101042026112300000017"),
            "CQ50010320261123000051": ("CYTB5001032026112300000051", "510104-20261123-900051", ""),
            "513401-20261123-000203": ("CYTB5134012026112300000203", "", "CYTB5134012026112300000203"),
            "511024-20261123-000031": ("CYTB5110242026112300000031", "", "CYTB5110242026112300000031"),
            "CQ50010320261124000007": ("CYTB5001032026112400000007", "510104-20261124-900007", ""),
        }
        return {
            old: new
            for origin, olds in worked.items()
            for old, new in zip(olds, given[origin], strict=True)
            if old
        }


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    gateway = Gateway(tmp_path_factory.mktemp("worked"))
    try:
        gateway.play()
        yield gateway
    finally:
        gateway.close()


def renumbered(value, numbers):
    if isinstance(value, dict):
        return {name: renumbered(member, numbers) for name, member in value.items()}
    if isinstance(value, list):
        return [renumbered(member, numbers) for member in value]
    return numbers.get(value, value)


@pytest.mark.parametrize(("sent", "kind"), PAIRS.items(), ids=str)
def test_the_other_side_gets_the_worked_message_in_its_own_format(gateway, sent, kind):
    """Proof checked at the peer; the message's key and time are new, case numbers are those of this run."""
    peer = gateway.peers["sichuan" if kind[0] == "t" else "chongqing"]
    path, body, heard = peer.received[kind][0]
    assert path == f"{peer.stand_in.inbox}/{kind}"
    assert re.fullmatch(r"TB20261123\d{10}" if kind[0] == "t" else r"TB20261123\d{12}", heard.key)
    got, expected = (peer.region.parse(one).tree for one in (body, example(kind)))
    for tree in (got, expected):
        if kind[0] == "t":
            del tree["aaz002"]
        else:
            del tree["HEAD"]["LSH"], tree["HEAD"]["FSSJ"]
    assert got == renumbered(expected, gateway.numbers())


def test_the_gateways_own_numbers_have_the_form_and_day_of_the_examples(gateway):
    for old, new in gateway.numbers().items():
        same = re.compile(r"(CYTB\d{6}|\d{6}-)(\d{8})")
        assert same.match(old)[1] == same.match(new)[1]
        assert same.match(new)[2] == "20261123"


def test_every_case_is_where_its_last_message_left_it(gateway):
    cases = gateway.api.get("/v1/cases").raise_for_status().json()["cases"]
    states = {case["origin"]["case_no"]: case["state"]["code"] for case in cases}
    assert states == {
        "510104-20261123-000017": "60",
        "CQ50010320261123000051": "30",
        "513401-20261123-000203": "40",
        "511024-20261123-000031": "10",
        "CQ50010320261124000007": "23",
    }


def test_each_was_sent_once_and_none_was_refused(gateway):
    for peer in gateway.peers.values():
        assert peer.refused == []
        once = {kind: len(messages) for kind, messages in peer.received.items()}
        once.pop("ZT_TZ", None)  # the conclusion, which is no worked message
        assert once.pop("tbsy0001", 2) == 2
        assert set(once.values()) == {1}


def test_a_worked_message_sent_again_is_answered_with_its_first_receipt(gateway):
    peer = gateway.peers["sichuan"]
    said = peer.stand_in.adopt(example("tbrz0001"))
    answers = []
    for _ in range(2):
        headers, body = peer.stand_in.request(said, peer.keys, peer.now(), secrets.token_hex(8))
        answers.append(httpx.post(f"{peer.gateway}/v1/sichuan/messages", content=body, headers=dict(headers)))
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].content == answers[1].content
    time.sleep(0.5)
    assert len(gateway.peers["chongqing"].received["ZGRZ_TZ"]) == 1
