"""Digests agree with published values; signatures hold under threads and garbage."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from gateway.crypto import digest, signing

KEY = signing.generate()
MESSAGE = "报文".encode("gb18030") * 500
GOOD = KEY.sign(MESSAGE)


def test_sm3_agrees_with_the_example_of_the_standard():
    # GB/T 32905-2016, appendix A.1
    expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert digest.sm3_hex(b"abc") == digest.sm3_hex(b"a", b"bc") == expected


def test_hmac_sm3_depends_on_key_and_message():
    one = digest.hmac_sm3_hex(b"key", b"message")
    assert one == digest.hmac_sm3_hex(b"key", b"mess", b"age")
    assert len({one, digest.hmac_sm3_hex(b"kez", b"message"), digest.hmac_sm3_hex(b"key", b"massage")}) == 3


@given(st.text(), st.text())
def test_comparison_takes_any_text(one, other):
    assert digest.same(one, other) == (one == other)
    assert digest.same_hex("AbC", "aBc")


def test_a_signature_holds_for_its_bytes_and_its_key_only():
    assert KEY.public.verify(GOOD, MESSAGE)
    assert not KEY.public.verify(GOOD, MESSAGE + b"\n")
    assert not signing.generate().public.verify(GOOD, MESSAGE)


@given(st.binary(max_size=80) | st.tuples(st.integers(0, len(GOOD) - 1), st.integers(1, 255)))
def test_garbage_is_just_not_a_signature(garbage):
    if isinstance(garbage, tuple):
        place, change = garbage
        bent = bytearray(GOOD)
        bent[place] ^= change
        garbage = bytes(bent)
    assert not KEY.public.verify(garbage, MESSAGE)
    # Tongsuo keeps an error queue for each thread: one bad signature must not spoil the next good one.
    assert KEY.public.verify(GOOD, MESSAGE)


def test_keys_may_be_shared_between_threads():
    def round_trip(n: int) -> bool:
        message = f"{n}".encode() * 300
        signature = KEY.sign(message)
        return KEY.public.verify(signature, message) and not KEY.public.verify(signature, message + b"x")

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(round_trip, range(120)))


def test_keys_survive_their_pem_form():
    private = signing.load_private(signing.private_pem(KEY) + "\n")
    public = signing.load_public("\n" + signing.public_pem(KEY.public))
    assert public.fingerprint == private.public.fingerprint == KEY.public.fingerprint
    assert public.verify(private.sign(b"x"), b"x")


def foreign_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.mark.parametrize("pem", ["", "no key", signing.public_pem(KEY.public), foreign_key()])
def test_anything_but_an_sm2_private_key_is_refused(pem):
    with pytest.raises(signing.BadKey, match="SM2 私钥"):
        signing.load_private(pem)


@pytest.mark.parametrize("pem", ["", "no key", signing.private_pem(KEY)])
def test_anything_but_an_sm2_public_key_is_refused(pem):
    with pytest.raises(signing.BadKey, match="SM2 公钥"):
        signing.load_public(pem)


def test_a_private_key_does_not_show_itself():
    assert "PRIVATE" not in repr(KEY)
    assert signing.private_pem(KEY).splitlines()[1] not in repr(KEY)
