"""A release is what both sides signed, and nothing else."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from gateway.crypto import approval, signing
from gateway.mapping.release import (
    Approval,
    BadSet,
    Release,
    digest_of,
    faults_of,
    pack,
    signature_of,
    signature_text,
    statement,
    unpack,
)

NOW = datetime(2026, 11, 23, tzinfo=UTC)
FILES = {"canonical/sex.csv": "key,meaning,note\n1,男性,\n".encode(), "places/agencies.csv": b"x\n"}


def ed25519_pem():
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def sm2_pem():
    key = signing.generate()
    return signing.private_pem(key), signing.public_pem(key.public)


# one side by Ed25519, the other by SM2: both may be mixed
PEMS = {"north": ed25519_pem(), "south": sm2_pem()}
SIGNERS = {side: approval.load_signer(private) for side, (private, _) in PEMS.items()}
KEYS = {side: approval.load_verifier(public) for side, (_, public) in PEMS.items()}


def approved(release, *sides, by=None):
    said = statement(release.digest, release.effective_from)
    signed = {
        side: Approval(
            SIGNERS[by or side].verifier.key_id, "x", SIGNERS[by or side].sign(said), NOW, "staff:a"
        )
        for side in sides
    }
    return replace(release, approvals={**release.approvals, **signed})


def a_release(files=FILES, effective_from=date(2026, 12, 1)):
    return Release(digest_of(files), pack(files), effective_from, "", NOW, "staff:a")


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}/[a-z]{1,8}\.csv", fullmatch=True), st.binary(max_size=200)))
def test_a_packed_set_comes_back_as_it_was_and_depends_on_its_content_alone(files):
    assert unpack(pack(files)) == files
    assert pack(dict(reversed(files.items()))) == pack(files)


@given(st.binary(max_size=300))
def test_bytes_that_are_no_archive_are_no_set(content):
    with pytest.raises(BadSet):
        unpack(content)


def test_an_archive_with_two_files_of_one_name_is_no_set():
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.csv", b"2")
    with pytest.raises(BadSet):
        unpack(out.getvalue())


def test_the_digest_notices_a_name_a_byte_and_a_moved_border():
    digests = {
        digest_of(files) for files in ({"a": b"bc"}, {"ab": b"c"}, {"a": b"b", "c": b""}, {"a": b"bd"})
    }
    assert len(digests) == 4


def test_the_signed_bytes_are_those_of_the_documentation():
    assert statement("ab" * 32, date(2026, 12, 1)) == (
        b"tongban-mappings-release-v1\n" + b"ab" * 32 + b"\n2026-12-01\n"
    )


def test_approved_by_both_it_may_be_used():
    assert list(faults_of(approved(a_release(), "north", "south"), KEYS)) == []


@pytest.mark.parametrize(
    ("sides", "waiting"),
    [
        ((), ["north 尚未批准", "south 尚未批准"]),
        (("north",), ["south 尚未批准"]),
        (("south",), ["north 尚未批准"]),
    ],
)
def test_not_approved_or_half_approved_it_may_not(sides, waiting):
    assert list(faults_of(approved(a_release(), *sides), KEYS)) == waiting


def test_one_side_cannot_approve_for_the_other():
    release = approved(approved(a_release(), "north"), "south", by="north")
    assert list(faults_of(release, KEYS)) == ["south 的签名无法用其公钥验证"]


def test_altered_tables_are_refused_even_under_their_old_digest():
    release = replace(
        approved(a_release(), "north", "south"), content=pack({**FILES, "places/agencies.csv": b"y\n"})
    )
    faults = list(faults_of(release, KEYS))
    assert len(faults) == 1
    assert "被改动过" in faults[0]


def test_altered_tables_under_their_own_digest_lack_signatures():
    other = {**FILES, "places/agencies.csv": b"y\n"}
    release = replace(approved(a_release(), "north", "south"), content=pack(other), digest=digest_of(other))
    assert len(list(faults_of(release, KEYS))) == 2


def test_another_day_is_another_statement():
    release = replace(approved(a_release(), "north", "south"), effective_from=date(2026, 11, 1))
    assert len(list(faults_of(release, KEYS))) == 2


def test_content_that_cannot_be_read_is_a_fault_not_a_crash():
    release = replace(approved(a_release(), "north", "south"), content=b"junk")
    assert list(faults_of(release, KEYS)) == ["规则表内容无法读取"]


@pytest.mark.parametrize("side", ["north", "south"])
@given(junk=st.binary(max_size=80))
def test_no_junk_is_a_signature(side, junk):
    assert not KEYS[side].verify(junk, b"message")


@pytest.mark.parametrize("side", ["north", "south"])
def test_a_key_knows_its_own_signatures_and_its_fingerprint(side):
    signature = SIGNERS[side].sign(b"message")
    assert KEYS[side].verify(signature, b"message")
    assert not KEYS[side].verify(signature, b"massage")
    assert KEYS[side].key_id == SIGNERS[side].verifier.key_id
    assert len(KEYS[side].key_id) == 64


@pytest.mark.parametrize(
    "pem", ["", "junk", "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----"]
)
def test_what_is_no_key_is_said_to_be_none(pem):
    with pytest.raises(signing.BadKey):
        approval.load_verifier(pem)
    with pytest.raises(signing.BadKey):
        approval.load_signer(pem)


@given(st.binary(max_size=100))
def test_signatures_survive_being_written_down(signature):
    assert signature_of(signature_text(signature)) == signature


def test_what_is_no_base64_is_no_signature():
    assert signature_of("不是签名") == b""
