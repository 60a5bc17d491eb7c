"""QQ-N on the wire: proof, envelope, receipts and numbers of the Newland side (pure)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, SecretStr

from gateway import wire
from gateway.crypto import digest
from gateway.errors import Finding, Refusal
from gateway.formats import media_type
from gateway.formats.tree import Unreadable, text_at
from gateway.region import Blank, Inbound, Opened, Outcome, Receipt, Reply, SignedRequest, Tree

from . import codec

if TYPE_CHECKING:
    from collections.abc import Mapping

CHINA = timezone(timedelta(hours=8))

# 待定：INBOX 改为本省接收投递的地址，请求头改为接口文件规定的名称（simulated.py 和 examples/*.http.json 同改）
#: The address a message to the gateway is posted to, and where the gateway posts to: the proof covers both.
OUTBOX, INBOX = "/v1/newland/messages", "/newland/inbox"
_HEADERS = ("x-newland-key", "x-newland-time", "x-newland-nonce", "x-newland-sign")
_TIME = re.compile(r"[0-9]{13}")
_NONCE = re.compile(r"[0-9A-Za-z_-]{8,64}")
_KIND = re.compile(r"[a-z]{1,32}")
# 待定：报文编号和办件编号改为本省的写法（maps/blocks.py、simulated.py 和 schema.json 同改）
_KEY = re.compile(r"(?:QQ|TB)[0-9]{18}")
_CASE = re.compile(r"QQ-98[0-9]{4}-[0-9]{8}-[0-9]{5}|CYTB[0-9]{22}")
_OURS = re.compile(r"CYTB[0-9]{22}")


class Credentials(BaseModel):
    """``[regions.newland]``: each side has a secret and a name for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: wire.BaseUrl
    key_id: wire.Name
    secret: wire.Secret
    peer_key_id: wire.Name
    peer_secret: wire.Secret
    #: false: the side is known and not permitted (403 9010)
    enabled: bool = True


#: The connection test: a status report on no case. Whoever checks the proof and then the form refuses it.
BLANK = Blank("status", codec.write({"type": "status"}))

#: Refusals of the proof, and what to do here.
PROOF_FAULTS: Mapping[str, str] = {
    "9001": "核对 key_id 与 secret 是否与对方登记的一致（注意首尾空格与换行）",
    "9002": "双方时钟相差超过 300 秒：检查两侧的时间同步（NTP）",
    "9003": "对方认为随机串用过：稍后再试",
    "9010": "对方认得网关但未放行：请对方开通调用权限",
}


def verify(inbound: Inbound, credentials: Credentials, now: datetime) -> None:  # noqa: ARG001 - the seam
    """Content type, caller proof, permission. Errors: `Refusal` 415 9031, 401 9001, 403 9010.

    One signature covers address, time, nonce and body, so a changed body is a wrong signature: no 9004 here.
    """
    headers = inbound.headers
    kind, charset = media_type.split(headers.get("content-type", ""))
    if kind != codec.MEDIA or charset not in codec.CHARSETS:
        raise Refusal(415, "9031", f"Content-Type 应为 {codec.CONTENT_TYPE}，请更正请求头后重发")
    missing = [name for name in _HEADERS if not headers.get(name)]
    if missing:
        raise Refusal(401, "9001", f"缺少请求头 {'、'.join(missing)}，请补全调用凭证后重发")
    stamp, nonce = headers["x-newland-time"], headers["x-newland-nonce"]
    if not _TIME.fullmatch(stamp) or not _NONCE.fullmatch(nonce):
        raise Refusal(
            401,
            "9001",
            "x-newland-time 应为 13 位毫秒，x-newland-nonce 应为 8 至 64 位字母、数字、_ 或 -，请更正",
        )
    if not digest.same(headers["x-newland-key"], credentials.peer_key_id):
        raise Refusal(401, "9001", "x-newland-key 不是约定的密钥名称，请核对")
    expected = signature(credentials.peer_secret, OUTBOX, stamp, nonce, inbound.body)
    if not digest.same(headers["x-newland-sign"], expected):
        raise Refusal(
            401,
            "9001",
            "x-newland-sign 验签不通过，请核对密钥及签名原文（方法、路径、时间、随机串、报文摘要）",
        )
    if not credentials.enabled:
        raise Refusal(403, "9010", "调用方已停用，请联系网关运维人员开通")


