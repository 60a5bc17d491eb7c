"""Encrypts persons, bodies and notes at rest, and finds a person again without reading any.

A random data key per month and purpose, wrapped by the master key. Ciphertext = version, algorithm,
key id, nonce, body with tag; purpose, row id and column are the associated data, so that blobs cannot
be swapped. The SM4 of the wheel is not a certified module.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import struct
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import text

from gateway.errors import CannotStart, GatewayError
from gateway.store.engine import single
from gateway.store.records import Person

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncEngine

#: What a key is for; destroying a month's key of a purpose destroys what it protects.
PERSON, BODY, NOTE = "person", "body", "note"
_PURPOSES = (PERSON, BODY, NOTE)
_INDEX = "index"

_HEAD = struct.Struct(">BBI")  # version, algorithm, key id
_VERSION = 1
_NONCE = 12
_TAG = 16
_DAY_MS = 86_400_000
_MASTER_ROW = UUID(int=0)


class UnreadableError(GatewayError):
    """A ciphertext that was changed, moved to another row, or whose key is gone."""


class _Seal(Protocol):
    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes: ...


class _Sm4Gcm:
    """SM4-GCM with the face of `AESGCM`."""

    def __init__(self, key: bytes) -> None:
        self._key = algorithms.SM4(key[:16])

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        worker = Cipher(self._key, modes.GCM(nonce)).encryptor()
        worker.authenticate_additional_data(associated_data)
        return worker.update(data) + worker.finalize() + worker.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        worker = Cipher(self._key, modes.GCM(nonce, data[-_TAG:])).decryptor()
        worker.authenticate_additional_data(associated_data)
        return worker.update(data[:-_TAG]) + worker.finalize()


_ALGORITHMS: dict[str, int] = {"aes-256-gcm": 1, "sm4-gcm": 2}


def _seal(algorithm: int, key: bytes) -> _Seal:
    return AESGCM(key) if algorithm == 1 else _Sm4Gcm(key)


class Vault:
    """Data keys in memory; `open` once, then `prepare` before encrypting and `learn` before decrypting.

    ``master_key``: 32 bytes. Reading needs no setting: each ciphertext names its algorithm.
    """

    def __init__(self, master_key: bytes, engine: AsyncEngine, *, algorithm: str = "aes-256-gcm") -> None:
        if len(master_key) != 32:
            raise CannotStart("主密钥须为 32 字节")
        self._master = HKDF(SHA256(), 32, salt=None, info=b"tongban data keys").derive(master_key)
        self._master_id = hashlib.sha256(b"id" + self._master).hexdigest()[:16]
        self._engine = engine
        self._algorithm = _ALGORITHMS[algorithm]
        self._keys: dict[int, bytes] = {}
        self._ids: dict[tuple[str, str], int] = {}
        self._seals: dict[tuple[int, int], _Seal] = {}
        self._index_key = b""

    def __repr__(self) -> str:
        return f"Vault(keys={len(self._keys)})"

    async def open(self) -> None:
        """Load every data key; the first start makes the key of the blind index.

        Errors: `CannotStart` when the master key is not the one the data were written under.
        """
        await self._load(())
        await self._make([(_INDEX, "")])
        self._index_key = self._keys[self._ids[_INDEX, ""]]

    async def prepare(self, row_ids: Iterable[UUID]) -> None:
        """Make sure the keys of these rows' months exist; asks the database only for a new month."""
        months = {month_of(row_id) for row_id in row_ids}
        missing = [
            (purpose, month) for month in months for purpose in _PURPOSES if (purpose, month) not in self._ids
        ]
        if missing:
            await self._make(missing)

    async def learn(self, blobs: Iterable[bytes | None]) -> None:
        """Load the keys of these ciphertexts that another process has made meanwhile."""
        missing = {_HEAD.unpack_from(blob)[2] for blob in blobs if blob} - self._keys.keys()
        if missing:
            await self._load(missing)

    def encrypt(self, purpose: str, row_id: UUID, column: str, plain: bytes) -> bytes:
        """Ciphertext of one value of one row; the row's month must have been prepared."""
        key_id = self._ids[purpose, month_of(row_id)]
        nonce = os.urandom(_NONCE)
        body = self._sealer(self._algorithm, key_id).encrypt(nonce, plain, _bound(purpose, row_id, column))
        return _HEAD.pack(_VERSION, self._algorithm, key_id) + nonce + body

    def decrypt(self, purpose: str, row_id: UUID, column: str, blob: bytes) -> bytes:
        """The plain value. Errors: `UnreadableError` (changed, swapped, key destroyed or not learnt)."""
        try:
            version, algorithm, key_id = _HEAD.unpack_from(blob)
            if version != _VERSION or key_id not in self._keys:
                raise UnreadableError(f"no key for {column}")
            nonce = blob[_HEAD.size : _HEAD.size + _NONCE]
            body = blob[_HEAD.size + _NONCE :]
            return self._sealer(algorithm, key_id).decrypt(nonce, body, _bound(purpose, row_id, column))
        except (InvalidTag, struct.error, ValueError):
            raise UnreadableError(f"{column} does not open") from None

    def blind_index(self, id_no: str) -> bytes:
        """16 bytes by which a person's rows are found; upper-cased, as ``x`` and ``X`` are one number."""
        return hmac.digest(self._index_key, id_no.strip().upper().encode(), "sha256")[:16]

    def seal_person(self, case_id: UUID, person: Person | None) -> tuple[bytes | None, bytes | None]:
        """The columns ``person`` and ``citizen_index`` of a case."""
        if person is None:
            return None, None
        plain = json.dumps([person.name, person.id_type, person.id_no], ensure_ascii=False).encode()
        index = self.blind_index(person.id_no) if person.id_no else None
        return self.encrypt(PERSON, case_id, "cases.person", plain), index

    def open_person(self, case_id: UUID, blob: bytes | None) -> Person:
        """The person of a case; empty texts when none was known."""
        if blob is None:
            return Person("", "", "")
        return Person(*json.loads(self.decrypt(PERSON, case_id, "cases.person", blob)))

    def seal_text(self, row_id: UUID, column: str, words: str) -> bytes | None:
        """A note or the words of a peer; nothing for nothing."""
        return self.encrypt(NOTE, row_id, column, words.encode()) if words else None

    def open_text(self, row_id: UUID, column: str, blob: bytes | None) -> str:
        """The note again."""
        return self.decrypt(NOTE, row_id, column, blob).decode() if blob else ""

    def _sealer(self, algorithm: int, key_id: int) -> _Seal:
        known = self._seals.get((algorithm, key_id))
        if known is None:
            known = self._seals[algorithm, key_id] = _seal(algorithm, self._keys[key_id])
        return known

    async def _make(self, wanted: list[tuple[str, str]]) -> None:
        async with single(self._engine) as connection:
            for purpose, month in sorted(wanted):
                if (purpose, month) not in self._ids:
                    wrapped = self._wrap(purpose, month, os.urandom(32))
                    await connection.execute(
                        text(
                            "INSERT INTO data_keys (purpose, month, wrapped, wrapped_by)"
                            " VALUES (:purpose, :month, :wrapped, :by) ON CONFLICT DO NOTHING"
                        ),
                        {"purpose": purpose, "month": month, "wrapped": wrapped, "by": self._master_id},
                    )
        await self._load(())

    async def _load(self, only: Iterable[int]) -> None:
        async with single(self._engine) as connection:
            found = await connection.execute(
                text(
                    "SELECT id, purpose, month, wrapped, wrapped_by, destroyed_at FROM data_keys"
                    " WHERE CAST(:only AS int[]) = '{}' OR id = ANY(CAST(:only AS int[]))"
                ),
                {"only": list(only)},
            )
            for row in found:
                if row.destroyed_at is None:  # of a destroyed one the number stays: it is never made again
                    self._keys[row.id] = self._unwrap(row)
                self._ids[row.purpose, row.month] = row.id

    def _wrap(self, purpose: str, month: str, key: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        bound = _bound(purpose, _MASTER_ROW, month)
        body = _seal(self._algorithm, self._master).encrypt(nonce, key, bound)
        return _HEAD.pack(_VERSION, self._algorithm, 0) + nonce + body

    def _unwrap(self, row: Row[Any]) -> bytes:
        if row.wrapped_by != self._master_id:
            raise CannotStart("主密钥与数据库中的数据不符：请使用写入这些数据时的主密钥")
        algorithm = _HEAD.unpack_from(row.wrapped)[1]
        nonce = row.wrapped[_HEAD.size : _HEAD.size + _NONCE]
        bound = _bound(row.purpose, _MASTER_ROW, row.month)
        return _seal(algorithm, self._master).decrypt(nonce, row.wrapped[_HEAD.size + _NONCE :], bound)


def is_sealed(blob: bytes | None) -> bool:
    """Whether these bytes begin as every ciphertext of ours does; damaged ones name no key that could be asked for."""
    if blob is None or len(blob) < _HEAD.size:
        return False
    version, _, key_id = _HEAD.unpack_from(blob)
    return bool(version == _VERSION and key_id < 1 << 31)


def month_of(row_id: UUID) -> str:
    """``yyyy-mm`` of a UUIDv7's own time; one lot for any other id."""
    number = row_id.int
    if number >> 76 & 0xF != 7:
        return ""
    return _month_of_day((number >> 80) // _DAY_MS)


@lru_cache(maxsize=1024)
def _month_of_day(day: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)).strftime("%Y-%m")


def _bound(purpose: str, row_id: UUID, column: str) -> bytes:
    return f"{purpose}:{row_id}:{column}".encode()
