"""A Yunling system's stand-in: its proof, its words and its reading, written apart from ``wire.py`` and ``maps.py``.

So the two can disagree, which is what a rehearsal is for: nothing of the gateway's own translation is used here.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from gateway.canonical import invented
from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Facts, Heard, Paper, Said, StandIn, Told, Unheard

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from gateway.canonical.rehearsal import Draw, Errand, Turn

CONTENT_TYPE = "application/json; charset=utf-8"
OUTBOX, INBOX = "/v1/yunling/messages", "/yl/inbox"
CHINA = timezone(timedelta(hours=8))
_TYPES = {
    Kind.GENERAL_APPLY: "apply",
    Kind.CERTIFICATION_NOTICE: "notice",
    Kind.STATUS_REPORT: "status",
    Kind.MATERIAL_SUPPLEMENT: "supplement",
    Kind.CASE_WITHDRAW: "withdraw",
    Kind.CASE_RATING: "rating",
}
_KINDS = {word: kind for kind, word in _TYPES.items()}
_STATES = {
    State.RECEIVED: "GOT",
    State.CORRECTION: "FIX",
    State.ACCEPTED: "ACCEPTED",
    State.DECLINED: "DECLINED",
    State.WITHDRAWN: "WITHDRAWN",
    State.IN_REVIEW: "REVIEW",
    State.SUSPENDED_CORRECTION: "HOLD-FIX",
    State.INQUIRY: "ASK",
    State.CONCLUDED: "DONE",
    State.RETURNED: "BACK",
    State.SERVED: "SENT",
}
_HOLDS = {"extension": "HOLD-EXT", "appraisal": "HOLD-APP", "hearing": "HOLD-HEAR", "inspection": "HOLD-SITE"}
_WORDS = {word: state for state, word in _STATES.items()} | dict.fromkeys(
    _HOLDS.values(), State.SUSPENDED_PROCEDURE
)
_ID_TYPES = {"01": "ID", "04": "HK", "05": "MO", "06": "TW", "07": "PR", "08": "PASS"}
#: What Yunling cannot do without, by kind.
_NEEDED = {
    Kind.GENERAL_APPLY: ("item", "here", "there", "channel", "acceptedAt", "applicant", "person"),
    Kind.CERTIFICATION_NOTICE: (
        "item",
        "here",
        "there",
        "certifiedAt",
        "person",
        "scheme",
        "alive",
        "method",
    ),
    Kind.STATUS_REPORT: ("state", "at"),
    Kind.MATERIAL_SUPPLEMENT: ("at", "papers"),
    Kind.CASE_WITHDRAW: ("at", "reason"),
    Kind.CASE_RATING: ("at", "stars", "channel"),
}


# --- keys ---


def pair(_: Any) -> tuple[dict[str, str], dict[str, str]]:
    """A key pair for each side; each is given its own private and the other's public half."""
    gateway, own = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    section = {
        "key_id": "tongban-demo",
        "private_key": _private(gateway),
        "peer_key_id": "yl-demo",
        "peer_public_key": _public(own),
    }
    mirrored = {
        "key_id": "yl-demo",
        "private_key": _private(own),
        "peer_key_id": "tongban-demo",
        "peer_public_key": _public(gateway),
    }
    return section, mirrored


def keys(texts: Mapping[str, str]) -> dict[str, Any]:
    return {
        **texts,
        "private_key": load_pem_private_key(texts["private_key"].encode(), None),
        "peer_public_key": load_pem_public_key(texts["peer_public_key"].encode()),
    }


