"""`tongban simulate`: misdeeds by chance and by script, the control API, what is shown of a message."""

from __future__ import annotations

import random
import re
import signal
import socket
import stat
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from probing import REGIONS, check, free_port, simulated

from gateway.cli import simulate
from gateway.conformance.journal import Journal
from gateway.conformance.mischief import BadFaults, Does, Mischief, rates_of, read_script, script_of
from gateway.conformance.stage import kinds_of

KINDS = kinds_of(REGIONS["sichuan"])
TONGBAN = [sys.executable, "-c", "from gateway.cli.main import app; app()"]


# --- misdeeds ---


def test_rates_are_shares_of_the_messages():
    mischief = Mischief(random.Random(1), rates=rates_of("delay=0.2:1.5s, refuse=0.5"))
    done = Counter(act for _ in range(1000) for act in mischief.with_a_delivery("general.apply"))
    shares = {act.does: many / 1000 for act, many in done.items()}
    assert shares[Does.DELAY] == pytest.approx(0.2, abs=0.05)
    assert shares[Does.REFUSE] == pytest.approx(0.5, abs=0.05)
    assert {act.seconds for act in done} == {1.5, 0.0}


def test_the_same_seed_does_the_same():
    def played(seed):
        mischief = Mischief(random.Random(seed), rates=rates_of("error=0.3"))
        return [bool(mischief.with_a_delivery("x")) for _ in range(50)]

    assert played(7) == played(7) != played(8)


def test_a_script_goes_step_by_step_and_before_chance(tmp_path):
    file = tmp_path / "play.toml"
    file.write_text(
        '[[step]]\ndo = "error"\nkind = "tbzt0001"\nnth = 2\ntimes = 2\n[[step]]\ndo = "hang"\nseconds = 9\n'
    )
    mischief = Mischief(random.Random(1), script=read_script(file, KINDS))
    met = [mischief.with_a_delivery("status.report", "tbzt0001") for _ in range(5)]
    assert [[act.does.value for act in acts] for acts in met] == [["hang"], ["error"], ["error"], [], []]
    assert all(step["done"] for step in mischief.as_json()["steps"])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [("explode=1", "没有这种行为"), ("delay=2", "0 到 1"), ("delay", "名称=比例")],
)
def test_faults_that_cannot_be_understood_say_how_they_are_written(wrong, words):
    with pytest.raises(BadFaults, match=words):
        rates_of(wrong)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("x", "步骤的列表"),
        ([{"do": "error", "nth": 0}], "第 1 步"),
        ([{"do": "error", "times": True}], "第 1 步"),
        ([{"do": "no"}], "没有这种行为"),
        ([{"do": "cut"}, {"do": "cut", "who": 1}], "第 2 步"),
        (
            [{"do": "error", "kind": "general.nothing"}],
            "没有报文种类 general.nothing；可用 .*general.apply.*tbty0001",
        ),
        ([{"do": "reorder", "kind": "tbzt0001"}], "不能指定 kind"),
    ],
)
def test_a_script_that_cannot_be_understood_says_which_step(step, words):
    with pytest.raises(BadFaults, match=words):
        script_of(step, KINDS)


def test_a_script_file_says_nothing_that_is_not_heard(tmp_path):
    file = tmp_path / "play.toml"
    file.write_text('[[steps]]\ndo = "error"\n')
    with pytest.raises(BadFaults, match=r"\[\[step\]\]"):
        read_script(file, KINDS)


def test_a_reordering_waits_for_two_messages_of_one_case():
    """What is sent before there are two does not use it up."""
    mischief = Mischief(random.Random(1), script=script_of([{"do": "reorder"}, {"do": "duplicate"}], KINDS))
    assert mischief.with_its_own("general.apply", "tbty0001") == {Does.DUPLICATE}
    assert [mischief.swaps(), mischief.swaps()] == [True, False]


# --- control and journal ---


on_one_loop = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running():
    async with (
        simulated("sichuan", gateway_port=free_port()) as (url, keys, stage),
        httpx.AsyncClient(base_url=url) as client,
    ):
        yield client, keys, stage


@pytest_asyncio.fixture(loop_scope="module")
async def side(running):
    """The one that runs, started over."""
    assert (await running[0].post("/sim/reset")).json() == {"reset": True}
    return running


def section_of(keys):
    token = keys.with_name("sichuan.token").read_text()
    return {"paasid": re.search('paasid = "(.+)"', keys.read_text())[1], "token": token}


@on_one_loop
async def test_what_it_got_is_shown_with_the_person_masked(side):
    client, keys, stage = side
    await check("sichuan", str(client.base_url).rstrip("/"), section_of(keys), only=("E-F06",))
    listed = (await client.get("/sim/messages")).json()["messages"]
    listed = [entry for entry in listed if entry["way"] == "in"]
    assert {entry["outcome"] for entry in listed} == {"taken", "refused"}
    person = next(case.facts for case in stage.desk.cases.values())
    details = [(await client.get(f"/sim/messages/{entry['id']}")).json() for entry in listed]
    told = "".join(f"{one['body']}{one['answer']}{one['why']}" for one in details)
    assert person.id_no not in told
    assert f'"{person.name}"' not in told
    unreadable = next(one for one in details if "BOM" in one["why"])
    assert re.search(r'"aac003":"[^"*]\*', unreadable["body"]), "also what no parser reads is masked"
    assert all(len(one["headers"]["x-body-sm3"]) < 40 for one in details[:1])
    assert (await client.get("/sim/messages/999999")).status_code == 404


