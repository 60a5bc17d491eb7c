"""`tongban check endpoint`: a right server holds every law, and each misdeed is named by the law that says it."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from probing import SERVERS, SIDES, broken, check, free_port, keys_of, served, simulated, written_by_others
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from typer.testing import CliRunner

from gateway.canonical.probing import TOPICS
from gateway.cli.main import app as tongban
from gateway.conformance.endpoint.assemble import probes_of
from gateway.conformance.endpoint.catalogue import LAWS
from gateway.conformance.endpoint.plays import Play
from gateway.conformance.law import Verdict
from gateway.conformance.simulator import new_keys
from gateway.exchange.translate import compile_maps
from gateway.mapping.load import PACKAGED, tables_of
from gateway.regions import discover, table_files

# --- our own stand-ins ---


@pytest.mark.parametrize("slug", SIDES)
async def test_our_own_stand_in_holds_every_law(slug):
    """Proof of both: the stand-in keeps the contract, and the check faults nothing that keeps it."""
    port = free_port()
    async with simulated(slug, gateway_port=port) as (url, keys, stage):
        for kind in ("unemployment.claim", "transfer.apply"):
            stage.desk.apply(kind=next(k for k in stage._kinds.values() if k.value == kind))
        results, bench = await check(slug, url, keys_of(slug, keys), door_port=port)
    assert broken(results) == {}
    assert {id_: each.skipped for id_, each in results.items() if each.skipped} == {}
    assert bench.door.own, "its own applications have come"


MISDEEDS = {
    "delay=1:0.4s": "E-B12",
    "refuse=1": "E-B02",
    "error=1": "E-B13",
    "hang=1:0.4s": "E-B12",
    "cut=1": "E-B13",
    "garbage=1": "E-B05",
    "redirect=1": "E-B11",
    "forget=1": "E-B09",
    "duplicate=1": "E-F34",
    "reorder=1": "E-F32",
    "wrong-proof=1": "E-B21",
}


async def misdeed(slug, faults, law):
    port = free_port()
    async with simulated(slug, faults=faults, gateway_port=port, lenient=True) as (url, keys, _):
        is_slow = faults.endswith("s")
        only = ("E-B05", "E-B09", "E-B11", "E-B12", "E-B13", *([] if is_slow else [law]))
        limits = {"timeout_s": 0.15 if is_slow else 3.0, "patience_s": 0.6}
        results, _ = await check(slug, url, keys_of(slug, keys), only=only, door_port=port, **limits)
    return broken(results)


async def test_every_misdeed_of_the_simulator_is_named_by_its_law():
    # what the proof and the case numbers look like is each side's own; the rest is the same code
    wanted = [
        (slug, faults, law)
        for slug in SIDES
        for faults, law in MISDEEDS.items()
        if slug == SIDES[0] or law in {"E-B21", "E-F32", "E-B05"}
    ]
    found = await asyncio.gather(*(misdeed(*each) for each in wanted))  # mostly waiting
    missed = {
        (slug, faults): sorted(laws)
        for (slug, faults, law), laws in zip(wanted, found, strict=True)
        if law not in laws
    }
    assert missed == {}


async def test_a_region_that_is_only_a_folder_is_checked_too():
    """What it does not declare is skipped and named; all that the seam tells is tried."""
    third = Path(__file__).parents[1] / "third_region"
    async with simulated("yunling", dirs=[third]) as (url, keys, _):
        regions = discover({"yunling"})
        tables = tables_of(table_files(PACKAGED, regions), 2026, where="tests")
        world = (regions, tables, compile_maps(regions, tables))
        section = keys_of("yunling", keys, regions)
        results, _ = await check("yunling", url, section, world=world)
    assert broken(results) == {}
    assert results["E-F20"].tried
    assert "yunling/probes.py" in results["E-B06"].skipped


# --- servers written by others, from the specification only ---


@pytest.mark.parametrize("slug", SIDES)
async def test_a_server_written_from_the_specification_holds_what_it_is_asked(slug):
    with written_by_others(slug) as (url, section):
        results, _ = await check(slug, url, section)
    assert broken(results) == {}
    assert not any(results[law].skipped for law in results if "door" not in _needs(law))


def _needs(law):
    return next(demand.needs for demand in LAWS if demand.id == law)


#: fault → a law that names it
RECEIVING = {
    "no-signature-check": "E-B06",
    "no-body-digest": "E-B06",
    "signature-order": "E-B02",
    "hex-case-sensitive": "E-F17",
    "no-window": "E-F01",
    "no-replay-check": "E-F03",
    "no-dedup": "E-B09",
    "new-receipt-on-repeat": "E-B09",
    "dedup-by-case": "E-F11",
    "other-content-accepted": "E-B10",
    "remembers-refused": "E-F12",
    "any-content-type": "E-F04",
    "lenient-utf8": "E-F06",
    "small-limit": "E-H02",
    "kind-unchecked": "E-F07",
    "crash-unknown-kind": "E-F20",
    "crash-malformed": "E-F06",
    "strict-optional": "E-B02",
    "redirects": "E-B11",
    "slow-first": "E-B12",
    "refusal-as-200": "E-B06",
    "refusal-as-500": "E-B13",
    "recode-number": "E-B05",
    "receipt-gbk": "E-B05",
    "echoes-key": "E-B05",
    "no-findings": "E-F18",
    "own-key": "E-B02",
    "window-utc": "E-B02",
    "digest-whole-message": "E-B09",
    "any-encoding": "E-F06",
    "gbk-decoder": "E-F14",
    "codec-2005": "E-F14",
    "bad-bytes-replaced": "E-F06",
    "doctype-accepted": "E-F06",
    "comments-refused": "E-F21",
    "any-order": "E-F09",
    "empty-accepted": "E-F09",
    "fhm-short": "E-B05",
    "receipt-flat": "E-B05",
    "receipt-utf8-declared": "E-B05",
    "no-case-number": "E-B05",
    "own-key-accepted": "E-F22",
    "digit-unchecked": "E-F09",
    "lenient-date": "E-F09",
}
SENDING = {
    "send-signature-order": "E-B21",
    "send-digest-reserialised": "E-B21",
    "send-stale-time": "E-F31",
    "send-nonce-reused": "E-F31",
    "send-key-reused": "E-B23",
    "send-new-key": "E-F33",
    "send-no-repeat": "E-F33",
    "send-repeats-parked": "E-F34",
    "send-wrong-order": "E-F32",
    "send-own-number": "E-B23",
    "send-other-number": "E-B23",
    "send-foreign-cytbh": "E-B23",
    "send-unknown-word": "E-B22",
    "send-utc-report": "E-F31",
    "send-sign-text": "E-B21",
    "send-digest-body": "E-B21",
    "send-utc": "E-F31",
    "send-utf8": "E-B22",
    "send-empty-elements": "E-B22",
    "send-no-result": "E-B22",
}
#: Told from a polite sender by the time it takes: not beside servers that are starting.
HASTY = {"send-ignores-retry-after": "E-F33"}
#: The difficulty at the door that brings a fault out; our own stand-ins meet all of them above.
PLAYED = {
    "send-no-repeat": Play.BUSY,
    "send-ignores-retry-after": Play.AWAY,
    "send-new-key": Play.LOST,
    "send-repeats-parked": Play.PARKED,
}
EXTRA = {"E-F18": ("E-F06", "E-F08"), "E-B13": ("E-B06",), "E-B05": ("E-B03",)}


async def named(slug, fault, law, *, sends):
    port = free_port() if sends else None
    gateway = f"http://127.0.0.1:{port}" if sends else ""
    with written_by_others(slug, fault, gateway) as (url, section):
        only = (law, *EXTRA.get(law, ()))
        limits = {
            "timeout_s": 0.15 if fault == "slow-first" else 5.0,
            # a second is what the door asks for: who has not come again then does not come
            "patience_s": 1.2 if fault == "send-no-repeat" else 0.6,
            "plays": (Play.TAKE, PLAYED.get(fault, Play.TAKE)),
        }
        results, _ = await check(slug, url, section, only=only, door_port=port, **limits)
    return law in broken(results)


async def not_named(wanted, *, sends, at_once):
    """(side, fault, law) of each fault that its law does not name."""
    line = asyncio.Semaphore(at_once)

    async def tried(each):
        async with line:
            return await named(*each, sends=sends)

    faults = [(slug, *each) for slug in SIDES for each in wanted.items() if each[0] in SERVERS[slug].FAULTS]
    found = await asyncio.gather(*map(tried, faults))
    return [each for each, hit in zip(faults, found, strict=True) if not hit]


async def test_each_fault_in_receiving_is_named():
    assert await not_named(RECEIVING, sends=False, at_once=6) == []


async def test_each_fault_in_sending_is_named():
    assert await not_named(SENDING, sends=True, at_once=8) == []


async def test_a_repetition_before_its_time_is_named():
    assert await not_named(HASTY, sends=True, at_once=1) == []


# --- the command ---


async def test_nobody_there_is_said_once_and_the_rest_is_not_tried():
    section, _ = new_keys("sichuan")
    results, bench = await check("sichuan", f"http://127.0.0.1:{free_port()}", section)
    assert "没有应答（连接不上）" in broken(results)["E-B01"][0]
    assert results["E-B09"].verdict is Verdict.SKIPPED
    assert len(bench.ledger) < 20


async def test_a_server_that_sends_nothing_is_told_how_to_make_it_send():
    async with simulated("sichuan", gateway_port=free_port(), lenient=True) as (url, keys, _):
        results, _ = await check(
            "sichuan", url, keys_of("sichuan", keys), only=("E-B21",), door_port=free_port(), patience_s=0.2
        )
    assert "没有发来报文" in results["E-B21"].skipped
    assert "/v1/sichuan/messages" in results["E-B21"].skipped


def test_every_law_has_an_id_of_its_own_and_a_clause_to_cite():
    ids = [demand.id for demand in LAWS]
    assert len(set(ids)) == len(ids)
    for slug in SIDES:
        clauses = probes_of(slug).clauses
        assert set(clauses) == set(TOPICS)
        for demand in LAWS:
            law = demand.law(clauses)
            assert law.source, demand.id
            assert law.level.value[0].upper() == law.id[2]


@pytest.mark.parametrize("name", ["laws-of-a-server.md", "laws-of-a-server.en.md"])
def test_the_reference_lists_every_law_as_it_is(name):
    page = (Path(__file__).parents[2] / "docs" / "reference" / name).read_text(encoding="utf-8")
    title = "title_en" if name.endswith(".en.md") else "title"
    rows = {
        f"| `{demand.id}` | {getattr(demand, title)} | {'、'.join(filter(None, (demand.topic, demand.also)))} |"
        for demand in LAWS
    }
    assert {line for line in page.splitlines() if line.startswith("| `E-")} == rows


@asynccontextmanager
async def one_that_says_everything():
    """Takes everything with one receipt, and puts the request's secrets and person into its words."""

    async def take(request):
        body = (await request.body()).decode()
        return JSONResponse({"recode": "-1", "message": f"9043 {body}", "aaz002": "SC1", "findings": []}, 422)

    async with served(Starlette(routes=[Route("/{rest:path}", take, methods=["POST"])]), free_port()) as url:
        yield url


