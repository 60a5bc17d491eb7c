"""The tables of the indicators: the facts of each case, and what is added up of them by day and month."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from gateway.canonical.facts import COUNTED
from gateway.store.columns import METADATA, moment, text_column

#: Which day of a case its lists are ordered by, and when it is in the index of that day.
DATED = {
    "received": ("received_on", None),
    "decided": ("decided_on", None),
    "ended": ("ended_on", None),
    "rated": ("rated_on", "rated_on IS NOT NULL"),
    "due": ("due_on", "is_open AND due_on IS NOT NULL"),
}

CASE_FACTS = Table(
    "case_facts",
    METADATA,
    Column("case_id", Uuid, primary_key=True),
    text_column("case_no"),
    text_column("item"),
    text_column("origin"),
    text_column("origin_division"),
    text_column("target"),
    text_column("target_division"),
    Column("received_on", Date, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("due_on", Date),
    Column("provisional", Boolean, nullable=False),
    Column("decided_on", Date),
    Column("first_time", Boolean, nullable=False),
    Column("ended_on", Date),
    text_column("ending"),
    Column("workdays", Integer),
    Column("supplements", SmallInteger, nullable=False),
    Column("parks", SmallInteger, nullable=False),
    Column("parked_s", BigInteger, nullable=False),
    Column("rated_on", Date),
    Column("grade", SmallInteger),
    Column("bad_closed_on", Date),
)
for _name, (_column, _where) in DATED.items():
    for _side in ("origin", "target"):
        Index(
            f"case_facts_{_side}_{_name}",
            CASE_FACTS.c[f"{_side}_division"],
            CASE_FACTS.c[_column],
            CASE_FACTS.c.case_id,
            postgresql_where=None if _where is None else text(_where),
        )

PERFORMANCE = Table(
    "performance",
    METADATA,
    text_column("width"),
    text_column("side"),
    Column("bucket", Date, nullable=False),
    text_column("region"),
    text_column("division"),
    text_column("item"),
    *(Column(name, BigInteger, nullable=False) for name in COUNTED),
    PrimaryKeyConstraint("width", "side", "bucket", "region", "division", "item"),
    CheckConstraint("width IN ('day', 'month')"),
    CheckConstraint("side IN ('origin', 'target')"),
)

Index(
    "performance_open",
    PERFORMANCE.c.width,
    PERFORMANCE.c.side,
    PERFORMANCE.c.bucket,
    postgresql_where=text("open > 0"),
)

PERFORMANCE_MARKS = Table(
    "performance_marks",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("after", Uuid, nullable=False),
    Column("laps", Integer, nullable=False, server_default=text("0")),
    moment("folded_until"),
)
