"""What is left of a message when its bytes are gone: a digest of each part, by which an original is proved.

SHA-256 of the plain bytes. A digest of the ciphertext would prove nothing once its key is destroyed, and a keyed
one could be checked by nobody but us. Where the bytes do not open, the digest is of the ciphertext and marked so.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import text

from gateway.store.records import Part
from gateway.store.shapes import arrays
from gateway.store.vault import BODY, UnreadableError, Vault, is_sealed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import RowMapping
    from sqlalchemy.ext.asyncio import AsyncConnection

_STEP = 200
_FIRST = UUID(int=0)
_SHAPE = {
    "message_id": "uuid",
    **{part.value: "bytea" for part in Part},
    "sealed": "bool",
}
_COLUMNS = ", ".join(_SHAPE)
_KEEP = text(
    f"INSERT INTO evidence ({_COLUMNS}, kept_at)"  # noqa: S608 - constants
    f" SELECT {_COLUMNS}, CAST(:kept_at AS timestamptz) FROM unnest("
    + ", ".join(f"CAST(:e_{name} AS {kind}[])" for name, kind in _SHAPE.items())
    + f") AS e({_COLUMNS}) ON CONFLICT DO NOTHING"
)


async def keep(
    connection: AsyncConnection,
    vault: Vault,
    partition: str,
    kept: str,
    *,
    at: datetime,
    in_time: Callable[[], bool],
) -> int | None:
    """Write the digests of a partition's bodies that are not there yet; how many, None when time ran out.

    ``kept``: the table of the rows that stay: they have no digest yet, as they may still change.
    """
    query = text(
        f"SELECT p.* FROM {partition} p WHERE p.message_id > :after"  # noqa: S608
        f" AND NOT EXISTS (SELECT FROM {kept} k WHERE k.message_id = p.message_id)"
        f" AND NOT EXISTS (SELECT FROM evidence e WHERE e.message_id = p.message_id)"
        f" ORDER BY p.message_id LIMIT {_STEP}"
    )
    after, written = _FIRST, 0
    while True:
        if not in_time():
            return None
        rows = (await connection.execute(query, {"after": after})).mappings().all()
        if not rows:
            return written
        blobs = (row[part.value] for row in rows for part in Part)
        await vault.learn(blob for blob in blobs if is_sealed(blob))
        await connection.execute(
            _KEEP, {**arrays("e", _SHAPE, (_digests(vault, row) for row in rows)), "kept_at": at}
        )
        after = rows[-1]["message_id"]
        written += len(rows)


async def matches(connection: AsyncConnection, message_id: UUID, part: Part, original: bytes) -> bool | None:
    """Whether these bytes are what was kept as this part; None when there is no digest of it."""
    found = await connection.execute(
        text("SELECT * FROM evidence WHERE message_id = :id AND NOT sealed"), {"id": message_id}
    )
    row = found.mappings().one_or_none()
    if row is None or row[part.value] is None:
        return None
    return bool(row[part.value] == hashlib.sha256(original).digest())


def _digests(vault: Vault, row: RowMapping) -> dict[str, Any]:
    try:
        return {**_hashed(row, vault), "sealed": False}
    except UnreadableError:
        return {**_hashed(row, None), "sealed": True}


def _hashed(row: RowMapping, vault: Vault | None) -> dict[str, Any]:
    row_id = row["message_id"]
    digests: dict[str, Any] = {"message_id": row_id}
    for part in Part:
        blob = row[part.value]
        if blob is not None:
            plain = blob if vault is None else vault.decrypt(BODY, row_id, f"bodies.{part.value}", blob)
            digests[part.value] = hashlib.sha256(plain).digest()
    return digests
