"""A Sichuan system's stand-in: its proof, its receipts, its reading, apart from the gateway's own code."""

from __future__ import annotations

import hashlib
import hmac
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from adapters.sichuan import drafts
from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Facts, Heard, Paper, Said, StandIn, Told, Unheard

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from gateway.canonical.rehearsal import Draw, Errand, Turn

CONTENT_TYPE = "application/json; charset=utf-8"
_KINDS = {fwid: kind for kind, fwid in drafts.FWID.items()}
_PASSWORDS = ("x-tif-paasid", "x-tif-timestamp", "x-tif-nonce", "x-tif-signature", "x-body-sm3")
#: The time of each follow-up that says one.
_TIMES = ("blsj", "bzsj", "chsj", "pjsj")
#: What a Sichuan system cannot do without, by kind.
_NEEDED = {
    Kind.TRANSFER_APPLY: (
        "aac058",
        "aac147",
        "aae140",
        "aac070",
        "aae035",
        "aab299",
        "aab301",
        "yac250",
        "clist",
    ),
    Kind.TRANSFER_SHEET: (
        "aae140",
        "aac049",
        "aae030",
        "aae031",
        "aae201",
        "ic91",
        "aic089",
        "aic083",
        "aic102",
    ),
    Kind.UNEMPLOYMENT_CLAIM: (
        "aac147",
        "aae140",
        "aae035",
        "aab299",
        "ajc090",
        "abc917",
        "sldbz",
        "aae145",
        "clist",
    ),
    Kind.UNEMPLOYMENT_ANSWER: (
        "aae140",
        "ajc071",
        "ajc072",
        "ajc097",
        "ajc099",
        "ajc061",
        "aae019",
        "aae041",
        "aae042",
    ),
    Kind.CERTIFICATION_NOTICE: ("aac147", "aae140", "aac060", "bic162", "aae036", "rzfs", "aab301", "aab299"),
    Kind.GENERAL_APPLY: ("sqrlx", "aac058", "aac147", "aae035", "aab299", "aab301"),
    Kind.STATUS_REPORT: ("blzt", "blsj"),
    Kind.MATERIAL_SUPPLEMENT: ("bzsj", "clist"),
    Kind.CASE_WITHDRAW: ("chsj", "chyy"),
    Kind.CASE_RATING: ("pjdj", "pjqd", "pjsj"),
}


def pair(secret: Any) -> tuple[dict[str, str], dict[str, str]]:
    """One id and one token serve both directions."""
    shared = {"paasid": "sc-demo", "token": secret()}
    return shared, shared


def keys(texts: Mapping[str, str]) -> dict[str, str]:
    return {"paasid": texts["paasid"], "token": texts["token"].strip()}


def apply(errand: Errand, draw: Draw) -> Said:
    tree, facts = drafts.application(errand, draw)
    return Said(errand.kind, tree["fwid"], tree["aaz002"], tree["affairCode"], _bytes(tree), facts=facts)


def follow(facts: Facts, turn: Turn, draw: Draw) -> Said:
    tree = drafts.follow_up(facts, turn, draw)
    return Said(turn.kind, tree["fwid"], tree["aaz002"], facts.case_ref, _bytes(tree), state=turn.state)


def adopt(body: bytes) -> Said:
    tree = json.loads(body, parse_float=Decimal)
    kind = _KINDS[tree["fwid"]]
    facts = _facts(kind, tree, origin=True) if kind.opens_case else None
    return Said(
        kind, tree["fwid"], tree["aaz002"], tree["affairCode"], body, state=_state(kind, tree), facts=facts
    )


def address(body: bytes, facts: Facts, now: datetime) -> Said:
    tree = {name: value for name, value in json.loads(body).items() if name != "cytbh"}
    tree["affairCode"] = facts.case_ref
    tree["param"] |= {name: drafts.stamp(now) for name in _TIMES if name in tree["param"]}
    return adopt(_bytes(tree))


def request(said: Said, own: Any, now: datetime, nonce: str) -> tuple[Mapping[str, str], bytes]:
    stamp = str(int(now.timestamp()))
    headers = {
        "content-type": CONTENT_TYPE,
        "x-tif-paasid": own["paasid"],
        "x-tif-timestamp": stamp,
        "x-tif-nonce": nonce,
        "x-tif-signature": _signature(own["token"], stamp, nonce),
        "x-body-sm3": _body_digest(own["token"], stamp, nonce, said.body),
    }
    return headers, said.body


def hear(fwid: str, headers: Mapping[str, str], body: bytes, own: Any, now: datetime) -> Heard:
    _check_proof(headers, body, own, now)
    try:
        tree = json.loads(body.decode("utf-8"), parse_float=Decimal)
    except ValueError:
        raise Unheard(422, "9041", "", "报文不是 JSON") from None
    kind = _KINDS.get(fwid)
    if kind is None or tree.get("fwid") != fwid:
        raise Unheard(422, "9042", "fwid", "路径与报文的 fwid 不一致")
    _check_form(kind, tree)
    facts = _facts(kind, tree, origin=False) if kind.opens_case else None
    return Heard(kind, fwid, tree["aaz002"], tree["affairCode"], state=_state(kind, tree), facts=facts)


