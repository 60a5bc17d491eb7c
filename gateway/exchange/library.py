"""Sets of tables by name or digest, ready to translate and to be quoted with file and line."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.errors import CannotStart
from gateway.exchange.translate import Maps, compile_maps
from gateway.mapping.load import PACKAGED as PACKAGED_FOLDER
from gateway.mapping.load import tables_of, well_formed
from gateway.mapping.sets import ACTIVE, PACKAGED, TableSet, is_stored, of_content, packaged, table_set
from gateway.regions import brought, table_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gateway.mapping.layout import Sheets
    from gateway.mapping.tables import Tables
    from gateway.region import Region
    from gateway.store.sets import TableSets

_KEPT = 4


@dataclass(frozen=True, slots=True)
class Book:
    """A set of tables: to look up, to translate by, and its lines with their numbers."""

    digest: str
    tables: Tables = field(repr=False)
    maps: Maps = field(repr=False)
    sheets: Sheets | None = field(repr=False)


def usable(
    files: Mapping[str, bytes],
    regions: Mapping[str, Region],
    calendar_until: int | None,
    *,
    release: str,
) -> tuple[Tables, Maps]:
    """The tables of a release, linted and compiled; a good part of a second. Errors: `CannotStart` with every fault."""
    tables = tables_of(files, calendar_until, where=release[:12])
    missing = sorted(set(regions) - set(tables.regions))
    if missing:
        raise CannotStart(f"规则表版本 {release[:12]} 缺少地区 {'、'.join(missing)} 的代码表")
    return tables, compile_maps(regions, tables)


def bound(asked: TableSet, regions: Mapping[str, Region], calendar_until: int | None) -> Book:
    """Lint and compile a set; takes a good part of a second. Errors: `CannotStart`."""
    tables = asked.tables(calendar_until)
    return Book(asked.digest, tables, compile_maps(regions, tables), well_formed(asked.files)[0])


class Library:
    """Finds sets and keeps the last few bound. ``folder``: the configured one, None for the packaged."""

    def __init__(
        self,
        sets: TableSets,
        regions: Mapping[str, Region],
        *,
        folder: Path | None,
        calendar_until: int | None,
    ) -> None:
        self._sets, self._regions = sets, regions
        self._folder, self._until = folder or PACKAGED_FOLDER, calendar_until
        self._kept: dict[str, Book] = {}

    async def book(self, asked: TableSet) -> Book:
        """A set, bound. Errors: `CannotStart`."""
        found = self._kept.pop(asked.digest, None)
        if found is None:
            found = await asyncio.to_thread(bound, asked, self._regions, self._until)
        self._kept[asked.digest] = found
        while len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]
        return found

    async def by_digest(self, digest: str) -> Book | None:
        """The set a message was translated by; None when it is kept nowhere."""
        known = self._kept.get(digest)
        if known is not None:
            return known
        release = await self._sets.one(digest)
        if release is not None:
            return await self.book(of_content(digest, release.content))
        for asked in (self._configured(), self._packaged()):
            if asked.digest == digest:
                return await self.book(asked)
        return None

    async def by_word(self, word: str, *, active: str) -> Book | None:
        """``active``, ``packaged``, or a release by the beginning of its digest. Errors: `CannotStart`."""
        if word == ACTIVE:
            return await self.by_digest(active)
        if word == PACKAGED:
            return await self.book(self._packaged())
        found = await self._sets.starting_with(word.lower()) if is_stored(word) else ()
        return await self.book(of_content(word, found[0].content)) if len(found) == 1 else None

    def _configured(self) -> TableSet:
        return table_set(ACTIVE, table_files(self._folder, self._regions))

    def _packaged(self) -> TableSet:
        return packaged(brought(self._regions))
