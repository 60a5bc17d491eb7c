"""The building blocks alone: SM3, HMAC-SM3 and SM2, for who writes them in a new language (pure)."""

from __future__ import annotations

import base64
from typing import Any

from gateway.crypto import signing
from gateway.crypto.digest import hmac_sm3_hex, sm3_hex
from tests.vectors import sm2
from tests.vectors.proofs import PRIVATE, PUBLIC, VERSION

#: the first two are those of GB/T 32905-2016, annex A; the lengths after them are where padding goes wrong
MESSAGES = [
    b"abc",
    b"abcd" * 16,
    b"",
    *(b"a" * n for n in (55, 56, 63, 64, 65, 1000)),
    "张䶮".encode("gb18030"),
]
KEYS = [b"TEST-TOKEN-NOT-A-SECRET", b"k", b"k" * 64, b"k" * 65]


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def document() -> dict[str, Any]:
    """The file ``sm.json``."""
    digests = [{"message_base64": _b64(message), "sm3": sm3_hex(message)} for message in MESSAGES]
    macs = [
        {"key_base64": _b64(key), "message_base64": _b64(b"abc"), "hmac_sm3": hmac_sm3_hex(key, b"abc")}
        for key in KEYS
    ]
    signatures = [_signature(message, intact=intact) for message in MESSAGES[:3] for intact in (True, False)]
    return {
        "version": VERSION,
        "about": "SM3、HMAC-SM3、SM2 单独的例子；密钥只供测试",
        "about_en": "SM3, HMAC-SM3 and SM2 alone; keys for tests only",
        "count": len(digests) + len(macs) + len(signatures),
        "sm3": digests,
        "hmac_sm3": macs,
        "sm2": signatures,
    }


def _signature(message: bytes, *, intact: bool) -> dict[str, Any]:
    point = sm2.public_point(PUBLIC["region"])
    z = sm2.za(point)
    e = sm2.sm3(z, message)
    r, s = sm2.sign(sm2.private_number(PRIVATE["region"]), e)
    r = r if intact else r ^ 1
    made = sm2.der(r, s)
    assert signing.load_public(PUBLIC["region"]).verify(made, message) is intact
    return {
        "message_base64": _b64(message),
        "signer_id": sm2.SIGNER_ID.decode(),
        "public_key_pem": PUBLIC["region"],
        "public_key_xy": f"{point[0]:064x}{point[1]:064x}",
        "za": z.hex(),
        "e": e.hex(),
        "r": f"{r:064x}",
        "s": f"{s:064x}",
        "signature_base64": _b64(made),
        "valid": intact,
    }
