"""Messages on their way over, as the gateway carries them but without a store: worked and generated ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Draw, Turn
from gateway.canonical.worktime import beijing_day
from gateway.conformance.errands import KINDS
from gateway.errors import Finding, Refusal
from gateway.exchange import translate
from gateway.exchange.casework import origin_division, person_of
from gateway.exchange.dry_run import BadContext, DryRun, Parked, dry_run
from gateway.exchange.translate import compile_maps
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
    said: Said | None = field(default=None, repr=False)
    error: Exception | None = field(default=None, repr=False)

    @property
    def taken(self) -> bool:
        """Whether it came over."""
        return self.rendered is not None and not self.findings


def cross_example(subject: Subject, example: Example, to: Region) -> dict[str, Any] | tuple[Finding, ...]:
    """A worked message through the dry run, in the context beside it: its result, or the findings."""
    pair = {region.slug: region for region in (subject.region, to)}
    maps = compile_maps(pair, subject.tables)
    run = DryRun(pair, subject.tables, maps, subject.slug, subject.now, example.context)
    try:
        return dry_run(run, example.body)
    except Refusal as refused:
        return refused.findings or (Finding("", refused.code, refused.text),)
    except Parked as parked:
        return parked.findings
    except BadContext as error:  # also when it is the context of another pair
        return (Finding("", "9044", f"{example.kind}.context.json 的 {error}"),)


def rehearse(subject: Subject) -> Iterator[Passage]:
    """Every item as an application to and from every other region, and every follow-up in both directions."""
    serial, begun = 0, set[tuple[str, str]]()
    for other in subject.others:
        there, counter = subject.beside(other.slug), subject.errands(other)
        items = [
            version.item
            for version in subject.tables.items.all(subject.today)
            if counter.reached(KINDS[version.form])
        ]
        for item in items * subject.rounds:
            for one, two in ((subject, there), (there, subject)):
                serial += 1
                form = subject.tables.items.versions(item)[0].form
                # everything is said of one case of each form; of the others a little
                everything, begun = (one.slug, form) not in begun, begun | {(one.slug, form)}
                yield from _life(one, two, item, serial, everything=everything)


def deliveries(subject: Subject) -> Iterator[tuple[str, str, bytes]]:
    """What the gateway delivers to the region: name, kind and bytes of worked messages, then of one of each kind."""
    shown = set()
    for example in subject.examples:
        if subject.region.open(example.inbound).key.startswith("TB"):
            shown.add(example.kind)
            yield example.name, example.kind, example.body
    for passage in subject.passages if subject.stand_in else ():
        kind = passage.rendered.native_kind if passage.rendered else ""
        if passage.taken and passage.receiver == subject.slug and kind not in shown:
            shown.add(kind)
            yield passage.about, kind, passage.native


def arrival(subject: Subject) -> Passage | None:
    """The first message written for the region."""
    return next((p for p in rehearse(subject) if p.taken and p.receiver == subject.slug), None)


def _life(subject: Subject, there: Subject, item: str, serial: int, *, everything: bool) -> Iterator[Passage]:
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
    both = {one.kind for one in subject.region.maps.values()} & {
        one.kind for one in there.region.maps.values()
    }
    turns = [turn for turn in (*_ONLY_OF.get(said.kind, ()), *_REPORTS) if turn.kind in both]
    papers = [_SUPPLEMENT] if said.facts.papers else []
    own = [*turns, *(turn for turn in (*_OF_THE_ORIGIN, *papers) if turn.kind in both)]
    for turn in own if everything else chance.sample(own, min(2, len(own))):
        serial += 1000
        yield _answer(subject, there.region, said.facts, turn, Draw(chance, serial, subject.now), applied)
    facts = _facts_there(there, applied)
    for turn in (turns if everything else chance.sample(turns, min(1, len(turns)))) if facts else ():
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
    try:
        return there.stand_in.hear(kind, headers, sealed.body, there.keys.own, there.now).facts
    except Exception:  # noqa: BLE001 - `Unheard`, or it trips over what was written: law F07 tells why
        return None


def cross(
    sender: Subject, to: Region | None, said: Said, about: str, case: CaseContext | None = None
) -> Passage:
    """One message over; whatever happens is in the passage. Without ``to`` its receiver is looked for."""
    passage = Passage(
        sender.slug, to.slug if to else "", said.native_kind, about, said.body, case=case, said=said
    )
    try:
        opened = sender.region.parse(said.body)
        passage = replace(passage, tree=opened.tree)
        return _crossed(sender, to, passage, opened)
    except Refusal as refused:
        findings = refused.findings or (Finding("", refused.code, refused.text),)
        return replace(passage, findings=findings)
    except Exception as error:  # noqa: BLE001 - a law tells of it
        return replace(passage, error=error)


def _crossed(sender: Subject, to: Region | None, passage: Passage, opened: Opened) -> Passage:
    plan = sender.maps.reader(sender.slug, opened.native_kind)
    if plan is None:
        raise translate.unknown_kind(sender.region.kind_path)
    case = passage.case
    on = case.accepted_on if case else translate.acceptance_day(plan, opened, sender.today)
    routes = sender.maps.routes
    receiver = to.slug if to else routes.sole[sender.slug]
    sight = Sight(sender.tables, sender.slug, sender.slug, receiver, on, case=case, door=False)
    reading = translate.read(plan, opened, sight, None if to else routes)
    if reading.findings:
        return replace(passage, findings=tuple(reading.findings), reading=reading)
    sight = reading.sight
    to = sender.regions[sight.receiver]
    passage = replace(passage, receiver=to.slug)
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
