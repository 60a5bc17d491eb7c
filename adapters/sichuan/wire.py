"""SC-N on the wire: proof, envelope, receipts and numbers of the Sichuan side (pure)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from gateway import wire
from gateway.crypto import digest
from gateway.errors import Finding, Refusal
from gateway.formats import json_bytes, media_type
from gateway.formats.tree import Unreadable, text_at
from gateway.region import Blank, Inbound, Opened, Outcome, Receipt, Reply, SignedRequest, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTENT_TYPE = "application/json; charset=utf-8"

# SC-N sends no zone and means Beijing time (SC-N §5).
CHINA = timezone(timedelta(hours=8))

_HEADERS = ("x-tif-paasid", "x-tif-timestamp", "x-tif-nonce", "x-tif-signature", "x-body-sm3")
_TIMESTAMP = re.compile(r"[0-9]{1,11}")
_NONCE = re.compile(r"[0-9A-Za-z_-]{8,64}")
_KIND = re.compile(r"[0-9A-Za-z_]{1,32}")
_KEY = re.compile(r"SC[0-9]{15,20}|TB[0-9]{18}")
_AFFAIR_CODE = re.compile(r"51[0-9]{4}-[0-9]{8}-[0-9]{6}")
_CYTBH = re.compile(r"CYTB[0-9]{22}")
_CODED = re.compile(r"([0-9]{4})\s*(.*)", re.DOTALL)
#: Minted serials are 9 and five digits: Sichuan's own begin with 0 to 8 (SC-N §6).
_MINTED = 99_999


class Credentials(BaseModel):
    """``[regions.sichuan]``: one pair of id and token serves both directions (SC-N §2)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: wire.BaseUrl
    paasid: wire.Name
    token: wire.Secret
    #: false: the side is known and not permitted (403 9010)
    enabled: bool = True


#: A status report that reports nothing on no case. A receiver that keeps to the order of SC-N and crossing §1
#: checks the proof, finds no ``aaz002``, and answers 422 9042; nothing is stored, because only messages answered
#: 202 are. The kind is a known one, so that a receiver with an address per ``fwid`` does not answer 404.
BLANK = Blank("tbzt0001", b'{"fwid":"tbzt0001"}')

#: Refusals of the proof (SC-N §4), and what to do here.
PROOF_FAULTS: Mapping[str, str] = {
    "9001": "核对 paasid 与 token 是否与对方登记的一致（注意首尾空格与换行）",
    "9004": "对方收到的报文字节与签发时不同：检查中间的代理是否改写了报文",
    "9002": "双方时钟相差超过 300 秒：检查两侧的时间同步（NTP）",
    "9003": "对方认为随机数用过：稍后再试；反复出现时请对方检查防重放的范围",
    "9010": "对方认得网关但未放行：请对方开通调用权限",
}


def verify(inbound: Inbound, credentials: Credentials, now: datetime) -> None:  # noqa: ARG001 - the seam
    """Content type, caller proof, permission. Errors: `Refusal` 415 9031, 401 9001/9004, 403 9010.

    The time window needs no look here: it is step 7, after the body could be read (crossing §1).
    """
    headers = inbound.headers
    kind, charset = media_type.split(headers.get("content-type", ""))
    if kind != "application/json" or charset not in {"", "utf-8"}:
        raise Refusal(415, "9031", f"Content-Type 应为 {CONTENT_TYPE}，请更正请求头后重发")
    missing = [name for name in _HEADERS if not headers.get(name)]
    if missing:
        raise Refusal(401, "9001", f"缺少请求头 {'、'.join(missing)}，请补全调用凭证后重发")
    _check_caller(headers, credentials)
    # The signature does not cover the body: the body has a keyed digest of its own (SC-N §2).
    expected = _body_digest(
        _token(credentials), headers["x-tif-timestamp"], headers["x-tif-nonce"], inbound.body
    )
    if not digest.same_hex(headers["x-body-sm3"], expected):
        raise Refusal(401, "9004", "x-body-sm3 与报文不符，请按原始字节重新计算后重发")
    if not credentials.enabled:
        raise Refusal(403, "9010", "调用方已停用，请联系网关运维人员开通")


def open_message(inbound: Inbound) -> Opened:
    """Step 6, with time and nonce from the headers. Errors: `Refusal` 422 9041."""
    stamp = inbound.headers.get("x-tif-timestamp", "")
    return _parsed(inbound.body, _instant(stamp), inbound.headers.get("x-tif-nonce"))


def parse(body: bytes) -> Opened:
    """A body without its headers. Errors: `Refusal` 422 9041.

    Numbers that do not have their form are left empty here and found by the schema: a key or case
    number that is no number is never looked up.
    """
    return _parsed(body, None, None)


