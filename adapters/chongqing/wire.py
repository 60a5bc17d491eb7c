"""CQ-N on the wire: proof, envelope, receipts and numbers of the Chongqing side (pure)."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gateway import wire
from gateway.crypto import digest, signing
from gateway.errors import Finding, Refusal
from gateway.formats import media_type, xml_bytes
from gateway.formats.tree import Unreadable, member, text_at
from gateway.region import Blank, Inbound, Opened, Outcome, Receipt, Reply, SignedRequest, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTENT_TYPE = "application/xml; charset=GB18030"

# CQ-N sends no zone and means Beijing time (CQ-N §5).
CHINA = timezone(timedelta(hours=8))

#: Where a receipt goes when the sender could not be read (CQ-N §4).
NOBODY = "CQ500000"

_HEADERS = ("x-cq-clientid", "x-cq-sm3", "x-cq-sign")
_KIND = re.compile(r"[0-9A-Za-z_]{1,32}")
_KEY = re.compile(r"(?:CQ|TB)[0-9]{20}")
_SENDER = re.compile(r"CQ50[0-9]{4}")
_SBLSH = re.compile(r"CQ50[0-9]{4}[0-9]{14}|CYTB[0-9]{22}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_BODY_START = re.compile(r"<BODY[ \t\r\n]*>")
_BODY_END = re.compile(r"</BODY[ \t\r\n]*>")
# "<" is never the second byte of a GB 18030 character, so bytes can be searched.
_FSSJ = re.compile(rb"<FSSJ>[^<]*</FSSJ>")
#: Bounds of the receipt form: paths, number of findings.
_PATH, _MOST = 200, 50


def _private(pem: object) -> object:
    return signing.load_private(pem) if isinstance(pem, str) else pem


def _public(pem: object) -> object:
    return signing.load_public(pem) if isinstance(pem, str) else pem


class Credentials(BaseModel):
    """``[regions.chongqing]``: each side has its own SM2 key pair (CQ-N §2). Keys are PEM texts, read once."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    base_url: wire.BaseUrl
    client_id: wire.Name
    private_key: Annotated[signing.PrivateKey, BeforeValidator(_private), Field(repr=False)]
    peer_client_id: wire.Name
    peer_public_key: Annotated[signing.PublicKey, BeforeValidator(_public), Field(repr=False)]
    #: false: the side is known and not permitted (403 9010)
    enabled: bool = True


#: A status report without LSH and BODY: it reports nothing on no case. A receiver that keeps to the order of
#: CQ-N and crossing §1 checks the proof and the time and answers 422 9042; nothing is stored, because only
#: messages answered 202 are. FSSJ is there to be renewed by `seal`, as in every message.
BLANK = Blank(
    "ZT_TZ",
    b'<?xml version="1.0" encoding="GB18030"?><PACKET><HEAD><BBH>1.0</BBH><FSF>CYTB</FSF><JSF>CQ500000</JSF>'
    b"<JYM>ZT_TZ</JYM><FSSJ>2026-01-01 00:00:00</FSSJ></HEAD></PACKET>",
)

#: Refusals of the proof (CQ-N §4), and what to do here.
PROOF_FAULTS: Mapping[str, str] = {
    "9001": "核对 client_id，并确认对方登记的公钥与本方 private_key 是一对",
    "9004": "对方收到的报文字节与签发时不同：检查中间的代理是否改写了报文",
    "9002": "双方时钟相差超过 300 秒：检查两侧的时间同步（NTP）",
    "9010": "对方认得网关但未放行：请对方开通调用权限",
}


def verify(inbound: Inbound, credentials: Credentials, now: datetime) -> None:  # noqa: ARG001 - the seam
    """Content type, caller proof, permission. Errors: `Refusal` 415 9031, 401 9001/9004, 403 9010.

    The digest comes before the signature: it is cheap, and it tells a changed body from a wrong key.
    """
    headers = inbound.headers
    kind, charset = media_type.split(headers.get("content-type", ""))
    if kind != "application/xml" or charset != "gb18030":
        raise Refusal(415, "9031", f"Content-Type 应为 {CONTENT_TYPE}，请更正请求头后重发")
    missing = [name.upper() for name in _HEADERS if not headers.get(name)]
    if missing:
        raise Refusal(401, "9001", f"缺少请求头 {'、'.join(missing)}，请补全调用凭证后重发")
    if not digest.same(headers["x-cq-clientid"], credentials.peer_client_id):
        raise Refusal(401, "9001", "X-CQ-CLIENTID 不是约定的调用方标识，请核对")
    if not digest.same_hex(headers["x-cq-sm3"], digest.sm3_hex(inbound.body)):
        raise Refusal(401, "9004", "X-CQ-SM3 与报文不符，请按原始字节重新计算后重发")
    if not credentials.peer_public_key.verify(_der(headers["x-cq-sign"]), inbound.body):
        raise Refusal(401, "9001", "X-CQ-SIGN 验签不通过，请核对密钥并对原始字节重新签名")
    if not credentials.enabled:
        raise Refusal(403, "9010", "调用方已停用，请联系网关运维人员开通")


def open_message(inbound: Inbound) -> Opened:
    """Step 6. Errors: `Refusal` 422 9041."""
    return parse(inbound.body)


