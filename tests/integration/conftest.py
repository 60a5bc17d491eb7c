"""Real servers for all of integration: started once, a fresh migrated database per test module."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url, text

from gateway.asgi import join, join_playground
from gateway.embedded import postgres, redis
from gateway.exchange import accounts, entry
from gateway.runtime import Runtime, configure
from gateway.store import engine as engines
from gateway.store.cases import Cases
from gateway.store.intake import Intake
from gateway.store.vault import Vault
from gateway.web.app import create

# the tests of a folder share its builders
sys.path.insert(0, str(Path(__file__).parent))
from configs import CONFIG, MASTER_KEY
from yards import Yard


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


@pytest.fixture
async def intake(engine, vault):
    made = Intake(engine, vault)
    yield made
    await made.close()


@pytest.fixture
def cases(engine, vault):
    return Cases(engine, vault)


@pytest.fixture
async def fresh(postgres_server, migrated_template, request):
    """The engine of a database for one test alone: where partitions or plans are looked at."""
    name = f"f_{abs(hash(request.node.nodeid)) % 10**10}"
    await _admin(postgres_server.url, f'CREATE DATABASE "{name}" TEMPLATE "{migrated_template}"')
    made = engines.create(_with_database(postgres_server.url, name))
    yield made
    await made.dispose()
    await _admin(postgres_server.url, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
async def yard(fresh):
    """What maintenance asks of a runtime, over a database of its own."""
    vault = Vault(MASTER_KEY, fresh)
    await vault.open()
    return Yard(fresh, vault)


def _with_database(url, name):
    return make_url(url).set(database=name).render_as_string(hide_password=False)


async def _admin(url, statement):
    made = engines.create(url, pool_size=1)
    async with engines.single(made) as connection:
        await connection.execute(text(statement))
    await made.dispose()


@pytest.fixture
def settings(database_url, redis_server, tmp_path, request):
    """A configuration whose clock starts when a worked message was sent, or at the parameter."""
    now = getattr(request, "param", "2026-11-23T15:42:17+08:00")
    file = tmp_path / "gateway.toml"
    file.write_text(CONFIG.format(now=now), encoding="utf-8")
    environ = {
        "TONGBAN_DATABASE_URL": database_url,
        "TONGBAN_REDIS_URL": redis_server.url,
        "TONGBAN_DATA_DIR": str(tmp_path / "data"),
        "TONGBAN_KEYS_MASTER_KEY": MASTER_KEY.hex(),
    }
    return configure(file, environ)


@pytest.fixture
async def rt(settings):
    """An open runtime of the web process."""
    async with Runtime.open(settings, environ={}) as opened:
        yield opened


@pytest.fixture
def door(rt):
    """``door(token)``: an HTTP client of the application in this process."""

    def client(token=None):
        app = create()
        app.state.runtime = rt
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        transport = httpx.ASGITransport(app=app)
        return httpx.AsyncClient(transport=transport, base_url="http://gateway.test", headers=headers)

    return client


PASSWORD = "open-sesame-of-the-tests"


@pytest.fixture
def ops(rt):
    """``await ops("operator", …)``: a browser-like client of the dashboard, signed in with these roles.

    Its ``csrf`` is what forms bring along; without roles nobody is signed in.
    """
    app = create()
    app.state.runtime = rt
    join(app)
    join_playground(app, rt.settings)

    async def enter(*roles, name="", language="zh-CN"):
        headers = {"accept-language": language, "sec-fetch-site": "same-origin"}
        transport = httpx.ASGITransport(app=app)
        client = httpx.AsyncClient(transport=transport, base_url="http://gateway.test", headers=headers)
        if roles:
            name = name or "-".join(["p", *roles])
            if await rt.staff.find(name) is None:
                await accounts.add(rt, name, name, roles, PASSWORD, second_factor=False, actor="staff:tests")
            entered = await entry.sign_in(rt, name, PASSWORD, "")
            client.cookies.set("tongban_ops", entered.token)
            client.csrf = entered.staff.csrf
            client.headers["x-csrf-token"] = entered.staff.csrf
        return client

    return enter
