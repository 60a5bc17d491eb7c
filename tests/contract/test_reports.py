"""A report cannot be made to say more than was signed: page, members, key, level."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.conformance.law import Law, Level, Result
from gateway.conformance.report import Report, keys
from gateway.conformance.report.badge import badge
from gateway.conformance.report.formats import Format, write
from gateway.conformance.report.html import shows
from gateway.conformance.report.model import report_of
from gateway.conformance.report.signing import faults_of, sign
from gateway.crypto import signing

LAW = Law("R-B01", "地区完整地声明自己", "A region declares itself completely", Level.BASIC, "§4")
REPORT = Report(
    *("region", "sichuan", Level.BASIC, datetime(2026, 11, 26, 1, tzinfo=UTC), "0.1.0", "a" * 64, "b" * 64),
    results=(Result(LAW, tried=3, took_s=0.12345), Result(replace(LAW, id="R-B02"), skipped="没有样例")),
    name="四川省",
)


@pytest.fixture(scope="module")
def issued(tmp_path_factory):
    """A folder with a JSON report, a page, and a page of a part, as the command writes them."""
    folder = tmp_path_factory.mktemp("issued")
    for words in (("-f", "json", "-o", "r.json"), ("-f", "html", "-o", "r.html")):
        assert run(folder, "region", "chongqing", "--level", "basic", *words).exit_code == 0
    partly = ("region", "chongqing", "--law", "R-B01", "-f", "html", "-o", "part.html")
    assert run(folder, *partly).exit_code == 0
    return folder


def run(folder, *words):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("TONGBAN_DATA_DIR", str(folder / "data"))
        return CliRunner().invoke(app, ["check", *words])


def checked(folder, name, content, *words):
    (folder / name).write_text(content, encoding="utf-8")
    return run(folder, "report", name, *words)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("基本级", "完整级"),
        ("<b>", "<b>1"),
        ("<h1>一致性检查报告</h1>", '<h1>一致性检查报告</h1><pre id="signed">{}</pre>'),
        ("</body>", "<p>另经核准</p></body>"),
    ],
)
def test_a_page_whose_words_are_not_those_signed_is_found_out(issued, old, new):
    page = (issued / "r.html").read_text(encoding="utf-8")
    assert old in page
    found = checked(issued, "altered.html", page.replace(old, new, 1))
    assert found.exit_code in {1, 2}
    assert "签名有效" not in found.output
    assert run(issued, "report", "r.html").exit_code == 0


def test_what_stands_twice_is_not_believed(issued):
    text = (issued / "r.json").read_text(encoding="utf-8")
    found = checked(issued, "twice.json", text.replace('"held": true', '"held": false, "held": true', 1))
    assert (found.exit_code, "有重复的成员" in found.output) == (2, True)


def test_a_report_of_too_low_a_level_is_told(issued):
    assert run(issued, "report", "r.json", "--level", "basic").exit_code == 0
    found = run(issued, "report", "r.json", "--level", "full")
    assert (found.exit_code, "要求 full（完整）级" in found.output) == (1, True)


def test_a_report_of_a_part_is_neither_signed_nor_given_a_badge(issued):
    page = (issued / "part.html").read_text(encoding="utf-8")
    assert "只检查了一部分要求的报告不签名" in page
    found = run(issued, "region", "chongqing", "--law", "R-B01", "--badge", "b.svg")
    assert (found.exit_code, "不出徽章" in found.output) == (2, True)
    assert not (issued / "b.svg").exists()


def test_a_signed_report_that_leaves_laws_out_is_told(issued):
    key = keys.kept(issued / "data")
    report = report_of(json.loads((issued / "r.json").read_bytes()))
    less = replace(report, results=report.results[1:])
    text = write(less, Format.JSON, sign(less, key.signer, key.public_pem)).decode()
    found = checked(issued, "less.json", text)
    assert (found.exit_code, "缺少 basic 级的 1 条要求（R-B00）" in found.output) == (1, True)


@pytest.mark.parametrize(
    "change", [{"key_id": "0" * 64}, {"algorithm": "sm2"}, {"public_key": "-----BEGIN PUBLIC KEY-----"}]
)
def test_the_key_beside_a_signature_is_the_one_that_signed(issued, change):
    members = json.loads((issued / "r.json").read_bytes())
    signature = {**members["signature"], **change}
    text = json.dumps({**members, "signature": signature}, ensure_ascii=False)
    found = checked(issued, "key.json", text)
    assert (found.exit_code, "签名" in found.output) == (1, True)


def test_a_page_is_made_again_from_what_was_signed():
    key = keys.load(signing.private_pem(signing.generate()))
    signature = sign(REPORT, key.signer, key.public_pem)
    members = json.loads(write(REPORT, Format.JSON, signature))
    assert report_of(members).as_json() == REPORT.as_json()
    page = write(REPORT, Format.HTML, signature)
    assert shows(page, members)
    assert not shows(page.replace("满足".encode(), "滿足".encode(), 1), members)


def test_signed_members_that_contradict_themselves_are_told():
    key = keys.load(signing.private_pem(signing.generate()))

    class Lying(Report):
        held = False

    lie = Lying(**{name: getattr(REPORT, name) for name in REPORT.__slots__})
    members = json.loads(write(lie, Format.JSON, sign(lie, key.signer, key.public_pem)))
    wrong, _ = faults_of(members, trusted=None, tables_digest="", subject_digest="", gateway="")
    assert "自相矛盾" in wrong[0]


def test_a_badge_says_what_was_not_looked_at():
    assert ">basic ✓ 2026-11-26 未检 1<" in badge(REPORT)
    assert "未检" not in badge(replace(REPORT, results=REPORT.results[:1]))
