"""The command line as people and scripts see it: output, findings, exit codes."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from commands import invoke
from configs import REGIONS

from gateway.embedded import postgres, redis

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "adapters"


@dataclass(frozen=True)
class Run:
    returncode: int
    stdout: bytes
    stderr: bytes


def tongban(*arguments, stdin=b"", **environ):
    """One run of the command."""
    result = invoke(*arguments, input=stdin, env=environ)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Run(result.exit_code, result.stdout_bytes, result.stderr_bytes)


def findings(run):
    return [json.loads(line) for line in run.stderr.decode().splitlines()]


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "gateway.toml"
    file.write_text(REGIONS, encoding="utf-8")
    return file


@pytest.mark.parametrize("words", [["check", "endpoint"], ["simulate"], ["check", "region"]])
def test_a_help_page_is_whole_on_a_narrow_screen(words):
    shown = tongban(*words, "--help")
    assert shown.returncode == 0
    assert "…" not in shown.stdout.decode()


def test_help_lists_every_command():
    shown = tongban("--help")
    assert shown.returncode == 0
    for command in (
        "serve",
        "translate",
        "playground",
        "check",
        "simulate",
        "token",
        "staff",
        "retry",
        "cancel",
        "parked",
        "release",
        "return",
        "deliveries",
        "peers",
        "pause",
        "resume",
        "pace",
        "probe",
        "rerun",
        "new-region",
        "maintenance",
        "prove",
    ):
        assert command in shown.stdout.decode()


def test_translate_shows_the_other_sides_message_and_the_trace():
    run = tongban("translate", "--from", "sichuan", EXAMPLES / "sichuan/examples/tbzy0001.native.json")
    assert run.returncode == 0, run.stderr.decode()
    result = json.loads(run.stdout)
    assert set(result) == {"kind", "item", "case_no", "canonical", "native", "trace"}
    assert result["native"]["region"] == "chongqing"
    assert "张䶮" in base64.b64decode(result["native"]["body"]).decode("gb18030")
    assert {entry["rule"] for entry in result["trace"]} >= {"M15", "M7"}


def test_translate_native_writes_only_the_bytes_and_reads_stdin():
    source = (EXAMPLES / "sichuan/examples/tbzy0001.native.json").read_bytes()
    command = [
        sys.executable,
        "-c",
        "from gateway.cli.main import app; app()",
        "translate",
        "--from",
        "sichuan",
    ]
    run = subprocess.run(
        [*command, "--native", "-"], input=source, capture_output=True, check=False, cwd=ROOT
    )
    assert run.returncode == 0
    assert run.stdout.startswith(b'<?xml version="1.0" encoding="GB18030"?>')
    assert b"<LSH>TB" in run.stdout


def test_translate_a_follow_up_with_its_context(tmp_path):
    message = EXAMPLES / "sichuan/examples/tbch0001.native.json"
    case_no = json.loads(message.read_bytes())["cytbh"]
    context = tmp_path / "context.json"
    context.write_text(json.dumps({"case_no": case_no, "accepted_on": "2026-11-23"}))
    refused = tongban("translate", "--from", "sichuan", message)
    assert refused.returncode == 1
    assert [finding["code"] for finding in findings(refused)] == ["9044"]
    run = tongban("translate", "--from", "sichuan", "--context", context, message)
    assert run.returncode == 0, run.stderr.decode()
    assert json.loads(run.stdout)["case_no"] == case_no


def test_translate_takes_a_channels_message_with_the_channels_permissions(tmp_path):
    config = tmp_path / "gateway.toml"
    config.write_text((ROOT / "docs/examples/channel.toml").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "bank.token").write_text("bank-token")
    case = json.loads((ROOT / "docs/examples/case.json").read_bytes())
    asked = ("translate", "--from", "bank", "--config", config)
    run = tongban(*asked, stdin=json.dumps(case).encode())
    assert run.returncode == 0, run.stderr.decode()
    assert json.loads(run.stdout)["native"]["region"] == "chongqing"
    refused = tongban(*asked, stdin=json.dumps(case | {"item": "pension_transfer"}).encode())
    assert (refused.returncode, [each["path"] for each in findings(refused)]) == (1, ["item"])
    assert tongban(*asked, "--format", "text").returncode == 2
    unknown = tongban("translate", "--from", "town", "--config", config)
    assert (unknown.returncode, "sichuan、bank" in unknown.stderr.decode()) == (2, True)


def test_translate_ends_with_1_and_every_finding_when_refused_or_parked():
    tree = json.loads((EXAMPLES / "sichuan/examples/tbzy0001.native.json").read_bytes())
    bad = {**tree, "aac003": "", "itemCode": "x"}
    refused = tongban("translate", "--from", "sichuan", stdin=json.dumps(bad).encode())
    assert refused.returncode == 1
    assert refused.stdout == b""
    assert {finding["path"] for finding in findings(refused)} == {"aac003", "itemCode"}
    assert all(set(finding) == {"path", "code", "text"} for finding in findings(refused))
    tree["param"]["aac005"] = "77"
    parked = tongban("translate", "--from", "sichuan", stdin=json.dumps(tree).encode())
    assert parked.returncode == 1
    assert [(finding["path"], finding["code"]) for finding in findings(parked)] == [("param.aac005", "1001")]
    unreadable = tongban("translate", "--from", "sichuan", stdin=b"<xml/>")
    assert (unreadable.returncode, findings(unreadable)[0]["code"]) == (1, "9041")


def test_translate_cannot_run_without_a_region_or_a_file():
    for arguments in (("--from", "atlantis"), (), ("--from", "sichuan", "/no/such/file")):
        run = tongban("translate", *arguments)
        assert run.returncode == 2
        assert b"Traceback" not in run.stderr


def test_check_passes_what_is_right(config):
    files = sorted((EXAMPLES / "sichuan/examples").glob("*.native.json"))
    files += sorted((EXAMPLES / "chongqing/examples").glob("*.native.xml"))
    run = tongban("check", "--config", config, *files)
    assert run.returncode == 0, run.stderr.decode()
    assert {finding["about"] for finding in findings(run)} == {"reach"}
    assert {finding["path"] for finding in findings(run)} == {
        "regions.sichuan.base_url",
        "regions.chongqing.base_url",
    }
    assert tongban("check", "--config", config, "--strict").returncode == 1


def test_check_names_every_fault_of_the_configuration(config):
    config.write_text(REGIONS.replace("paasid", "passid") + "surprise = 1\n")
    run = tongban("check", "--config", config)
    assert run.returncode == 1
    texts = " ".join(finding["text"] for finding in findings(run))
    for key in ("regions.sichuan.passid", "regions.sichuan.paasid", "regions.chongqing.surprise"):
        assert key in texts


def test_check_names_every_fault_of_a_message(tmp_path):
    tree = json.loads((EXAMPLES / "sichuan/examples/tbzy0001.native.json").read_bytes())
    message = tmp_path / "message.json"
    message.write_text(json.dumps({**tree, "aac003": "", "odd": 1}))
    run = tongban("check", message)
    assert run.returncode == 1
    assert {(finding["about"], finding["path"]) for finding in findings(run)} == {
        ("message", "aac003"),
        ("message", "odd"),
    }
    assert {finding["file"] for finding in findings(run)} == {str(message)}
    message.write_bytes(b"\x00\x01")
    assert tongban("check", message).returncode == 1
    assert tongban("check", tmp_path / "gone.json").returncode == 2


def test_check_names_every_fault_of_the_tables(tmp_path):
    tables = tmp_path / "tables"
    for source in (ROOT / "mappings").rglob("*.csv"):
        copy = tables / source.relative_to(ROOT / "mappings")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(source.read_bytes())
    sexes = tables / "codes/sichuan/sex.csv"
    lines = sexes.read_text(encoding="utf-8").splitlines(keepends=True)
    sexes.write_text("".join([*lines, lines[1]]), encoding="utf-8")
    run = tongban("check", TONGBAN_TABLES_DIR=str(tables))
    assert run.returncode == 1
    assert any("sex.csv" in finding["text"] for finding in findings(run))
    assert {finding["about"] for finding in findings(run)} == {"tables"}


@pytest.fixture
def gateway_is_running(tmp_path, data_dir):
    """The embedded servers of a gateway that runs on this data folder."""
    servers = [postgres.start(tmp_path / "data"), redis.start(tmp_path / "data")]
    yield
    for server in servers:
        server.stop()


def test_a_token_is_made_once_shown_once_and_ended(config, gateway_is_running):
    made = tongban("token", "create", "desk", "--scope", "cases", "-s", "items", "--config", config)
    assert made.returncode == 0, made.stderr.decode()
    token = made.stdout.decode().strip()
    assert len(token) >= 40
    again = tongban("token", "create", "desk", "--scope", "cases", "--config", config)
    assert (again.returncode, again.stdout) == (1, b"")
    listed = tongban("token", "list", "--config", config).stdout.decode()
    assert listed == "desk\tcases items\t有效\n"
    assert token not in listed
    assert hashlib.sha256(token.encode()).hexdigest() not in listed
    assert tongban("token", "revoke", "desk", "--config", config).returncode == 0
    assert "已吊销" in tongban("token", "list", "--config", config).stdout.decode()
    assert tongban("token", "revoke", "desk", "--config", config).returncode == 1
    assert tongban("token", "create", "x", "--scope", "everything", "--config", config).returncode == 2


def test_operators_verbs_say_when_there_is_nothing_to_do(config, gateway_is_running):
    id_ = "0193b2b0-0000-7000-8000-123456789012"
    for verb in (
        ("retry", id_, "-r", "x"),
        ("cancel", id_, "-r", "x"),
        ("release", id_),
        ("return", "CYTB1", "-r", "x"),
    ):
        run = tongban(*verb, "--config", config)
        assert run.returncode == 1, run.stderr.decode()
        assert findings(run)[0]["code"] == "not-found"
    assert tongban("retry", id_, "--config", config).returncode == 2
    for words in (("--all",), ("--cause", "1001:param.aac005"), ("--cause", "1001:param.aac005=77")):
        run = tongban("release", *words, "--config", config)
        assert (run.returncode, run.stdout.decode()) == (0, "0 条报文已重新处理，0 条仍挂起\n"), run.stderr
    for words in ((), ("--cause", "1001"), (id_, "--all")):
        assert tongban("release", *words, "--config", config).returncode == 2
    for words in ((), ("--groups",)):
        assert tongban("parked", *words, "--config", config).stdout == b""
    assert tongban("deliveries", "--config", config).stdout == b""


# --- for people ---


def test_translate_shows_people_each_fault_under_its_line():
    file = EXAMPLES / "sichuan" / "samples" / "tbzy0001.refused.native.json"
    shown = tongban("translate", "--from", "sichuan", "--format", "text", file)
    assert shown.returncode == 1
    lines = shown.stdout.decode().splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("第 24 行:13  9043  受理日期"))
    value, caret = lines[at + 1], lines[at + 2]
    assert value[caret.index("^") : caret.rindex("^") + 1] == "20261323"


def test_translate_shows_people_the_way_of_every_value_by_the_rules_of_any_day_and_folder():
    file = EXAMPLES / "chongqing" / "examples" / "SYJ_SQ.native.xml"
    given = ("translate", "--from", "chongqing", file, "--tables", ROOT / "mappings", "--on", "2026-11-25")
    shown = tongban(*given, "--format", "text")
    assert shown.returncode == 0
    told = shown.stdout.decode()
    assert "按 2026-11-25 的规则" in told
    assert any("BODY/SQR/MZ" in line and "土家族" in line and "M1 代码" in line for line in told.splitlines())
    assert json.loads(tongban(*given).stdout)["kind"] == "unemployment.claim"
    early = tongban(*given[:-1], "1999-01-01", "--format", "text")
    assert early.returncode == 1


def test_the_playground_says_when_its_port_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        shown = tongban("playground", "--port", taken.getsockname()[1])
    assert shown.returncode == 2
    assert "请用 --port 换一个" in shown.stderr.decode()
