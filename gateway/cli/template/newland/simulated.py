"""A Newland system's stand-in: its proof, its words and its reading, written apart from ``wire.py`` and ``maps.py``.

So the two can disagree, which is what a rehearsal is for: nothing of the gateway's own translation is used here.
"""

from __future__ import annotations

import hmac
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from gateway.canonical import invented
from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Facts, Heard, Paper, Said, StandIn, Told, Unheard

from . import spoken

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from gateway.canonical.rehearsal import Draw, Errand, Turn

OUTBOX, INBOX = "/v1/newland/messages", "/newland/inbox"
CHINA = timezone(timedelta(hours=8))
#: Words of this side's code lists that are said here: change them together with the lists.
CHANNELS, UPLOADED = ("window", "web", "app"), "upload"
_TYPES = {
    Kind.GENERAL_APPLY: "apply",
    Kind.STATUS_REPORT: "status",
    Kind.MATERIAL_SUPPLEMENT: "supplement",
    Kind.CASE_WITHDRAW: "withdraw",
    Kind.CASE_RATING: "rating",
}
_KINDS = {word: kind for kind, word in _TYPES.items()}
#: The words of this side for the hub's states and holds: `30`, and `32-hearing` for a hold.
_HELD = "32"
#: Members of a follow-up's body in the order of the interface.
_ORDER = ("state", "stars", "words", "channel", "at", "papers", "reason", "remark")
#: What Newland cannot do without, by kind.
_NEEDED = {
    Kind.GENERAL_APPLY: ("item", "here", "there", "channel", "acceptedAt", "applicant", "person"),
    Kind.STATUS_REPORT: ("state", "at"),
    Kind.MATERIAL_SUPPLEMENT: ("at", "papers"),
    Kind.CASE_WITHDRAW: ("at", "reason"),
    Kind.CASE_RATING: ("at", "stars", "channel"),
}


# --- keys ---


def pair(secret: Any) -> tuple[dict[str, str], dict[str, str]]:
    """A name and a secret for each side; what is the gateway's own is the peer's here."""
    gateway, own = (
        {"key_id": "tongban-demo", "secret": secret()},
        {"key_id": "newland-demo", "secret": secret()},
    )
    section = {**gateway, "peer_key_id": own["key_id"], "peer_secret": own["secret"]}
    mirrored = {**own, "peer_key_id": gateway["key_id"], "peer_secret": gateway["secret"]}
    return section, mirrored


def keys(texts: Mapping[str, str]) -> dict[str, Any]:
    return {name: text.strip() for name, text in texts.items()}


# --- what it says ---


def apply(errand: Errand, draw: Draw) -> Said:
    """An application with an invented person."""
    number = f"QQ-{errand.here.division}-{draw.now.astimezone(CHINA):%Y%m%d}-{draw.serial % 10**5:05d}"
    body: dict[str, Any] = {
        "item": errand.code,
        # always this side's own agency and the other's, whoever began
        "here": errand.here.division,
        "there": errand.there.division,
        "channel": draw.chance.choice(CHANNELS),
    }
    body |= _applied(errand, draw)
    tree: dict[str, Any] = {"type": _TYPES[errand.kind], "id": _number(draw), "case": number, "body": body}
    facts = _facts(errand.kind, tree, origin=True, papers=errand.papers)
    return Said(errand.kind, tree["type"], tree["id"], number, spoken.write(tree), facts=facts)


