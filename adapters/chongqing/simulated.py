"""A Chongqing system's stand-in: its proof, its receipts, its reading, apart from the gateway's own code."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from lxml import etree

from adapters.chongqing import drafts
from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Facts, Heard, Paper, Said, StandIn, Told, Unheard
from gateway.crypto import signing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gateway.canonical.rehearsal import Draw, Errand, Turn

CONTENT_TYPE = "application/xml; charset=GB18030"
_KINDS = {jym: kind for kind, jym in drafts.JYM.items()}
_FSSJ = re.compile(rb"<FSSJ>[^<]*</FSSJ>")
_SBLSH = re.compile(rb"<SBLSH>[^<]*</SBLSH>")
_PASSWORDS = ("x-cq-clientid", "x-cq-sm3", "x-cq-sign")
#: The time of each follow-up that says one.
_TIME = re.compile(rb"<(BJSJ|BZSJ|CHSJ|PJSJ)>[^<]*</\1>")
#: What a Chongqing system cannot do without, by kind.
_NEEDED = {
    Kind.TRANSFER_APPLY: (
        "SQR/ZJHM",
        "YWXX/XZLX",
        "YWXX/ZYFX",
        "YWXX/ZCDMC",
        "YWXX/ZRDMC",
        "YWXX/SFDQJS",
        "CLLB/CL",
    ),
    Kind.TRANSFER_SHEET: (
        "BJXX/BJZT",
        "YWXX/SCCBNY",
        "YWXX/NMX",
        "YWXX/GRZH1998H",
        "YWXX/GRZHZYE",
        "YWXX/ZYZE",
    ),
    Kind.UNEMPLOYMENT_CLAIM: (
        "SQR/ZJHM",
        "YWXX/CBDMC",
        "YWXX/SYRQ",
        "YWXX/SYYY",
        "YWXX/SLFS",
        "YWXX/FFFS",
        "CLLB/CL",
    ),
    Kind.UNEMPLOYMENT_ANSWER: ("YWXX/LJYS", "YWXX/YXYS", "YWXX/SYYS", "YWXX/YFBZ", "YWXX/QSNY", "YWXX/ZZNY"),
    Kind.CERTIFICATION_NOTICE: (
        "SQR/ZJHM",
        "YWXX/DYFFDMC",
        "YWXX/RZFS",
        "YWXX/RZSJ",
        "YWXX/SCZT",
        "BJXX/BJJG",
    ),
    Kind.GENERAL_APPLY: ("SQR/SQRLX", "SQR/ZJHM", "YWXX/YSDMC", "BJXX/SXMC"),
    Kind.STATUS_REPORT: ("BJXX/BJZT", "BJXX/BJSJ"),
    Kind.MATERIAL_SUPPLEMENT: ("BJXX/BZSJ", "CLLB/CL"),
    Kind.CASE_WITHDRAW: ("BJXX/CHSJ", "BJXX/CHYY"),
    Kind.CASE_RATING: ("BJXX/PJDJ", "BJXX/PJQD", "BJXX/PJSJ"),
}


def pair(secret: Callable[[], str]) -> tuple[dict[str, str], dict[str, str]]:  # noqa: ARG001 - keys need none
    """Each side has its own key pair and the public key of the other."""
    gateway, own = signing.generate(), signing.generate()
    ours = {
        "client_id": "CYTB-DEMO",
        "private_key": signing.private_pem(gateway),
        "peer_client_id": "CQ-DEMO",
        "peer_public_key": signing.public_pem(own.public),
    }
    theirs = {
        "client_id": "CQ-DEMO",
        "private_key": signing.private_pem(own),
        "peer_client_id": "CYTB-DEMO",
        "peer_public_key": signing.public_pem(gateway.public),
    }
    return ours, theirs


def keys(texts: Mapping[str, str]) -> dict[str, Any]:
    return {
        "client_id": texts["client_id"],
        "private_key": signing.load_private(texts["private_key"]),
        "peer_client_id": texts["peer_client_id"],
        "peer_public_key": signing.load_public(texts["peer_public_key"]),
    }


def apply(errand: Errand, draw: Draw) -> Said:
    body, facts = drafts.application(errand, draw)
    jym = drafts.JYM[errand.kind]
    lsh, packet = drafts.packet(jym, facts.division, body, draw)
    return Said(errand.kind, jym, lsh, facts.case_ref, packet, facts=facts)


def follow(facts: Facts, turn: Turn, draw: Draw) -> Said:
    body = drafts.follow_up(facts, turn, draw)
    lsh, packet = drafts.packet(drafts.JYM[turn.kind], facts.division, body, draw)
    return Said(turn.kind, drafts.JYM[turn.kind], lsh, facts.case_ref, packet, state=turn.state)


def adopt(body: bytes) -> Said:
    root = _parse(body)
    jym, case_ref = _text(root, "HEAD/JYM"), _text(root, "BODY/BJXX/SBLSH")
    kind = _KINDS[jym]
    facts = _facts(kind, root, origin=True) if kind.opens_case else None
    return Said(kind, jym, _text(root, "HEAD/LSH"), case_ref, body, state=_state(kind, root), facts=facts)


def address(body: bytes, facts: Facts, now: datetime) -> Said:
    body = _SBLSH.sub(b"<SBLSH>%b</SBLSH>" % facts.case_ref.encode(), body, count=1)
    return adopt(_TIME.sub(rb"<\1>%b</\1>" % drafts.written(now).encode(), body, count=1))


def request(said: Said, own: Any, now: datetime, nonce: str) -> tuple[Mapping[str, str], bytes]:  # noqa: ARG001
    # FSSJ is new on each attempt, so the message is signed anew (CQ-N §3)
    body = _FSSJ.sub(b"<FSSJ>%b</FSSJ>" % drafts.written(now).encode(), said.body, count=1)
    headers = {
        "content-type": CONTENT_TYPE,
        "X-CQ-CLIENTID": own["client_id"],
        "X-CQ-SM3": _sm3(body),
        "X-CQ-SIGN": base64.b64encode(own["private_key"].sign(body)).decode(),
    }
    return headers, body


def hear(jym: str, headers: Mapping[str, str], body: bytes, own: Any, now: datetime) -> Heard:
    _check_proof(headers, body, own)
    root = _parse(body)
    _check_head(root, jym, now)
    kind = _KINDS[jym]
    for path in ("BJXX/SBLSH", *_NEEDED.get(kind, ())):
        if root.find(f"BODY/{path}") is None:
            raise Unheard(422, "9042", f"BODY/{path}", "缺少必填项")
    facts = _facts(kind, root, origin=False) if kind.opens_case else None
    return Heard(
        kind,
        jym,
        _text(root, "HEAD/LSH"),
        _text(root, "BODY/BJXX/SBLSH"),
        state=_state(kind, root),
        facts=facts,
    )


def answer(heard: Heard | None, refusal: Unheard | None, draw: Draw) -> bytes:
    tree: dict[str, Any] = {
        "FHM": refusal.code if refusal else "0000",
        "FHXX": refusal.text if refusal else None,
        "SBLSH": heard.case_ref if heard else None,
    }
    if refusal:
        tree["CW"] = {"LJ": refusal.path or "PACKET", "DM": refusal.code, "MS": refusal.text}
    division = heard.facts.division if heard and heard.facts else "500000"
    return drafts.packet("FH", division, {"FH": tree}, draw)[1]


def read(status: int, body: bytes) -> Told:
    try:
        root = _parse(body)
    except Unheard:
        return Told(None, text=f"HTTP {status}")
    code, words = _text(root, "BODY/FH/FHM"), _text(root, "BODY/FH/FHXX")
    found = "；".join(f"{one.findtext('LJ')} {one.findtext('MS')}" for one in root.iterfind("BODY/FH/CW"))
    taken = code == "0000"
    named = next((word for word in words.split() if word.isdigit()), "") if taken else code
    return Told(taken if code else None, named, f"{words} {found}".strip(), _text(root, "BODY/FH/CYTBH"))


def _check_proof(headers: Mapping[str, str], body: bytes, own: Any) -> None:
    if any(not headers.get(name) for name in _PASSWORDS):
        raise Unheard(401, "9001", "", "缺少调用凭证")
    if headers.get("x-cq-clientid") != own["peer_client_id"]:
        raise Unheard(401, "9001", "", "调用方标识不符")
    if headers.get("x-cq-sm3", "").lower() != _sm3(body):
        raise Unheard(401, "9004", "", "报文摘要不符")
    try:
        signature = base64.b64decode(headers.get("x-cq-sign", ""), validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if not own["peer_public_key"].verify(signature, body):
        raise Unheard(401, "9001", "", "验签不通过")


def _check_head(root: etree._Element, jym: str, now: datetime) -> None:
    if _text(root, "HEAD/JYM") != jym or jym not in _KINDS:
        raise Unheard(422, "9042", "HEAD/JYM", "路径与报文的 JYM 不一致")
    try:
        sent = datetime.fromisoformat(_text(root, "HEAD/FSSJ")).replace(tzinfo=drafts.CHINA)
    except ValueError:
        raise Unheard(422, "9042", "HEAD/FSSJ", "时间格式不符") from None
    if abs((sent - now).total_seconds()) > 300:
        raise Unheard(401, "9002", "HEAD/FSSJ", "超出时间窗")
    if not _text(root, "HEAD/LSH").startswith("TB") or _text(root, "HEAD/FSF") != "CYTB":
        raise Unheard(422, "9043", "HEAD/LSH", "不是网关的流水号")


def _facts(kind: Kind, root: etree._Element, *, origin: bool) -> Facts:
    agency = _text(root, "HEAD/FSF" if origin else "HEAD/JSF")
    scheme = (_text(root, "BODY/YWXX/XZLX"), _text(root, "BODY/YWXX/YLLX"))
    # the view is always Chongqing's: 转出 = the relation leaves Chongqing
    old_place = _text(root, "BODY/YWXX/ZYFX") == "转出"
    moves = kind is Kind.TRANSFER_APPLY
    return Facts(
        kind=kind,
        case_ref=_text(root, "BODY/BJXX/SBLSH"),
        division=agency.removeprefix("CQ"),
        origin=origin,
        scheme="|".join(filter(None, scheme)),
        old_place=old_place,
        origin_concludes=origin != old_place if moves else _text(root, "BODY/YWXX/SLFS") == "户籍地申领",
        item=_text(root, "BODY/BJXX/SXBM")[19:],
        papers=tuple(Paper(_text(one, "CLBH"), _text(one, "CLMC")) for one in root.iterfind("BODY/CLLB/CL")),
        name=_text(root, "BODY/SQR/XM"),
        id_no=_text(root, "BODY/SQR/ZJHM"),
    )


def _state(kind: Kind, root: etree._Element) -> State | None:
    if kind is not Kind.STATUS_REPORT:
        return None
    return drafts.state_of(*(_text(root, f"BODY/BJXX/{name}") for name in ("BJZT", "TBCXZL", "BJJG")))


def _parse(body: bytes) -> etree._Element:
    """A parser of its own kind: lxml on the decoded text, the declaration cut off."""
    try:
        text = body.decode("gb18030")
        return etree.fromstring(text.split("?>", 1)[1].strip(), etree.XMLParser(resolve_entities=False))
    except (ValueError, IndexError, etree.XMLSyntaxError):
        raise Unheard(422, "9041", "PACKET", "报文不是 GB18030 编码的 XML") from None


def _text(root: etree._Element, path: str) -> str:
    return root.findtext(path) or ""


def _sm3(body: bytes) -> str:
    digest = hashes.Hash(hashes.SM3())
    digest.update(body)
    return digest.finalize().hex()


stand_in = StandIn(
    slug="chongqing",
    inbox="/gw/cq",
    outbox="/v1/chongqing/messages",
    content_type=CONTENT_TYPE,
    pair=pair,
    keys=keys,
    apply=apply,
    follow=follow,
    adopt=adopt,
    address=address,
    request=request,
    hear=hear,
    answer=answer,
    read=read,
)
