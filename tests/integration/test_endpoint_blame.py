"""`tongban check endpoint` blames one mistake once, and nothing that is kept beside it."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import re

import pytest
from endpoint import common
from endpoint.chongqing import case_book, sending
from endpoint.chongqing import server as chongqing
from endpoint.sichuan import server as sichuan
from probing import broken, check, free_port, keys_of, served, simulated, written_by_others
from starlette.applications import Starlette
from starlette.routing import Route

from gateway.canonical.kinds import Kind
from gateway.conformance.endpoint import bench, line
from gateway.conformance.endpoint.plays import Play
from gateway.conformance.mischief import script_of
from gateway.conformance.simulator import new_keys


async def test_a_case_the_server_did_not_take_is_not_rated():
    port = free_port()
    async with simulated("sichuan", gateway_port=port) as (url, keys, stage):
        step = {"do": "error", "kind": "certification.notice", "times": 99}
        stage.mischief.script = script_of([step], stage.kinds)
        results, bench = await check(
            "sichuan", url, keys_of("sichuan", keys), only=("E-F37",), door_port=port, patience_s=0.3
        )
    assert "E-B02" in broken(results)
    assert "E-F37" not in broken(results)
    assert any(case.facts.kind is Kind.CERTIFICATION_NOTICE for case in bench.door.cases.values())


@pytest.mark.parametrize(("fault", "law"), [("remembers-refused", "E-F12"), ("digit-unchecked", "E-F09")])
async def test_one_mistake_is_not_blamed_on_what_the_server_keeps(fault, law):
    """What became of one spoilt message says nothing about the next: each has its own key, case and proof."""
    with written_by_others("sichuan", fault) as (url, section):
        results, _ = await check("sichuan", url, section)
    assert set(broken(results)) == {law}
    assert len(broken(results)[law]) == 1


async def test_a_report_under_wrong_numbers_is_not_one_that_got_lost():
    port = free_port()
    with written_by_others("sichuan", "send-foreign-cytbh", f"http://127.0.0.1:{port}") as (url, section):
        only, plays = ("E-B23", "E-F33"), (Play.TAKE, Play.AWAY, Play.BUSY)
        results, _ = await check("sichuan", url, section, only=only, door_port=port, plays=plays)
    assert set(broken(results)) == {"E-B23"}
    assert "cytbh" in broken(results)["E-B23"][0]


async def test_which_half_of_a_proof_is_looked_at_first_is_the_servers_choice(monkeypatch):
    in_order = sichuan.Office.check_proof

    def digest_first(self, headers, body):
        head = "\n".join((headers.get("x-tif-timestamp", ""), headers.get("x-tif-nonce", ""), ""))
        if headers.get("x-body-sm3", "").lower() != sichuan.sm3_mac(self.token, head.encode() + body):
            raise common.RefusedError(401, "9004", "报文摘要不符")
        in_order(self, headers, body)

    monkeypatch.setattr(sichuan.Office, "check_proof", digest_first)
    with written_by_others("sichuan") as (url, section):
        results, _ = await check("sichuan", url, section, only=("E-B06", "E-B07", "E-B08", "E-H04"))
    assert broken(results) == {}
    assert results["E-B06"].tried == 10


async def test_a_wrong_address_of_the_gateway_is_named_once():
    port = free_port()
    with written_by_others("sichuan", gateway=f"http://127.0.0.1:{port}/gateway") as (url, section):
        results, _ = await check("sichuan", url, section, only=("E-B22",), door_port=port, patience_s=0.3)
    assert results["E-B22"].skipped.count("POST /gateway/v1/sichuan/messages") == 1
    assert len(broken(results)["E-B22"]) == 1


@pytest.mark.parametrize(("flow", "blamed"), [("已受理,已办结//准予", set()), ("已受理,办理中", {"E-B04"})])
async def test_what_the_server_says_it_has_concluded_it_need_not_let_withdraw(monkeypatch, flow, blamed):
    """A system without people is done before the withdrawal comes: 9022, as crossing §4.9 has it."""

    def too_late(*_):
        raise common.RefusedError(409, "9022", "已不能撤回")

    monkeypatch.setattr(chongqing, "FLOW", flow)
    monkeypatch.setitem(case_book.FOLLOW_UPS, "CH_SQ", too_late)
    port = free_port()
    with written_by_others("chongqing", gateway=f"http://127.0.0.1:{port}") as (url, section):
        results, _ = await check("chongqing", url, section, only=("E-B04",), door_port=port, plays=())
    assert set(broken(results)) == blamed


def padded(packet):
    return re.sub(r">([^<>]+)</", r">\n    \1\n  </", packet).encode("gb18030")


def without_chinese(packet):
    return packet.encode("latin-1", "replace")


def to_itself(packet):
    return packet.replace("<JSF>CYTB<", "<JSF>CQ500103<").encode("gb18030")


def with_an_empty_element(packet):
    return re.sub("<CYTBH>.*?</CYTBH>|(?=<CW>|</FH>)", "<CYTBH/>", packet, count=1).encode("gb18030")


@pytest.mark.parametrize(
    ("spelt", "laws", "told"),
    [
        (padded, {"E-B05", "E-F18"}, "前后有空白"),
        (to_itself, {"E-B05", "E-F18"}, "JSF 应为网关"),
        (with_an_empty_element, {"E-B05", "E-F18"}, "CYTBH 是空元素"),
        (without_chinese, {"E-F18"}, "问号"),
    ],
)
async def test_the_spelling_of_receipts_is_blamed_on_nothing_else(monkeypatch, spelt, laws, told):
    declared = chongqing.DECLARATION.encode()
    monkeypatch.setattr(chongqing.Office, "receipt_bytes", lambda _, packet: declared + spelt(packet))
    with written_by_others("chongqing") as (url, section):
        only = ("E-B05", "E-B08", "E-F01", "E-F08", "E-F18", "E-H05")
        results, _ = await check("chongqing", url, section, only=only)
    assert set(broken(results)) == laws
    assert {told in sentence for law in laws for sentence in broken(results)[law]} == {True}


async def test_a_new_receipt_for_every_repetition_says_nothing_of_crowds():
    with written_by_others("chongqing", "new-receipt-on-repeat") as (url, section):
        results, _ = await check("chongqing", url, section, only=("E-B09", "E-H06"))
    assert set(broken(results)) == {"E-B09"}
    assert "E-B09" in results["E-H06"].skipped


async def test_a_packed_answer_is_an_answer_and_what_to_switch_off_is_told(monkeypatch):
    plain = common.Handler.reply

    def packed(self, status, body, headers):
        plain(self, status, gzip.compress(body), {**headers, "Content-Encoding": "gzip"})

    monkeypatch.setattr(common.Handler, "reply", packed)
    with written_by_others("chongqing") as (url, section):
        results, _ = await check("chongqing", url, section, only=("E-B13",))
    assert set(broken(results)) == {"E-B02", "E-B13"}
    told = {sentence for sentences in broken(results).values() for sentence in sentences}
    assert all("Content-Encoding" in sentence and "unreadable" not in sentence for sentence in told)


async def test_a_page_in_place_of_a_refusal_is_the_receipts_fault_alone(monkeypatch):
    page = b"<!doctype html><html><body><h1>HTTP Status 409</h1></body></html>"
    monkeypatch.setattr(chongqing.Office, "refuse", lambda _, refusal, __: (refusal.status, page))
    with written_by_others("chongqing") as (url, section):
        results, _ = await check("chongqing", url, section, only=("E-B04", "E-B06", "E-F18"))
    assert set(broken(results)) == {"E-F18"}


async def test_a_server_that_keeps_silent_is_not_waited_for_all_day(monkeypatch):
    """Three answers are waited for as long as the gateway waits; the report says that the others were not."""
    monkeypatch.setattr(line, "_HALF_S", 0.05)
    monkeypatch.setattr(bench, "_SHORT_S", 0.05)
    silent = asyncio.Event()

    async def never(_):
        await silent.wait()

    async with served(Starlette(routes=[Route("/{rest:path}", never, methods=["POST"])]), free_port()) as url:
        section, _ = new_keys("chongqing")
        results, tried = await check("chongqing", url, section, only=("E-B12", "E-B13"), timeout_s=0.3)
        silent.set()
    assert [answer.given_up for answer in tried.ledger] == [False] * 3 + [True] * 2
    assert len(broken(results)["E-B12"]) == 3
    assert "前面已有 3 条" in broken(results)["E-B02"][-1]
    assert "E-B13" not in broken(results)


async def test_a_proof_over_trimmed_bytes_is_told_from_a_reader_that_is_too_narrow(monkeypatch):
    in_order = chongqing.Office.check_proof
    monkeypatch.setattr(
        chongqing.Office,
        "check_proof",
        lambda self, headers, body: in_order(self, headers, body.strip()),
    )
    with written_by_others("chongqing") as (url, section):
        results, _ = await check("chongqing", url, section, only=("E-B03", "E-F21", "E-H02"))
    assert set(broken(results)) == {"E-F21", "E-H02"}
    mends = {each.remedy for result in results.values() for each in result.breaches}
    assert all("首尾的空白" in mend for mend in mends)


async def test_a_key_that_is_forgotten_after_some_time_is_noticed(monkeypatch):
    """A cache in place of a table: the next twenty messages push it out."""
    in_order = chongqing.Office.answer

    def small(self, path, headers, body):
        for key in list(self.receipts)[:-20]:
            del self.receipts[key]
        return in_order(self, path, headers, body)

    monkeypatch.setattr(chongqing.Office, "answer", small)
    with written_by_others("chongqing") as (url, section):
        results, _ = await check("chongqing", url, section, only=("E-B09", "E-F15", "E-H08"))
    assert set(broken(results)) == {"E-H08"}


async def test_an_answer_without_its_end_is_no_silence(monkeypatch):
    """Content-Length counts bytes; a server that counts otherwise lets its caller wait."""
    plain = common.Handler.send_header

    def longer(self, name, value):
        plain(self, name, str(int(value) + 7) if name == "Content-Length" else value)

    monkeypatch.setattr(common.Handler, "send_header", longer)
    monkeypatch.setattr(bench, "_HANGS", 1)
    monkeypatch.setattr(bench, "_SHORT_S", 0.05)
    with written_by_others("chongqing") as (url, section):
        results, _ = await check("chongqing", url, section, only=("E-B12",), timeout_s=0.2)
    assert set(broken(results)) == {"E-B02", "E-B12"}
    assert "Content-Length" in broken(results)["E-B12"][0]


async def test_a_decoder_without_rare_letters_is_blamed_where_they_are_tried():
    """Other laws speak of people whose names every decoder reads; only the published example has 䶮."""
    with written_by_others("chongqing", "gbk-decoder") as (url, section):
        results, _ = await check("chongqing", url, section)
    assert set(broken(results)) == {"E-B03", "E-F14"}


async def test_what_nobody_could_read_is_not_missed_as_well(monkeypatch):
    """Every third signature is wrong: repetitions and stages among those reports were not left out."""
    in_order, is_right = sending.Sender.sign, itertools.cycle((True, True, False))
    monkeypatch.setattr(
        sending.Sender, "sign", lambda self, body: in_order(self, body if next(is_right) else b"")
    )
    port = free_port()
    with written_by_others("chongqing", gateway=f"http://127.0.0.1:{port}") as (url, section):
        only, plays = ("E-B21", "E-F32", "E-F33"), (Play.TAKE, Play.AWAY, Play.BUSY, Play.AWAY)
        results, _ = await check("chongqing", url, section, only=only, door_port=port, plays=plays)
    assert set(broken(results)) == {"E-B21"}


async def test_a_wrong_time_zone_is_not_called_a_wrong_clock():
    with written_by_others("chongqing", "window-utc") as (url, section):
        results, _ = await check("chongqing", url, section, only=("E-B02",))
    assert set(broken(results)) == {"E-B02"}
    assert all(
        "时钟是准的" in breach.remedy and "时区" in breach.remedy for breach in results["E-B02"].breaches
    )


async def test_a_repetition_under_a_new_key_is_not_called_out_of_season_as_well(monkeypatch):
    """An answer to a claim comes once: the second one is refused (9022), and is the first in other clothes."""
    monkeypatch.setattr(chongqing, "FLOW", "已办结//准予")
    port = free_port()
    with written_by_others("chongqing", "send-new-key", f"http://127.0.0.1:{port}") as (url, section):
        only, plays = ("E-F32", "E-F33"), (Play.LOST,) * 6
        results, tried = await check("chongqing", url, section, only=only, door_port=port, plays=plays)
    assert set(broken(results)) == {"E-F33"}
    assert any(one.code == "9022" and one.kind == "SYJ_HF" for one in tried.door.arrivals)


async def test_reports_that_cannot_be_read_are_not_taken_for_one_sent_again(monkeypatch):
    """Their elements are in another order: what is left of them, once read, is the same for all."""
    status = sending.Sender.status

    def turned(self, words):
        kind, said, body = status(self, words)
        return kind, said, {"BJXX": dict(sorted(body["BJXX"].items(), key=lambda each: each[0] != "BJZT"))}

    monkeypatch.setattr(sending.Sender, "status", turned)
    port = free_port()
    with written_by_others("chongqing", gateway=f"http://127.0.0.1:{port}") as (url, section):
        only = ("E-B22", "E-F34")
        results, _ = await check("chongqing", url, section, only=only, door_port=port, plays=())
    assert set(broken(results)) == {"E-B22"}
