"""Keys by which a side approves tables: Ed25519 or SM2, told apart by what the PEM says."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from gateway.crypto import signing
from gateway.crypto.digest import sm3_hex
from gateway.crypto.signing import BadKey

_BODY = re.compile(r"-----BEGIN [A-Z ]+-----([A-Za-z0-9+/=\s]+)-----END")
#: 1.3.101.112 in DER. Source: RFC 8410 §3.
_ED25519 = bytes.fromhex("06032b6570")


class Verifier(Protocol):
    """A public key. ``key_id``: hex SM3 of it (SubjectPublicKeyInfo, DER)."""

    algorithm: str
    key_id: str

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether ``signature`` is this key's over ``message``; garbage is just not a signature."""
        ...


class Signer(Protocol):
    """A private key; never shows itself."""

    verifier: Verifier

    def sign(self, message: bytes) -> bytes:
        """Ed25519: 64 bytes (RFC 8032); SM2: DER, with SM3 and the default signer id."""
        ...


class _Ed25519Public:
    __slots__ = ("_key", "algorithm", "key_id")

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        self.algorithm = "ed25519"
        self.key_id = sm3_hex(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))

    def verify(self, signature: bytes, message: bytes) -> bool:
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


class _Ed25519Private:
    __slots__ = ("_key", "verifier")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.verifier: Verifier = _Ed25519Public(key.public_key())

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


class _Sm2Public:
    __slots__ = ("_key", "algorithm", "key_id")

    def __init__(self, key: signing.PublicKey) -> None:
        self._key = key
        self.algorithm = "sm2"
        self.key_id: str = key.fingerprint

    def verify(self, signature: bytes, message: bytes) -> bool:
        return self._key.verify(signature, message)


class _Sm2Private:
    __slots__ = ("_key", "verifier")

    def __init__(self, key: signing.PrivateKey) -> None:
        self._key = key
        self.verifier: Verifier = _Sm2Public(key.public)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def load_verifier(pem: str) -> Verifier:
    """A public key from PEM text (SubjectPublicKeyInfo). Errors: `BadKey`."""
    if not _is_ed25519(pem):
        return _Sm2Public(signing.load_public(pem))
    try:
        key = load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadKey("不是可用的 Ed25519 公钥（PEM）") from error
    assert isinstance(key, Ed25519PublicKey)  # noqa: S101 - the OID says so
    return _Ed25519Public(key)


def load_signer(pem: str) -> Signer:
    """A private key from PKCS#8 PEM text, not encrypted. Errors: `BadKey`."""
    if not _is_ed25519(pem):
        return _Sm2Private(signing.load_private(pem))
    try:
        key = load_pem_private_key(pem.encode("ascii"), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadKey("不是可用的 Ed25519 私钥（PKCS#8 PEM，未加密）") from error
    assert isinstance(key, Ed25519PrivateKey)  # noqa: S101 - the OID says so
    return _Ed25519Private(key)


def _is_ed25519(pem: str) -> bool:
    found = _BODY.search(pem)
    if found is None:
        return False
    try:
        return _ED25519 in base64.b64decode("".join(found[1].split()))[:20]
    except binascii.Error:
        return False
