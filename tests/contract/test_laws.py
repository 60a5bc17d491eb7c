"""Every installed region holds every law, and a report on it can be read, checked and trusted."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree
from typer.testing import CliRunner

from gateway import regions
from gateway.cli.main import app
from gateway.conformance.judge import judge
from gateway.conformance.law import Breach, Law, Level, Result, Verdict
from gateway.conformance.laws.catalogue import LAWS, RULES
from gateway.conformance.loading import Asked, check
from gateway.conformance.report import Report, keys
from gateway.conformance.report.badge import badge
from gateway.conformance.report.formats import Format, write
from gateway.conformance.report.signing import faults_of, sign
from gateway.conformance.subject import Subject, digest_of, folder_of
from gateway.crypto import signing
from gateway.crypto.approval import load_verifier
from gateway.exchange.translate import compile_maps
from gateway.mapping.load import PACKAGED, load_tables
from gateway.regions import discover

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 11, 26, 1, 0, tzinfo=UTC)

#: what the common tools read of a JUnit report (the schema of Jenkins' xUnit plugin, as far as we write it)
JUNIT = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:element name="testsuites"><xs:complexType><xs:sequence><xs:element ref="testsuite" maxOccurs="unbounded"/></xs:sequence>
<xs:attribute name="name"/><xs:attribute name="time" type="xs:decimal"/><xs:attribute name="tests" type="xs:int"/>
<xs:attribute name="failures" type="xs:int"/><xs:attribute name="errors" type="xs:int"/></xs:complexType></xs:element>
<xs:element name="testsuite"><xs:complexType><xs:sequence><xs:element ref="testcase" maxOccurs="unbounded"/></xs:sequence>
<xs:attribute name="name" use="required"/><xs:attribute name="tests" type="xs:int" use="required"/>
<xs:attribute name="failures" type="xs:int"/><xs:attribute name="errors" type="xs:int"/><xs:attribute name="time" type="xs:decimal"/>
<xs:attribute name="skipped" type="xs:int"/><xs:attribute name="timestamp" type="xs:dateTime"/></xs:complexType></xs:element>
<xs:element name="testcase"><xs:complexType><xs:choice minOccurs="0"><xs:element name="skipped"><xs:complexType>
<xs:attribute name="message"/></xs:complexType></xs:element><xs:element name="failure"><xs:complexType mixed="true">
<xs:attribute name="type"/><xs:attribute name="message"/></xs:complexType></xs:element></xs:choice>
<xs:attribute name="name" use="required"/><xs:attribute name="classname"/><xs:attribute name="time" type="xs:decimal"/>
</xs:complexType></xs:element></xs:schema>"""


@pytest.mark.parametrize("slug", sorted(discover()))
def test_an_installed_region_holds_every_law(slug):
    found = check(Asked(slug, Level.HOSTILE))
    told = [f"{r.law.id} {b.sentence} {b.path}" for r in found.results for b in r.breaches]
    assert told == []
    assert [r.law for r in found.results] == list(LAWS)
    assert [r.law.id for r in found.results if r.skipped or not r.tried] == []


def test_a_region_that_is_only_a_folder_holds_them_too():
    regions.look_in([ROOT / "tests" / "third_region"])
    found = check(Asked("yunling", Level.HOSTILE))
    assert [f"{r.law.id} {b.sentence} {b.path}" for r in found.results for b in r.breaches] == []
    # what it has no worked forms for is said, not passed over
    assert {r.law.id for r in found.results if r.skipped} == {"R-B16", "R-B17", "R-B18", "R-B19"}


def test_every_law_has_an_id_of_its_own_and_a_title_in_both_languages():
    assert len({law.id for law in LAWS}) == len({law.title for law in LAWS}) == len(LAWS)
    letters = {Level.BASIC: "B", Level.FULL: "F", Level.HOSTILE: "H"}
    assert all(law.id.startswith(f"R-{letters[law.level]}") for law in LAWS)
    assert all(law.title_en.isascii() or "–" in law.title_en for law in LAWS)
    assert all(law.source for law in LAWS)


@pytest.mark.parametrize("name", ["laws.md", "laws.en.md"])
def test_the_reference_lists_every_law_as_it_is(name):
    page = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    english = name.endswith(".en.md")
    rows = [f"| `{law.id}` | {law.title_en if english else law.title} | {law.source} |" for law in LAWS]
    assert [row for row in page.splitlines() if row.startswith("| `R-")] == rows


@pytest.fixture(scope="module")
def subject():
    regions, tables = discover(), load_tables(PACKAGED, None)
    return Subject(regions["sichuan"], regions, tables, compile_maps(regions, tables), folder_of("sichuan"))


def test_an_admitted_gap_is_shown_with_its_reason(subject):
    region = replace(subject.region, exempt={"R-B19": "回执另行约定"})
    results = judge(replace(subject, region=region), RULES, Level.BASIC)
    (skipped,) = [result for result in results if result.skipped]
    assert (skipped.law.id, skipped.verdict) == ("R-B19", Verdict.SKIPPED)
    assert "回执另行约定" in skipped.skipped


def test_the_same_seed_tries_the_same_messages_and_another_seed_others(subject):
    bodies = [[p.body for p in replace(subject, seed=seed).passages] for seed in (1, 1, 2)]
    assert bodies[0] == bodies[1] != bodies[2]


# --- reports ---

LAW = Law("R-B01", "地区完整地声明自己", "A region declares itself completely", Level.BASIC, "§4")
NASTY = Breach('“<b>&\x00"”写错了', "请改 a.py:1", "a.py:1", "x.native.json")
RESULTS = (
    Result(LAW, tried=3),
    Result(replace(LAW, id="R-F01", level=Level.FULL), (NASTY,) * 60, 70, 0.25),
    Result(replace(LAW, id="R-F02", level=Level.FULL), skipped="没有<样例>"),
)


