"""The operators' list of cases: pages by every combination of filters, both ways, with what each case waits for."""

from __future__ import annotations

import base64
import binascii
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.store import case_list_sql as sql
from gateway.store.case_list_sql import Cut, Place, Wanted
from gateway.store.rows import case_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from gateway.canonical.tracking import TrackedCase
    from gateway.store.records import Person
    from gateway.store.vault import Vault

__all__ = ["CaseLine", "CaseList", "CasePage", "TooWide", "Waiting", "Wanted"]

#: More messages at rest than this are not gone through one by one: the list is read from its cases then.
FLOOD = 100_000
#: Cases received in a window are sorted by due date up to so many; of more the due dates are walked along.
SORTED = 2_000
#: Searches by part of a number show no more.
FOUND = 50
#: A page that takes longer is given up; none of the measured combinations comes near.
_PAGE_WITHIN_MS = 3_000
_COUNT_WITHIN_MS = 8_000
#: SQLSTATE of a statement that ran out of its time.
_GIVEN_UP = "57014"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class TooWide(Exception):  # noqa: N818 - an answer: narrow it
    """So much has to be looked through that the page is not worth the wait."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open delivery of a case. ``code`` and ``words`` say why it rests; ``words`` are a finding's, never a peer's."""

    state: str
    destination: str
    code: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case in the list; ``waiting`` in the order of its messages."""

    case: TrackedCase
    person: Person = field(repr=False)
    waiting: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True)
class CasePage:
    """A page in the order of its list; ``previous`` and ``following`` lead on, None at the ends.

    ``first``: the place of the first line, to ask later for what came before it.
    """

    lines: tuple[CaseLine, ...]
    previous: str | None = None
    following: str | None = None
    first: str | None = None


class CaseList:
    """Lists over the cases of a store; ``regions`` are the sides there are."""

    def __init__(self, engine: AsyncEngine, vault: Vault, regions: Iterable[str]) -> None:
        slugs = tuple(regions)
        self._engine, self._vault, self._slugs = engine, vault, slugs
        self._pairs = [(origin, target) for origin in slugs for target in slugs if origin != target]

    async def page(
        self, wanted: Wanted, limit: int, *, after: str | None = None, before: str | None = None
    ) -> CasePage:
        """The page after a place, or the one before it; else the first. New cases shift no page.

        Errors: `ValueError` for a place that is not of such a list, `TooWide`.
        """
        backwards = after is None and before is not None
        written = before if backwards else after
        place = None if written is None else _read(wanted, written)
        async with self._patience(_PAGE_WITHIN_MS) as connection:
            keys = await self._keys(connection, wanted, Cut(limit + 1, place, backwards))
            if backwards and len(keys) <= limit:  # less than a page before it: that is the first page
                keys, place, backwards = await self._keys(connection, wanted, Cut(limit + 1)), None, False
            more, keys = len(keys) > limit, keys[:limit]
            if backwards:
                keys.reverse()
            lines = await self._lines(connection, [each.case_no for each in keys])
        if not keys:
            return CasePage(())
        return CasePage(
            lines=lines,
            previous=_write(keys[0]) if (more if backwards else place is not None) else None,
            following=_write(keys[-1]) if backwards or more else None,
            first=_write(keys[0]),
        )

    async def newer(self, wanted: Wanted, first: str | None, most: int) -> int:
        """How many cases have come before the first line of a list, counted up to ``most``."""
        place = None if first is None else _read(wanted, first)
        async with self._patience(_PAGE_WITHIN_MS) as connection:
            return len(await self._keys(connection, wanted, Cut(most, place, backwards=place is not None)))

    async def count(self, wanted: Wanted, most: int) -> int | None:
        """How many cases a list has, counted up to ``most``; None when that takes too long."""
        try:
            async with self._patience(_COUNT_WITHIN_MS) as connection:
                query = sql.keys(
                    wanted, Cut(most), self._pairs, flooded=await self._flooded(connection, wanted)
                )
                counted = text(f"SELECT count(*) FROM ({query.statement.text}) AS k")  # noqa: S608 - ours
                return int((await connection.execute(counted, query.values)).scalar_one())
        except TooWide:
            return None

    async def walk(self, wanted: Wanted, most: int, step: int) -> AsyncIterator[tuple[CaseLine, ...]]:
        """The list from its beginning, ``step`` lines at a time, at most ``most``."""
        after, left = None, most
        while left > 0:
            page = await self.page(wanted, min(step, left), after=after)
            if page.lines:
                yield page.lines
            left -= len(page.lines)
            if page.following is None:
                return
            after = page.following

    async def by_number(self, number: str) -> tuple[CaseLine, ...]:
        """The cases any side knows by this number; if there is none, those whose number begins with it.

        At most `FOUND` and one more, which tells that there are more.
        """
        values = {"number": number, "regions": list(self._slugs), "places": FOUND + 1}
        async with self._patience(_PAGE_WITHIN_MS) as connection:
            found = list((await connection.execute(_BY_NUMBER, values)).scalars())
            if not found:
                # the last character there is: nothing that begins with the number lies behind it
                values |= {"end": number + "\U0010ffff"}
                found = list((await connection.execute(_BY_PREFIX, values)).scalars())
            return await self._lines(connection, found)

    async def by_citizen(self, id_no: str) -> tuple[CaseLine, ...]:
        """The newest cases of a person, by the blind index of the number; at most `FOUND` and one more."""
        values = {"index": self._vault.blind_index(id_no), "places": FOUND + 1}
        async with self._patience(_PAGE_WITHIN_MS) as connection:
            found = list((await connection.execute(_BY_CITIZEN, values)).scalars())
            return await self._lines(connection, found)

    async def _keys(self, connection: AsyncConnection, wanted: Wanted, cut: Cut) -> list[Place]:
        query = await self._query(connection, wanted, cut)
        return [Place(*row) for row in await connection.execute(query.statement, query.values)]

    async def _query(self, connection: AsyncConnection, wanted: Wanted, cut: Cut) -> sql.Query:
        """The statement for what is asked, by the size of what it could be read from."""
        flooded = await self._flooded(connection, wanted)
        has_window = wanted.received_from is not None or wanted.received_to is not None
        path: sql.Path | None = None
        if wanted.by_due and has_window and (wanted.resting is None or flooded):
            probe = sql.window(replace(wanted, resting=None), SORTED + 1, self._pairs)
            counted = text(f"SELECT count(*) FROM ({probe.statement.text}) AS k")  # noqa: S608 - ours
            few = (await connection.execute(counted, probe.values)).scalar_one() <= SORTED
            path = "window" if few else "due"
        return sql.keys(wanted, cut, self._pairs, flooded=flooded, path=path)

    async def _flooded(self, connection: AsyncConnection, wanted: Wanted) -> bool:
        if wanted.resting is None:
            return False
        which = {"state": wanted.resting, "most": FLOOD + 1}
        return bool((await connection.execute(sql.COUNT_RESTING, which)).scalar_one() > FLOOD)

    async def _lines(self, connection: AsyncConnection, case_nos: Sequence[str]) -> tuple[CaseLine, ...]:
        """The cases of these numbers, in this order."""
        rows = {
            row["case_no"]: row
            for row in (await connection.execute(_CASES, {"case_nos": case_nos})).mappings()
        }
        open_ = (
            (await connection.execute(_WAITING, {"ids": [row["id"] for row in rows.values()]}))
            .mappings()
            .all()
        )
        await self._vault.learn(
            [row["person"] for row in rows.values()] + [row["last_error"] for row in open_]
        )
        waiting: dict[UUID, list[Waiting]] = {}
        for row in open_:
            waiting.setdefault(row["case_id"], []).append(self._waiting(row))
        return tuple(
            CaseLine(
                case_of(rows[case_no]),
                self._vault.open_person(rows[case_no]["id"], rows[case_no]["person"]),
                tuple(waiting.get(rows[case_no]["id"], ())),
            )
            for case_no in case_nos
            if case_no in rows
        )

    def _waiting(self, row: Mapping[Any, Any]) -> Waiting:
        if row["state"] == "parked" and row["findings"]:
            first = row["findings"][0]
            return Waiting(row["state"], row["destination"], first.get("code", ""), first.get("text", ""))
        # a peer's words may name a person: of the last error only its code is shown
        said = self._vault.open_text(row["id"], "deliveries.last_error", row["last_error"]).split(" ", 1)[0]
        return Waiting(row["state"], row["destination"], said if said.isascii() else "")

    @asynccontextmanager
    async def _patience(self, within_ms: int) -> AsyncIterator[AsyncConnection]:
        """A transaction whose statements are given up after a while, each planned for its own values.

        A plan kept for all values would be one for the average of them, and rare combinations are the point here.
        """
        try:
            async with self._engine.begin() as connection:
                await connection.execute(_MANNERS, {"within": str(within_ms)})
                yield connection
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _GIVEN_UP:
                raise TooWide from None
            raise


# An arm that is walked in its order stops at its page; a bitmap of it would first be read to its end.
_MANNERS = text(
    "SELECT set_config('statement_timeout', :within, TRUE), set_config('plan_cache_mode', 'force_custom_plan', TRUE),"
    " set_config('enable_bitmapscan', 'off', TRUE)"
)
_CASES = text("SELECT * FROM cases WHERE case_no = ANY(CAST(:case_nos AS text[]))")
_WAITING = text(
    "SELECT d.id, d.case_id, d.state, d.destination, d.last_error,"
    " CASE WHEN d.state = 'parked' THEN (SELECT m.findings FROM messages m WHERE m.id = d.id LIMIT 1) END AS findings"
    " FROM deliveries d WHERE d.case_id = ANY(CAST(:ids AS uuid[])) ORDER BY d.case_id, d.destination, d.seq"
)
_REGIONS = "unnest(CAST(:regions AS text[])) AS r(slug)"
#: One probe of each index: our number, and for every side its own number as origin and as target.
_BY_NUMBER = text(
    f"""
    SELECT case_no FROM (
      SELECT case_no FROM cases WHERE case_no = CAST(:number AS text)
      UNION
      SELECT c.case_no FROM {_REGIONS} JOIN cases c ON c.origin = r.slug AND c.origin_case_no = CAST(:number AS text)
      UNION
      SELECT c.case_no FROM {_REGIONS} JOIN cases c ON c.target = r.slug
         AND c.target_case_no = CAST(:number AS text) AND c.target_case_no <> '') AS f
     ORDER BY case_no LIMIT :places
    """  # noqa: S608 - constants
)


def _beginning(column: str) -> str:
    return f"{column} >= CAST(:number AS text) AND {column} < CAST(:end AS text)"


def _per_side(side: str) -> str:
    column = f"{side}_case_no"
    return (
        f"SELECT f.case_no FROM {_REGIONS} CROSS JOIN LATERAL (SELECT case_no FROM cases WHERE {side} = r.slug"  # noqa: S608
        f" AND {_beginning(column)} AND {column} <> '' ORDER BY {column} LIMIT :places) AS f"
    )


_BY_PREFIX = text(
    f"""
    SELECT case_no FROM (
      (SELECT case_no FROM cases WHERE {_beginning("case_no")} ORDER BY case_no LIMIT :places)
      UNION {_per_side("origin")} UNION {_per_side("target")}) AS f
     ORDER BY case_no LIMIT :places
    """  # noqa: S608 - constants
)
_BY_CITIZEN = text("SELECT case_no FROM cases WHERE citizen_index = :index ORDER BY id DESC LIMIT :places")


def _write(place: Place) -> str:
    key = place.key
    at = (key - _EPOCH) // _MICROSECOND if isinstance(key, datetime) else key.isoformat()
    return base64.urlsafe_b64encode(json.dumps([at, place.case_no]).encode()).decode().rstrip("=")


def _read(wanted: Wanted, written: str) -> Place:
    try:
        padded = written + "=" * (-len(written) % 4)
        at, case_no = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(case_no, str) or "\x00" in case_no:
            raise ValueError("not a place in the list")
        if wanted.by_due:
            return Place(date.fromisoformat(at), case_no)
        return Place(_EPOCH + at * _MICROSECOND, case_no)
    except (binascii.Error, UnicodeError, OverflowError, TypeError, RecursionError) as error:
        raise ValueError("not a place in the list") from error
