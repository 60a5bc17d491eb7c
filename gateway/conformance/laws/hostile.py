"""Laws against whoever means harm: no bytes, headers or trees bring an accident, a leak or a long wait."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gateway.canonical.rehearsal import Said
from gateway.conformance.judge import accident
from gateway.conformance.law import Breach
from gateway.conformance.laws.documents import documents
from gateway.conformance.laws.mutants import RARE, TEXTS, mutants, nasty_headers, nasty_texts
from gateway.conformance.laws.needs import at_a_border
from gateway.conformance.laws.rulebook import CannotTell, holds
from gateway.conformance.passages import cross
from gateway.conformance.pointing import leaves, spot, value_at
from gateway.conformance.published import Schema
from gateway.errors import Finding, Refusal
from gateway.region import Inbound, Outcome, Receipt, Reply, Taken

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.conformance.laws.rulebook import Tally
    from gateway.conformance.passages import Passage
    from gateway.conformance.subject import Subject

#: Seconds any document may take; a megabyte is read in a hundredth of it.
_MOST_S = 2.0


@holds(
    "H01",
    "任何字节都只会被读懂或以 422 9041 拒收",
    "Any bytes are read, or refused with 422 9041",
    "crossing §1 step 6",
)
def any_bytes_are_refused(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Cut short, flipped, other encodings, DTD, repeated names, NUL, deep nesting: no accident."""
    for what, body in documents(subject):
        tally()
        for name, read in (("parse", subject.region.parse), ("open", _opener(subject))):
            try:
                read(body)
            except Refusal as refused:
                if (refused.status, refused.code) == (422, "9041"):
                    continue
                yield Breach(
                    f"{what}：{name} 应以 422 9041 拒收，现为 {refused.status} {refused.code}",
                    f"请在 {subject.where} 的 {name} 中统一用 9041 说明读不懂的原因",
                    path=f"{subject.where} {name}",
                    example=what,
                )
            except Exception as error:  # noqa: BLE001 - what the law is about
                found = accident(error, subject.where)
                yield Breach(f"{what}：{found.sentence}", found.remedy, found.path, what)


def _opener(subject: Subject) -> Any:
    headers = subject.examples[0].headers if subject.examples else {}
    return lambda body: subject.region.open(Inbound(headers, body))


