"""What proofs, digests and encryption cost, each alone. Units: µs, for a message of 3 KB."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench.timing import best_us
from gateway.crypto import digest, signing

if TYPE_CHECKING:
    from bench.ground import Ground
    from bench.sheets import Sheet

MESSAGE = os.urandom(3072)


def measure(_ground: Ground) -> list[dict[str, Any]]:
    """A row for each primitive."""
    key = signing.generate()
    signature = key.sign(MESSAGE)
    assert key.public.verify(signature, MESSAGE)
    seal = AESGCM(os.urandom(32))
    works = {
        "SM2 sign": lambda: key.sign(MESSAGE),
        "SM2 verify": lambda: key.public.verify(signature, MESSAGE),
        "SM3": lambda: digest.sm3_hex(MESSAGE),
        "HMAC-SM3": lambda: digest.hmac_sm3_hex(b"k" * 32, MESSAGE),
        "AES-256-GCM": lambda: seal.encrypt(b"0" * 12, MESSAGE, None),
    }
    return [{"work": name, "us": round(best_us(work), 1)} for name, work in works.items()]


def sheets(found: list[dict[str, Any]]) -> list[Sheet]:
    """The table."""
    return [("Proofs and encryption, µs per 3 KB", found)]
