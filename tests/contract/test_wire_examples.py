"""Every worked message proves itself, is opened, and survives being read and written."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.chongqing import wire as chongqing
from adapters.sichuan import wire as sichuan
from gateway.formats import xml_bytes
from gateway.region import Inbound

ROOT = Path(__file__).parents[2]
KEYS = ROOT / "tests" / "keys"
SICHUAN = sorted((ROOT / "adapters" / "sichuan" / "examples").glob("*.native.json"))
CHONGQING = sorted((ROOT / "adapters" / "chongqing" / "examples").glob("*.native.xml"))


def key(name: str) -> str:
    return (KEYS / f"TEST_ONLY_{name}.pem").read_text()


def request_of(example: Path) -> tuple[str, Inbound]:
    head = json.loads(example.with_name(example.name.split(".")[0] + ".http.json").read_text("utf-8"))
    headers = {name.lower(): value for name, value in head["headers"].items()}
    return head["path"], Inbound(headers, example.read_bytes())


def credentials_of_chongqing(signer: str, client: str) -> chongqing.Credentials:
    return chongqing.Credentials(
        base_url="https://chongqing.example",
        client_id="CYTB-TEST",
        private_key=key("gateway_private"),
        peer_client_id=client,
        peer_public_key=key(f"{signer}_public"),
    )


ANY_TIME = datetime(2026, 11, 23, tzinfo=UTC)
TOKEN = (KEYS / "TEST_ONLY_token.txt").read_text()
OF_SICHUAN = sichuan.Credentials(base_url="https://sichuan.example", paasid="sc-lemis-test", token=TOKEN)
FROM_CHONGQING = credentials_of_chongqing("chongqing", "CQ-LEMIS-TEST")
FROM_GATEWAY = credentials_of_chongqing("gateway", "CYTB-TEST")


def test_all_ten_kinds_are_there_on_both_sides():
    assert len(SICHUAN) == len(CHONGQING) == 10


@pytest.mark.parametrize("example", SICHUAN, ids=lambda path: path.name)
def test_a_sichuan_example_proves_itself_and_is_opened(example):
    path, inbound = request_of(example)
    sent_at = datetime.fromtimestamp(int(inbound.headers["x-tif-timestamp"]), UTC)
    sichuan.verify(inbound, OF_SICHUAN, sent_at)
    opened = sichuan.open_message(inbound)
    assert opened.native_kind == example.name.split(".")[0]
    assert opened.sent_at == sent_at
    assert opened.key
    assert opened.case_ref
    assert opened.faults == ()
    assert path in {"/v1/sichuan/messages", f"/gw/sc/{opened.native_kind}"}
    # the same proof from the same parts, whichever direction
    nonce = inbound.headers["x-tif-nonce"]
    again = sichuan.seal(inbound.body, opened.native_kind, OF_SICHUAN, sent_at, nonce)
    assert again.headers.items() <= inbound.headers.items()


@pytest.mark.parametrize("example", CHONGQING, ids=lambda path: path.name)
def test_a_chongqing_example_proves_itself_and_is_opened(example):
    path, inbound = request_of(example)
    from_gateway = path.startswith("/gw/")
    chongqing.verify(inbound, FROM_GATEWAY if from_gateway else FROM_CHONGQING, ANY_TIME)
    opened = chongqing.open_message(inbound)
    assert opened.native_kind == example.name.split(".")[0]
    assert opened.key.startswith("TB" if from_gateway else "CQ")
    assert opened.case_ref
    assert opened.sent_at
    assert opened.faults == ()
    assert path in {"/v1/chongqing/messages", f"/gw/cq/{opened.native_kind}"}


@pytest.mark.parametrize("example", CHONGQING, ids=lambda path: path.name)
def test_a_chongqing_example_survives_being_read_written_and_sealed(example):
    opened = chongqing.parse(example.read_bytes())
    rendered = chongqing.render(opened.tree, opened.native_kind)
    assert xml_bytes.read(rendered) == (opened.tree, ())
    # indentation apart, sealing at the same moment gives the same message
    sealed = chongqing.seal(rendered, opened.native_kind, FROM_GATEWAY, opened.sent_at, "")
    assert sealed.body == rendered
    assert FROM_GATEWAY.peer_public_key.verify(base64.b64decode(sealed.headers["X-CQ-SIGN"]), sealed.body)


def test_the_name_beyond_gbk_is_carried_in_its_bytes():
    example = next(path for path in CHONGQING if path.name.startswith("YLZY_SQ"))
    assert bytes.fromhex("FE9F") in example.read_bytes()
    tree = chongqing.parse(example.read_bytes()).tree
    assert tree["BODY"]["SQR"]["XM"] == "张䶮"
    assert bytes.fromhex("FE9F") in chongqing.render(tree, "YLZY_SQ")
