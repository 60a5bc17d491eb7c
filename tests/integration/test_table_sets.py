"""Releases in the real store: kept unaltered, used when both sides signed and their day has come."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from waiting import eventually

from gateway import shelf
from gateway.crypto import approval, signing
from gateway.errors import CannotStart
from gateway.mapping.load import PACKAGED, files_of
from gateway.mapping.release import Approval, Release, digest_of, pack, statement
from gateway.runtime import Runtime
from gateway.settings import Approver
from gateway.store.sets import TableSets

NOW = datetime(2026, 11, 23, tzinfo=UTC)
TODAY = date(2026, 11, 23)


def ed25519():
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def sm2():
    key = signing.generate()
    return signing.private_pem(key), signing.public_pem(key.public)


PEMS = {"sichuan": ed25519(), "chongqing": sm2()}
SIGNERS = {side: approval.load_signer(private) for side, (private, _) in PEMS.items()}
#: a set of its own for each test: rows are never removed
SERIAL = iter(range(100, 999))


def a_release(effective_from=TODAY, word=None):
    """The packaged tables with one more ethnic group, read from Sichuan."""
    key = f"Z{next(SERIAL)}"
    files = files_of(PACKAGED)
    files["canonical/ethnic_group.csv"] += f"{key},试验族{key},\n".encode()
    files["codes/sichuan/ethnic_group.csv"] += f"{word or key},{key},,read,,\n".encode()
    return Release(digest_of(files), pack(files), effective_from, "试验", NOW, "staff:test")


async def keep(engine, release, *sides, active=True):
    sets = TableSets(engine)
    assert await sets.add(release)
    said = statement(release.digest, release.effective_from)
    for side in sides:
        key = SIGNERS[side]
        signed = Approval(key.verifier.key_id, key.verifier.algorithm, key.sign(said), NOW, "staff:test")
        assert await sets.approve(release.digest, side, signed)
    if active:
        assert await sets.activate(release.digest, NOW)
    return release


@pytest.fixture
def approving(settings):
    """The configuration of a gateway whose tables both sides sign."""
    return settings.model_copy(
        update={"approval": {side: Approver(public_key=public) for side, (_, public) in PEMS.items()}}
    )


@pytest.fixture(autouse=True)
async def quickly_and_alone(engine, monkeypatch):
    monkeypatch.setattr(shelf, "LOOK_EVERY_S", 0.05)
    yield
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE table_sets DISABLE TRIGGER USER"))
        await connection.execute(text("DELETE FROM table_sets"))
        await connection.execute(text("ALTER TABLE table_sets ENABLE TRIGGER USER"))


async def test_a_release_comes_back_from_the_store_as_it_was(engine):
    kept = await keep(engine, a_release(), "sichuan", "chongqing")
    found = await TableSets(engine).one(kept.digest)
    assert (found.content, found.effective_from, found.note) == (kept.content, kept.effective_from, "试验")
    assert set(found.approvals) == {"sichuan", "chongqing"}
    assert found.activated_at == NOW
    assert [one.digest for one in await TableSets(engine).starting_with(kept.digest[:8])] == [kept.digest]


@pytest.mark.parametrize(
    "change",
    [
        "content = 'x'",
        "digest = repeat('0', 64)",
        "effective_from = '2020-01-01'",
        "note = ''",
        "created_by = ''",
        "created_at = now()",
        "activated_at = NULL",
        "activated_at = now()",
    ],
)
async def test_the_database_refuses_to_alter_a_release(engine, change):
    await keep(engine, a_release())
    with pytest.raises(DBAPIError, match="never altered"):
        async with engine.begin() as connection:
            await connection.execute(text(f"UPDATE table_sets SET {change}"))


@pytest.mark.parametrize("statement_", ["DELETE FROM table_sets", "TRUNCATE table_sets"])
async def test_the_database_refuses_to_remove_a_release(engine, statement_):
    await keep(engine, a_release())
    with pytest.raises(DBAPIError, match="never removed"):
        async with engine.begin() as connection:
            await connection.execute(text(statement_))


async def test_the_same_tables_are_released_once_and_activated_once(engine):
    kept = await keep(engine, a_release())
    sets = TableSets(engine)
    assert not await sets.add(replace(kept, note="anders"))
    assert not await sets.activate(kept.digest, NOW + timedelta(days=1))
    assert (await sets.one(kept.digest)).activated_at == NOW
    assert await sets.retire(kept.digest, NOW)
    assert not await sets.retire(kept.digest, NOW)


async def test_of_those_whose_day_has_come_the_latest_is_in_force(engine):
    sets = TableSets(engine)
    old = await keep(engine, a_release(date(2026, 1, 1)))
    new = await keep(engine, a_release(date(2026, 11, 1)))
    ahead = await keep(engine, a_release(date(2026, 12, 1)))
    await keep(engine, a_release(date(2026, 11, 20)), active=False)
    days = {date(2025, 12, 31): None, date(2026, 1, 1): old, TODAY: new, date(2026, 12, 1): ahead}
    for day, expected in days.items():
        standing = await sets.standing(day)
        assert standing.digest == (expected.digest if expected else None)
        assert standing.begun is (expected is not None)
    await sets.retire(new.digest, NOW)
    assert (await sets.standing(TODAY)).digest == old.digest


async def test_before_the_first_release_the_configured_tables_are_used(engine, approving):
    await keep(engine, a_release(), "sichuan", "chongqing", active=False)
    async with Runtime.open(approving, environ={}) as rt:
        assert rt.shelf.current.release is None
        assert rt.tables.digest == digest_of(files_of(PACKAGED))


async def test_a_process_starts_with_the_release_in_force(engine, approving):
    kept = await keep(engine, a_release(word="甲"), "sichuan", "chongqing")
    async with Runtime.open(approving, environ={}) as rt:
        assert rt.tables.digest == rt.maps.tables.digest == kept.digest
        assert rt.tables.codes("sichuan", "ethnic_group").read("甲")


async def test_without_approval_configured_releases_are_not_used(engine, settings):
    await keep(engine, a_release(), "sichuan", "chongqing")
    async with Runtime.open(settings, environ={}) as rt:
        assert rt.tables.digest == digest_of(files_of(PACKAGED))


@pytest.mark.parametrize("role", ["web", "worker"])
async def test_what_comes_into_force_is_taken_up_while_running_and_work_begun_keeps_its_tables(
    engine, approving, role
):
    async with Runtime.open(approving, role=role, environ={}) as rt:
        begun = rt.pinned()
        before = begun.tables
        kept = await keep(engine, a_release(), "sichuan", "chongqing")
        await eventually(lambda: rt.tables.digest == kept.digest)
        assert rt.maps.tables is rt.tables
        assert begun.tables is before
        assert begun.maps.tables is before


@pytest.mark.parametrize("sides", [(), ("sichuan",), ("chongqing",)])
async def test_what_is_not_approved_by_both_is_not_used_even_if_marked_active(engine, approving, sides):
    kept = await keep(engine, a_release(), *sides)
    with pytest.raises(CannotStart, match=f"{kept.digest[:12]} 不能使用.*尚未批准"):
        async with Runtime.open(approving, environ={}):
            pass


async def test_altered_tables_are_not_used_and_a_running_process_stays_with_what_it_has(engine, approving):
    good = await keep(engine, a_release(date(2026, 11, 1)), "sichuan", "chongqing")
    async with Runtime.open(approving, environ={}) as rt:
        bad = await keep(engine, a_release(TODAY), "sichuan", "chongqing", active=False)
        async with engine.begin() as connection:
            await connection.execute(text("ALTER TABLE table_sets DISABLE TRIGGER USER"))
            await connection.execute(
                text("UPDATE table_sets SET content = :content, activated_at = now() WHERE digest = :digest"),
                {"content": pack(files_of(PACKAGED)), "digest": bad.digest},
            )
            await connection.execute(text("ALTER TABLE table_sets ENABLE TRIGGER USER"))
        await asyncio.sleep(0.5)
        assert rt.tables.digest == good.digest
    with pytest.raises(CannotStart, match="被改动过"):
        async with Runtime.open(approving, environ={}):
            pass


async def test_when_all_that_were_in_force_are_gone_nothing_else_is_put_in_their_place(engine, approving):
    kept = await keep(engine, a_release(), "sichuan", "chongqing")
    await TableSets(engine).retire(kept.digest, NOW)
    with pytest.raises(CannotStart, match="没有可用的版本"):
        async with Runtime.open(approving, environ={}):
            pass


@pytest.mark.parametrize("settings", ["2026-11-30T23:59:55+08:00"], indirect=True)
async def test_activated_ahead_it_is_used_from_its_day_in_beijing_and_not_before(engine, approving):
    kept = await keep(engine, a_release(date(2026, 12, 1)), "sichuan", "chongqing")
    async with Runtime.open(approving, environ={}) as rt:
        assert rt.shelf.current.release is None
        await asyncio.sleep(0.3)
        assert rt.shelf.current.release is None
        await eventually(lambda: rt.shelf.current.release == kept.digest)
        assert (rt.clock.now() + timedelta(hours=8)).date() == date(2026, 12, 1)


async def test_every_request_sees_one_set_of_tables(engine, approving, tmp_path):
    """The door pins: what `runtime` hands a handler never changes under it."""
    async with Runtime.open(approving, environ={}) as rt:
        one, other = rt.pinned(), rt.pinned()
        assert one.tables is other.tables
        assert one.shelf is not rt.shelf
        assert one.intake is rt.intake
