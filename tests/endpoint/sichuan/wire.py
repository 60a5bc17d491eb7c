"""Proofs of sichuan 2 and JSON as crossing 1 reads it."""

import hashlib
import json
from decimal import Decimal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC


def sm3_mac(token, message):
    mac = HMAC(token.encode(), hashes.SM3())
    mac.update(message)
    return mac.finalize().hex()


def signature(timestamp, token, nonce, *, swapped=False):
    base = token + timestamp + nonce + token if swapped else timestamp + token + nonce + timestamp
    return hashlib.sha256(base.encode()).hexdigest()


def unique_members(pairs):
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError("repeated member name")
    return dict(pairs)


def refuse_constant(name):
    raise ValueError(f"{name} is no JSON number")


def read_json(body, *, lenient=False):
    """The message as an object with decimals; ValueError when it cannot be read (crossing 1, step 6)."""
    if lenient:
        return json.loads(body.decode("utf-8", "replace"), parse_float=Decimal)
    if body.startswith(b"\xef\xbb\xbf"):
        raise ValueError("byte order mark")
    message = json.loads(
        body.decode("utf-8"),
        parse_float=Decimal,
        parse_constant=refuse_constant,
        object_pairs_hook=unique_members,
    )
    if not isinstance(message, dict):
        raise ValueError("no JSON object")  # noqa: TRY004 - one kind of error for everything unreadable
    return message
