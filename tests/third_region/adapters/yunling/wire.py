"""YL-N on the wire: proof, envelope, receipts and numbers of the Yunling side (pure)."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gateway import wire
from gateway.crypto import approval, digest
from gateway.errors import Finding, Refusal
from gateway.formats import json_bytes, media_type
from gateway.formats.tree import Unreadable, member, text_at
from gateway.region import Blank, Inbound, Opened, Outcome, Receipt, Reply, SignedRequest, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTENT_TYPE = "application/json; charset=utf-8"
CHINA = timezone(timedelta(hours=8))

#: The address a message to the gateway is posted to: the signature covers it (quirk 1).
OUTBOX, INBOX = "/v1/yunling/messages", "/yl/inbox"
_HEADERS = ("x-yl-key", "x-yl-time", "x-yl-nonce", "x-yl-sign")
_TIME = re.compile(r"[0-9]{13}")
_NONCE = re.compile(r"[0-9A-Za-z_-]{8,64}")
_KIND = re.compile(r"[a-z]{1,32}")
_KEY = re.compile(r"(?:YL|TB)[0-9]{18}")
_CASE = re.compile(r"YL-59[0-9]{4}-[0-9]{8}-[0-9]{5}|CYTB[0-9]{22}")
_OURS = re.compile(r"CYTB[0-9]{22}")


def _signer(pem: object) -> object:
    return approval.load_signer(pem) if isinstance(pem, str) else pem


def _verifier(pem: object) -> object:
    return approval.load_verifier(pem) if isinstance(pem, str) else pem


class Credentials(BaseModel):
    """``[regions.yunling]``: each side has a key pair and a name for it. Keys are PEM texts, read once."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    base_url: wire.BaseUrl
    key_id: str = Field(min_length=1)
    private_key: Annotated[Any, BeforeValidator(_signer), Field(repr=False)]
    peer_key_id: str = Field(min_length=1)
    peer_public_key: Annotated[Any, BeforeValidator(_verifier), Field(repr=False)]
    #: false: the side is known and not permitted (403 9010)
    enabled: bool = True


#: The connection test: a status report on no case. Whoever checks the proof and then the form refuses it.
BLANK = Blank("status", b'{"type":"status"}')

#: Refusals of the proof, and what to do here.
PROOF_FAULTS: Mapping[str, str] = {
    "9001": "核对 key_id，并确认对方登记的公钥与本方 private_key 是一对",
    "9002": "双方时钟相差超过 300 秒：检查两侧的时间同步（NTP）",
    "9003": "对方认为随机串用过：稍后再试",
    "9010": "对方认得网关但未放行：请对方开通调用权限",
}


def verify(inbound: Inbound, credentials: Credentials, now: datetime) -> None:
    """Content type, caller proof, permission. Errors: `Refusal` 415 9031, 401 9001, 403 9010.

    One signature covers address, time, nonce and body, so a changed body is a wrong signature: no 9004 here.
    """
    headers = inbound.headers
    kind, charset = media_type.split(headers.get("content-type", ""))
    if kind != "application/json" or charset not in {"", "utf-8"}:
        raise Refusal(415, "9031", f"Content-Type 应为 {CONTENT_TYPE}，请更正请求头后重发")
    missing = [name for name in _HEADERS if not headers.get(name)]
    if missing:
        raise Refusal(401, "9001", f"缺少请求头 {'、'.join(missing)}，请补全调用凭证后重发")
    stamp, nonce = headers["x-yl-time"], headers["x-yl-nonce"]
    if not _TIME.fullmatch(stamp) or not _NONCE.fullmatch(nonce):
        raise Refusal(
            401, "9001", "x-yl-time 应为 13 位毫秒，x-yl-nonce 应为 8 至 64 位字母、数字、_ 或 -，请更正"
        )
    if not digest.same(headers["x-yl-key"], credentials.peer_key_id):
        raise Refusal(401, "9001", "x-yl-key 不是约定的密钥名称，请核对")
    signature, signed = _decoded(headers["x-yl-sign"]), to_sign(OUTBOX, stamp, nonce, inbound.body)
    if not credentials.peer_public_key.verify(signature, signed):
        raise Refusal(
            401, "9001", "x-yl-sign 验签不通过，请核对密钥及签名原文（方法、路径、时间、随机串、报文摘要）"
        )
    if not credentials.enabled:
        raise Refusal(403, "9010", "调用方已停用，请联系网关运维人员开通")


