"""`tongban mappings` on the real store: what the rules forbid ends with 1 and a sentence, what cannot run with 2."""

from __future__ import annotations

import json
import shutil

import pytest
from configs import REGIONS
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from openpyxl import load_workbook
from typer.testing import CliRunner

from gateway.cli.main import app
from gateway.crypto import approval, signing
from gateway.mapping.load import PACKAGED, files_of
from gateway.mapping.release import signature_text

CONFIG = f"""{REGIONS}
[clock]
now = "2026-11-23T16:00:00+08:00"
"""
APPROVAL = """
[approval.sichuan]
public_key_file = "sichuan.pub"
[approval.chongqing]
public_key_file = "chongqing.pub"
"""
SERIAL = iter(range(100, 999))


@pytest.fixture
def home(tmp_path):
    """A configuration with both keys, and a set of tables that was never released."""
    (tmp_path / "gateway.toml").write_text(CONFIG + APPROVAL)
    one, other = Ed25519PrivateKey.generate(), signing.generate()
    private = one.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "sichuan.key").write_bytes(private)
    public = one.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "sichuan.pub").write_bytes(public)
    (tmp_path / "chongqing.key").write_text(signing.private_pem(other))
    (tmp_path / "chongqing.pub").write_text(signing.public_pem(other.public))
    shutil.copytree(PACKAGED, tmp_path / "tables")
    with (tmp_path / "tables/canonical/ethnic_group.csv").open("a") as hub:
        hub.write(f"Z{next(SERIAL)},试验族,\n")
    return tmp_path


