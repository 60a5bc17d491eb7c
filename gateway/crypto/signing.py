"""SM2 signatures over bytes as sent: SM3 digest with Z, the default signer id."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives import hashes
from tongsuopy.crypto import hashes as sm_hashes
from tongsuopy.crypto import serialization
from tongsuopy.crypto.asymciphers import ec
from tongsuopy.crypto.exceptions import InternalError, InvalidSignature

#: Tongsuo signs and verifies under this id and offers no other. Source: GB/T 35276-2017, CQ-N §2.
SIGNER_ID = "1234567812345678"

_SM2_WITH_SM3 = ec.ECDSA(sm_hashes.SM3())
#: A DER signature of two 256-bit numbers has at most 72 bytes.
_LONGEST = 72


class BadKey(ValueError):  # noqa: N818 - a word of the field, not a programming error
    """A PEM text that is no SM2 key of the wanted kind."""


class PublicKey:
    """Verifies. Safe to share between threads: each call has a context of its own."""

    __slots__ = ("_key", "fingerprint")

    def __init__(self, key: Any) -> None:
        self._key = key
        der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        digest = hashes.Hash(hashes.SM3())
        digest.update(der)
        #: hex SM3 of the public key (SubjectPublicKeyInfo, DER)
        self.fingerprint = digest.finalize().hex()

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether ``signature`` (DER) is this key's over ``message``; garbage is just not a signature."""
        if not 0 < len(signature) <= _LONGEST:
            return False
        try:
            self._key.verify(signature, message, _SM2_WITH_SM3)
        except (InvalidSignature, InternalError):
            # Tongsuo calls bytes that are no DER an internal error.
            return False
        return True


class PrivateKey:
    """Signs. Safe to share between threads; never shows itself."""

    __slots__ = ("_key", "public")

    def __init__(self, key: Any) -> None:
        self._key = key
        self.public = PublicKey(key.public_key())

    def sign(self, message: bytes) -> bytes:
        """A DER signature over ``message``; two calls give different bytes."""
        signature: bytes = self._key.sign(message, _SM2_WITH_SM3)
        return signature


def load_private(pem: str) -> PrivateKey:
    """An SM2 private key from PKCS#8 PEM text. Errors: `BadKey`."""
    try:
        key = serialization.load_pem_private_key(pem.strip().encode("utf-8"), None)
        return PrivateKey(key)
    except Exception as error:
        # Tongsuo answers a bad PEM with half a dozen classes, some of them internal.
        raise BadKey("不是可用的 SM2 私钥（PKCS#8 PEM，未加密）") from error


def load_public(pem: str) -> PublicKey:
    """An SM2 public key from PEM text. Errors: `BadKey`."""
    try:
        return PublicKey(serialization.load_pem_public_key(pem.strip().encode("utf-8")))
    except Exception as error:
        raise BadKey("不是可用的 SM2 公钥（PEM）") from error


def generate() -> PrivateKey:
    """A new key pair, for demonstrations and tests."""
    return PrivateKey(ec.generate_private_key(ec.SM2()))


def private_pem(key: PrivateKey) -> str:
    """PKCS#8 PEM text of a private key."""
    pem: bytes = key._key.private_bytes(  # noqa: SLF001 - the one way out of the wrapper
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode("ascii")


def public_pem(key: PublicKey) -> str:
    """PEM text of a public key."""
    pem: bytes = key._key.public_bytes(  # noqa: SLF001 - the one way out of the wrapper
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem.decode("ascii")
