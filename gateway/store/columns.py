"""What every table's declaration is made of."""

from __future__ import annotations

from sqlalchemy import Column, MetaData, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP

METADATA = MetaData()


def text_column(name: str) -> Column[str]:
    """A text that is always there."""
    return Column(name, Text, nullable=False)


def moment(name: str, *, optional: bool = False) -> Column[object]:
    """A time with its zone."""
    return Column(name, TIMESTAMP(timezone=True), nullable=optional)