@pytest.fixture
def tongban(home, database_url, monkeypatch):
    """``tongban(*words)``: exit status, stdout, stderr of a command about tables."""
    monkeypatch.setenv("TONGBAN_DATABASE_URL", database_url)
    monkeypatch.setenv("TONGBAN_REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setenv("TONGBAN_KEYS_MASTER_KEY", bytes(range(32)).hex())
    monkeypatch.setenv("TONGBAN_DATA_DIR", str(home / "data"))
    monkeypatch.chdir(home)

    def run(*words):
        done = CliRunner().invoke(app, ["mappings", *map(str, words)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        return done.exit_code, done.stdout, done.stderr

    return run


CONFIGURED = ("--config", "gateway.toml")


def released(tongban, effective_from="2026-11-23"):
    status, said, _ = tongban(
        "release", "tables", "--effective-from", effective_from, "--note", "试验", *CONFIGURED
    )
    assert status == 0
    return said.strip()


def approve(tongban, digest, side, key=None):
    return tongban("approve", digest[:12], "--as", side, "--key", key or f"{side}.key", *CONFIGURED)


def text_of(stderr):
    return json.loads(stderr)["text"]


def test_both_keys_then_active_and_listed_so(tongban):
    digest = released(tongban)
    assert "尚待 chongqing" in approve(tongban, digest, "sichuan")[1]
    status, _, refused = tongban("activate", digest, *CONFIGURED)
    assert (status, text_of(refused)) == (1, "不能启用：chongqing 尚未批准")
    assert "各方均已批准" in approve(tongban, digest, "chongqing")[1]
    status, said, _ = tongban("activate", digest, *CONFIGURED)
    assert (status, said.strip()) == (0, f"{digest[:12]} 已生效")
    listed = [json.loads(line) for line in tongban("list", "--json", *CONFIGURED)[1].splitlines()]
    (told,) = [one for one in listed if one["digest"] == digest]
    assert (told["state"], told["faults"], told["note"]) == ("现用", [], "试验")
    assert told["approvals"]["chongqing"]["algorithm"] == "sm2"
    assert tongban("lint", "active", *CONFIGURED)[1].strip().endswith(digest)
    assert tongban("diff", "active", "tables", *CONFIGURED)[:2] == (0, "")
    assert text_of(tongban("activate", digest, *CONFIGURED)[2]) == "这个版本已经启用过"


def test_ahead_of_its_day_it_is_active_and_not_in_force(tongban):
    digest = released(tongban, "2026-12-01")
    for side in ("sichuan", "chongqing"):
        assert approve(tongban, digest, side)[0] == 0
    assert tongban("activate", digest, *CONFIGURED)[1].strip() == f"{digest[:12]} 将自 2026-12-01 起生效"
    assert not tongban("lint", "active", *CONFIGURED)[1].strip().endswith(digest)


def test_a_release_that_would_never_be_used_says_so(tongban, home):
    first = released(tongban)
    with (home / "tables/canonical/ethnic_group.csv").open("a") as hub:
        hub.write("ZZ,另一试验族,\n")
    late = released(tongban, "2026-11-01")
    for digest in (first, late):
        for side in ("sichuan", "chongqing"):
            approve(tongban, digest, side)
    tongban("activate", first, *CONFIGURED)
    status, _, refused = tongban("activate", late, *CONFIGURED)
    assert status == 1
    assert "不会被用到" in text_of(refused)


def test_one_sides_key_is_no_approval_of_the_other(tongban):
    digest = released(tongban)
    status, _, refused = approve(tongban, digest, "chongqing", key="sichuan.key")
    assert status == 1
    assert "无法用配置中 chongqing 的公钥验证" in text_of(refused)


def test_a_signature_made_elsewhere_counts(tongban, home):
    digest = released(tongban)
    statement = tongban("statement", digest, *CONFIGURED)[1].encode()
    signer = approval.load_signer((home / "sichuan.key").read_text())
    (home / "signed").write_text(signature_text(signer.sign(statement)))
    status, said, _ = tongban("approve", digest, "--as", "sichuan", "--signature", "signed", *CONFIGURED)
    assert (status, "sichuan 已批准" in said) == (0, True)


def test_the_same_tables_are_not_released_twice(tongban):
    digest = released(tongban)
    status, _, refused = tongban(
        "release", "tables", "--effective-from", "2027-01-01", "--note", "x", *CONFIGURED
    )
    assert (status, f"已经入库：{digest[:12]}" in text_of(refused)) == (1, True)


def test_faulty_tables_are_not_released_and_every_fault_is_named(tongban, home):
    with (home / "tables/codes/sichuan/sex.csv").open("a") as words:
        words.write("7,7,,both,,\n")
    number = (home / "tables/codes/sichuan/sex.csv").read_text().count("\n")
    status, said, _ = tongban("lint", "tables")
    assert status == 1
    assert said.startswith(f"codes/sichuan/sex.csv:{number}: 公共代码 7 不在")
    status, _, told = tongban(
        "release", "tables", "--effective-from", "2026-11-23", "--note", "x", *CONFIGURED
    )
    assert status == 2
    assert f"codes/sichuan/sex.csv:{number}: " in told


def test_only_a_release_with_one_before_it_is_retired(tongban):
    status, _, refused = tongban("retire", released(tongban), "--reason", "x", *CONFIGURED)
    assert (status, text_of(refused)) == (1, "这个版本没有启用，或已停用")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("lint", "nowhere"), "不是规则表目录"),
        (("lint", "deadbeef", *CONFIGURED), "没有这个版本"),
        (("activate", "abc", *CONFIGURED), "至少写 8 位"),
        (("approve", "deadbeef", "--as", "nobody", "--key", "sichuan.key", *CONFIGURED), "approval.nobody"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(tongban, words, said):
    status, _, told = tongban(*words)
    assert (status, said in told) == (2, True)


def test_without_keys_configured_nothing_is_activated(tongban, home):
    digest = released(tongban)
    (home / "gateway.toml").write_text((home / "gateway.toml").read_text().replace(APPROVAL, ""))
    status, _, told = tongban("activate", digest, *CONFIGURED)
    assert (status, "未配置批准公钥" in told) == (2, True)


def test_a_key_that_is_none_and_a_side_without_key_are_configuration_faults(tongban, home):
    (home / "sichuan.pub").write_text("junk")
    assert "approval.sichuan.public_key" in tongban("list", *CONFIGURED)[2]
    (home / "gateway.toml").write_text(
        (home / "gateway.toml")
        .read_text()
        .replace('[approval.chongqing]\npublic_key_file = "chongqing.pub"', "")
    )
    assert "approval.chongqing: 缺少" in tongban("list", *CONFIGURED)[2]


def test_a_workbook_goes_out_and_comes_back_to_the_byte(tongban, home):
    assert tongban("export", "tables", "book.xlsx")[0] == 0
    before = files_of(home / "tables")
    shutil.rmtree(home / "tables/codes")
    assert tongban("import", "book.xlsx", "tables")[0] == 0
    assert files_of(home / "tables") == before
    assert tongban("diff", "book.xlsx", "tables")[:2] == (0, "")


def test_a_faulty_workbook_changes_nothing(tongban, home):
    tongban("export", "tables", "book.xlsx")
    book = load_workbook(home / "book.xlsx")
    book["codes.sichuan.sex"].append(["7", "7", "", "both", "", ""])
    book["canonical.sex"]["B2"] = "男"
    book.save(home / "book.xlsx")
    before = files_of(home / "tables")
    status, _, told = tongban("import", "book.xlsx", "tables")
    assert status == 1
    assert "codes/sichuan/sex.csv:" in told
    assert "没有写入任何文件" in told
    assert files_of(home / "tables") == before
