"""Messages on their way over, as the gateway carries them but without a store: worked and generated ones."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Draw, Turn
from gateway.canonical.worktime import beijing_day
from gateway.errors import Finding, Refusal
from gateway.exchange import translate
from gateway.exchange.casework import origin_division, person_of
from gateway.exchange.dry_run import DryRun, Parked, dry_run
from gateway.mapping.fieldmap import CaseContext, Sight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.canonical.rehearsal import Facts, Said
    from gateway.conformance.subject import Example, Subject
    from gateway.exchange.translate import Rendered
    from gateway.mapping.fieldmap import Reading
    from gateway.region import Opened, Region, Tree

#: What either side may report of a case; the words are the script's.
_REPORTS = (
    Turn(Kind.STATUS_REPORT, State.ACCEPTED),
    Turn(Kind.STATUS_REPORT, State.CORRECTION, reason="材料不清晰，请补充"),
    Turn(Kind.STATUS_REPORT, State.DECLINED, reason="不在本机构业务范围内"),
    Turn(Kind.STATUS_REPORT, State.IN_REVIEW),
    Turn(Kind.STATUS_REPORT, State.SUSPENDED_CORRECTION, reason="材料不齐"),
    Turn(Kind.STATUS_REPORT, State.SUSPENDED_PROCEDURE, special="appraisal"),
    Turn(Kind.STATUS_REPORT, State.INQUIRY),
    Turn(Kind.STATUS_REPORT, State.CONCLUDED),
    Turn(Kind.STATUS_REPORT, State.RETURNED, reason="不符合条件"),
    Turn(Kind.STATUS_REPORT, State.SERVED),
)
#: What only the side says where the case began.
_OF_THE_ORIGIN = (Turn(Kind.CASE_WITHDRAW, reason="申请人自愿撤回"), Turn(Kind.CASE_RATING))
_SUPPLEMENT = Turn(Kind.MATERIAL_SUPPLEMENT, reason="已按要求补充")
_ONLY_OF = {
    Kind.TRANSFER_APPLY: (Turn(Kind.TRANSFER_SHEET),),
    Kind.UNEMPLOYMENT_CLAIM: (Turn(Kind.UNEMPLOYMENT_ANSWER),),
}


@dataclass(frozen=True, slots=True)
class Passage:
    """One message from one side to another and what became of it.

    ``error``: an exception that should not be; ``findings``: why it was not taken.
    """

    sender: str
    receiver: str
    native_kind: str
    about: str
    body: bytes = field(repr=False)
    tree: Tree = field(default_factory=dict, repr=False)
    findings: tuple[Finding, ...] = ()
    reading: Reading | None = field(default=None, repr=False)
    rendered: Rendered | None = field(default=None, repr=False)
    native: bytes = field(default=b"", repr=False)
    case: CaseContext | None = field(default=None, repr=False)
    error: Exception | None = field(default=None, repr=False)

    @property
    def taken(self) -> bool:
        """Whether it came over."""
        return self.rendered is not None and not self.findings


def cross_example(subject: Subject, example: Example, to: Region) -> dict[str, Any] | tuple[Finding, ...]:
    """A worked message through the dry run, in the context beside it: its result, or the findings."""
    pair = {region.slug: region for region in (subject.region, to)}
    run = DryRun(pair, subject.tables, subject.maps, subject.slug, subject.now, example.context)
    try:
        return dry_run(run, example.body)
    except Refusal as refused:
        return refused.findings or (Finding("", refused.code, refused.text),)
    except Parked as parked:
        return parked.findings


def native_of(result: dict[str, Any]) -> bytes:
    """The bytes the other side would be sent, from the result of a dry run."""
    return base64.b64decode(result["native"]["body"])


def rehearse(subject: Subject) -> Iterator[Passage]:
    """Every item as an application to every other region, and every follow-up in both directions."""
    serial = 0
    for to in subject.others:
        there = subject.beside(to.slug)
        items = [version.item for version in subject.tables.items.all(subject.today)]
        for item in items * subject.rounds:
            serial += 1
            yield from _life(subject, there, item, serial)


def _life(subject: Subject, there: Subject, item: str, serial: int) -> Iterator[Passage]:
    """One case: its application, then what either side may say of it."""
    stand_in, chance = subject.stand_in, subject.chance(f"{there.slug} {item} {serial}")
    if stand_in is None:
        return
    errand = subject.errands(there.region).of(item, chance, subject.today)
    said = stand_in.apply(errand, Draw(chance, serial, subject.now))
    applied = cross(subject, there.region, said, item)
    yield applied
    if applied.case is None or said.facts is None:
        return
    turns = (*_ONLY_OF.get(said.kind, ()), *_REPORTS)
    own = (*turns, *_OF_THE_ORIGIN, *([_SUPPLEMENT] if said.facts.papers else []))
    for turn in own:
        serial += 1000
        yield _answer(subject, there.region, said.facts, turn, Draw(chance, serial, subject.now), applied)
    facts = _facts_there(there, applied)
    for turn in turns if facts else ():
        serial += 1000
        yield _answer(there, subject.region, facts, turn, Draw(chance, serial, subject.now), applied)


def _answer(
    sender: Subject, to: Region, facts: Facts | None, turn: Turn, draw: Draw, applied: Passage
) -> Passage:
    assert sender.stand_in is not None and facts is not None  # noqa: S101, PT018 - checked by the caller
    said = sender.stand_in.follow(facts, turn, draw)
    about = f"{applied.about} {turn.kind.label}{turn.state.label if turn.state else ''}"
    return cross(sender, to, said, about, applied.case)


def _facts_there(there: Subject, applied: Passage) -> Facts | None:
    """The case as the other side remembers it, once it has heard the delivery."""
    if not applied.taken or there.stand_in is None or applied.rendered is None:
        return None
    kind = applied.rendered.native_kind
    sealed = there.region.seal(applied.native, kind, there.keys.credentials, there.now, "0123456789abcdef")
    headers = {name.lower(): value for name, value in sealed.headers.items()}
    return there.stand_in.hear(kind, headers, sealed.body, there.keys.own, there.now).facts


def cross(sender: Subject, to: Region, said: Said, about: str, case: CaseContext | None = None) -> Passage:
    """One message over; whatever happens is in the passage."""
    passage = Passage(sender.slug, to.slug, said.native_kind, about, said.body, case=case)
    try:
        opened = sender.region.parse(said.body)
        passage = replace(passage, tree=opened.tree)
        return _crossed(sender, to, passage, opened)
    except Refusal as refused:
        findings = refused.findings or (Finding("", refused.code, refused.text),)
        return replace(passage, findings=findings)
    except Exception as error:  # noqa: BLE001 - a law tells of it
        return replace(passage, error=error)


def _crossed(sender: Subject, to: Region, passage: Passage, opened: Opened) -> Passage:
    plan = sender.maps.reader(sender.slug, opened.native_kind)
    if plan is None:
        raise translate.unknown_kind(sender.region.kind_path)
    case = passage.case
    on = case.accepted_on if case else translate.acceptance_day(plan, opened, sender.today)
    sight = Sight(sender.tables, sender.slug, sender.slug, to.slug, on, case=case, door=False)
    reading = translate.read(plan, opened, sight)
    if reading.findings:
        return replace(passage, findings=tuple(reading.findings), reading=reading)
    case = case or _opened(sender, to, reading, opened.case_ref)
    division = case.origin_division if case.origin == to.slug else case.target_division
    heads = translate.heads_of(
        key=to.message_key(1, sender.now),
        case_no=case.case_no,
        case_ref=case.numbers[to.slug],
        division=division or f"{to.division_prefix}0000",
        now=sender.now,
    )
    writer = sender.maps.writer(to.slug, reading.kind)
    rendered = translate.write(writer, reading, replace(sight, region=to.slug), heads)
    native = to.render(rendered.tree, rendered.native_kind)
    return replace(
        passage,
        findings=tuple(reading.findings),
        reading=reading,
        rendered=rendered,
        native=native,
        case=case,
    )


def _opened(sender: Subject, to: Region, reading: Reading, case_ref: str) -> CaseContext:
    """The case an application opens, with the numbers either side knows it by."""
    own, day = origin_division(reading, sender.region), beijing_day(sender.now)
    case_no = f"CYTB{own}{day:%Y%m%d}00000001"
    target = reading.value("target.division") or ""
    person = person_of(reading)
    return CaseContext(
        case_no=case_no,
        item=reading.value("item") or "",
        accepted_on=reading.sight.on,
        origin=sender.slug,
        target=to.slug,
        numbers={sender.slug: case_ref, to.slug: to.mint_case_no(target, day, 1) or case_no},
        origin_division=own,
        target_division=target,
        old_place=reading.value("transfer.from_division") or "",
        claim_place=reading.value("unemployment.claim_place") or "",
        scheme=reading.value("scheme") or "",
        applicant={"name": person.name, "id_type": person.id_type, "id_no": person.id_no},
    )
