"""Alembic's entry: runs on the connection it is handed, which holds the migration lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import context

from gateway.store.schema import METADATA

if TYPE_CHECKING:
    from sqlalchemy import Connection

connection: Connection | None = context.config.attributes.get("connection")
if connection is None:
    raise SystemExit("migrations run through gateway.store.engine.migrate, which hands in the connection")

context.configure(connection=connection, target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
