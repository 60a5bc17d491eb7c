"""What a page of indicators is asked for, and whose lines it has: agencies by level, from the tables."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from gateway.dashboard.texts import N_
from gateway.dashboard.views.indicators import Ranked, summed
from gateway.store.performance_reads import Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from gateway.canonical.facts import Counts
    from gateway.dashboard.views.periods import Period
    from gateway.mapping.tables import Tables

#: Which agency a case counts for; each counts once on either side.
SIDES: Mapping[str, str] = {"target": N_("办理地"), "origin": N_("收件地")}
LEVELS: Mapping[str, str] = {"district": N_("区县"), "prefecture": N_("地市"), "province": N_("省级")}

#: The key of cases whose division is not known yet: ``region:``.
_UNKNOWN = ":"


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters of the page, as they stand in its address."""

    side: str
    level: str
    item: str
    region: str
    period: Period
    sort: str
    best: bool

    def wanted(self) -> Wanted:
        """What the store is asked."""
        return Wanted(self.side, self.period.first, self.period.last, self.item, self.region)

    def query(self, **changes: Any) -> str:
        """The same filters as the query of an address, with ``changes``; what is empty is left out."""
        span: dict[str, Any] = {"period": self.period.name}
        if self.period.name == "custom":
            span |= {"first": self.period.first.isoformat(), "last": self.period.last.isoformat()}
        given = {
            "side": self.side,
            "level": self.level,
            "item": self.item,
            "region": self.region,
            **span,
            "sort": self.sort,
            "best": "" if self.best else "0",
            **changes,
        }
        return urlencode({name: value for name, value in given.items() if value != ""})

    def page(self, **changes: Any) -> str:
        """The address of the page with other filters."""
        return f"/ops/performance?{self.query(**changes)}"

    def list(self, measure: str, *, first: date, last: date, agency: str = "", item: str = "") -> str:
        """The address of the cases a number counts."""
        given = {
            "measure": measure,
            "side": self.side,
            "level": self.level,
            "region": self.region,
            "item": item or self.item,
            "first": first.isoformat(),
            "last": last.isoformat(),
            "agency": agency,
        }
        query = urlencode({name: value for name, value in given.items() if value})
        return f"/ops/performance/cases?{query}"


@dataclass(frozen=True, slots=True)
class Places:
    """Agencies by level. A prefecture's line holds its districts; a municipality's districts are lines of their own."""

    tables: Tables
    region_names: Mapping[str, str]
    unknown: str

    def key(self, level: str, region: str, division: str) -> str:
        """The line a division's cases count in."""
        if level == "province":
            return region
        if not division:
            return f"{region}{_UNKNOWN}"
        if level == "prefecture":
            above = f"{division[:4]}00"
            return above if above in self.tables.divisions.codes else division
        return division

    def name(self, level: str, key: str) -> str:
        """As people call it: the agency, or the place whose agencies are added up."""
        if key.endswith(_UNKNOWN):
            return f"{self.region_names.get(key[:-1], key[:-1])} · {self.unknown}"
        if level == "province":
            return self.region_names.get(key, key)
        agency = self.tables.agencies.of(key)
        if level == "district" and agency:
            return agency.name
        return self.short(key)

    def short(self, key: str) -> str:
        """The place alone, where there is little room."""
        if key in self.region_names:
            return self.region_names[key]
        if key.endswith(_UNKNOWN):
            return self.name("district", key)
        rows = self.tables.divisions.codes.get(key)
        return rows[-1].place.full_name if rows else key

    def members(self, level: str, key: str) -> tuple[Sequence[str] | None, str]:
        """The divisions of a line and, where these do not say it, its region."""
        if key.endswith(_UNKNOWN):
            return [""], key[:-1]
        if level == "province":
            return None, key
        if level == "prefecture" and key.endswith("00"):
            return [code for code in self.tables.divisions.codes if code[:4] == key[:4]], ""
        return [key], ""

    def lines(self, level: str, by_division: Mapping[tuple[str, str], Counts]) -> list[Ranked]:
        """The counts of a period, a line for each agency of the level."""
        groups: defaultdict[str, list[tuple[tuple[str, str], Counts]]] = defaultdict(list)
        for place, counts in by_division.items():
            groups[self.key(level, *place)].append((place, counts))
        return [
            Ranked(
                key,
                self.name(level, key),
                members[0][0][0],
                tuple(division for (_, division), _ in members),
                summed(counts for _, counts in members) if len(members) > 1 else members[0][1],
            )
            for key, members in groups.items()
        ]
