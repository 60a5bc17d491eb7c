"""The in-tree client of a channel against a whole gateway: ten lines that post a case and see it to its end."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
from town import FINAL, Town, until

from gateway.canonical.kinds import Kind
from gateway.web.canonical_schemas import example_of

EXAMPLES = Path(__file__).parents[2] / "docs/examples"
CASE = EXAMPLES / "case.json"


def posted(town, file):
    """What the documented client says, and how it ends."""
    environ = os.environ | {"GATEWAY": town.stack.url, "CHANNEL_TOKEN": "of-the-bank"}
    command = [sys.executable, EXAMPLES / "post_a_case.py", file]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)


def is_at_rest(town):
    """Nobody has anything to say, and nothing is on its way."""
    return asyncio.run(town.open_deliveries()) == {} and town.pending() == 0


def supply(town, case_no):
    """The material asked for, brought to the window."""
    body = example_of(Kind.MATERIAL_SUPPLEMENT)
    headers = {"authorization": "Bearer of-the-bank", "idempotency-key": "W20261123000018"}
    answer = httpx.post(
        f"{town.stack.url}/v1/cases/{case_no}/messages", json=body, headers=headers, timeout=20
    )
    assert answer.status_code == 202, answer.text


def test_the_example_file_is_the_one_of_the_document():
    assert json.loads(CASE.read_text("utf-8")) == example_of(Kind.GENERAL_APPLY)


def test_ten_lines_post_a_case_and_see_it_to_its_end(tmp_path):
    """The page's own files: the section of the configuration, the case, the client."""
    (tmp_path / "bank.token").write_text("of-the-bank")
    habits = ("--work-s", "0.05")
    with Town(tmp_path, habits=habits, rest=(EXAMPLES / "channel.toml").read_text("utf-8")) as town:
        done = posted(town, CASE)
        assert done.returncode == 0, done.stderr
        case_no, state, said = done.stdout.strip().split(" ", 2)
        # the first case is asked for more: supplied at the window, and the same client waits on
        assert state == "补正告知"
        supply(town, case_no)
        done = posted(town, CASE)
        assert done.returncode == 0, done.stderr
        # a case that is concluded may be served a moment later: what is compared is where it comes to rest
        until(lambda: is_at_rest(town), 30, "a case that moves no more")
        done = posted(town, CASE)
        assert done.returncode == 0, done.stderr
        state = done.stdout.split(" ")[1]
        assert said.startswith("由 示例银行 锦江支行 代 ")
        case = town.client.get(f"/v1/cases/{case_no}").json()
        assert case["state"]["name"] == state
        assert case["state"]["code"] in FINAL
        # the receiver has it as it has any other, by the number in the receipt; the sender's region has nothing
        received = town.sides["chongqing"].ask("cases")["cases"]
        assert case_no in {each["case_ref"] for each in received}
        assert town.sides["sichuan"].ask("cases")["cases"] == []
        # posted again: the same case
        assert posted(town, CASE).stdout == done.stdout
        assert len(list(town.cases())) == 1
        wrong = json.loads(CASE.read_text("utf-8")) | {"channel": "pigeon", "scheme": "110"}
        wrong["collected_at"]["reference"] = "W2"
        (tmp_path / "wrong.json").write_text(json.dumps(wrong))
        refused = posted(town, tmp_path / "wrong.json")
        assert refused.returncode == 1
        assert {line.split(":")[0] for line in refused.stderr.strip().splitlines()[1:]} == {
            "channel",
            "scheme",
        }