# 待定：调用证明改为接口文件规定的算法和签名原文（simulated.py 中独立地再写一遍）；就用 HMAC-SM3 时删去本行
def signature(secret: SecretStr, path: str, stamp: str, nonce: str, body: bytes) -> str:
    """Hex HMAC-SM3 over method, path, time, nonce and the hex SM3 of the body, a line each."""
    signed = "\n".join(("POST", path, stamp, nonce, digest.sm3_hex(body)))
    return digest.hmac_sm3_hex(secret.get_secret_value().encode(), signed.encode())


def open_message(inbound: Inbound) -> Opened:
    """Time and nonce come from the headers. Errors: `Refusal` 422 9041."""
    stamp = inbound.headers.get("x-newland-time", "")
    sent_at = datetime.fromtimestamp(int(stamp) / 1000, UTC) if _TIME.fullmatch(stamp) else None
    return _parsed(inbound.body, sent_at, inbound.headers.get("x-newland-nonce"))


def parse(body: bytes) -> Opened:
    """A body without its headers. Errors: `Refusal` 422 9041."""
    return _parsed(body, None, None)


def _parsed(body: bytes, sent_at: datetime | None, nonce: str | None) -> Opened:
    try:
        tree, faults = codec.read(body)
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


def render(tree: Tree, native_kind: str) -> bytes:  # noqa: ARG001 - the seam
    """The body of a message."""
    return codec.write(tree)


def seal(
    rendered: bytes, native_kind: str, credentials: Credentials, now: datetime, nonce: str
) -> SignedRequest:
    """One attempt: time, nonce and signature are new each time."""
    path, stamp = f"{INBOX}/{native_kind}", str(int(now.timestamp() * 1000))
    headers = {
        "content-type": codec.CONTENT_TYPE,
        "x-newland-key": credentials.key_id,
        "x-newland-time": stamp,
        "x-newland-nonce": nonce,
        "x-newland-sign": signature(credentials.secret, path, stamp, nonce, rendered),
    }
    return SignedRequest(path, headers, rendered)


def receipt(given: Receipt, key: str, now: datetime) -> bytes:  # noqa: ARG001 - the seam
    """Body of a receipt; ``key`` becomes its own number."""
    tree: Tree = {"ok": "no" if given.outcome is Outcome.REFUSED else "yes", "id": key, **_said(given)}
    if given.case_ref:
        tree["case"] = given.case_ref
    if given.case_no:
        tree["gatewayCase"] = given.case_no
    if given.outcome is Outcome.REFUSED and given.findings:
        tree["problems"] = [finding.as_json() for finding in given.findings]
    return codec.write(tree)


def _said(given: Receipt) -> Tree:
    codes = {Outcome.ACCEPTED: "0000", Outcome.PARKED: "0001", Outcome.IGNORED: "0002"}
    return {"code": codes.get(given.outcome, given.code), "text": wire.words_of(given)}


def read_reply(status: int, body: bytes) -> Reply:
    """Newland's answer to a delivery: ``ok`` yes is taken, no is a refusal that a repetition cannot mend."""
    try:
        tree, _ = codec.read(body)
    except Unreadable:
        tree = {}
    taken = {"yes": True, "no": False}.get(text_at(tree, "ok"))
    words = [text_at(tree, "text"), *wire.places_in(tree.get("problems"), "path", "text")]
    code, case_ref = text_at(tree, "code"), text_at(tree, "case")
    return wire.reply(status, taken=taken, code=code, words=words, case_ref=case_ref)


def message_key(serial: int, now: datetime) -> str:
    """``TB`` + yyyyMMdd + 10 digits, Beijing date."""
    return f"TB{now.astimezone(CHINA):%Y%m%d}{serial % 10**10:010d}"


def mint_case_no(division: str, day: date, serial: int) -> str | None:  # noqa: ARG001 - the seam
    """None: a case that starts elsewhere is known here by the gateway's number. Decide in README.md."""
    return None
