"""The law over the edge of the day: five past midnight is still yesterday in other zones."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from gateway.canonical.rehearsal import Draw
from gateway.conformance.errands import KINDS
from gateway.conformance.law import Breach
from gateway.conformance.laws.needs import stand_in_of
from gateway.conformance.laws.rulebook import holds
from gateway.conformance.passages import cross
from gateway.conformance.pointing import bare, declared_at
from gateway.mapping.fieldmap import SCHEMA, Sight

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from gateway.canonical.rehearsal import Errand
    from gateway.conformance.laws.rulebook import Tally
    from gateway.conformance.subject import Subject

#: Another form, another value: what the region itself would refuse.
_FAULTY = frozenset({SCHEMA, "9043"})


@dataclass(frozen=True, slots=True)
class _Way:
    """From one side to another, and what somebody came for."""

    sender: Subject
    receiver: Subject
    errand: Errand

    def faults(self, at: datetime) -> frozenset[tuple[str, str, str]]:
        """Kind, path and text of what is wrong with an application said at a moment: when read, when written."""
        stand_in = stand_in_of(self.sender)
        draw = Draw(Random(self.errand.item), 1, at)  # noqa: S311 - the same for both moments
        passage = cross(self.sender, self.receiver.region, stand_in.apply(self.errand, draw), "")
        found = {(passage.native_kind, bare(f.path), f.text) for f in passage.findings}
        if not passage.taken or passage.rendered is None or passage.reading is None:
            return frozenset(found)
        receiver, kind = self.receiver, passage.rendered.native_kind
        plan = receiver.maps.reader(receiver.slug, kind)
        sight = Sight(
            receiver.tables,
            receiver.slug,
            receiver.slug,
            self.sender.slug,
            passage.reading.sight.on,
            case=passage.case,
            door=False,
        )
        back = plan.read(receiver.region.parse(passage.native).tree, sight).findings if plan else ()
        return frozenset(found | {(kind, bare(f.path), f.text) for f in back if f.code in _FAULTY})


@holds(
    "F28",
    "零点刚过的申请与白天的一样：日期不差一天",
    "An application said just after midnight has the same day everywhere",
    "crossing M7",
)
def midnight_is_today(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """The same application at noon and at five past midnight, both ways: nothing is wrong with the second alone."""
    stand_in_of(subject)
    noon, midnight = (subject.now.replace(hour=hour, minute=5) for hour in (12, 0))
    told: set[tuple[str, str]] = set()
    for way in _ways(subject):
        tally()
        for kind, path, text in sorted(way.faults(midnight) - way.faults(noon)):
            if (kind, path) in told:
                continue
            told.add((kind, path))
            side = subject if kind in subject.region.maps else way.sender
            place = declared_at(side, path)
            yield Breach(
                f"{kind} 的 {path} 在零点刚过时才不对：{text}",
                f"请核对 {place} 和 {side.where}/irregular.py 写这一项的地方：先换成北京时间（+08:00）再取日期",
                path=place,
                example=f"{way.sender.slug}→{way.receiver.slug}",
            )


def _ways(subject: Subject) -> Iterator[_Way]:
    for other in subject.others:
        there = subject.beside(other.slug)
        for one, two in ((subject, there), (there, subject)):
            errands = one.errands(two.region)
            for kind in dict.fromkeys(KINDS.values()):
                if one.stand_in is not None and errands.reached(kind):
                    yield _Way(one, two, errands.any(kind, Random(kind), subject.today))  # noqa: S311
