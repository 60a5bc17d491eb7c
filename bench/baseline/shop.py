"""The textbook way: ORM rows, a commit per case, a task per case. Same proofs, maps, encryption and durability."""

from __future__ import annotations

import hmac
import os
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import ForeignKey, UniqueConstraint, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

from gateway.runtime import configure, credentials_of, rulebook

SETTINGS = configure(Path(os.environ["BASELINE_CONFIG"]), os.environ)
BOOK = rulebook(SETTINGS, os.environ)
CREDENTIALS = credentials_of(SETTINGS, BOOK.regions)
REDIS_URL = os.environ["BASELINE_REDIS_URL"]

engine = create_engine(
    os.environ["BASELINE_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1),
    pool_size=int(os.environ.get("BASELINE_DB_POOL", "16")),
)
Session = sessionmaker(engine)

_seal = AESGCM(b"k" * 32)


class Base(DeclarativeBase):
    pass


class Case(Base):
    __tablename__ = "cases"
    __table_args__ = (UniqueConstraint("origin", "key"), UniqueConstraint("origin", "origin_case_no"))

    id: Mapped[int] = mapped_column(primary_key=True)
    origin: Mapped[str]
    target: Mapped[str]
    key: Mapped[str]
    digest: Mapped[str]
    origin_case_no: Mapped[str]
    case_no: Mapped[str | None] = mapped_column(unique=True)
    native_kind: Mapped[str | None]
    state: Mapped[str]
    # what is sent is loaded with its case, what is only kept is not
    raw: Mapped[bytes] = mapped_column(deferred=True)
    canonical: Mapped[bytes | None] = mapped_column(deferred=True)
    trace: Mapped[bytes | None] = mapped_column(deferred=True)
    rendered: Mapped[bytes | None]
    receipt: Mapped[bytes | None] = mapped_column(deferred=True)
    received_at: Mapped[datetime]
    person: Mapped[bytes | None]
    citizen_index: Mapped[bytes | None] = mapped_column(index=True)


class Nonce(Base):
    __tablename__ = "nonces"

    origin: Mapped[str] = mapped_column(primary_key=True)
    nonce: Mapped[str] = mapped_column(primary_key=True)


class Event(Base):
    __tablename__ = "events"

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), index=True)
    kind: Mapped[str]
    at: Mapped[datetime]


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)  # noqa: TID251 - the baseline's own clock


def encrypted(plain: bytes) -> bytes:
    nonce = os.urandom(12)
    return nonce + _seal.encrypt(nonce, plain, None)


def indexed(id_no: str) -> bytes:
    return hmac.digest(b"k" * 32, id_no.upper().encode(), "sha256")[:16]


def decrypted(sealed: bytes) -> bytes:
    return _seal.decrypt(sealed[:12], sealed[12:], None)


if __name__ == "__main__":
    Base.metadata.create_all(engine)
