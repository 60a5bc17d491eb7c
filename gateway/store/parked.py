"""Parked messages by what they wait for: one table row missing, many messages waiting."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from gateway.store.engine import single

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy.ext.asyncio import AsyncEngine


@dataclass(frozen=True, slots=True)
class Cause:
    """What is missing: a code of crossing §1 at a path (indices as ``[]``); ``value`` None = any word."""

    code: str
    path: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class ParkedGroup:
    """Messages of one way that wait for the same thing; ``agencies`` are the divisions of their senders."""

    cause: Cause
    region: str
    text: str
    messages: int
    agencies: tuple[str, ...]
    first_seen_at: datetime
    last_seen_at: datetime
    sample: UUID
    destination: str = ""


#: Parked messages a page of groups looks at: counting more of them would tell nothing new, and take seconds.
LOOKED_AT = 5_000


async def groups(
    engine: AsyncEngine, limit: int, after: str | None, *, looked_at: int = LOOKED_AT
) -> tuple[list[ParkedGroup], str | None]:
    """Largest first; ``after`` takes the second value again. Errors: `ValueError` for a bad cursor.

    Of the oldest ``looked_at`` parked messages: behind a table row that has been missing for days there may be
    any number, and releasing a cause releases all of it.
    """
    place = None if after is None else _read_cursor(after)
    async with single(engine) as connection:
        found = await connection.execute(
            _GROUPS, _place(place) | {"places": limit + 1, "looked_at": looked_at}
        )
        page = [_group(row) for row in found.mappings()]
    more = len(page) > limit
    return page[:limit], _cursor(page[limit - 1]) if more else None


async def waiting_for(engine: AsyncEngine, cause: Cause, limit: int, after: UUID | None) -> Sequence[UUID]:
    """The messages of one cause, oldest first; ``after`` the last id of the page before."""
    async with single(engine) as connection:
        found = await connection.execute(
            _WAITING_FOR,
            {
                "code": cause.code,
                "path": cause.path,
                "value": cause.value,
                "after": after,
                "places": limit,
            },
        )
        return found.scalars().all()


async def still_parked(engine: AsyncEngine, message_id: UUID, findings: Sequence[Mapping[str, str]]) -> None:
    """Keep what a message now waits for; nothing happens when it is parked no more."""
    async with single(engine) as connection:
        await connection.execute(
            _STILL,
            {"id": message_id, "findings": json.dumps([dict(f) for f in findings], ensure_ascii=False)},
        )


def _group(row: Mapping[Any, Any]) -> ParkedGroup:
    return ParkedGroup(
        cause=Cause(row["code"], row["path"], row["value"] or None),
        region=row["region"],
        text=row["text"],
        messages=row["messages"],
        agencies=tuple(row["agencies"]),
        first_seen_at=row["first_seen_at"],
        last_seen_at=row["last_seen_at"],
        sample=row["sample"],
        destination=row["destination"],
    )


#: Indices of repeated parts are no part of the cause.
PATH = r"regexp_replace(f->>'path', '\[[0-9]+\]', '[]', 'g')"

#: One probe each: a join would be free to read all messages there are, and does when thousands are parked.
_ITS_MESSAGE = "CROSS JOIN LATERAL (SELECT * FROM messages WHERE id = d.id LIMIT 1) AS m"

_GROUPS = text(
    f"""
    SELECT * FROM (
      SELECT f->>'code' AS code, {PATH} AS path, COALESCE(f->>'value', '') AS value, m.region,
             min(f->>'text') AS text, count(DISTINCT m.id) AS messages,
             array_remove(array_agg(DISTINCT CASE WHEN m.region = c.origin THEN c.origin_division
                                                  ELSE c.target_division END), '') AS agencies,
             min(m.received_at) AS first_seen_at, max(m.received_at) AS last_seen_at,
             CAST(min(CAST(m.id AS text)) AS uuid) AS sample, d.destination
        FROM (SELECT id, case_id, destination FROM deliveries WHERE state = 'parked' ORDER BY id LIMIT :looked_at) AS d
       {_ITS_MESSAGE}
       CROSS JOIN LATERAL (SELECT * FROM cases WHERE id = d.case_id LIMIT 1) AS c
       CROSS JOIN LATERAL jsonb_array_elements(m.findings) AS f
       GROUP BY 1, 2, 3, 4, d.destination) AS g
     WHERE CAST(:messages AS bigint) IS NULL OR messages < :messages
        OR (messages = :messages
            AND (code, path, value, region, destination) > (:code, :path, :value, :region, :destination))
     ORDER BY messages DESC, code, path, value, region, destination LIMIT :places
    """  # noqa: S608 - a constant
)
_WAITING_FOR = text(
    f"""
    SELECT d.id FROM deliveries d {_ITS_MESSAGE}
     WHERE d.state = 'parked' AND (CAST(:after AS uuid) IS NULL OR d.id > CAST(:after AS uuid))
       AND EXISTS (SELECT FROM jsonb_array_elements(m.findings) AS f
                    WHERE f->>'code' = :code AND {PATH} = :path
                      AND (CAST(:value AS text) IS NULL OR f->>'value' = :value))
     ORDER BY d.id LIMIT :places
    """  # noqa: S608 - a constant
)
_STILL = text(
    "UPDATE messages m SET findings = CAST(:findings AS jsonb) FROM deliveries d"
    " WHERE m.id = :id AND d.id = m.id AND d.state = 'parked'"
)

_Place = tuple[int, str, str, str, str, str]


def _place(place: _Place | None) -> dict[str, Any]:
    names = ("messages", "code", "path", "value", "region", "destination")
    return dict(zip(names, place or (None, "", "", "", "", ""), strict=True))


def _cursor(group: ParkedGroup) -> str:
    cause = group.cause
    words = (cause.code, cause.path, cause.value or "", group.region, group.destination)
    place = json.dumps([group.messages, *words])
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _read_cursor(written: str) -> _Place:
    try:
        place = json.loads(
            base64.b64decode(written + "=" * (-len(written) % 4), altchars=b"-_", validate=True)
        )
        messages, *words = place
        if type(messages) is not int or len(words) != 5 or not all(_is_word(word) for word in words):
            raise ValueError("not a place in the list")
    except (binascii.Error, UnicodeError, TypeError, RecursionError) as error:
        raise ValueError("not a place in the list") from error
    return messages, *words


def _is_word(word: object) -> bool:
    return isinstance(word, str) and "\x00" not in word