def _applied(errand: Errand, draw: Draw) -> dict[str, Any]:
    form = invented.form(draw.chance, errand.item)
    who = invented.anyone(draw.chance, on=draw.now.astimezone(CHINA).date())
    body: dict[str, Any] = {
        "acceptedAt": _time(draw.now),
        "applicant": "employer" if errand.by_employer else "person",
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


def follow(facts: Facts, turn: Turn, draw: Draw) -> Said:
    """A follow-up of a case by the number Newland uses."""
    at = _time(draw.now - timedelta(seconds=turn.late_s))
    body: dict[str, Any] = {"at": at}
    if turn.kind is Kind.STATUS_REPORT:
        body["state"] = f"{_HELD}-{turn.special}" if turn.special else (turn.state or State.ACCEPTED).value
    if turn.kind is Kind.MATERIAL_SUPPLEMENT:
        body["papers"] = _papers(facts.papers[:2], draw)
    if turn.kind is Kind.CASE_RATING:
        body |= {"stars": draw.chance.choice("12345"), "channel": draw.chance.choice("123")}
    if turn.reason:
        member = {Kind.MATERIAL_SUPPLEMENT: "remark", Kind.CASE_RATING: "words"}.get(turn.kind, "reason")
        body[member] = turn.reason
    body = {name: body[name] for name in _ORDER if name in body}
    tree: dict[str, Any] = {
        "type": _TYPES[turn.kind],
        "id": _number(draw),
        "case": facts.case_ref,
        "body": body,
    }
    return Said(turn.kind, tree["type"], tree["id"], facts.case_ref, spoken.write(tree), state=turn.state)


def adopt(body: bytes) -> Said:
    """One of the worked messages of ``examples/``, as published."""
    tree = spoken.read(body)
    kind = _KINDS[tree["type"]]
    facts = _facts(kind, tree, origin=True) if kind.opens_case else None
    return Said(kind, tree["type"], tree["id"], tree["case"], body, state=_state(kind, tree), facts=facts)


def address(body: bytes, facts: Facts, now: datetime) -> Said:
    """A worked follow-up, addressed to a case and dated."""
    tree = {name: value for name, value in spoken.read(body).items() if name != "gatewayCase"}
    tree["case"] = facts.case_ref
    tree["body"]["at"] = _time(now)
    return adopt(spoken.write(tree))


def request(said: Said, own: Any, now: datetime, nonce: str) -> tuple[Mapping[str, str], bytes]:
    """Headers and bytes of one attempt."""
    stamp = str(int(now.timestamp() * 1000))
    headers = {
        "content-type": spoken.CONTENT_TYPE,
        "x-newland-key": own["key_id"],
        "x-newland-time": stamp,
        "x-newland-nonce": nonce,
        "x-newland-sign": _signature(own["secret"], OUTBOX, stamp, nonce, said.body),
    }
    return headers, said.body


# --- what it hears ---


def hear(kind_in_path: str, headers: Mapping[str, str], body: bytes, own: Any, now: datetime) -> Heard:
    """A delivery of the gateway, proof checked. Errors: `Unheard`."""
    _check_proof(kind_in_path, headers, body, own, now)
    try:
        tree = spoken.read(body)
    except ValueError:
        raise Unheard(422, "9041", "", "报文读不懂") from None
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
    stamp, nonce = headers.get("x-newland-time", ""), headers.get("x-newland-nonce", "")
    if headers.get("x-newland-key") != own["peer_key_id"] or not stamp.isdigit():
        raise Unheard(401, "9001", "", "缺少调用凭证")
    signed = _signature(own["peer_secret"], f"{INBOX}/{kind}", stamp, nonce, body)
    if not hmac.compare_digest(signed.encode(), headers.get("x-newland-sign", "").encode()):
        raise Unheard(401, "9001", "", "签名不符")
    if abs(int(stamp) / 1000 - now.timestamp()) > 300:
        raise Unheard(401, "9002", "", "超出时间窗")


def answer(heard: Heard | None, refusal: Unheard | None, draw: Draw) -> bytes:
    """The receipt's bytes."""
    tree: dict[str, Any] = {"ok": "no" if refusal else "yes", "id": _number(draw), "code": "0000", "text": ""}
    if heard:
        tree["case"] = heard.case_ref
    if refusal:
        tree |= {"code": refusal.code, "text": refusal.text}
        tree["problems"] = [{"path": refusal.path, "code": refusal.code, "text": refusal.text}]
    return spoken.write(tree)


def read(status: int, body: bytes) -> Told:
    """The gateway's receipt."""
    try:
        tree = spoken.read(body)
        taken, code, text = tree["ok"], tree["code"], tree["text"]
    except (ValueError, KeyError, TypeError):
        return Told(None, text=f"HTTP {status}")
    found = "；".join(f"{one['path']} {one['text']}" for one in tree.get("problems", ()))
    return Told(taken == "yes", code, f"{text} {found}".strip(), tree.get("gatewayCase", ""))


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
    return {"name": who.name, "idType": who.id_type, "idNo": who.id_no, "phone": who.mobile}


def _papers(papers: Iterable[Paper], draw: Draw) -> list[dict[str, str]]:
    return [
        {"code": paper.code, "how": UPLOADED, "file": f"YF{draw.serial % 10**6:06d}{place:02d}"}
        for place, paper in enumerate(papers, 1)
    ]


def _state(kind: Kind, tree: Any) -> State | None:
    return State(tree["body"]["state"][:2]) if kind is Kind.STATUS_REPORT else None


def _number(draw: Draw) -> str:
    return f"QQ{draw.now.astimezone(CHINA):%Y%m%d}{draw.serial % 10**10:010d}"


def _time(now: datetime) -> str:
    return now.astimezone(CHINA).isoformat(timespec="seconds")


def _signature(secret: str, path: str, stamp: str, nonce: str, body: bytes) -> str:
    content, mac = hashes.Hash(hashes.SM3()), HMAC(secret.encode(), hashes.SM3())
    content.update(body)
    mac.update(f"POST\n{path}\n{stamp}\n{nonce}\n{content.finalize().hex()}".encode())
    return mac.finalize().hex()


stand_in = StandIn(
    slug="newland",
    inbox=INBOX,
    outbox=OUTBOX,
    content_type=spoken.CONTENT_TYPE,
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
