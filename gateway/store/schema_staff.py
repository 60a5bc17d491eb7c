"""The tables of the operators' desk: accounts, sessions, saved views; when jobs last ran, how large it was."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from gateway.store.columns import METADATA, moment, text_column

STAFF = Table(
    "staff",
    METADATA,
    Column("name", Text, primary_key=True),
    text_column("display"),
    Column("roles", ARRAY(Text), nullable=False),
    text_column("password_hash"),
    # sealed by the vault; a new one waits beside the old until a code of it has been given
    Column("totp", LargeBinary),
    Column("totp_pending", LargeBinary),
    Column("last_step", BigInteger),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    moment("locked_until", optional=True),
    moment("disabled_at", optional=True),
    moment("created_at"),
    moment("password_changed_at"),
    CheckConstraint("cardinality(roles) > 0"),
)

STAFF_SESSIONS = Table(
    "staff_sessions",
    METADATA,
    Column("sha256", Text, primary_key=True),
    Column("name", Text, ForeignKey("staff.name"), nullable=False),
    moment("created_at"),
    moment("seen_at"),
    text_column("language"),
    text_column("address"),
)
Index("staff_sessions_name", STAFF_SESSIONS.c.name)

SAVED_VIEWS = Table(
    "saved_views",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("name", Text, ForeignKey("staff.name"), nullable=False),
    text_column("page"),
    text_column("title"),
    text_column("query"),
    moment("created_at"),
    UniqueConstraint("name", "page", "title"),
)

RUNS = Table(
    "runs",
    METADATA,
    Column("job", Text, primary_key=True),
    moment("ran_at"),
    Column("took_s", Double, nullable=False),
    Column("failed", Boolean, nullable=False),
    text_column("said"),
)

SIZES = Table(
    "sizes",
    METADATA,
    Column("day", Date, nullable=False),
    text_column("name"),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    PrimaryKeyConstraint("day", "name"),
)
