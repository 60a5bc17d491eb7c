"""The tables of lists that are written to a file for a person."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Uuid,
)
from sqlalchemy import text as words

from gateway.store.columns import METADATA, moment, text_column

EXPORTS = Table(
    "exports",
    METADATA,
    Column("id", Uuid, primary_key=True),
    text_column("name"),
    text_column("format"),
    text_column("state"),
    text_column("title"),
    Column("expected", Integer),
    Column("written", Integer, nullable=False, server_default=words("0")),
    moment("created_at"),
    moment("beat_at"),
    moment("finished_at", optional=True),
    CheckConstraint("format IN ('xlsx', 'csv')"),
    CheckConstraint("state IN ('running', 'done', 'failed', 'cancelled')"),
)
Index("exports_name", EXPORTS.c.name, EXPORTS.c.id)

EXPORT_PARTS = Table(
    "export_parts",
    METADATA,
    Column("export_id", Uuid, ForeignKey("exports.id", ondelete="CASCADE"), nullable=False),
    Column("n", Integer, nullable=False),
    Column("bytes", LargeBinary, nullable=False),
    PrimaryKeyConstraint("export_id", "n"),
)
