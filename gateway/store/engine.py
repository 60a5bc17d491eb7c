"""Connections to PostgreSQL: the pool, the migrations, the month partitions, and when it is away."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, make_url, text
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.store.schema import PARTITIONED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_MIGRATIONS = Path(__file__).parent / "migrations"
#: One migration at a time over all processes; the number is arbitrary but ours.
_MIGRATION_LOCK = 0x746F6E67

#: SQLSTATE classes and codes that mean "try again later", not "this row is wrong".
_AWAY = (
    "08",  # connection
    "53",  # out of disk, memory, connections
    "57P",  # shutting down, crashed, starting
    "57014",  # statement_timeout
    "25006",  # read-only: a standby, or just failed over
    "25P03",  # idle_in_transaction_session_timeout
    "40001",  # serialization
    "40P01",  # deadlock
    "55P03",  # lock_timeout
)


#: Connections a process of the gateway may have at once; it opens them as it needs them.
POOL_SIZE = 8


def create(url: str, *, name: str = "tongban", pool_size: int = POOL_SIZE) -> AsyncEngine:
    """A pool on ``postgresql://…`` (or ``postgresql+asyncpg://…``); connects at first use.

    Parameters never appear in its errors: they may be persons.
    """
    return create_async_engine(
        make_url(url).set(drivername="postgresql+asyncpg"),
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        hide_parameters=True,
        connect_args={
            "timeout": 5,
            "command_timeout": 20,
            "server_settings": {
                "application_name": name,
                "statement_timeout": "15000",
                "lock_timeout": "10000",
                "idle_in_transaction_session_timeout": "15000",
                "timezone": "UTC",
                "jit": "off",
                # A plan cached while the tables were empty would read them whole until the next
                # analyze; every hot statement has its index, so it is told to use it.
                "enable_seqscan": "off",
            },
        },
    )


@asynccontextmanager
async def single(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection on which each statement is its own transaction: one round trip, nothing to end."""
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        yield connection


def is_away(error: BaseException) -> bool:
    """True when PostgreSQL is unreachable, overloaded or restarting; the same work may succeed later."""
    if isinstance(error, OSError | TimeoutError | PoolTimeout | InterfaceError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    code = getattr(error.orig, "sqlstate", None) or ""
    return error.connection_invalidated or str(code).startswith(_AWAY)


async def migrate(url: str) -> None:
    """Bring the database to the newest shape, one process at a time, and make the month partitions."""
    engine = create(url, name="tongban-migrate", pool_size=1)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
            await connection.commit()
            try:
                # a migration waits briefly for its locks rather than stopping the traffic behind it
                await connection.execute(text("SET lock_timeout = '3s'"))
                await connection.execute(text("SET statement_timeout = 0"))
                await connection.commit()
                await connection.run_sync(_upgrade)
                await connection.commit()
                await _make_partitions(connection)
            finally:
                await connection.rollback()
                await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK})
                await connection.commit()
    finally:
        await engine.dispose()


async def connections_allowed(url: str) -> int:
    """How many connections ordinary accounts may have at this server, all programs together."""
    engine = create(url, name="tongban-check", pool_size=1)
    try:
        async with single(engine) as connection:
            found = await connection.execute(
                text(
                    "SELECT sum(CASE WHEN name = 'max_connections' THEN setting::int ELSE -setting::int END)"
                    " FROM pg_settings WHERE name IN"
                    " ('max_connections', 'superuser_reserved_connections', 'reserved_connections')"
                )
            )
            return int(found.scalar_one())
    finally:
        await engine.dispose()


async def ensure_partitions(engine: AsyncEngine) -> None:
    """Partitions for the previous, current and next months; rows of any other month go to the rest."""
    async with engine.connect() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        await _make_partitions(connection)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def _make_partitions(connection: AsyncConnection) -> None:
    today: date = (await connection.execute(text("SELECT current_date"))).scalar_one()
    for table in PARTITIONED:
        for step in (-1, 0, 1):
            start, end = _month(today, step), _month(today, step + 1)
            name = f"{table}_{start:%Y_%m}"
            known = await connection.execute(text("SELECT to_regclass(:name)"), {"name": name})
            if known.scalar_one() is None:
                await _make_partition(connection, table, name, start=start, end=end)
    await connection.commit()


async def _make_partition(
    connection: AsyncConnection, table: str, name: str, *, start: date, end: date
) -> None:
    try:
        async with connection.begin_nested():
            await connection.execute(
                text(
                    f"CREATE TABLE {name} PARTITION OF {table}"
                    f" FOR VALUES FROM ('{first_id(start)}') TO ('{first_id(end)}')"
                )
            )
    except DBAPIError as error:
        # 23514: the rest already holds rows of this month; they are found there as well
        if getattr(error.orig, "sqlstate", "") != "23514":
            raise


def first_id(day: date) -> UUID:
    """The smallest UUIDv7 of a day (UTC)."""
    milliseconds = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
    return UUID(int=milliseconds << 80)


def _month(day: date, step: int) -> date:
    months = day.year * 12 + day.month - 1 + step
    return date(months // 12, months % 12 + 1, 1)
