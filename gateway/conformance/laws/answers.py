"""Laws over receipts: what the gateway answers is read by the other side, and the other way round."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gateway.canonical.rehearsal import Draw, Unheard
from gateway.conformance.law import Breach
from gateway.conformance.laws.needs import stand_in_of
from gateway.conformance.laws.rulebook import holds
from gateway.conformance.passages import deliveries
from gateway.conformance.pointing import leaves
from gateway.conformance.subject import GATEWAY
from gateway.errors import Finding, Level
from gateway.region import Outcome, Receipt, Taken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.canonical.rehearsal import Heard
    from gateway.conformance.laws.rulebook import Tally
    from gateway.conformance.subject import Subject

_FINDING = Finding("a.b", "9043", "请更正后重新提交")
#: Every outcome at the door, with the code the sender should read.
RECEIPTS: tuple[tuple[Receipt, str], ...] = (
    (Receipt(Outcome.ACCEPTED, 202), ""),
    (Receipt(Outcome.PARKED, 202, findings=(Finding("a", "1001", "缺码表行", Level.PARK),)), "1001"),
    (Receipt(Outcome.IGNORED, 202, "1101", "早于已有状态"), "1101"),
    (Receipt(Outcome.IGNORED, 202, "1102", "与已有状态相同"), "1102"),
    (Receipt(Outcome.REFUSED, 401, "9001", "签名不符，请核对"), "9001"),
    (Receipt(Outcome.REFUSED, 422, "9043", "报文有 1 处问题", (_FINDING,)), "9043"),
    (Receipt(Outcome.REFUSED, 422, "9042", "报文有 60 处问题", (_FINDING,) * 60), "9042"),
    (Receipt(Outcome.REFUSED, 409, "9061", "流水号已用于另一条报文"), "9061"),
    (Receipt(Outcome.REFUSED, 429, "9050", "请求过快，请稍后重发", retry_after=30), "9050"),
    (Receipt(Outcome.REFUSED, 503, "9060", "暂不可用，请稍后重发", retry_after=60), "9060"),
)
#: Statuses by what follows (gateway §5), whatever the body says.
_AGAIN = (301, 302, 307, 308, 408, 425, 429, 500, 502, 503, 504)
_FINAL = (400, 401, 403, 404, 409, 413, 415, 422)
_WORDS = {Taken.DELIVERED: "已达", Taken.REFUSED: "终拒", Taken.UNREADABLE: "重试"}
_UNREADABLE = (
    b"",
    b"<html><body>502</body></html>",
    b"{}",
    b"[]",
    b"null",
    b"OK",
    b"\xff\xfe\x00",
    b"{" * 2000,
)


#: Where the wrong value is, as told in the answers below.
_PLACE = "a.b.c"


def _receipts(subject: Subject) -> tuple[tuple[Receipt, str], ...]:
    """Those above, and one that names a case of this region."""
    number = f"CYTB{subject.region.division_prefix}01042026112300000017"
    return ((Receipt(Outcome.ACCEPTED, 202, case_no=number), ""), *RECEIPTS)


@holds(
    "F10",
    "网关的每种回执，发送方都读得懂",
    "Every receipt of the gateway is read by the sender",
    "crossing §1",
)
def receipts_are_read(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Taken or not, the code, the case number."""
    stand_in, region = stand_in_of(subject), subject.region
    for receipt, code in _receipts(subject):
        tally()
        key = region.message_key(1, subject.now)
        told = stand_in.read(receipt.status, region.receipt(receipt, key, subject.now))
        taken = receipt.outcome is not Outcome.REFUSED
        # what stands for "taken" is the region's own affair
        said = told.code if receipt.outcome is Outcome.REFUSED else code
        parts = [receipt.text, *(finding.path for finding in receipt.findings[:1])] if not taken else []
        lost = next((part for part in parts if part not in told.text), "")
        if lost:
            yield Breach(
                f"{receipt.outcome} {receipt.status} 的回执没有写出“{lost}”，发送方不知道怎样改",
                f"请在 {subject.where} 的 receipt 中写出 text 和 findings 的位置与说明，并核对 simulated.read",
                path=f"{subject.where} receipt",
                example=f"{receipt.outcome} {receipt.status} {receipt.code}".strip(),
            )
        number = receipt.case_no if told.case_no is None else told.case_no
        expected, found = (taken, code, receipt.case_no), (told.taken, said, number)
        for name, one, other in zip(("收下与否", "返回码", "通办编号"), expected, found, strict=True):
            if one != other:
                yield Breach(
                    f"{receipt.outcome} {receipt.status} 的回执，{name}应读作“{one}”，现为“{other}”",
                    f"请核对 {subject.where} 的 receipt 写这一项的位置，与 simulated.read 取值的位置"
                    + (
                        "；接口的回执本来不带编号时，simulated.read 以 case_no=None 说明"
                        if one == receipt.case_no
                        else ""
                    ),
                    path=f"{subject.where} receipt",
                    example=f"{receipt.outcome} {receipt.status} {receipt.code}".strip(),
                )


