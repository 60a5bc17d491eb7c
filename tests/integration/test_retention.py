"""What is past its time goes, with a digest; what open work needs stays: by a day that is handed in."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from store_builders import NOW, application, bodies, new_case
from yards import WHO, Stopped, accept, bodies_of, deliver, long_after, one, rows, run, shape

from gateway.canonical.kinds import State
from gateway.canonical.tracking import Move
from gateway.settings import Retention
from gateway.store import engine as engines
from gateway.store import evidence, rest, retention
from gateway.store.deliveries import Deliveries
from gateway.store.records import Ending, Part, Settlement
from gateway.store.vault import Vault


async def test_a_month_past_its_time_goes_with_a_digest_of_each_part(yard):
    first = application()
    await accept(yard, first)
    await deliver(yard)
    assert await bodies_of(yard, first) == {first.message_id}
    month = rest.month_of(first.message_id)
    done = await run(yard, await long_after(yard))
    assert month.of_table("bodies") in done["retention"].text
    assert not any(each.failed or each.unfinished for each in done.values()), done
    assert await bodies_of(yard, first) == set()
    assert await one(yard.engine, "SELECT to_regclass(:name)", name=month.of_table("bodies")) is None
    assert await one(yard.engine, "SELECT count(*) FROM messages") == 1
    assert await one(yard.engine, "SELECT count(*) FROM events WHERE case_id = :id", id=first.case_id) > 0
    async with engines.single(yard.engine) as connection:
        for part, plain in bodies().items():
            assert await evidence.matches(connection, first.message_id, part, plain)
            assert not await evidence.matches(connection, first.message_id, part, plain + b" ")
        assert await evidence.matches(connection, new_case().id, Part.RAW, b"") is None
    kept = await one(yard.engine, "SELECT raw FROM evidence WHERE message_id = :id", id=first.message_id)
    assert kept == hashlib.sha256(bodies()[Part.RAW]).digest()
    audited = await rows(yard.engine, "SELECT actor, verb, target FROM audit ORDER BY id")
    assert (WHO.actor, "retention.drop", month.of_table("bodies")) in [tuple(each) for each in audited]


async def test_the_key_of_a_month_goes_with_its_last_body_and_is_never_made_again(yard):
    first = application()
    await accept(yard, first)
    sealed = await one(yard.engine, "SELECT raw FROM bodies WHERE message_id = :id", id=first.message_id)
    assert yard.vault.decrypt("body", first.message_id, "bodies.raw", sealed)
    later = await long_after(yard)
    done = await run(yard, later)
    assert "销毁报文密钥 0 个" in done["keys"].text
    await deliver(yard)
    done = await run(yard, later)
    assert "销毁报文密钥 1 个" in done["keys"].text
    keys = await rows(yard.engine, "SELECT purpose, wrapped FROM data_keys WHERE destroyed_at IS NOT NULL")
    assert [tuple(each) for each in keys] == [("body", b"")]
    started_anew = Vault(bytes(range(32)), yard.engine)
    await started_anew.open()
    await started_anew.prepare([first.message_id])
    assert started_anew.open_text(first.case_id, "x", None) == ""
    assert started_anew.seal_text(first.case_id, "x", "words") is not None
    with pytest.raises(Exception, match="no key for"):
        started_anew.decrypt("body", first.message_id, "bodies.raw", sealed)


async def test_bytes_that_do_not_open_keep_a_digest_of_themselves_and_hold_nothing_up(yard):
    whole, damaged = application(), application()
    await accept(yard, whole, damaged)
    await deliver(yard)
    async with yard.engine.begin() as connection:
        await connection.execute(
            text("UPDATE bodies SET raw = :raw WHERE message_id = :id"),
            {"raw": b"\xff" * 40, "id": damaged.message_id},
        )
    done = await run(yard, await long_after(yard))
    assert not any(each.failed or each.unfinished for each in done.values()), done
    found = await rows(yard.engine, "SELECT message_id, raw, sealed FROM evidence ORDER BY sealed")
    assert [(each.message_id, each.sealed) for each in found] == [
        (whole.message_id, False),
        (damaged.message_id, True),
    ]
    assert found[1].raw == hashlib.sha256(b"\xff" * 40).digest()
    async with engines.single(yard.engine) as connection:
        assert await evidence.matches(connection, damaged.message_id, Part.RAW, b"\xff" * 40) is None


async def test_open_work_keeps_all_bodies_of_its_case_and_is_sent_after_the_drop(yard):
    done_case, waiting = application(), application()
    await accept(yard, done_case, waiting)
    await deliver(yard, done_case.message_id)
    later = await long_after(yard, months=140)
    told = await run(yard, later)
    assert "因未结投递保留" in told["retention"].text
    assert await bodies_of(yard, done_case, waiting) == {waiting.message_id}
    # even ten years on its message, event and receipt are there, and the other's are not
    assert await one(yard.engine, "SELECT count(*) FROM events WHERE case_id = :id", id=waiting.case_id) > 0
    assert (
        await one(yard.engine, "SELECT count(*) FROM events WHERE case_id = :id", id=done_case.case_id) == 0
    )
    async with yard.engine.begin() as connection:
        await connection.execute(text("UPDATE deliveries SET due_at = now(), state = 'ready'"))
    queue = Deliveries(yard.engine, yard.vault, clock=lambda: NOW)
    (claimed,) = await queue.claim("south", 10, 30.0)
    assert (claimed.id, claimed.rendered) == (waiting.message_id, bodies()[Part.RENDERED])
    again = await shape(yard.engine)
    await run(yard, later)
    assert await shape(yard.engine) == again
    await queue.settle(
        [Settlement(claimed, Ending.DELIVERED, began_at=NOW, took_s=0.1)],
        on_end=lambda case, _: Move(case, ()),
    )
    await run(yard, later)
    assert await bodies_of(yard, waiting) == set()
    async with engines.single(yard.engine) as connection:
        assert await evidence.matches(connection, waiting.message_id, Part.RAW, bodies()[Part.RAW])


@pytest.mark.parametrize("fatal", ["keep", "create_aside", "_swap", "write"])
async def test_killed_half_way_loses_nothing_and_the_next_run_ends_it(yard, fatal, monkeypatch):
    gone, stays = application(), application()
    await accept(yard, gone, stays)
    await deliver(yard, gone.message_id)
    later = await long_after(yard)
    where = {"keep": evidence, "write": retention.Audit}.get(fatal, retention)
    real = getattr(where, fatal)

    async def dies(*given, **named):
        await real(*given, **named)
        raise asyncio.CancelledError

    monkeypatch.setattr(where, fatal, dies)
    with pytest.raises(asyncio.CancelledError):
        await run(yard, later)
    assert await bodies_of(yard, gone, stays) == {gone.message_id, stays.message_id}
    monkeypatch.setattr(where, fatal, real)
    done = await run(yard, later)
    assert not any(each.failed or each.unfinished for each in done.values()), done
    assert await bodies_of(yard, gone, stays) == {stays.message_id}
    assert await one(yard.engine, "SELECT count(*) FROM evidence") == 1
    left = await rows(yard.engine, "SELECT relname FROM pg_class WHERE relname ~ '_(kept|gone|new)$'")
    assert left == []


async def test_keys_of_messages_are_forgotten_after_the_window_but_not_while_the_case_is_open(yard):
    ended = new_case(state=State.CONCLUDED)
    intents = [application(case=ended), application(), application()]
    await accept(yard, *intents)
    keys = "SELECT count(*) FROM receipts"
    await run(yard, NOW + timedelta(days=399), only="receipts")
    assert await one(yard.engine, keys) == 3
    assert (
        "1 条" in (await run(yard, NOW + timedelta(days=401), only="receipts", dry_run=True))["receipts"].text
    )
    assert await one(yard.engine, keys) == 3
    assert "1 条" in (await run(yard, NOW + timedelta(days=401), only="receipts"))["receipts"].text
    assert await one(yard.engine, keys) == 2
    (answer,) = await accept(yard, application(case=new_case(), key=intents[1].key, digest=intents[1].digest))
    assert answer.stored == "known"


async def test_a_busy_table_is_left_for_the_next_run(yard):
    await accept(yard, application())
    await deliver(yard)
    later = await long_after(yard)
    async with yard.engine.connect() as reader:
        await reader.execute(text("SELECT count(*) FROM bodies"))
        done = await run(yard, later, only="retention")
        await reader.rollback()
    assert done["retention"].unfinished
    assert not done["retention"].failed
    assert await one(yard.engine, "SELECT count(*) FROM bodies") == 1
    assert not (await run(yard, later, only="retention"))["retention"].unfinished
    assert await one(yard.engine, "SELECT count(*) FROM bodies") == 0


async def test_a_spent_budget_ends_a_run_and_nothing_is_lost(yard):
    await accept(yard, *(application() for _ in range(5)))
    await deliver(yard)
    later = await long_after(yard)
    done = await run(yard, later, budget_s=0.0)
    assert done["retention"].unfinished
    assert await one(yard.engine, "SELECT count(*) FROM bodies") == 5
    await run(yard, later)
    assert await one(yard.engine, "SELECT count(*) FROM evidence") == 5


async def test_a_clock_that_runs_ahead_alone_drops_nothing(yard):
    await accept(yard, application())
    await deliver(yard)
    yard.clock = Stopped(datetime(2099, 1, 1, tzinfo=UTC))
    done = await run(yard)
    assert "到期月分区 0 个" in done["retention"].text
    assert await one(yard.engine, "SELECT count(*) FROM bodies") == 1


def test_a_policy_that_would_lose_what_another_needs_is_refused():
    for wrong in (
        {"messages_months": 24},
        {"receipts_days": 179},
        {"messages_months": 12, "bodies_months": 6, "receipts_days": 400},
    ):
        with pytest.raises(ValueError, match=r"months|180"):
            Retention(**wrong)