@pytest.fixture
def report():
    return Report(
        "region", "sichuan", Level.FULL, AT, "0.1.0", "a" * 64, "b" * 64, RESULTS, name="四川省", seed=7
    )


def test_the_junit_report_is_read_by_the_common_tools(report):
    schema = etree.XMLSchema(etree.fromstring(JUNIT))
    root = etree.fromstring(write(report, Format.JUNIT))
    schema.assertValid(root)
    assert (root.get("tests"), root.get("failures")) == ("3", "1")
    assert "请改 a.py:1" in root.find(".//failure").text
    assert root.find(".//skipped").get("message") == "没有<样例>"


def test_the_text_report_tells_what_to_do(report):
    said = write(report, Format.TEXT).decode()
    assert "改法 请改 a.py:1" in said
    assert "未检查：没有<样例>" in said
    assert "另有 55 处同类问题" in said
    assert "1 条满足，1 条不满足，1 条未检查" in said


def test_the_page_needs_nothing_else_and_escapes_what_it_shows(report):
    page = write(report, Format.HTML).decode()
    for foreign in ("<script", "http://", "https://", "url(h", "<b>&\x00", "<样例>"):
        assert foreign not in page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert "全部满足" in write(replace(report, results=RESULTS[:1]), Format.HTML).decode()
    assert "R-F01" in page
    assert "请改 a.py:1" in page


def test_the_badge_says_the_same_to_those_who_cannot_see_it(report):
    for one, mark, word in ((report, "✗", "有不满足的要求"), (replace(report, results=()), "✓", "全部满足")):
        root = etree.fromstring(badge(one))
        texts = [node.text for node in root.iter() if node.text]
        assert f"full {mark} 2026-11-26" in texts
        assert any(word in text and "四川省" in text for text in texts)
        assert root.get("role") == "img"


def ed25519_pem():
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("pem", [ed25519_pem, lambda: signing.private_pem(signing.generate())])
def test_a_signed_report_is_trusted_until_anything_in_it_is_changed(report, pem):
    key = keys.load(pem())
    members = json.loads(write(report, Format.JSON, sign(report, key.signer, key.public_pem)))

    def faults(changed, trusted=None, tables="a" * 64):
        return faults_of(
            changed, trusted=trusted, tables_digest=tables, subject_digest="b" * 64, gateway="0.1.0"
        )

    own, stranger = load_verifier(key.public_pem), keys.load(pem()).signer.verifier
    assert faults(members) == faults(members, own) == ([], [])
    assert "另一把密钥" in faults(members, stranger)[0][0]
    assert "规则表与报告时不同" in faults(members, tables="c" * 64)[1][0]
    altered = json.loads(json.dumps(members))
    altered["results"][1]["verdict"] = "held"
    assert "被改动" in faults(altered)[0][0]
    assert "没有签名" in faults({n: v for n, v in members.items() if n != "signature"})[0][0]


def test_the_digest_of_an_adapter_changes_with_any_file(tmp_path):
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "a.py").write_text("x")
    before = digest_of(tmp_path)
    (tmp_path / "maps" / "b.py").write_text("")
    assert before != digest_of(tmp_path)
    (tmp_path / "maps" / "b.py").unlink()
    (tmp_path / "__pycache__").mkdir()
    assert before == digest_of(tmp_path)


# --- the commands ---


@pytest.fixture
def tongban(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TONGBAN_DATA_DIR", str(tmp_path / "data"))
    runner = CliRunner()
    return lambda *words: runner.invoke(app, ["check", *map(str, words)])


def test_the_command_writes_a_signed_report_and_a_badge_that_can_be_checked(tongban, tmp_path):
    ran = tongban("region", "chongqing", "--level", "basic", "-f", "json", "-o", "r.json", "--badge", "b.svg")
    assert ran.exit_code == 0, ran.output
    members = json.loads((tmp_path / "r.json").read_bytes())
    assert (members["subject"], members["level"], members["held"]) == ("chongqing", "basic", True)
    assert members["counts"]["laws"] == sum(law.level is Level.BASIC for law in LAWS)
    assert "basic ✓" in (tmp_path / "b.svg").read_text(encoding="utf-8")
    key = tmp_path / "data" / keys.NAME
    assert key.stat().st_mode & 0o777 == 0o600
    checked = tongban("report", "r.json")
    assert checked.exit_code == 0, checked.output
    assert "签名有效" in checked.output
    page = tongban("region", "chongqing", "--level", "basic", "-f", "html", "-o", "r.html")
    assert page.exit_code == 0
    assert "签名有效" in tongban("report", "r.html").output
    members["held"] = False
    (tmp_path / "r.json").write_text(json.dumps(members, ensure_ascii=False), encoding="utf-8")
    checked = tongban("report", "r.json")
    assert checked.exit_code == 1
    assert "被改动" in checked.output


def test_the_command_says_what_it_cannot_do(tongban, tmp_path):
    unknown = tongban("region", "guizhou")
    assert unknown.exit_code == 2
    assert "已安装：chongqing、sichuan" in unknown.output
    assert tongban("region", "sichuan", "--law", "R-X99").exit_code == 2
    assert tongban("region", "sichuan", "--law", "R-B02", "-f", "html", "--key", "gone.pem").exit_code == 2
    (tmp_path / "r.json").write_text("{}")
    assert tongban("report", "r.json").exit_code == 2


def test_the_plain_check_is_as_it_was(tongban):
    assert tongban("gone.json").exit_code == 2
    assert "FILE" in tongban("--help").output
