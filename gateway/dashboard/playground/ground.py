"""What a message can be tried by here: in a gateway its releases, on a laptop the folders it was given."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from gateway.canonical.worktime import beijing_day
from gateway.dashboard.views.rulebook import fields
from gateway.exchange.explain import by_place
from gateway.exchange.library import Book, bound
from gateway.mapping.load import PACKAGED as PACKAGED_FOLDER
from gateway.mapping.sets import PACKAGED, local, packaged
from gateway.regions import brought, table_files
from gateway.store.sets import TableSets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from uuid import UUID

    from gateway.exchange.explaining import Explaining
    from gateway.mapping.explain import FieldLine
    from gateway.mapping.sets import TableSet
    from gateway.mapping.tables import Tables
    from gateway.region import Region
    from gateway.runtime import Rulebook, Runtime, SystemClock

#: Releases one may choose from.
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Choice:
    """A set of tables one may choose. ``word``: how a form names it, "" for the one in force."""

    word: str
    digest: str
    name: str = ""
    since: date | None = None
    state: str = ""


class Ground(Protocol):
    """Regions, fields, clock and the sets of tables to choose from."""

    @property
    def regions(self) -> Mapping[str, Region]: ...
    @property
    def tables(self) -> Tables: ...
    @property
    def clock(self) -> SystemClock: ...
    @property
    def lines(self) -> Mapping[tuple[str, str, str], FieldLine]: ...

    async def choices(self) -> Sequence[Choice]:
        """What there is, the set in force first."""
        ...

    async def book(self, word: str) -> Book | None:
        """The set of a word, ready; None for a word of none. Errors: `CannotStart` for unusable tables."""
        ...


@dataclass(frozen=True, slots=True)
class Served:
    """A gateway's own: what is in force, what is stored, what came with the product."""

    rt: Runtime
    explaining: Explaining

    @property
    def regions(self) -> Mapping[str, Region]:
        """Those of the gateway."""
        return self.rt.regions

    @property
    def tables(self) -> Tables:
        """Those in force."""
        return self.rt.tables

    @property
    def clock(self) -> SystemClock:
        """The gateway's."""
        return self.rt.clock

    @property
    def lines(self) -> Mapping[tuple[str, str, str], FieldLine]:
        """What is declared of every field."""
        return self.explaining.lines

    async def choices(self) -> Sequence[Choice]:
        """In force, stored, packaged."""
        heads = await TableSets(self.rt.engine).heads(_SHOWN)
        found = [Choice("", self.rt.tables.digest)]
        for head in heads:
            state = "retired" if head.retired_at else "active" if head.activated_at else "proposed"
            found.append(Choice(head.digest, head.digest, head.note, head.effective_from, state))
        came_with = await asyncio.to_thread(lambda: packaged(brought(self.regions)))
        return [*found, Choice(PACKAGED, came_with.digest, state=PACKAGED)]

    async def book(self, word: str) -> Book | None:
        """Bound sets are kept by the library."""
        if not word:
            reader = await self.explaining.reader([self.rt.tables.digest], self.rt)
            return reader.current
        return await self.explaining.library.by_word(word, active=self.rt.tables.digest)


@dataclass(slots=True)
class Local:
    """A laptop's own: the first folder is in force; each is bound when it is asked for, and read only once."""

    regions: Mapping[str, Region]
    clock: SystemClock
    new_id: Callable[[], UUID]
    tables: Tables = field(repr=False)
    lines: Mapping[tuple[str, str, str], FieldLine] = field(repr=False)
    _sets: Mapping[str, TableSet] = field(repr=False)
    _books: dict[str, Book] = field(repr=False)
    _until: int | None

    @classmethod
    def of(
        cls, book: Rulebook, new_id: Callable[[], UUID], words: Sequence[str], calendar_until: int | None
    ) -> Local:
        """``words``: folders, workbooks or ``packaged``, the one in force first. Errors: `CannotStart`."""
        sets = {word: local(word, lambda path: table_files(path, book.regions)) for word in words}
        first = bound(next(iter(sets.values())), book.regions, calendar_until)
        lines = by_place(fields(*book.regions))
        return cls(
            book.regions,
            book.clock,
            new_id,
            first.tables,
            lines,
            sets,
            {first.digest: first},
            calendar_until,
        )

    async def choices(self) -> Sequence[Choice]:
        """In the order they were given."""
        found = [
            Choice(each.digest, each.digest, state=PACKAGED)
            if name == str(PACKAGED_FOLDER)
            else Choice(each.digest, each.digest, name)
            for name, each in self._sets.items()
        ]
        return [replace(found[0], word=""), *found[1:]]

    async def book(self, word: str) -> Book | None:
        """By digest."""
        digest = word or self.tables.digest
        if digest not in self._books:
            asked = next((each for each in self._sets.values() if each.digest == digest), None)
            if asked is None:
                return None
            self._books[digest] = await asyncio.to_thread(bound, asked, self.regions, self._until)
        return self._books[digest]


def today(ground: Ground) -> date:
    """The day in Beijing."""
    return beijing_day(ground.clock.now())
