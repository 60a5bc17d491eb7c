"""What people come for in a rehearsal: every item of the catalogue in turn, drawn from the tables (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.canonical.kinds import Kind
from gateway.canonical.rehearsal import Errand, Office, Paper
from gateway.mapping.places import Place

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date
    from random import Random

    from gateway.mapping.items import ItemVersion
    from gateway.mapping.tables import Tables

#: The application an item comes in (crossing M21).
KINDS = {
    "tbzy": Kind.TRANSFER_APPLY,
    "tbsy": Kind.UNEMPLOYMENT_CLAIM,
    "tbrz": Kind.CERTIFICATION_NOTICE,
    "tbty": Kind.GENERAL_APPLY,
}
#: Subjects of recognition that are handed in (crossing §3.3).
_HANDED_IN = frozenset({"material", "result"})


class Errands:
    """A side's counter: hands out errands until every item had its turn, then begins anew in another order.

    ``prefixes`` are the first two digits of the divisions by region; ``speaks`` the kinds each region has a
    message for, every kind where it is not said. Each errand goes to one of the other regions that takes it.
    """

    def __init__(
        self,
        tables: Tables,
        prefixes: Mapping[str, str],
        side: str,
        speaks: Mapping[str, Collection[Kind]] | None = None,
    ) -> None:
        self._tables, self._side, self._prefixes = tables, side, prefixes
        self._speaks = speaks or {}
        self._others = tuple(slug for slug in prefixes if slug != side)
        self._waiting: list[str] = []

    def reached(self, kind: Kind) -> tuple[str, ...]:
        """The other regions an application of this kind may go to; none when this side does not speak it."""
        if kind not in self._speaks.get(self._side, (kind,)):
            return ()
        return tuple(slug for slug in self._others if kind in self._speaks.get(slug, (kind,)))

    def next(self, chance: Random, on: date, to: str = "") -> Errand:
        """The next item of the round; ``to``: one to a chosen region, outside the round."""
        items = self._tables.items
        if to:
            fitting = [each.item for each in items.all(on) if to in self.reached(KINDS[each.form])]
            return self.of(chance.choice(fitting), chance, on, to)
        if not self._waiting:
            self._waiting = [version.item for version in items.all(on) if self.reached(KINDS[version.form])]
            chance.shuffle(self._waiting)
        return self.of(self._waiting.pop(), chance, on)

    def any(self, kind: Kind, chance: Random, on: date, *, with_papers: bool = False) -> Errand:
        """An errand of a kind, outside the round; ``with_papers``: with materials, where the kind has any."""
        fitting = [
            version.item
            for version in self._tables.items.all(on)
            if KINDS[version.form] is kind
            and (version.materials or not with_papers or kind is Kind.CERTIFICATION_NOTICE)
        ]
        return self.of(chance.choice(fitting), chance, on)

    def of(self, item: str, chance: Random, on: date, to: str = "") -> Errand:
        """An errand for one item, to a chosen region or any; ``LookupError`` when none is in force or reached."""
        version = self._tables.items.version(item, on)
        reached = self.reached(KINDS[version.form]) if version else ()
        if version is None or not reached or (to and to not in reached):
            raise LookupError(item)
        kind = KINDS[version.form]
        # chance is not asked where there is no choice: the same seed gives the same errands
        to = to or (reached[0] if len(reached) == 1 else chance.choice(reached))
        schemes = self._tables.codes(self._side, "scheme")
        words = [row.native for key in version.schemes if (row := schemes.write(key))]
        return Errand(
            kind=kind,
            item=item,
            code=version.base_codes[self._side],
            name=version.names[self._side],
            here=chance.choice(self._offices(self._side, on)),
            there=chance.choice(self._offices(to, on)),
            scheme=chance.choice(words) if words else "",
            # the other applications are made by natural persons (crossing §4.1)
            by_employer=kind is Kind.GENERAL_APPLY and chance.choice(version.applicants) == "employer",
            papers=self._papers(version, chance, on, to),
            limit=(version.promised.value, version.promised.unit),
        )

    def _offices(self, region: str, on: date) -> list[Office]:
        offices: list[Office] = []
        for code, agency in self._tables.agencies.by_division.items():
            place = self._tables.divisions.by_code(code, on)
            if not code.startswith(self._prefixes[region]) or not isinstance(place, Place):
                continue
            if place.level == "county" and not place.succeeded:
                offices.append(Office(code, place.full_name, agency.name, agency.uscc, agency.level))
        return offices

    def _papers(self, version: ItemVersion, chance: Random, on: date, to: str) -> tuple[Paper, ...]:
        """The item's materials, now and then another one that is accepted in the place of one of them.

        What the other side recognises nothing for is not handed in: the rules say it is not asked for.
        """
        papers = []
        for material in version.materials:
            own, others = self._accepted_as(material, version.item, on, to)
            choices = own if own and (not others or chance.random() < 0.8) else others
            if choices:
                papers.append(chance.choice(choices))
        return tuple(papers)

    def _accepted_as(self, material: str, item: str, on: date, to: str) -> tuple[list[Paper], list[Paper]]:
        own: list[Paper] = []
        others: list[Paper] = []
        for row in self._tables.codes(self._side, "material").reads.values():
            rule = self._tables.rules.find(
                _HANDED_IN, row.key, issued_by=self._side, accepted_by=to, item=item, on=on
            )
            if rule and rule.accepted_as == material:
                (own if row.key == material else others).append(Paper(row.native, row.name))
        return own, others