def parse(body: bytes) -> Opened:
    """A body without its headers. Errors: `Refusal` 422 9041.

    Numbers that do not have their form are left empty here and found by the schema: a key or case
    number that is no number is never looked up.
    """
    try:
        text = xml_bytes.decode(body)
        tree, faults = xml_bytes.parse(text)
    except Unreadable as error:
        raise Refusal(
            422, "9041", error.reason, findings=(Finding("PACKET", "9041", error.reason),)
        ) from None
    kind = text_at(tree, "HEAD", "JYM")
    return Opened(
        native_kind=wire.formed(_KIND, kind),
        key=wire.formed(_KEY, text_at(tree, "HEAD", "LSH")),
        digest=_content_digest(text, kind),
        sent_at=_instant(text_at(tree, "HEAD", "FSSJ")),
        nonce=None,
        tree=tree,
        case_ref=wire.formed(_SBLSH, text_at(tree, "BODY", "BJXX", "SBLSH")),
        sender=wire.formed(_SENDER, text_at(tree, "HEAD", "FSF")),
        faults=faults,
    )


def render(tree: Tree, native_kind: str) -> bytes:  # noqa: ARG001 - the seam
    """The bytes of a message; its FSSJ is renewed by `seal`."""
    return xml_bytes.write(tree)


def seal(
    rendered: bytes,
    native_kind: str,
    credentials: Credentials,
    now: datetime,
    nonce: str,  # noqa: ARG001 - CQ-N has none
) -> SignedRequest:
    """One attempt: HEAD/FSSJ is renewed in the stored bytes, and the bytes as sent are signed (CQ-N §3)."""
    body = _FSSJ.sub(f"<FSSJ>{_written(now)}</FSSJ>".encode("ascii"), rendered, count=1)
    headers = {
        "content-type": CONTENT_TYPE,
        "X-CQ-CLIENTID": credentials.client_id,
        "X-CQ-SM3": digest.sm3_hex(body),
        "X-CQ-SIGN": base64.b64encode(credentials.private_key.sign(body)).decode("ascii"),
    }
    return SignedRequest(f"/gw/cq/{native_kind}", headers, body)


def receipt(given: Receipt, key: str, now: datetime) -> bytes:
    """Body of a receipt (CQ-N §4); ``key`` becomes its LSH."""
    head = {
        "BBH": "1.0",
        "FSF": "CYTB",
        "JSF": given.sender if _SENDER.fullmatch(given.sender) else NOBODY,
        "JYM": "FH",
        "LSH": key,
        "FSSJ": _written(now),
    }
    refused = given.outcome is Outcome.REFUSED
    answer: Tree = {
        "FHM": given.code if refused else "0000",
        "FHXX": _clip(wire.words_of(given), wire.WORDS) or None,
        "SBLSH": given.case_ref or None,
        "CYTBH": given.case_no or None,
        "CW": [_fault(finding) for finding in given.findings[:_MOST]] if refused else [],
    }
    return xml_bytes.write({"HEAD": head, "BODY": {"FH": answer}})


def read_reply(status: int, body: bytes) -> Reply:
    """Chongqing's answer to a delivery (CQ-N §4, gateway §5)."""
    try:
        tree, _ = xml_bytes.read(body)
    except Unreadable:
        tree = {}
    code = text_at(tree, "BODY", "FH", "FHM").strip()
    answer = member(tree, "BODY", "FH")
    words = [text_at(answer, "FHXX"), *wire.places_in(member(answer, "CW"), "LJ", "MS")]
    case_ref = text_at(answer, "SBLSH").strip()
    return wire.reply(
        status, taken=code == "0000" if code else None, code=code, words=words, case_ref=case_ref
    )


def message_key(serial: int, now: datetime) -> str:
    """``TB`` + yyyyMMddHHmmss + 6 digits, Beijing time."""
    return f"TB{now.astimezone(CHINA):%Y%m%d%H%M%S}{serial % 10**6:06d}"


def mint_case_no(division: str, day: date, serial: int) -> None:  # noqa: ARG001 - the seam
    """Chongqing knows foreign cases by the gateway's own number (CQ-N §6)."""
    return


def _content_digest(text: str, kind: str) -> str:
    """SM3 over ``<BODY>``…``</BODY>`` and JYM: HEAD/FSSJ changes with every retry (CQ-N §3)."""
    start = _BODY_START.search(text)
    ends = list(_BODY_END.finditer(text))
    content = text[start.start() : ends[-1].end()] if start and ends else text
    return digest.sm3_hex(content.encode("utf-8"), kind.encode("utf-8"))


def _der(written: str) -> bytes:
    try:
        return base64.b64decode(written.strip().encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return b""


def _instant(written: str) -> datetime | None:
    if not _TIME.fullmatch(written):
        return None
    try:
        return datetime.fromisoformat(written).replace(tzinfo=CHINA)
    except ValueError:
        return None


def _written(now: datetime) -> str:
    return f"{now.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"


def _fault(finding: Finding) -> Tree:
    return {
        "LJ": _clip(finding.path, _PATH) or "PACKET",
        "DM": finding.code,
        "MS": _clip(finding.text, wire.WORDS) or "不符合接口规范，请对照规范更正",
    }


def _clip(text: str, most: int) -> str:
    """Receipts keep the form they ask of others: bounded, no white space at the ends."""
    return " ".join(text.split())[:most].strip()
