"""All rule tables as one immutable value; a message is judged by the value it started with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.mapping.codelist import CodeList, HubList
from gateway.mapping.guides import Guides
from gateway.mapping.legs import Legs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.canonical.worktime import WorkCalendar
    from gateway.mapping.items import Items
    from gateway.mapping.places import Agencies, Divisions
    from gateway.mapping.recognition import Rules


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything under ``mappings/`` and the working calendar.

    ``digest`` is the hex SHA-256 over the names and bytes of all table files; every translation
    records it.
    """

    digest: str
    regions: tuple[str, ...]
    hubs: Mapping[str, HubList] = field(repr=False)
    lists: Mapping[tuple[str, str], CodeList] = field(repr=False)
    divisions: Divisions = field(repr=False)
    agencies: Agencies = field(repr=False)
    items: Items = field(repr=False)
    rules: Rules = field(repr=False)
    calendar: WorkCalendar = field(repr=False)
    guides: Guides = field(default=Guides(), repr=False)
    legs: Legs = field(default=Legs(), repr=False)

    def codes(self, region: str, list_name: str) -> CodeList:
        """A region's list, empty when it has no words for it; `KeyError` for a list nobody knows."""
        found = self.lists.get((region, list_name))
        if found is not None:
            return found
        return CodeList(region, self.hubs[list_name].name)

    def hub(self, list_name: str) -> HubList:
        """The shared side of a list; `KeyError` for a list nobody knows."""
        return self.hubs[list_name]
