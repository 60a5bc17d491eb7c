"""The migrations and the declared tables are one and the same."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.store import engine as engines
from gateway.store.schema import METADATA, PARTITIONED


async def test_the_migrations_make_exactly_the_declared_tables(engine):
    def differences(connection):
        context = MigrationContext.configure(
            connection, opts={"include_name": _is_no_partition, "compare_type": True}
        )
        return compare_metadata(context, METADATA)

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_migrating_twice_changes_nothing(database_url, engine):
    shapes = []
    for _ in range(2):
        await engines.migrate(database_url)
        async with engine.connect() as connection:
            found = await connection.execute(
                text("SELECT oid, relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace")
            )
            shapes.append(sorted(map(tuple, found)))
    assert shapes[0] == shapes[1] != []


async def test_after_the_migration_five_months_and_the_rest_have_a_partition(engine):
    async with engine.connect() as connection:
        for table in PARTITIONED:
            found = await connection.execute(
                text("SELECT count(*) FROM pg_inherits WHERE inhparent = CAST(:table AS regclass)"),
                {"table": table},
            )
            assert found.scalar_one() == 6


async def test_a_row_of_now_lands_in_the_partition_of_its_month(engine):
    async with engine.begin() as connection:
        row = (
            await connection.execute(
                text(
                    "INSERT INTO events (case_id, n, at, kind, to_state, actor)"
                    " VALUES (uuidv7(), 1, now(), 'status', '20', 'gateway')"
                    " RETURNING tableoid::regclass::text, to_char(now(), 'YYYY_MM')"
                )
            )
        ).one()
    assert row[0] == f"events_{row[1]}"


async def test_audit_rows_cannot_be_changed(engine):
    async with engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO audit (id, at, actor, verb, target) VALUES (uuidv7(), now(), 'a', 'b', 'c')")
        )
    for statement in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit", "TRUNCATE audit"):
        with pytest.raises(DBAPIError, match="never changed"):
            async with engine.begin() as connection:
                await connection.execute(text(statement))


def _is_no_partition(name, kind, _parents):
    return kind != "table" or not name.startswith(tuple(f"{table}_" for table in PARTITIONED))