async def test_a_report_shows_no_number_of_a_person_and_no_secret():
    section, _ = new_keys("sichuan")
    async with one_that_says_everything() as url:
        results, bench = await check("sichuan", url, section)
    said = json.dumps([[b.sentence, b.remedy] for r in results.values() for b in r.breaches])
    assert section["token"] not in said
    assert not re.search(r"(?<![0-9])5[01]0100[0-9]{11}[0-9X]|1380000[0-9]{4}", said), "no number of a person"
    assert len(bench.ledger) > 3
    assert broken(results)["E-B02"]


def test_the_command_says_what_is_missing_and_ends_with_2(tmp_path):
    run = CliRunner().invoke
    assert run(tongban, ["check", "endpoint", "--region", "nowhere", "--url", "http://x"]).exit_code == 2
    no_keys = run(tongban, ["check", "endpoint", "--region", "sichuan", "--url", "http://x"])
    assert no_keys.exit_code == 2
    assert "--keys" in no_keys.output
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(new_keys("sichuan")[0]))
    known = ["check", "endpoint", "--region", "sichuan", "--url", "http://x", "--keys", str(keys)]
    for odd in (["--listen", "9109"], ["--listen", "127.0.0.1:65536"], ["--law", "E-X"]):
        wrong = run(tongban, [*known, *odd])
        assert (wrong.exit_code, odd[0] in wrong.output) == (2, True), odd
