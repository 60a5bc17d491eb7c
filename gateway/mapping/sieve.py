"""Words a message must hold for the differences of two sets of tables to touch it at all.

Everything a translation asks the tables begins with a word of the message: a code, a place, an item, a
material. What does not (keys that follow from other values) is named here, and lets every message through.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

from gateway.mapping.codelist import CodeRow
from gateway.mapping.twin import bare

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gateway.mapping.places import DivisionRow, Divisions
    from gateway.mapping.tables import Tables

#: Lists written from keys that no word of the message says: sex from the number (M16), the gateway's own
#: channel (§3.1), the unit of the promised limit (M12), the settlement (M16).
DERIVED = frozenset({"sex", "channel", "limit_unit", "yes_no"})
MATERIAL = "material"


@dataclass(slots=True)
class Words:
    """What to look for in the messages of one region: whole leaf texts, or parts of one."""

    whole: set[str] = field(default_factory=set)
    part: set[str] = field(default_factory=set)
    #: no message of this region is safe
    every: bool = False


def words(now: Tables, then: Tables) -> Mapping[str, Words]:
    """By sending region: a message that holds none of its words comes out the same under both sets."""
    return _Comparison(now, then).found()


class _Comparison:
    def __init__(self, now: Tables, then: Tables) -> None:
        self._both = (now, then)
        self._now, self._then = now, then
        self._regions = sorted({*now.regions, *then.regions})
        self._found = {region: Words() for region in self._regions}

    def found(self) -> Mapping[str, Words]:
        if self._now.regions != self._then.regions or self._now.calendar != self._then.calendar:
            for each in self._found.values():
                each.every = True
            return self._found
        self._lists()
        self._places()
        self._items()
        self._rules()
        return self._found

    # --- code lists ---

    def _lists(self) -> None:
        for region, name in sorted({*self._now.lists, *self._then.lists}):
            for native in _differing(*(self._rows(tables, region, name, "reads") for tables in self._both)):
                self._found[region].whole |= _parts(native)
            for key in _differing(*(self._rows(tables, region, name, "writes") for tables in self._both)):
                self._written(region, name, key)

    @staticmethod
    def _rows(tables: Tables, region: str, name: str, way: str) -> Mapping[str, CodeRow]:
        found = tables.lists.get((region, name))
        rows: Mapping[str, CodeRow] = getattr(found, way) if found else {}
        return rows

    def _written(self, receiver: str, name: str, key: str) -> None:
        """The receiver's word for a key changed: who sends that key is touched."""
        for sender in self._regions:
            if sender == receiver:
                continue
            if name in DERIVED:
                self._found[sender].every = True
            keys = {key}
            if name == MATERIAL:
                keys |= {
                    rule.subject for tables in self._both for rule in tables.rules if rule.accepted_as == key
                }
            self._found[sender].whole |= self._natives(sender, name, keys)

    def _natives(self, region: str, name: str, keys: set[str]) -> set[str]:
        """The region's words that mean one of these keys, in either set."""
        rows = chain.from_iterable(
            self._rows(tables, region, name, "reads").values() for tables in self._both
        )
        return {part for row in rows if row.key in keys for part in _parts(row.native)}

    # --- places ---

    def _places(self) -> None:
        before, after = self._now.divisions, self._then.divisions
        changed = set(_differing(before.codes, after.codes))
        changed |= set(_differing(self._now.agencies.by_division, self._then.agencies.by_division))
        for name in _differing(before.names, after.names):
            rows = (*before.names.get(name, ()), *after.names.get(name, ()))
            changed |= {row.place.code for row in rows}
        if not changed:
            return
        touched = set(chain.from_iterable(_touched(each, changed) for each in (before, after)))
        for each in self._found.values():
            each.whole |= touched

    # --- items ---

    def _items(self) -> None:
        before, after = self._now.items, self._then.items
        for region, code in _differing(before.by_base_code, after.by_base_code):
            self._found[region].part.add(code)
        items = set(_differing(before.by_item, after.by_item))
        items |= set(_differing(self._now.legs.by_item, self._then.legs.by_item))
        regions = {*self._now.guides.by_region, *self._then.guides.by_region}
        for region in regions:
            sides = (tables.guides.by_region.get(region, {}) for tables in self._both)
            items |= set(_differing(*sides))
        for region in self._regions:
            self._found[region].part |= self._codes(region, items)

    def _codes(self, region: str, items: Iterable[str]) -> set[str]:
        wanted = set(items)
        return {
            code
            for tables in self._both
            for (each, code), item in tables.items.by_base_code.items()
            if each == region and item in wanted
        }

    # --- recognition ---

    def _rules(self) -> None:
        for issued_by, accepted_by, subject in _differing(self._now.rules.groups, self._then.rules.groups):
            if issued_by not in self._found:
                continue
            words_ = self._found[issued_by]
            words_.whole |= self._natives(issued_by, MATERIAL, {subject})
            for tables in self._both:
                for rule in tables.rules.groups.get((issued_by, accepted_by, subject), ()):
                    if rule.subject_kind != MATERIAL:
                        words_.every |= not rule.items
                        words_.part |= self._codes(issued_by, rule.items)


def _parts(native: str) -> set[str]:
    """A composite is several leaves in the message; ``C^H`` is a C beside a number that begins with H."""
    return {part.partition("^")[0] for part in native.split("|")} - {""}


def _differing(now: Mapping, then: Mapping) -> Iterator:  # type: ignore[type-arg]
    """Keys under which the two do not say the same; the line a word stands in does not count."""
    for key in {**now, **then}:
        was, will = now.get(key), then.get(key)
        if was != will and not (isinstance(was, CodeRow) and bare(was) == bare(will)):
            yield key


def _touched(divisions: Divisions, changed: set[str]) -> Iterator[str]:
    """Codes and names that lead to a changed division, by themselves or by their successors."""
    for code, rows in divisions.codes.items():
        if _leads_to(divisions, code, changed):
            yield code
            yield from (row.place.full_name for row in rows)


def _leads_to(divisions: Divisions, code: str, changed: set[str]) -> bool:
    waiting, seen = [code], set[str]()
    while waiting:
        each = waiting.pop()
        if each in changed:
            return True
        if each not in seen:
            seen.add(each)
            rows: tuple[DivisionRow, ...] = divisions.codes.get(each, ())
            waiting += [heir for row in rows for heir in row.successors]
    return False
