"""Real servers for all of integration: started once, a fresh migrated database per test module."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from gateway.embedded import postgres, redis
from gateway.store import engine as engines
from gateway.store.vault import Vault

MASTER_KEY = bytes(range(32))


@pytest.fixture(scope="session")
def data_dir():
    with tempfile.TemporaryDirectory(prefix="tongban-test-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres_server(data_dir):
    server = postgres.start(data_dir)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis_server(data_dir):
    server = redis.start(data_dir)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated_template(postgres_server):
    """A migrated database that modules copy: quicker than migrating each."""
    asyncio.run(_admin(postgres_server.url, 'CREATE DATABASE "tongban_template"'))
    url = _with_database(postgres_server.url, "tongban_template")
    asyncio.run(engines.migrate(url))
    return "tongban_template"


@pytest.fixture(scope="module")
def database_url(postgres_server, migrated_template, request):
    name = f"t_{request.module.__name__.rsplit('.', 1)[-1]}"
    asyncio.run(_admin(postgres_server.url, f'CREATE DATABASE "{name}" TEMPLATE "{migrated_template}"'))
    yield _with_database(postgres_server.url, name)
    asyncio.run(_admin(postgres_server.url, f'DROP DATABASE "{name}" WITH (FORCE)'))


@pytest.fixture
async def engine(database_url):
    made = engines.create(database_url)
    yield made
    await made.dispose()


@pytest.fixture
async def vault(engine):
    made = Vault(MASTER_KEY, engine)
    await made.open()
    return made


def _with_database(url, name):
    return make_url(url).set(database=name).render_as_string(hide_password=False)


async def _admin(url, statement):
    made = engines.create(url, pool_size=1)
    async with engines.single(made) as connection:
        await connection.execute(text(statement))
    await made.dispose()
