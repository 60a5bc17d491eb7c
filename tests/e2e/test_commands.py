"""The command lines of gateway §7 as a shell sees them: exit status, what is on stdout, what on stderr."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ADAPTERS = Path(__file__).parents[2] / "adapters"
TRANSFER = ADAPTERS / "sichuan/examples/tbzy0001.native.json"
SHEET = ADAPTERS / "chongqing/examples/YLZY_XXB.native.xml"


def tongban(*arguments, stdin=b"", cwd=None):
    command = [sys.executable, "-c", "from gateway.cli.main import app; app()", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=cwd, timeout=60, check=False)


def test_translate_writes_one_result_object_and_nothing_else(tmp_path):
    run = tongban("translate", "--from", "sichuan", TRANSFER, cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, b"")
    assert {"kind", "item", "case_no", "canonical", "native", "trace"} <= set(json.loads(run.stdout))
    assert list(tmp_path.iterdir()) == [], "a dry run leaves nothing behind"


def test_translate_native_writes_the_other_sides_bytes_to_the_byte(tmp_path):
    context = tmp_path / "context.json"
    applicant = {"name": "张䶮", "id_type": "01", "id_no": "510100198803150179"}
    known = {"item": "pension_transfer", "accepted_on": "2026-11-23", "old_place": "500103"}
    case = {"case_no": "CYTB5101042026112300000017", "affair_code": "510104-20261123-000017"}
    context.write_text(json.dumps({**case, **known, "applicant": applicant, "scheme": "110"}))
    run = tongban("translate", "--from", "chongqing", "--native", "--context", context, SHEET)
    assert (run.returncode, run.stderr) == (0, b"")
    tree = json.loads(run.stdout)
    assert (tree["fwid"], tree["affairCode"]) == ("tbzy0002", "510104-20261123-000017")
    assert tree["param"]["aic102"] == 41552.46


def test_translate_names_what_is_wrong_one_object_a_line():
    bad = {**json.loads(TRANSFER.read_bytes()), "aac003": "", "itemCode": "x"}
    run = tongban("translate", "--from", "sichuan", "-", stdin=json.dumps(bad).encode())
    assert (run.returncode, run.stdout) == (1, b"")
    found = [json.loads(line) for line in run.stderr.decode().splitlines()]
    assert {one["path"] for one in found} == {"aac003", "itemCode"}
    assert all(set(one) == {"path", "code", "text"} for one in found)


def test_check_tells_findings_with_1(tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_bytes(TRANSFER.read_bytes().replace(b'"aac003": "', b'"aac00X": "'))
    found = tongban("check", broken)
    assert (found.returncode, found.stdout) == (1, b"")
    assert found.stderr
    assert all(json.loads(line)["file"] == str(broken) for line in found.stderr.decode().splitlines())