@on_one_loop
async def test_the_script_is_set_shown_and_taken_back(side):
    client, _, _ = side
    told = (await client.post("/sim/script", json={"faults": "delay=0.2:3", "step": [{"do": "cut"}]})).json()
    assert told["rates"] == [{"does": "delay", "share": 0.2, "seconds": 3.0}]
    assert told["steps"][0]["do"] == "cut"
    wrong = await client.post("/sim/script", json={"faults": "delay=9"})
    assert (wrong.status_code, "0 到 1" in wrong.json()["detail"]) == (422, True)
    for odd in (
        b"[]",
        b"{",
        b'{"steps": []}',
        b'{"seed": "x"}',
        b'{"faults": "error=1", "step": [{"do": 1}]}',
    ):
        answer = await client.post("/sim/script", content=odd)
        assert (answer.status_code, bool(answer.json()["detail"])) == (422, True), odd
    assert (await client.get("/sim/script")).json() == told, "what was not understood changes nothing"
    assert (await client.delete("/sim/script")).json() == {"rates": [], "steps": []}


@on_one_loop
async def test_it_sends_what_is_asked_for_and_starts_over(side):
    client, _, stage = side
    assert (await client.post("/sim/send?kind=transfer.apply")).status_code == 202
    assert [case.facts.kind.value for case in stage.desk.cases.values()] == ["transfer.apply"]
    assert (await client.post("/sim/send?kind=nothing")).status_code == 422
    await client.post("/sim/script", json={"faults": "error=1"})
    assert (await client.post("/sim/reset")).json() == {"reset": True}
    assert (await client.get("/sim/summary")).json()["pending"] == 0
    assert (await client.get("/sim/script")).json()["rates"] == []
    assert stage.desk.cases == {}


@on_one_loop
async def test_the_page_needs_nothing_from_elsewhere(side):
    client, _, _ = side
    page = await client.get("/")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert not re.search(r"<script>|style=|https?://", page.text)
    for name in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
        assert (await client.get(name)).status_code == 200


@on_one_loop
async def test_the_pages_name_every_control_address_and_no_other(side):
    _, _, stage = side
    routes = {
        re.sub(r"/{.*", "", route.path) for route in stage.app().routes if route.path.startswith("/sim/")
    }
    for name in ("simulate-the-other-side.md", "simulate-the-other-side.en.md"):
        page = (Path(__file__).parents[2] / "docs" / "how-to" / name).read_text()
        assert set(re.findall(r"`(/sim/[a-z]+)", page)) == routes - {"/sim/worked", "/sim/faults"}


def test_what_is_printed_of_a_chongqing_message_is_masked_too():
    journal = Journal(REGIONS["chongqing"])
    body = (
        '<?xml version="1.0" encoding="GB18030"?><PACKET><BODY><SQR><XM>王秀</XM>'
        "<ZJHM>500100198507220249</ZJHM></SQR><YWXX><BZ>王秀本人</BZ></YWXX></BODY></PACKET>"
    ).encode("gb18030")
    for torn in (body, body[:-9]):
        journal.note(
            **dict.fromkeys(("at", "way", "kind", "kind_name", "label", "key", "case_ref", "outcome"), ""),
            **dict.fromkeys(("code", "why"), ""),
            status=0,
            acts=(),
            headers={},
            body=torn,
            answer=b"",
        )
    whole, broken = (journal.detail(n)["body"] for n in (1, 2))
    assert "王秀" not in whole
    assert "<XM>王秀" not in broken
    assert "500100198507220249" not in whole + broken


# --- the command ---


def test_the_command_makes_keys_once_and_prints_no_secret(tmp_path):
    command = [*TONGBAN, "simulate", "sichuan", "--port", "0", "--home", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        said = [run.stdout.readline()]
        while "Ctrl-C" not in said[-1]:
            said.append(run.stdout.readline())
        url = said[0].split()[1]
        assert httpx.get(f"{url}/sim/about").json()["slug"] == "sichuan"
        assert httpx.post(f"{url}/sim/script", json={"faults": "hang=1:60"}).status_code == 200
        # one that is kept waiting does not keep the end waiting
        with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as held:
            head = "POST /gw/sc/tbty0001 HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n"
            held.sendall(head.encode())
            assert b" 100 " in held.recv(100), "it has begun"
            held.sendall(b"{}")
            run.send_signal(signal.SIGTERM)
            assert run.wait(timeout=30) is not None
    text, token = "".join(said), (tmp_path / "sichuan.token").read_text()
    assert "[regions.sichuan]" in text
    assert f'base_url = "{url}"' in text
    assert f'base_url = "{url}"' in (tmp_path / "sichuan.toml").read_text(), "so --url may be left out"
    assert token not in text
    kept = {file: file.read_text() for file in tmp_path.iterdir()}
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in kept)
    simulate._kept_keys(REGIONS["sichuan"], tmp_path)
    assert kept == {file: file.read_text() for file in tmp_path.iterdir()}