def to_sign(path: str, stamp: str, nonce: str, body: bytes) -> bytes:
    """What is signed: method, path, time, nonce and the hex SHA-256 of the body, a line each."""
    return "\n".join(("POST", path, stamp, nonce, digest.sha256_hex(body))).encode()


def open_message(inbound: Inbound) -> Opened:
    """Time and nonce come from the headers. Errors: `Refusal` 422 9041."""
    stamp = inbound.headers.get("x-yl-time", "")
    sent_at = datetime.fromtimestamp(int(stamp) / 1000, UTC) if _TIME.fullmatch(stamp) else None
    return _parsed(inbound.body, sent_at, inbound.headers.get("x-yl-nonce"))


def parse(body: bytes) -> Opened:
    """A body without its headers. Errors: `Refusal` 422 9041."""
    return _parsed(body, None, None)


def _parsed(body: bytes, sent_at: datetime | None, nonce: str | None) -> Opened:
    try:
        tree, faults = json_bytes.parse(body)
    except Unreadable as error:
        raise Refusal(422, "9041", error.reason, findings=(Finding("", "9041", error.reason),)) from None
    return Opened(
        native_kind=wire.formed(_KIND, text_at(tree, "type")),
        key=wire.formed(_KEY, text_at(tree, "id")),
        digest=digest.sm3_hex(body),
        sent_at=sent_at,
        nonce=nonce,
        tree=tree,
        # a number that has not its form is never looked up; the map finds it by its path
        case_ref=wire.formed(_CASE, text_at(tree, "case")),
        gateway_ref=wire.formed(_OURS, text_at(tree, "gatewayCase")),
        faults=faults,
    )


def render(tree: Tree, native_kind: str) -> bytes:
    """The body of a message."""
    return json_bytes.write(tree)


def seal(
    rendered: bytes, native_kind: str, credentials: Credentials, now: datetime, nonce: str
) -> SignedRequest:
    """One attempt: time, nonce and signature are new each time."""
    path, stamp = f"{INBOX}/{native_kind}", str(int(now.timestamp() * 1000))
    signature = credentials.private_key.sign(to_sign(path, stamp, nonce, rendered))
    headers = {
        "content-type": CONTENT_TYPE,
        "x-yl-key": credentials.key_id,
        "x-yl-time": stamp,
        "x-yl-nonce": nonce,
        "x-yl-sign": base64.b64encode(signature).decode(),
    }
    return SignedRequest(path, headers, rendered)


def receipt(given: Receipt, key: str, now: datetime) -> bytes:
    """Body of a receipt; ``key`` becomes its own number."""
    tree: Tree = {"ok": given.outcome is not Outcome.REFUSED, "id": key, **_said(given)}
    if given.case_ref:
        tree["case"] = given.case_ref
    if given.case_no:
        tree["gatewayCase"] = given.case_no
    if given.outcome is Outcome.REFUSED and given.findings:
        tree["problems"] = [finding.as_json() for finding in given.findings]
    return json_bytes.write(tree)


def _said(given: Receipt) -> Tree:
    codes = {Outcome.ACCEPTED: "0000", Outcome.PARKED: "0001", Outcome.IGNORED: "0002"}
    return {"code": codes.get(given.outcome, given.code), "text": wire.words_of(given)}


def read_reply(status: int, body: bytes) -> Reply:
    """Yunling's answer to a delivery: ``ok`` true is taken, false is a refusal that a repetition cannot mend."""
    try:
        tree = json_bytes.read(body)
    except Unreadable:
        tree = {}
    taken = said if isinstance(said := member(tree, "ok"), bool) else None
    words = [text_at(tree, "text"), *wire.places_in(tree.get("problems"), "path", "text")]
    code, case_ref = text_at(tree, "code"), text_at(tree, "case")
    return wire.reply(status, taken=taken, code=code, words=words, case_ref=case_ref)


def message_key(serial: int, now: datetime) -> str:
    """``TB`` + yyyyMMdd + 10 digits, Beijing date."""
    return f"TB{now.astimezone(CHINA):%Y%m%d}{serial % 10**10:010d}"


def mint_case_no(division: str, day: date, serial: int) -> str | None:
    """None: a case that starts elsewhere is known here by the gateway's number (quirk 2)."""
    return None


def _decoded(signature: str) -> bytes:
    try:
        return base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return b""