@holds("F11", "网关的回执自己也读得回来", "The gateway reads its own receipts back", "gateway §5")
def receipts_read_back(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """One format for both directions: the region's own `read_reply` has to agree."""
    region = subject.region
    shown = (region.open(example.inbound).case_ref for example in subject.examples)
    case_ref = next(filter(None, shown), "") if _numbered(subject) else ""
    for receipt, _ in _receipts(subject):
        tally()
        receipt = replace(receipt, case_ref=case_ref)  # noqa: PLW2901 - the same, of a case
        reply = region.read_reply(
            receipt.status, region.receipt(receipt, region.message_key(2, subject.now), subject.now)
        )
        if reply.taken is Taken.DELIVERED and reply.case_ref != case_ref:
            yield Breach(
                f"{receipt.outcome} 的回执应写明办件编号，读回来{'是别的' if reply.case_ref else '没有'}",
                f"请核对 {subject.where} 的 receipt 写 case_ref 的位置，与 read_reply 取值的位置",
                path=f"{subject.where} receipt case_ref",
            )
        if receipt.outcome is not Outcome.REFUSED:
            expected = Taken.DELIVERED
        else:
            expected = Taken.UNREADABLE if receipt.status in _AGAIN else Taken.REFUSED
        if reply.taken is not expected:
            yield Breach(
                f"{receipt.outcome} {receipt.status} 的回执应读作{_WORDS[expected]}，现为{_WORDS[reply.taken]}",
                f"请核对 {subject.where} 的 receipt 与 read_reply：返回码的位置与取值须一致",
                path=f"{subject.where} read_reply",
                example=f"{receipt.outcome} {receipt.status} {receipt.code}".strip(),
            )


def _numbered(subject: Subject) -> bool:
    """Whether receipts of this interface have a place for case numbers: the other side knows."""
    receipt = Receipt(Outcome.ACCEPTED, 202)
    body = subject.region.receipt(receipt, subject.region.message_key(2, subject.now), subject.now)
    return subject.stand_in is None or subject.stand_in.read(receipt.status, body).case_no is not None


@dataclass(frozen=True, slots=True)
class _Answers:
    accepted: bytes
    refused: bytes
    case_ref: str


def _answers(subject: Subject) -> _Answers:
    """What the stand-in answers to a delivery."""
    stand_in, region = stand_in_of(subject), subject.region
    heard: Heard | None = None
    first = next(deliveries(subject), None)
    if first:
        _, kind, body = first
        sealed = region.seal(body, kind, subject.keys.credentials, subject.now, "0" * 16)
        headers = {name.lower(): value for name, value in sealed.headers.items()}
        with suppress(Exception):  # `Unheard`, or it trips over what was written: law F07 tells why
            heard = stand_in.hear(kind, headers, sealed.body, subject.keys.own, subject.now)
    draw = Draw(subject.chance("answers"), 1, subject.now)
    refusal = Unheard(422, "9043", _PLACE, "业务系统核验未通过")
    accepted, refused = stand_in.answer(heard, None, draw), stand_in.answer(heard, refusal, draw)
    return _Answers(accepted, refused, heard.case_ref if heard else "")


@holds(
    "F12",
    "对方的答复按状态码和返回码判作已达、终拒或重试",
    "Replies are read as delivered, final or to be repeated",
    "gateway §5",
)
def replies_are_read(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """2xx with an accepting receipt; other 4xx; everything else is tried again."""
    answers, read = _answers(subject), subject.region.read_reply
    tries = [(status, answers.accepted, Taken.DELIVERED, "收下") for status in (200, 201, 202)]
    tries += [(status, answers.refused, Taken.REFUSED, "拒收") for status in (200, 202, *_FINAL)]
    tries += [
        (status, body, Taken.UNREADABLE, "任意")
        for status in _AGAIN
        for body in (answers.accepted, answers.refused, b"")
    ]
    tries += [(status, body, Taken.REFUSED, "读不懂") for status in _FINAL for body in _UNREADABLE]
    tries += [(202, body, Taken.UNREADABLE, "读不懂") for body in _UNREADABLE]
    told: set[tuple[int, str]] = set()
    for status, body, expected, how in tries:
        tally()
        found = read(status, body).taken
        if found is not expected and (status, how) not in told:
            told.add((status, how))
            yield Breach(
                f"HTTP {status}、回执{how}时应判作{_WORDS[expected]}，现为{_WORDS[found]}",
                f"请核对 {subject.where} 的 read_reply：2xx 且返回码为成功才是已达；408、425、429、3xx、5xx 和读不懂的 2xx 须重试；"
                "其余 4xx 为终拒",
                path=f"{subject.where} read_reply",
                example=f"HTTP {status}",
            )


@holds(
    "F13",
    "终拒的答复带有对方的返回码和原话",
    "A final refusal keeps the other side's code and words",
    "gateway §5",
)
def refusals_keep_their_words(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Staff see them, and mend."""
    tally()
    answers = _answers(subject)
    reply, taken = (
        subject.region.read_reply(*said) for said in ((422, answers.refused), (202, answers.accepted))
    )
    # what the answer does not say cannot be read from it
    if taken.case_ref != answers.case_ref and answers.case_ref.encode() in answers.accepted:
        yield Breach(
            "对方收下时写明了自己的办件编号，read_reply 没有读出来",
            f"请核对 {subject.where} 的 read_reply 取办件编号的位置",
            path=f"{subject.where} read_reply case_ref",
        )
    if _PLACE in answers.refused.decode("utf-8", "replace") and _PLACE not in reply.text:
        yield Breach(
            "对方指明了哪一项不对，read_reply 的原话中没有这个位置，经办人无从改起",
            f"请在 {subject.where} 的 read_reply 中把逐项问题的位置和说明也读进 text",
            path=f"{subject.where} read_reply",
        )
    if reply.code != "9043" or "核验未通过" not in reply.text:
        yield Breach(
            f"对方以 9043 拒收并说明了原因，读出的返回码为“{reply.code}”，原话{'有' if '核验未通过' in reply.text else '没有'}",
            f"请核对 {subject.where} 的 read_reply 取返回码和说明的位置",
            path=f"{subject.where} read_reply",
        )


@holds(
    "F27",
    "回执写给发来的一方",
    "A receipt is addressed to whoever sent the message",
    "crossing §1",
)
def receipts_are_addressed(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Where receipts name a receiver at all: the sender's address of the message has to come back."""
    region = subject.region

    def written(sender: str) -> bytes:
        receipt = Receipt(Outcome.ACCEPTED, 202, sender=sender)
        return region.receipt(receipt, region.message_key(1, subject.now), subject.now)

    for example in subject.examples:
        opened = region.open(example.inbound)
        one = region.maps.get(example.kind)
        if one is None or opened.key.startswith(GATEWAY):
            continue
        tally()
        texts = {value for _, value in leaves(opened.tree, one) if isinstance(value, str) and value}
        addresses = {text for text in texts if written(text) != written("")}
        if addresses and opened.sender not in addresses:
            yield Breach(
                "回执能写明收件方，open 却没有从报文中读出发送方，回执写给了缺省的地址",
                f"请在 {subject.where} 的 open 中把发送方读作 sender",
                path=f"{subject.where} open sender",
                example=example.name,
            )
            return
        if opened.sender and written(opened.sender) == written(""):
            yield Breach(
                "报文写明了发送方，回执没有写给它",
                f"请在 {subject.where} 的 receipt 中用 given.sender 作收件方",
                path=f"{subject.where} receipt sender",
                example=example.name,
            )
            return
