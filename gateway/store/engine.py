"""Connections to PostgreSQL: the pool, the migrations, the month partitions, and when it is away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gateway.store import partitions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import date

    from sqlalchemy.engine.interfaces import ExceptionContext

_MIGRATIONS = Path(__file__).parent / "migrations"
#: One migration at a time over all processes; the number is arbitrary but ours.
_MIGRATION_LOCK = 0x746F6E67

#: SQLSTATE classes after which the server hangs up: connection, shutting down.
BROKEN = ("08", "57P")

#: What the driver says of a connection that ended under a statement.
_BROKEN = (asyncpg.InterfaceError, asyncpg.InternalClientError)

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


def create(url: str | URL, *, name: str = "tongban", pool_size: int = POOL_SIZE) -> AsyncEngine:
    """A pool on ``postgresql://…`` (or ``postgresql+asyncpg://…``); connects at first use.

    Parameters never appear in its errors: they may be persons.
    """
    engine = create_async_engine(
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
                # A host that vanished without a word holds locks no longer than this (nothing on sockets).
                "tcp_user_timeout": "30000",
                "tcp_keepalives_idle": "30",
                "tcp_keepalives_interval": "10",
                "tcp_keepalives_count": "3",
                "client_connection_check_interval": "10000",
                "timezone": "UTC",
                "jit": "off",
                # A plan cached while the tables were empty would read them whole until the next
                # analyze; every hot statement has its index, so it is told to use it.
                "enable_seqscan": "off",
            },
        },
    )
    event.listen(engine.sync_engine, "checkout", _only_open)
    event.listen(engine.sync_engine, "handle_error", _hung_up)
    return engine


def _only_open(dbapi_connection: Any, _record: Any, _proxy: Any) -> None:
    # The server hung up while the connection rested: the pool takes another instead of failing its first user.
    if dbapi_connection.driver_connection.is_closed():
        raise DisconnectionError


@asynccontextmanager
async def patient(engine: AsyncEngine, *, name: str = "tongban-maintenance") -> AsyncIterator[AsyncEngine]:
    """A pool of two beside ``engine`` for maintenance: statements may be long, waits for locks are short.

    Whoever waits for a lock on a table holds up everybody who comes after him: better to try again later.
    """
    made = create_async_engine(
        engine.url,
        pool_size=2,
        max_overflow=0,
        hide_parameters=True,
        connect_args={
            "timeout": 5,
            "command_timeout": 900,
            "server_settings": {
                "application_name": name,
                "statement_timeout": "600000",
                "lock_timeout": "500",
                "idle_in_transaction_session_timeout": "60000",
                "timezone": "UTC",
                "jit": "off",
            },
        },
    )
    try:
        yield made
    finally:
        await made.dispose()


@asynccontextmanager
async def single(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection on which each statement is its own transaction: one round trip, nothing to end."""
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        yield connection


def _hung_up(context: ExceptionContext) -> None:
    # The server said that it ends this connection, perhaps while it rested; that it has is noticed a moment too late
    # for the pool.
    error = context.original_exception
    said = str(getattr(error, "sqlstate", None) or "").startswith(BROKEN)
    if said or isinstance(error.__cause__, asyncpg.InternalClientError):
        context.is_disconnect, context.invalidate_pool_on_disconnect = True, False


#: What a caller wants done in the transaction of an act: the line of the audit.
Also = Callable[[AsyncConnection], Awaitable[object]]


async def nothing_else(_connection: AsyncConnection) -> None:
    """The `Also` of an act that is all there is to do."""


def is_away(error: BaseException) -> bool:
    """True when PostgreSQL is unreachable, overloaded or restarting; the same work may succeed later."""
    if isinstance(error, (OSError, TimeoutError, PoolTimeout, InterfaceError, *_BROKEN)):
        return True
    if not isinstance(error, DBAPIError | asyncpg.PostgresError):
        return False
    # as SQLAlchemy wraps it, or from the driver itself (`direct`)
    code = getattr(getattr(error, "orig", error), "sqlstate", None) or ""
    return getattr(error, "connection_invalidated", False) or str(code).startswith(_AWAY)


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


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def _make_partitions(connection: AsyncConnection, ahead: int = partitions.AHEAD) -> None:
    today: date = (await connection.execute(text("SELECT current_date"))).scalar_one()
    await partitions.make_ahead(connection, [today], ahead)
