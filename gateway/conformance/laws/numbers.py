"""Laws over what only the gateway may say, and what nobody may leave out: its own numbers, the reason of a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.canonical.kinds import Kind, State
from gateway.canonical.rehearsal import Draw, Turn
from gateway.conformance.law import Breach
from gateway.conformance.laws.needs import sight_of, stand_in_of
from gateway.conformance.laws.rulebook import holds
from gateway.conformance.passages import cross
from gateway.conformance.pointing import declared_at, leaves, with_value
from gateway.conformance.subject import GATEWAY
from gateway.mapping.fieldmap import SCHEMA, CaseContext, Sight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.conformance.laws.rulebook import Tally
    from gateway.conformance.subject import Example, Subject

#: States that hurt somebody (crossing §5.1).
_NEED_REASON = (State.CORRECTION, State.DECLINED, State.SUSPENDED_CORRECTION, State.RETURNED)


@holds(
    "F29",
    "网关的流水号和通办编号只由网关使用，回带的须是本办件的",
    "The gateway's own numbers are nobody else's, and an echoed one is the case's",
    "crossing §3.1",
)
def numbers_of_the_gateway_are_its_own(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Put into worked messages of the region, each is refused where it stands."""
    told: set[str] = set()
    for example in subject.examples:
        opened = subject.region.open(example.inbound)
        one = subject.region.maps.get(example.kind)
        if one is None or opened.key.startswith(GATEWAY) or not _well_formed(subject, example):
            continue
        puts = {opened.key: (subject.region.message_key(7, subject.now), "以 TB 开头的流水号")}
        if one.kind.opens_case:
            puts[opened.case_ref] = (_number(subject, 7), "新办件用了 CYTB 开头的通办编号")
        elif opened.gateway_ref != opened.case_ref:
            puts[opened.gateway_ref] = (_number(subject, 7), "回带了另一办件的通办编号")
        for path, value in leaves(opened.tree, one):
            if not value or value not in puts:
                continue
            tally()
            put, what = puts[value]
            if not _faulted(subject, example, path, put) and what not in told:
                told.add(what)
                place = declared_at(subject, path)
                yield Breach(
                    f"{example.kind} 的 {path}：{what}，应拒收，现在收下了",
                    f"请在 {subject.where}/irregular.py 读 {path} 的地方拒收（9043，另一办件的编号为 9044），对应表见 {place}",
                    path=place,
                    example=example.name,
                )


def _well_formed(subject: Subject, example: Example) -> bool:
    """Whether the maps read it at all; B15 tells if not."""
    plan, tree = subject.maps.reader(subject.slug, example.kind), subject.region.parse(example.body).tree
    return plan is not None and all(f.code != SCHEMA for f in plan.read(tree, sight_of(subject)).findings)


def _number(subject: Subject, serial: int) -> str:
    return f"CYTB{subject.region.division_prefix}010420260101{serial:08d}"


def _faulted(subject: Subject, example: Example, path: str, put: str) -> bool:
    """Whether a worked message with this put in is refused at that place."""
    region, one = subject.region, subject.region.maps[example.kind]
    plan = subject.maps.reader(subject.slug, example.kind)
    if plan is None or not subject.others:
        return True
    opened, peer = region.parse(example.body), subject.others[0].slug
    case = None
    if not one.kind.opens_case:
        ours = opened.gateway_ref or _number(subject, 1)
        numbers = {subject.slug: opened.case_ref, peer: ours}
        case = CaseContext(ours, "", subject.today, subject.slug, peer, numbers)
    altered = with_value(opened.tree, path, put, one.spelling.first_index)
    again = region.parse(region.render(altered, example.kind))
    sight = Sight(subject.tables, subject.slug, subject.slug, peer, subject.today, case=case)
    return any(found.path == path for found in (*again.faults, *plan.read(again.tree, sight).findings))


@holds(
    "F30",
    "补正、不予受理、挂起补正和退件没有写明原因的拒收",
    "A state that hurts somebody is refused without its reason",
    "crossing §5.1",
)
def reasons_are_demanded(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """Reports of the stand-in on a case of its own, with and without."""
    stand_in = stand_in_of(subject)
    applied = next((p for p in subject.passages if p.taken and p.sender == subject.slug and p.said), None)
    if applied is None or applied.said is None or applied.said.facts is None:
        return
    for state in _NEED_REASON:
        told = []
        for reason in ("材料不齐", ""):
            draw = Draw(subject.chance("reasons"), 900_001, subject.now)
            said = stand_in.follow(applied.said.facts, Turn(Kind.STATUS_REPORT, state, reason=reason), draw)
            told.append(cross(subject, subject.regions[applied.receiver], said, "", applied.case))
        tally()
        if told[0].taken and told[1].taken:
            yield Breach(
                f"{told[1].native_kind} 报“{state.label}”而没有写原因，应拒收（9043），现在收下了",
                f"请在 {subject.where}/irregular.py 读办件状态的地方要求原因",
                path=f"{subject.where}/irregular.py",
                example=state.label,
            )
            return
