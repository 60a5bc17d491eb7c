"""The embedded servers: real, durable, adopted after a crash, stopped cleanly."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest
import redis as client
from sqlalchemy import text

from gateway.embedded import postgres, redis
from gateway.errors import CannotStart
from gateway.store import engine as engines

ROOT = Path(__file__).parents[2]

CRASH = """
    import os, signal, sys
    from pathlib import Path
    from gateway.embedded import postgres, redis
    for starter in (postgres, redis):
        print(starter.start(Path(sys.argv[1])).url, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="tongban-embedded-") as made:
        yield Path(made)


def ask_postgres(url, statement):
    async def ask():
        engine = engines.create(url, pool_size=1)
        async with engines.single(engine) as connection:
            found = await connection.execute(text(statement))
            value = found.scalar_one() if found.returns_rows else None
        await engine.dispose()
        return value

    return asyncio.run(ask())


def run_elsewhere(code, *args):
    """Another process of the same user, as web and worker are."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *args],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def test_servers_outlive_a_killed_parent_and_are_adopted_with_their_data(folder):
    crashed = run_elsewhere(CRASH, str(folder))
    assert crashed.returncode == -signal.SIGKILL, crashed.stderr
    postgres_url, redis_url = crashed.stdout.split()
    ask_postgres(postgres_url, "CREATE TABLE kept AS SELECT 42 AS n")
    with client.Redis.from_url(redis_url) as connection:
        connection.set("kept", "42")

    first, second = postgres.start(folder), redis.start(folder)
    try:
        assert (first.adopted, first.url) == (True, postgres_url)
        assert (second.adopted, second.url) == (True, redis_url)
        assert ask_postgres(first.url, "SELECT n FROM kept") == 42
        assert ask_postgres(first.url, "SHOW fsync") == "on"
        with client.Redis.from_url(second.url) as connection:
            assert connection.get("kept") == b"42"
            settings = connection.config_get("*")
            assert (settings["appendonly"], settings["maxmemory-policy"]) == ("yes", "noeviction")
            assert settings["appendfsync"] == "everysec"
    finally:
        first.stop()
        second.stop()
    assert not (folder / "postgres" / "data" / "postmaster.pid").exists()
    with client.Redis.from_url(redis_url) as connection, pytest.raises(client.ConnectionError):
        connection.ping()


def test_data_are_there_after_a_clean_stop_and_start(folder):
    for starter in (postgres, redis):
        starter.start(folder).stop()
    server = redis.start(folder)
    with client.Redis.from_url(server.url) as connection:
        connection.set("kept", "1")
    server.stop()
    server.stop()
    again = redis.start(folder)
    try:
        assert not again.adopted
        with client.Redis.from_url(again.url) as connection:
            assert connection.get("kept") == b"1"
    finally:
        again.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only as root PostgreSQL runs under another account")
def test_a_way_to_the_data_that_was_closed_meanwhile_is_opened_again(folder):
    server = postgres.start(folder)
    folder.chmod(0o700)
    server.stop()
    assert not (folder / "postgres" / "data" / "postmaster.pid").exists()


def test_a_killed_postgres_comes_back_with_what_was_committed(folder):
    server = postgres.start(folder)
    ask_postgres(server.url, "CREATE TABLE kept AS SELECT 7 AS n")
    pid = int((folder / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    elsewhere = run_elsewhere(
        """
        import sys
        from pathlib import Path
        from gateway.embedded import postgres
        postgres.start(Path(sys.argv[1]))
        """,
        str(folder),
    )
    assert "CannotStart" in elsewhere.stderr  # we are its owner still
    server.stop()
    again = postgres.start(folder)
    try:
        assert not again.adopted
        assert ask_postgres(again.url, "SELECT n FROM kept") == 7
    finally:
        again.stop()


def test_a_folder_has_one_owner(folder):
    server = redis.start(folder)
    try:
        with pytest.raises(CannotStart, match="另一个进程"):
            redis.start(folder)
    finally:
        server.stop()


def test_a_half_made_cluster_is_made_anew(folder):
    half = folder / "postgres" / "data.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    server = postgres.start(folder)
    try:
        assert ask_postgres(server.url, "SELECT 1") == 1
    finally:
        server.stop()


def test_a_long_path_gets_a_short_private_socket(folder):
    deep = folder / ("a-very-long-folder-name-" * 5)
    server = postgres.start(deep)
    try:
        assert ask_postgres(server.url, "SELECT 1") == 1
        sockets = Path(server.url.rsplit("host=", 1)[1])
        assert sockets.stat().st_mode & 0o077 == 0
    finally:
        server.stop()
        sockets.rmdir()


def test_the_passwords_and_data_are_private(folder):
    server = redis.start(folder)
    try:
        assert "redis://" not in repr(server)
        for name in ("redis.conf", "url"):
            assert (folder / "redis" / name).stat().st_mode & 0o077 == 0
        open_url = server.url.replace(server.url.split("@")[0], "redis://")
        with (
            client.Redis.from_url(open_url.replace("redis://@", "redis://")) as stranger,
            pytest.raises(client.AuthenticationError),
        ):
            stranger.ping()
    finally:
        server.stop()


def test_a_cluster_that_cannot_be_made_says_what_postgresql_said(folder):
    (folder / "full").mkdir(mode=0o755)
    (folder / "full" / "a-file").touch()
    (folder / "postgres").mkdir()
    (folder / "postgres" / "data.new").symlink_to(folder / "full")
    with pytest.raises(CannotStart, match="not empty"):
        postgres.start(folder)
    assert (folder / "full" / "a-file").exists()