def answer(heard: Heard | None, refusal: Unheard | None, draw: Draw) -> bytes:
    tree: dict[str, Any] = {
        "recode": "-1" if refusal else "1",
        "message": "",
        "aaz002": drafts.log_number(draw),
    }
    if heard:
        tree["affairCode"] = heard.case_ref
    if refusal:
        tree["message"] = f"{refusal.code} {refusal.text}"
        tree["findings"] = [{"path": refusal.path, "code": refusal.code, "text": refusal.text}]
    return _bytes(tree)


def read(status: int, body: bytes) -> Told:
    try:
        tree = json.loads(body)
        recode, message = tree["recode"], tree["message"]
    except (ValueError, KeyError, TypeError):
        return Told(None, text=f"HTTP {status}")
    found = "；".join(f"{one['path']} {one['text']}" for one in tree.get("findings", ()))
    code = next((word for word in message.split() if word.isdigit()), "")
    return Told(recode == "1", code, f"{message} {found}".strip(), tree.get("cytbh", ""))


def _check_proof(headers: Mapping[str, str], body: bytes, own: Any, now: datetime) -> None:
    if any(not headers.get(name) for name in _PASSWORDS) or headers["x-tif-paasid"] != own["paasid"]:
        raise Unheard(401, "9001", "", "缺少调用凭证")
    stamp, nonce = headers["x-tif-timestamp"], headers["x-tif-nonce"]
    if not hmac.compare_digest(_signature(own["token"], stamp, nonce), headers["x-tif-signature"].lower()):
        raise Unheard(401, "9001", "", "签名不符")
    if not hmac.compare_digest(_body_digest(own["token"], stamp, nonce, body), headers["x-body-sm3"].lower()):
        raise Unheard(401, "9004", "", "报文摘要不符")
    if abs(int(stamp) - now.timestamp()) > 300:
        raise Unheard(401, "9002", "", "超出时间窗")


def _check_form(kind: Kind, tree: Any) -> None:
    for name in ("aaz002", "affairCode", "cytbh"):
        if not isinstance(tree.get(name), str):
            raise Unheard(422, "9042", name, "缺少必填项")
    if not tree["aaz002"].startswith("TB"):
        raise Unheard(422, "9043", "aaz002", "不是网关的业务日志号")
    if kind.opens_case and (tree.get("aae011") != "CYTB" or tree.get("aac001") != ""):
        raise Unheard(422, "9042", "aae011", "网关报文的经办人应为 CYTB")
    param = tree.get("param")
    for name in _NEEDED.get(kind, ()):
        if not isinstance(param, dict) or param.get(name) in (None, "", []):
            raise Unheard(422, "9042", f"param.{name}", "缺少必填项")


def _facts(kind: Kind, tree: Any, *, origin: bool) -> Facts:
    param = tree["param"]
    # the view is always Sichuan's: 1 = the relation leaves Sichuan
    old_place = param.get("aac070") == "1"
    moves = kind is Kind.TRANSFER_APPLY
    return Facts(
        kind=kind,
        case_ref=tree["affairCode"],
        division=tree["yab003"],
        origin=origin,
        scheme=param.get("aae140", ""),
        old_place=old_place,
        origin_concludes=origin != old_place if moves else param.get("sldbz") == "2",
        item=tree["itemCode"].partition("-")[0],
        papers=tuple(Paper(one["clbm"], one["clmc"]) for one in param.get("clist", ())),
        name=tree["aac003"],
        id_no=tree["aac002"],
    )


def _state(kind: Kind, tree: Any) -> State | None:
    if kind is not Kind.STATUS_REPORT:
        return None
    word, special = tree["param"]["blzt"], tree["param"].get("tbcx")
    return State.INQUIRY if (word, special) == ("06", "4") else drafts.WORDS.get(word)


def _bytes(tree: Any) -> bytes:
    return json.dumps(tree, ensure_ascii=False).encode("utf-8")


def _signature(token: str, stamp: str, nonce: str) -> str:
    return hashlib.sha256(f"{stamp}{token}{nonce}{stamp}".encode()).hexdigest()


def _body_digest(token: str, stamp: str, nonce: str, body: bytes) -> str:
    mac = HMAC(token.encode(), hashes.SM3())
    mac.update(b"%b\n%b\n%b" % (stamp.encode(), nonce.encode(), body))
    return mac.finalize().hex()


stand_in = StandIn(
    slug="sichuan",
    inbox="/gw/sc",
    outbox="/v1/sichuan/messages",
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