def _private(key: Ed25519PrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


# --- what it says ---


def apply(errand: Errand, draw: Draw) -> Said:
    """An application with an invented person."""
    number = f"YL-{errand.here.division}-{draw.now.astimezone(CHINA):%Y%m%d}-{draw.serial % 10**5:05d}"
    body: dict[str, Any] = {
        "item": errand.code,
        # always this side's own agency and the other's, whoever began
        "here": errand.here.division,
        "there": errand.there.division,
        "channel": draw.chance.choice(("counter", "web", "app")),
    }
    certifies = errand.kind is Kind.CERTIFICATION_NOTICE
    body |= _certified(errand, draw) if certifies else _applied(errand, draw)
    tree: dict[str, Any] = {"type": _TYPES[errand.kind], "id": _number(draw), "case": number, "body": body}
    facts = _facts(errand.kind, tree, origin=True, papers=errand.papers)
    return Said(errand.kind, tree["type"], tree["id"], number, _bytes(tree), facts=facts)


def _applied(errand: Errand, draw: Draw) -> dict[str, Any]:
    form = invented.form(draw.chance, errand.item)
    who = invented.anyone(draw.chance, on=draw.now.astimezone(CHINA).date())
    body: dict[str, Any] = {
        "acceptedAt": _time(draw.now),
        "applicant": "E" if errand.by_employer else "P",
        "person": _person(who),
    }
    if errand.by_employer:
        body["employer"] = {"name": "青溪示例农业有限公司", "uscc": "91590102MA6TE00000"}
    if errand.scheme:
        body["scheme"] = errand.scheme
    if errand.papers:
        body["papers"] = _papers(errand.papers, draw)
    if form.extras:
        body["extras"] = [{"k": name, "v": value} for name, value in form.extras]
    return body | ({"remark": form.remark} if form.remark else {})


def _certified(errand: Errand, draw: Draw) -> dict[str, Any]:
    who = invented.person(draw.chance, youngest=60, oldest=90, on=draw.now.astimezone(CHINA).date())
    return {
        "certifiedAt": _time(draw.now),
        "person": _person(who),
        "scheme": errand.scheme,
        "alive": draw.chance.choices(("yes", "no", "missing"), (95, 3, 2))[0],
        "method": draw.chance.choice(("counter", "visit", "face", "finger", "data")),
    }


def follow(facts: Facts, turn: Turn, draw: Draw) -> Said:
    """A follow-up of a case by the number Yunling uses."""
    at = _time(draw.now - timedelta(seconds=turn.late_s))
    body: dict[str, Any] = {"at": at}
    if turn.kind is Kind.STATUS_REPORT:
        body["state"] = _HOLDS[turn.special] if turn.special else _STATES[turn.state or State.ACCEPTED]
    if turn.kind is Kind.MATERIAL_SUPPLEMENT:
        body["papers"] = _papers(facts.papers[:2], draw)
    if turn.kind is Kind.CASE_RATING:
        body |= {"stars": draw.chance.choice("12345"), "channel": draw.chance.choice(("web", "app", "code"))}
    if turn.reason:
        member = {Kind.MATERIAL_SUPPLEMENT: "remark", Kind.CASE_RATING: "words"}.get(turn.kind, "reason")
        body[member] = turn.reason
    tree: dict[str, Any] = {
        "type": _TYPES[turn.kind],
        "id": _number(draw),
        "case": facts.case_ref,
        "body": body,
    }
    return Said(turn.kind, tree["type"], tree["id"], facts.case_ref, _bytes(tree), state=turn.state)


def adopt(body: bytes) -> Said:
    """One of the worked messages of ``examples/``, as published."""
    tree = json.loads(body)
    kind = _KINDS[tree["type"]]
    facts = _facts(kind, tree, origin=True) if kind.opens_case else None
    return Said(kind, tree["type"], tree["id"], tree["case"], body, state=_state(kind, tree), facts=facts)


def address(body: bytes, facts: Facts, now: datetime) -> Said:
    """A worked follow-up, addressed to a case and dated."""
    tree = {name: value for name, value in json.loads(body).items() if name != "gatewayCase"}
    tree["case"] = facts.case_ref
    tree["body"]["at"] = _time(now)
    return adopt(_bytes(tree))


def request(said: Said, own: Any, now: datetime, nonce: str) -> tuple[Mapping[str, str], bytes]:
    """Headers and bytes of one attempt."""
    stamp = str(int(now.timestamp() * 1000))
    signature = own["private_key"].sign(_signed(OUTBOX, stamp, nonce, said.body))
    headers = {
        "content-type": CONTENT_TYPE,
        "x-yl-key": own["key_id"],
        "x-yl-time": stamp,
        "x-yl-nonce": nonce,
        "x-yl-sign": base64.b64encode(signature).decode(),
    }
    return headers, said.body


# --- what it hears ---


def hear(kind_in_path: str, headers: Mapping[str, str], body: bytes, own: Any, now: datetime) -> Heard:
    """A delivery of the gateway, proof checked. Errors: `Unheard`."""
    _check_proof(kind_in_path, headers, body, own, now)
    try:
        tree = json.loads(body.decode("utf-8"))
    except ValueError:
        raise Unheard(422, "9041", "", "报文不是 JSON") from None
    kind = _KINDS.get(kind_in_path)
    if kind is None or tree.get("type") != kind_in_path:
        raise Unheard(422, "9042", "type", "路径与报文的 type 不一致")
    for name in ("id", "case", "gatewayCase"):
        if not isinstance(tree.get(name), str):
            raise Unheard(422, "9042", name, "缺少必填项")
    for name in _NEEDED[kind]:
        if tree.get("body", {}).get(name) in (None, "", []):
            raise Unheard(422, "9042", f"body.{name}", "缺少必填项")
    facts = _facts(kind, tree, origin=False) if kind.opens_case else None
    return Heard(kind, kind_in_path, tree["id"], tree["case"], state=_state(kind, tree), facts=facts)


def _check_proof(kind: str, headers: Mapping[str, str], body: bytes, own: Any, now: datetime) -> None:
    stamp, nonce = headers.get("x-yl-time", ""), headers.get("x-yl-nonce", "")
    if headers.get("x-yl-key") != own["peer_key_id"] or not stamp.isdigit():
        raise Unheard(401, "9001", "", "缺少调用凭证")
    try:
        signature = base64.b64decode(headers.get("x-yl-sign", ""))
        own["peer_public_key"].verify(signature, _signed(f"{INBOX}/{kind}", stamp, nonce, body))
    except (ValueError, InvalidSignature):
        raise Unheard(401, "9001", "", "签名不符") from None
    if abs(int(stamp) / 1000 - now.timestamp()) > 300:
        raise Unheard(401, "9002", "", "超出时间窗")


def answer(heard: Heard | None, refusal: Unheard | None, draw: Draw) -> bytes:
    """The receipt's bytes."""
    tree: dict[str, Any] = {"ok": refusal is None, "id": _number(draw), "code": "0000", "text": ""}
    if heard:
        tree["case"] = heard.case_ref
    if refusal:
        tree |= {"code": refusal.code, "text": refusal.text}
        tree["problems"] = [{"path": refusal.path, "code": refusal.code, "text": refusal.text}]
    return _bytes(tree)


def read(status: int, body: bytes) -> Told:
    """The gateway's receipt."""
    try:
        tree = json.loads(body)
        taken, code, text = tree["ok"], tree["code"], tree["text"]
    except (ValueError, KeyError, TypeError):
        return Told(None, text=f"HTTP {status}")
    found = "；".join(f"{one['path']} {one['text']}" for one in tree.get("problems", ()))
    return Told(taken, code, f"{text} {found}".strip(), tree.get("gatewayCase", ""))


# --- spellings ---


def _facts(kind: Kind, tree: Any, *, origin: bool, papers: Iterable[Paper] = ()) -> Facts:
    body = tree["body"]
    written = tuple(Paper(one["code"], "") for one in body.get("papers", ()))
    return Facts(
        kind=kind,
        case_ref=tree["case"],
        division=body["here"],
        origin=origin,
        scheme=body.get("scheme", ""),
        item=body["item"],
        papers=tuple(papers) or written,
        name=body["person"]["name"],
        id_no=body["person"]["idNo"],
    )


def _person(who: invented.Person) -> dict[str, str]:
    return {"name": who.name, "idType": _ID_TYPES[who.id_type], "idNo": who.id_no, "phone": who.mobile}


def _papers(papers: Iterable[Paper], draw: Draw) -> list[dict[str, str]]:
    return [
        {"code": paper.code, "how": "upload", "file": f"YF{draw.serial % 10**6:06d}{place:02d}"}
        for place, paper in enumerate(papers, 1)
    ]


def _state(kind: Kind, tree: Any) -> State | None:
    return _WORDS.get(tree["body"]["state"]) if kind is Kind.STATUS_REPORT else None


def _number(draw: Draw) -> str:
    return f"YL{draw.now.astimezone(CHINA):%Y%m%d}{draw.serial % 10**10:010d}"


def _time(now: datetime) -> str:
    return now.astimezone(CHINA).isoformat(timespec="seconds")


def _signed(path: str, stamp: str, nonce: str, body: bytes) -> bytes:
    return f"POST\n{path}\n{stamp}\n{nonce}\n{hashlib.sha256(body).hexdigest()}".encode()


def _bytes(tree: Any) -> bytes:
    return json.dumps(tree, ensure_ascii=False).encode()


stand_in = StandIn(
    slug="yunling",
    inbox=INBOX,
    outbox=OUTBOX,
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
