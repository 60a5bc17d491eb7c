"""Digests in hex and a comparison that takes the same time whatever differs."""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC


def sm3_hex(*parts: bytes) -> str:
    """SM3 over the parts one after another, lower-case hex. Source: GB/T 32905-2016."""
    digest = hashes.Hash(hashes.SM3())
    for part in parts:
        digest.update(part)
    return digest.finalize().hex()


def hmac_sm3_hex(key: bytes, *parts: bytes) -> str:
    """HMAC with SM3 over the parts one after another, lower-case hex."""
    mac = HMAC(key, hashes.SM3())
    for part in parts:
        mac.update(part)
    return mac.finalize().hex()


def sha256_hex(*parts: bytes) -> str:
    """SHA-256 over the parts one after another, lower-case hex."""
    return hashlib.sha256(b"".join(parts)).hexdigest()


def same(one: str, other: str) -> bool:
    """Whether two texts are equal, in constant time for equal lengths; any text is allowed."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def same_hex(one: str, other: str) -> bool:
    """`same`, letter case ignored."""
    return same(one.lower(), other.lower())
