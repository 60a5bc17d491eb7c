"""What explaining a stored case needs from request to request: declared fields, masks, sets of tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from gateway import regions as regions_
from gateway.exchange.explain import Reader, by_place, line_at
from gateway.exchange.library import Book, Library
from gateway.exchange.masking import Masker, mask_of
from gateway.mapping.explain import field_lines
from gateway.store.sets import TableSets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.exchange.translate import Maps
    from gateway.mapping.explain import FieldLine
    from gateway.mapping.tables import Tables
    from gateway.region import Region


class InForce(Protocol):
    """The tables of this moment, and the maps bound to them."""

    @property
    def tables(self) -> Tables: ...
    @property
    def maps(self) -> Maps: ...


class Explaining:
    """Made once a process: the maps do not change while it runs."""

    def __init__(
        self,
        engine: AsyncEngine,
        regions: Mapping[str, Region],
        *,
        folder: Path | None,
        calendar_until: int | None,
    ) -> None:
        self._regions = regions
        self.lines: Mapping[tuple[str, str, str], FieldLine] = by_place(
            field_lines(regions_.fields(tuple(regions)))
        )
        masks = {
            path: mask
            for (_, _, path), line in self.lines.items()
            for mask in map(mask_of, line.canonical)
            if mask is not None
        }
        self.masker = Masker({**masks, **Masker.of(regions).by_path})
        self.library = Library(TableSets(engine), regions, folder=folder, calendar_until=calendar_until)

    def line(self, region: str, kind: str, path: str | None) -> FieldLine | None:
        """What is declared of a field."""
        return line_at(self.lines, region, kind, path)

    async def reader(self, digests: Iterable[str], now: InForce) -> Reader:
        """What explains messages translated by these sets; sets that are kept nowhere are left out."""
        found = {digest: await self.library.by_digest(digest) for digest in sorted(set(digests))}
        books = {digest: book for digest, book in found.items() if book is not None}
        current = await self.library.by_digest(now.tables.digest)
        if current is None:  # the folder was edited since this process started
            current = Book(now.tables.digest, now.tables, now.maps, None)
        books.setdefault(current.digest, current)
        return Reader(self._regions, self.lines, books, current)
