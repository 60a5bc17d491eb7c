"""The tables of people at the operators' desk: accounts, sessions, saved views."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
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
