"""The cases behind a number: listed by the day that counts for it, found through the rollup, paged both ways."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import text

from gateway.canonical.facts import BAD_FROM
from gateway.store.engine import single

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from gateway.store.performance_reads import Wanted

SIDES = ("target", "origin")


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that can be opened: which count of the rollup it is, and which cases of which day that count is of."""

    counted: str
    day: str
    where: str = "TRUE"
    #: the longest waiting first instead of the newest
    oldest_first: bool = False


_CONCLUDED = "f.ending IN ('40', '41')"
_BAD = f"f.grade >= {BAD_FROM}"

#: By the name in addresses.
MEASURES: Mapping[str, Measure] = {
    "received": Measure("received", "received_on"),
    "supplemented": Measure("supplemented", "received_on", "f.supplements > 0"),
    "reworked": Measure("reworked", "received_on", "f.parks > 0"),
    "decided": Measure("decided", "decided_on"),
    "not_first": Measure("decided - first_time", "decided_on", "NOT f.first_time"),
    "concluded": Measure("concluded", "ended_on", _CONCLUDED),
    "late": Measure("timed - on_time", "ended_on", f"{_CONCLUDED} AND f.ended_on > f.due_on"),
    "rated": Measure("rated", "rated_on", "f.grade IS NOT NULL"),
    "bad": Measure("bad", "rated_on", _BAD),
    "unclosed": Measure("bad - closed", "rated_on", f"{_BAD} AND f.bad_closed_on IS NULL"),
    "due": Measure("open", "due_on", "f.is_open", oldest_first=True),
    "provisional": Measure("provisional", "due_on", "f.is_open AND f.provisional", oldest_first=True),
}

#: For those of a day that have a partial index, what makes the planner see it.
_IN_INDEX = {"rated_on": "f.rated_on IS NOT NULL", "due_on": "f.is_open AND f.due_on IS NOT NULL"}


@dataclass(frozen=True, slots=True)
class Listed:
    """One case of a list."""

    case_id: UUID
    case_no: str
    state: str
    item: str
    origin: str
    origin_division: str
    target: str
    target_division: str
    received_on: date
    due_on: date | None
    provisional: bool
    ended_on: date | None
    workdays: int | None
    supplements: int
    parks: int
    parked_s: int
    rated_on: date | None
    grade: int | None
    bad_closed_on: date | None
    day: date


@dataclass(frozen=True, slots=True)
class Page:
    """Cases of a list and the addresses of its neighbours (cursors, None at an end)."""

    cases: Sequence[Listed]
    previous: str | None
    next: str | None


async def cases(
    engine: AsyncEngine,
    measure: str,
    wanted: Wanted,
    divisions: Sequence[str] | None,
    limit: int,
    *,
    after: str | None = None,
    before: str | None = None,
) -> Page:
    """A page of the cases a number counts. ``divisions`` None: all there are figures of.

    Errors: `KeyError` for a measure that is none, `ValueError` for a cursor that is not ours.
    """
    how = MEASURES[measure]
    back = before is not None
    begun = before if before is not None else after
    which: dict[str, Any] = {
        "first": wanted.first,
        "last": wanted.last,
        "item": wanted.item,
        "region": wanted.region,
        "divisions": None if divisions is None else list(divisions),
        "places": limit + 1,
    }
    if begun is not None:
        which["day"], which["id"] = _read_cursor(begun)
    query = _cases_query(how, wanted.side, ascending=how.oldest_first is not back, begun=begun is not None)
    async with single(engine) as connection:
        found = [Listed(**row) for row in (await connection.execute(query, which)).mappings()]
    more, found = len(found) > limit, found[:limit]
    if back:
        found.reverse()
    has_next, has_previous = (True, more) if back else (more, after is not None)
    return Page(
        found,
        _cursor(found[0]) if found and has_previous else None,
        _cursor(found[-1]) if found and has_next else None,
    )


def _cases_query(how: Measure, side: str, *, ascending: bool, begun: bool) -> Any:
    """The rollup knows on which days which agencies have such cases: only there they are looked for.

    ``begun``: a page before this one has come to some day; of that day all agencies are asked for what is left.
    """
    if side not in SIDES:
        raise KeyError(side)
    order, beyond = ("ASC", ">") if ascending else ("DESC", "<")
    listed = ", ".join(f"f.{name}" for name in Listed.__dataclass_fields__ if name not in {"state", "day"})
    pairs = f"""SELECT bucket, division FROM performance
                 WHERE width = 'day' AND side = '{side}' AND bucket BETWEEN :first AND :last AND {how.counted} > 0
                   {"AND open > 0" if how.day == "due_on" else ""}
                   AND (:item = '' OR item = :item) AND (:region = '' OR region = :region)
                   AND (CAST(:divisions AS text[]) IS NULL OR division = ANY(CAST(:divisions AS text[])))"""  # noqa: S608 - constants of this module
    # with ties: a day whose agencies are cut off in the middle would lose the cases of the others
    on = f"AND bucket {beyond} :day" if begun else ""
    first = f"ORDER BY bucket {order} FETCH FIRST (CAST(:places AS bigint)) ROWS WITH TIES"
    ways = [f"({pairs} {on} GROUP BY bucket, division {first})"]
    if begun:
        ways.append(f"({pairs} AND bucket = :day GROUP BY bucket, division)")
    place = f"AND (f.{how.day}, f.case_id) {beyond} (CAST(:day AS date), CAST(:id AS uuid))" if begun else ""
    return text(
        f"""
        WITH pairs AS MATERIALIZED ({" UNION ALL ".join(ways)}),
        found AS MATERIALIZED (
          SELECT f.* FROM pairs CROSS JOIN LATERAL (
            SELECT * FROM case_facts f
             WHERE f.{side}_division = pairs.division AND f.{how.day} = pairs.bucket
               AND {how.where} AND {_IN_INDEX.get(how.day, "TRUE")}
               AND (:item = '' OR f.item = :item) AND (:region = '' OR f.{side} = :region) {place}
             ORDER BY f.case_id {order} LIMIT :places) AS f
          ORDER BY f.{how.day} {order}, f.case_id {order} LIMIT :places)
        SELECT {listed}, c.state, f.{how.day} AS day
          FROM found AS f CROSS JOIN LATERAL (SELECT state FROM cases WHERE id = f.case_id LIMIT 1) AS c
         ORDER BY f.{how.day} {order}, f.case_id {order}
        """  # noqa: S608 - constants of this module
    )


async def facts_of_case(connection: AsyncConnection, case_no: str) -> Any:
    """Id, grade and closure of a case by its number, its row locked; None when there is none."""
    return (await connection.execute(_FOR_RATING, {"case_no": case_no})).one_or_none()


def _cursor(case: Listed) -> str:
    return base64.urlsafe_b64encode(f"{case.day:%Y%m%d}{case.case_id.hex}".encode()).decode()


def _read_cursor(written: str) -> tuple[date, UUID]:
    try:
        plain = base64.b64decode(written, altchars=b"-_", validate=True).decode("ascii")
        return datetime.strptime(plain[:8], "%Y%m%d").date(), UUID(plain[8:])  # noqa: DTZ007 - a day
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise ValueError("not a place in the list") from error


_FOR_RATING = text(
    "SELECT c.id, f.grade, f.rated_on, f.bad_closed_on FROM cases c JOIN case_facts f ON f.case_id = c.id"
    " WHERE c.case_no = :case_no FOR UPDATE OF c"
)
