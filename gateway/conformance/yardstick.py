"""What a region's own map says of the messages the gateway sends it: the receiver's view of a good or a spoilt one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.canonical.identifiers import citizen_id_fault
from gateway.canonical.kinds import Kind
from gateway.conformance.endpoint.mill import CannotSay
from gateway.errors import Finding
from gateway.exchange.rules import CITIZEN
from gateway.mapping.fieldmap import CaseContext, Sight

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from gateway.conformance.endpoint.mill import Mill, Sides
    from gateway.mapping.fieldmap import Reading
    from gateway.region import Opened


_ENOUGH = 12


def _digit(reading: Reading) -> Iterator[Finding]:
    """A citizen's number that cannot be one (M17): the maps carry it as text."""
    number = reading.leaves.get("applicant.id_no")
    if number is not None and number.path and reading.value("applicant.id_type") == CITIZEN:
        fault = citizen_id_fault(number.value.upper())
        if fault is not None:
            yield Finding(number.path, "9043", fault)


@dataclass(frozen=True, slots=True)
class Yardstick:
    """Judges messages of the gateway by the region's map.

    The map is written for what the region itself sends: it faults the gateway's own numbers and the places
    that stand the other way round. ``usual`` are those (path, code), found in messages that are good.
    """

    sides: Sides = field(repr=False)
    usual: Mapping[str, frozenset[tuple[str, str]]]

    @classmethod
    def of(cls, mill: Mill, on: date) -> Yardstick:
        """Made from good applications of each kind."""
        bare = cls(mill.sides, {})
        usual: dict[str, frozenset[tuple[str, str]]] = {}
        # several of each: who is the old place, and who pays, changes what a message may say
        for kind in [kind for kind in Kind if kind.opens_case for _ in range(_ENOUGH)]:
            try:
                message = mill.application(kind)
            except CannotSay:
                continue
            opened = mill.sides.region.parse(message.body)
            found = bare.faults(opened, on)
            known = usual.get(message.native_kind, frozenset())
            usual[message.native_kind] = known | {(each.path, each.code) for each in found}
        return cls(mill.sides, usual)

    def faults(self, opened: Opened, on: date) -> list[Finding]:
        """What is wrong with it: form (9042) and, of applications, values (9043).

        What a follow-up says of its case is not judged: there is no case to compare with.
        """
        sides, slug = self.sides, self.sides.slug
        plan = sides.maps.reader(slug, opened.native_kind)
        if plan is None:
            return []
        case = None
        if not plan.map.kind.opens_case:
            case = CaseContext(opened.gateway_ref, "", on, sides.other, slug, {})
        sight = Sight(sides.tables, slug, slug, sides.other, on, case=case, door=False)
        reading = plan.read(opened.tree, sight)
        found = [*opened.faults, *reading.findings, *_digit(reading)]
        usual = self.usual.get(opened.native_kind, frozenset())
        codes = {"9042"} if case else {"9042", "9043"}
        return [each for each in found if each.code in codes and (each.path, each.code) not in usual]
