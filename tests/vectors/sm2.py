"""SM2 signatures in the open: every intermediate value, and a number of our own choosing in place of chance.

For vectors with test keys only: the signatures must come out the same each time they are made, and some of them
are made the wrong way on purpose. Source: GB/T 32918.2-2016.
"""

from __future__ import annotations

import base64
import re

from gateway.crypto.digest import sm3_hex

P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
SIGNER_ID = b"1234567812345678"


def sm3(*parts: bytes) -> bytes:
    return bytes.fromhex(sm3_hex(*parts))


def _bytes(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def add(one, other):
    """Two points of the curve; None is the point at infinity."""
    if one is None or other is None:
        return one or other
    if one[0] == other[0] and (one[1] + other[1]) % P == 0:
        return None
    if one == other:
        slope = (3 * one[0] * one[0] + A) * pow(2 * one[1], -1, P) % P
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P) % P
    x = (slope * slope - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def times(number: int, point):
    """Double and add: quick enough for a few vectors, and not for secrets."""
    found = None
    while number:
        if number & 1:
            found = add(found, point)
        point, number = add(point, point), number >> 1
    return found


def _der(pem: str) -> bytes:
    return base64.b64decode(re.sub(r"-----.*?-----|\s", "", pem))


def public_point(pem: str) -> tuple[int, int]:
    """SubjectPublicKeyInfo ends with 04, x and y."""
    der = _der(pem)
    assert der[-65] == 4
    return _number(der[-64:-32]), _number(der[-32:])


def private_number(pem: str) -> int:
    """PKCS#8 with an ECPrivateKey in it: version 1, then 32 octets."""
    der = _der(pem)
    at = der.index(bytes.fromhex("0201010420")) + 5
    return _number(der[at : at + 32])


def za(point: tuple[int, int], signer_id: bytes = SIGNER_ID) -> bytes:
    """Z of a signer: length of the id in bits, id, curve, key."""
    length = (len(signer_id) * 8).to_bytes(2, "big")
    return sm3(length, signer_id, *map(_bytes, (A, B, *G, *point)))


def sign(private: int, digest: bytes, salt: bytes = b"") -> tuple[int, int]:
    """(r, s) over ``digest``; the nonce is made from key, digest and salt: the same each time."""
    e = _number(digest)
    k = _number(sm3(_bytes(private), digest, salt, b"vectors")) % (N - 1) + 1
    x, _ = times(k, G)
    r = (e + x) % N
    return r, pow(1 + private, -1, N) * (k - r * private) % N


def der(r: int, s: int) -> bytes:
    """SEQUENCE of two INTEGERs."""
    members = b""
    for number in (r, s):
        octets = number.to_bytes(number.bit_length() // 8 + 1, "big")
        members += bytes([2, len(octets)]) + octets
    return bytes([0x30, len(members)]) + members