def _parsed(body: bytes, sent_at: datetime | None, nonce: str | None) -> Opened:
    try:
        tree, faults = json_bytes.parse(body)
    except Unreadable as error:
        raise Refusal(422, "9041", error.reason, findings=(Finding("", "9041", error.reason),)) from None
    return Opened(
        native_kind=wire.formed(_KIND, text_at(tree, "fwid")),
        key=wire.formed(_KEY, text_at(tree, "aaz002")),
        digest=digest.sm3_hex(body),
        sent_at=sent_at,
        nonce=nonce,
        tree=tree,
        case_ref=wire.formed(_AFFAIR_CODE, text_at(tree, "affairCode")),
        gateway_ref=wire.formed(_CYTBH, text_at(tree, "cytbh")),
        faults=faults,
    )


def render(tree: Tree, native_kind: str) -> bytes:  # noqa: ARG001 - the seam
    """The body of a message."""
    return json_bytes.write(tree)


def seal(
    rendered: bytes, native_kind: str, credentials: Credentials, now: datetime, nonce: str
) -> SignedRequest:
    """One attempt: timestamp, nonce, signature and body digest are new each time (SC-N §3)."""
    stamp, token = str(int(now.timestamp())), _token(credentials)
    headers = {
        "content-type": CONTENT_TYPE,
        "x-tif-paasid": credentials.paasid,
        "x-tif-timestamp": stamp,
        "x-tif-nonce": nonce,
        "x-tif-signature": _signature(token, stamp, nonce),
        "x-body-sm3": _body_digest(token, stamp, nonce, rendered),
    }
    return SignedRequest(f"/gw/sc/{native_kind}", headers, rendered)


def receipt(given: Receipt, key: str, now: datetime) -> bytes:  # noqa: ARG001 - SC receipts carry no time
    """Body of a receipt (SC-N §4); ``key`` becomes its own log number."""
    refused = given.outcome is Outcome.REFUSED
    tree: Tree = {"recode": "-1" if refused else "1", "message": _message(given), "aaz002": key}
    if given.case_ref:
        tree["affairCode"] = given.case_ref
    if given.case_no:
        tree["cytbh"] = given.case_no
    if refused and given.findings:
        tree["findings"] = [finding.as_json() for finding in given.findings]
    return json_bytes.write(tree)


def read_reply(status: int, body: bytes) -> Reply:
    """Sichuan's answer to a delivery (SC-N §4, gateway §5)."""
    try:
        tree = json_bytes.read(body)
    except Unreadable:
        tree = {}
    recode = text_at(tree, "recode")
    found = _CODED.fullmatch(text_at(tree, "message").strip())
    code, text = (found[1], found[2]) if found else ("", text_at(tree, "message"))
    taken = {"1": True, "-1": False}.get(recode)
    words = [text, *wire.places_in(tree.get("findings"), "path", "text")]
    case_ref = text_at(tree, "affairCode")
    return wire.reply(status, taken=taken, code=code, words=words, case_ref=case_ref)


def message_key(serial: int, now: datetime) -> str:
    """``TB`` + yyyyMMdd + 10 digits, Beijing date."""
    return f"TB{now.astimezone(CHINA):%Y%m%d}{serial % 10**10:010d}"


def mint_case_no(division: str, day: date, serial: int) -> str:
    """The affairCode of a case that starts elsewhere. Errors: `Refusal` 503 when the day's are used up."""
    if serial > _MINTED:
        raise Refusal(503, "9060", "该区划当日办件编号已用完，请次日重发", retry_after=3600)
    return f"{division}-{day:%Y%m%d}-9{serial:05d}"


def _check_caller(headers: Mapping[str, str], credentials: Credentials) -> None:
    stamp, nonce = headers["x-tif-timestamp"], headers["x-tif-nonce"]
    if not digest.same(headers["x-tif-paasid"], credentials.paasid):
        raise Refusal(401, "9001", "x-tif-paasid 不是约定的调用方标识，请核对")
    if not _TIMESTAMP.fullmatch(stamp) or not _NONCE.fullmatch(nonce):
        raise Refusal(
            401, "9001", "x-tif-timestamp 应为 Unix 秒，x-tif-nonce 应为 8 至 64 位字母、数字、_ 或 -，请更正"
        )
    if not digest.same_hex(headers["x-tif-signature"], _signature(_token(credentials), stamp, nonce)):
        raise Refusal(
            401, "9001", "x-tif-signature 校验不通过，请核对令牌及“时间戳+令牌+随机数+时间戳”的拼接"
        )


def _token(credentials: Credentials) -> bytes:
    return credentials.token.get_secret_value().encode("utf-8")


def _signature(token: bytes, stamp: str, nonce: str) -> str:
    return digest.sha256_hex(stamp.encode(), token, nonce.encode(), stamp.encode())


def _body_digest(token: bytes, stamp: str, nonce: str, body: bytes) -> str:
    return digest.hmac_sm3_hex(token, f"{stamp}\n{nonce}\n".encode(), body)


def _instant(stamp: str) -> datetime | None:
    return datetime.fromtimestamp(int(stamp), UTC) if _TIMESTAMP.fullmatch(stamp) else None


def _message(given: Receipt) -> str:
    words = wire.words_of(given)
    return f"{given.code} {words}" if given.outcome is Outcome.REFUSED else words