@holds(
    "H02",
    "危险的文档一律拒收：DTD、实体、重复成员、错误编码、过深嵌套、截断",
    "Dangerous documents are refused",
    "crossing §7",
)
def dangerous_documents_are_refused(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Documents that must not be taken, whatever else they say."""
    for what, body in documents(subject, only_dangerous=True):
        tally()
        try:
            opened = subject.region.parse(body)
        except Refusal:
            continue
        plan = subject.maps.reader(subject.slug, opened.native_kind)
        if opened.faults or plan is None:
            continue
        yield Breach(
            f"{what}被收下了",
            f"请在 {subject.where} 的 parse 中拒收（9041），或在 faults 中指明；可用 gateway/formats 中的严格读法",
            path=f"{subject.where} parse",
            example=what,
        )


@holds(
    "H03",
    "任何请求头都只会通过或以 401、403、415 拒收",
    "Any headers pass, or are refused with 401, 403 or 415",
    "crossing §1",
)
def any_headers_are_refused(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Missing, empty, endless, not ASCII, wrong numbers."""
    if subject.stand_in is None or not subject.examples:
        raise CannotTell("没有模拟对端或样例")
    region, keys = subject.region, subject.keys
    for what, headers in nasty_headers(subject):
        tally()
        try:
            inbound = Inbound(headers, subject.examples[0].body)
            region.verify(inbound, keys.credentials, subject.now)
            region.open(inbound)
        except Refusal as refused:
            if refused.status not in {401, 403, 415, 422}:
                yield Breach(
                    f"{what}：以 {refused.status} {refused.code} 拒收，应为 401、403 或 415",
                    f"请核对 {subject.where} 的 verify",
                    path=f"{subject.where} verify",
                    example=what,
                )
        except Exception as error:  # noqa: BLE001 - what the law is about
            found = accident(error, subject.where)
            yield Breach(f"{what}：{found.sentence}", found.remedy, found.path, what)


@holds(
    "H04",
    "任何内容的报文都只会送达、拒收或挂起，并指明真实的位置",
    "Any message is taken, refused or parked, with a real place",
    "ADR 0007",
)
def any_tree_has_an_outcome(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Values of wrong types, members missing, added, turned round, repeated."""
    told: set[tuple[str, str]] = set()
    for passage in _mutated(subject, tally):
        if passage.error is not None:
            breach = accident(passage.error, subject.where)
            if (breach.sentence, breach.path) not in told:
                told.add((breach.sentence, breach.path))
                yield Breach(breach.sentence, breach.remedy, breach.path, passage.about)
        first = subject.region.maps[passage.native_kind].spelling.first_index
        for finding in passage.findings:
            kind = (passage.native_kind, finding.code)
            real = finding.path == subject.region.kind_path or spot(passage.tree, finding.path, first)
            if (finding.path and real) or kind in told:
                continue
            told.add(kind)
            yield Breach(
                f"{passage.native_kind} 的 {finding.code} 指向“{finding.path}”，报文中没有这个位置",
                f"请核对 {subject.where} 给出这个路径的地方：列表从 {first} 数起，路径用本方的写法",
                path=finding.path,
                example=passage.about,
            )


def _mutated(subject: Subject, tally: Tally) -> Iterator[Passage]:
    if not subject.others:
        raise CannotTell("没有其他地区可以译往")
    for kind, body, what, context in mutants(subject):
        tally()
        said = Said(subject.region.maps[kind].kind, kind, "", "", body)
        to = None
        if context:
            to = subject.regions[context.target if context.origin == subject.slug else context.origin]
        yield cross(subject, to, said, what, context)


@holds(
    "H05",
    "被改动过的报文只要送达，写出的内容就符合对方的 schema",
    "A mutated message that is taken is written in good form",
    "ADR 0007",
)
def taken_mutants_are_written_well(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Nothing slips through to the other side in a form it would refuse."""
    schemas = {other.slug: Schema.of(subject.beside(other.slug)) for other in subject.others}
    told: set[tuple[str, str]] = set()
    for passage in _mutated(subject, tally):
        if not passage.taken or passage.rendered is None:
            continue
        kind = passage.rendered.native_kind
        for path, text in schemas[passage.receiver].faults(kind, passage.native):
            if (kind, path) in told or at_a_border(subject.beside(passage.receiver), kind, path):
                continue
            told.add((kind, path))
            yield Breach(
                f"{passage.about}：写给 {passage.receiver} 的 {kind} 在 {path} 不符合其 schema（{text}）",
                f"请核对 {subject.where} 读这一项的写法是否过宽，或 adapters/{passage.receiver} 写这一项的写法",
                path=path,
                example=passage.about,
            )


@holds("H06", "拒收和挂起的说明不含报文中的个人信息", "No refusal quotes a person", "ADR 0012")
def nothing_personal_is_quoted(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Texts of findings are kept, shown and logged: they say where, never what."""
    told: set[str] = set()
    for passage in _mutated(subject, tally):
        secrets = _secrets(subject, passage)
        for finding in passage.findings:
            leaked = next((word for word in secrets if word in finding.text), None)
            if leaked is None or finding.code in told:
                continue
            told.add(finding.code)
            yield Breach(
                f"{finding.code} 的说明引用了 {finding.path} 的原值",
                f"请在 {subject.where} 的说明中只写该怎么做，不写报文中的值",
                path=finding.path,
                example=passage.about,
            )


def _secrets(subject: Subject, passage: Passage) -> set[str]:
    """Values long enough to be somebody's: names, numbers, addresses; not those the mutation put in."""
    one = subject.region.maps[passage.native_kind]
    found = {str(value) for _, value in leaves(passage.tree, one) if isinstance(value, str | int)}
    names = {str(value_at(passage.tree, row.native)) for row in one.rows if (row.to or "").endswith(".name")}
    people = {name for name in names if len(name) > 1 and not name.isascii()}
    return ({value for value in found if len(value) >= 11} | people) - set(TEXTS)


@holds(
    "H07",
    "任何文字的回执都写得出，并读得回来",
    "A receipt with any words is written and read back",
    "crossing §1",
)
def any_receipt_is_well_formed(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Paths and texts a sender made up are quoted back to it: control characters, surrogates, a thousand findings."""
    region = subject.region
    for what, text in nasty_texts():
        findings = (Finding(text, "9042", text),)
        for receipt in (
            Receipt(Outcome.REFUSED, 422, "9042", text, findings, case_ref=text, sender=text),
            Receipt(Outcome.REFUSED, 422, "9042", "x", findings * 1000),
            Receipt(Outcome.PARKED, 202, "", text, findings),
        ):
            tally()
            try:
                body = region.receipt(receipt, region.message_key(1, subject.now), subject.now)
                reply = region.read_reply(receipt.status, body)
            except Exception as error:  # noqa: BLE001 - what the law is about
                found = accident(error, subject.where)
                yield Breach(f"{what}：{found.sentence}", found.remedy, found.path, what)
                continue
            expected = Taken.REFUSED if receipt.outcome is Outcome.REFUSED else Taken.DELIVERED
            changed = text == RARE and receipt.outcome is Outcome.REFUSED and receipt.text not in reply.text
            if reply.taken is not expected or changed:
                yield Breach(
                    f"说明中有{what}的回执写出后读不回来（{'文字变了' if changed else reply.taken}）",
                    f"请在 {subject.where} 的 receipt 中转义或替换格式不能容纳的字符，并限制长度",
                    path=f"{subject.where} receipt",
                    example=what,
                )


@holds("H08", "对方的任何答复都读得出结论", "Any reply is read to a verdict", "gateway §5")
def any_reply_has_a_verdict(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Whatever a proxy or a broken system sends back."""
    for what, body in documents(subject):
        for status in (200, 202, 404, 422, 500, 302, 999):
            tally()
            try:
                reply: Any = subject.region.read_reply(status, body)
            except Exception as error:  # noqa: BLE001 - what the law is about
                found = accident(error, subject.where)
                yield Breach(f"{what}：{found.sentence}", found.remedy, found.path, what)
                break
            if not isinstance(reply, Reply):
                yield Breach(
                    f"{what}：read_reply 返回了 {type(reply).__name__}，应为 Reply",
                    f"请核对 {subject.where} 的 read_reply",
                    path=f"{subject.where} read_reply",
                    example=what,
                )
                break


@holds(
    "H09",
    "再大、再怪的文档也在两秒内有结论",
    "The largest and oddest document has an outcome within two seconds",
    "ADR 0015",
)
def nothing_takes_long(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """A megabyte of each sort of nonsense."""
    for what, body in documents(subject, large=True):
        tally()
        began = time.thread_time()  # the work it makes, whatever else the machine does meanwhile
        try:
            _through(subject, body, what)
        except Exception as error:  # noqa: BLE001 - what the law is about
            found = accident(error, subject.where)
            yield Breach(f"{what}：{found.sentence}", found.remedy, found.path, what)
        took = time.thread_time() - began
        if took > _MOST_S:
            yield Breach(
                f"{what}（{len(body) // 1024} KB）用了 {took:.1f} 秒处理器时间",
                f"请找出 {subject.where} 的 parse 中随长度平方增长的地方（多为正则回溯或反复拼接），也不要为每个元素各记一条问题",
                path=f"{subject.where} parse",
                example=what,
            )


def _through(subject: Subject, body: bytes, what: str) -> None:
    """As far as a document comes: refused in time is all that is asked."""
    with suppress(Refusal):
        opened = subject.region.parse(body)
        plan = subject.maps.reader(subject.slug, opened.native_kind)
        if plan and subject.others:
            said = Said(plan.map.kind, opened.native_kind, "", "", body)
            cross(subject, None, said, what)
