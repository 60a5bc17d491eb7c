"""A link that carries what was tried, sealed: the server keeps nothing, and no other deployment can open it.

Token: base64url of version, key id, nonce and AES-GCM of the compressed content. It stands in the fragment of
the address, which browsers send nowhere.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.dashboard.texts import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Characters of a token; what browsers, mail and chat programs pass on unharmed.
LONGEST = 24_000
_VERSION = b"\x01"
_ID, _NONCE = 6, 12

TOO_LONG = N_("报文太大，放不进链接：请删去重复的明细后再分享，或把文件直接交给对方")
FOREIGN = N_("这个链接出自另一套部署，或这里的主密钥已经更换：内容打不开，请向发链接的人索要报文文件")
OF_ANOTHER_RUN = N_(
    "这个链接出自另一台机器，或本机上一次运行：本机的密钥只在一次运行内有效，请重新生成链接或索要报文文件"
)
DAMAGED = N_("链接不完整：可能在转发时被截断或改动，请重新复制完整的链接")
EXPIRED = N_("链接已于 %(on)s 过期：请向发链接的人索要新的链接")


class NotOpened(Exception):  # noqa: N818 - an answer
    """Why a link cannot be made or opened; ``text`` is one of the sentences above."""

    def __init__(self, text: str, **values: str) -> None:
        super().__init__(text)
        self.text, self.values = text, values


class Links:
    """Seals and opens. ``master``: 32 bytes; ``None``: a key for the life of this process."""

    def __init__(self, master: bytes | None, days: int) -> None:
        self.is_lasting = master is not None
        key = HKDF(SHA256(), 32, salt=None, info=b"tongban playground link").derive(
            master or secrets.token_bytes(32)
        )
        self._id = hashlib.sha256(b"id" + key).digest()[:_ID]
        self._seal = AESGCM(key)
        self.days = days

    def seal(self, content: Mapping[str, Any], now: datetime) -> tuple[str, datetime]:
        """The token, and until when it can be opened. Errors: `NotOpened` when it would be too long."""
        until = now + timedelta(days=self.days)
        plain = json.dumps({**content, "until": int(until.timestamp())}, ensure_ascii=False).encode()
        nonce, head = secrets.token_bytes(_NONCE), _VERSION + self._id
        sealed = self._seal.encrypt(nonce, zlib.compress(plain, 9), head)
        token = base64.urlsafe_b64encode(head + nonce + sealed).rstrip(b"=").decode()
        if len(token) > LONGEST:
            raise NotOpened(TOO_LONG)
        return token, until

    def open(self, token: str, now: datetime) -> dict[str, Any]:
        """What was sealed. Errors: `NotOpened` with the reason."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise NotOpened(DAMAGED) from None
        head, nonce = raw[: 1 + _ID], raw[1 + _ID : 1 + _ID + _NONCE]
        if len(token) > LONGEST or len(nonce) < _NONCE or head[:1] != _VERSION:
            raise NotOpened(DAMAGED)
        if head[1:] != self._id:
            raise NotOpened(FOREIGN if self.is_lasting else OF_ANOTHER_RUN)
        try:
            plain = self._seal.decrypt(nonce, raw[1 + _ID + _NONCE :], head)
        except InvalidTag:
            raise NotOpened(DAMAGED) from None
        content: dict[str, Any] = json.loads(zlib.decompress(plain))
        until = datetime.fromtimestamp(content.pop("until"), UTC)
        if now > until:
            raise NotOpened(EXPIRED, on=f"{until:%Y-%m-%d}")
        return content
