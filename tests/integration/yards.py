"""A yard for maintenance: a store of its own, a clock that stands, and what the tests of growth ask of both."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import text
from store_builders import NOW

from gateway.canonical.tracking import Move
from gateway.exchange.maintain import Order, maintain
from gateway.settings import Retention
from gateway.store import engine as engines
from gateway.store.deliveries import Deliveries
from gateway.store.intake import Intake
from gateway.store.partitions import Month
from gateway.store.records import Ending, Settlement
from gateway.store.retention import Who

WHO = Who("staff:测试", "演练")
POLICY = Retention()


@dataclass
class Yard:
    """What maintenance asks of a runtime."""

    engine: object
    vault: object
    clock: object = field(default_factory=lambda: Stopped(NOW))


@dataclass
class Stopped:
    """A clock that shows one time."""

    at: datetime

    def now(self):
        return self.at


async def run(yard, now=None, policy=POLICY, **order):
    return {done.step: done async for done in maintain(yard, policy, Order(WHO, **order), now=now)}


async def one(engine, query, **which):
    async with engines.single(engine) as connection:
        return (await connection.execute(text(query), which)).scalar_one_or_none()


async def rows(engine, query, **which):
    async with engines.single(engine) as connection:
        return (await connection.execute(text(query), which)).all()


async def shape(engine):
    """Every table with its rows' ids and bounds: what may not change when there is nothing to do."""
    found = await rows(
        engine,
        "SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_class"
        " WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY 1",
    )
    counts = [(each[0], await one(engine, f"SELECT count(*) FROM {each[0]}")) for each in found]
    return [tuple(each) for each in found], counts


def at(year, month, day=15):
    return datetime(year, month, day, 12, tzinfo=UTC)


async def accept(yard, *intents):
    door = Intake(yard.engine, yard.vault)
    try:
        return await asyncio.gather(*(door.accept(each) for each in intents))
    finally:
        await door.close()


async def deliver(yard, *wanted, ending=Ending.DELIVERED):
    """Send what is due; only the ``wanted`` messages when some are given."""
    queue = Deliveries(yard.engine, yard.vault, clock=lambda: NOW)
    due = await queue.claim("south", 100, 30.0)
    ends = [
        Settlement(each, ending, began_at=NOW, took_s=0.1) for each in due if not wanted or each.id in wanted
    ]
    await queue.settle(ends, on_end=lambda case, _: Move(case, ()))


async def long_after(yard, months=40):
    """A moment at which the bodies of now are past their time, but messages and events are not."""
    today = await one(yard.engine, "SELECT now()")
    later = Month.of(today.date()).plus(months).start
    return datetime(later.year, later.month, 2, tzinfo=UTC)


async def bodies_of(yard, *intents):
    return {
        row.message_id
        for row in await rows(
            yard.engine,
            "SELECT message_id FROM bodies WHERE message_id = ANY(CAST(:ids AS uuid[]))",
            ids=[each.message_id for each in intents],
        )
    }
