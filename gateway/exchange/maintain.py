"""Keep the store in shape: months ahead, what is past its time, receipts, counters, and the numbers that show it.

Runs from the schedule and by hand, any number at once: one works, the others see the lock and leave. Every step
ends in small transactions and may be cut anywhere: the next run goes on.
"""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import structlog
from sqlalchemy import text

from gateway import metrics
from gateway.canonical.worktime import beijing_day
from gateway.store import engine as engines
from gateway.store import growth, partitions, prune, rest, retention, runs, tallies
from gateway.store.schema import PARTITIONED

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.exchange.door import Now
    from gateway.store.vault import Vault

_log = structlog.get_logger(__name__)

#: One maintainer at a time over all processes; the number is arbitrary but ours.
_LOCK = 0x746F6E68

#: The schedule's run leaves after this; what is left is done by the next one. Seconds.
BUDGET_S = 60.0


class Policy(Protocol):
    """How long each kind is kept (``[retention]``)."""

    @property
    def bodies_months(self) -> int: ...
    @property
    def messages_months(self) -> int: ...
    @property
    def events_months(self) -> int: ...
    @property
    def attempts_months(self) -> int: ...
    @property
    def receipts_days(self) -> int: ...
    @property
    def months_ahead(self) -> int: ...


class Yard(Protocol):
    """What the verb asks of the runtime."""

    @property
    def clock(self) -> Now: ...
    @property
    def engine(self) -> AsyncEngine: ...
    @property
    def vault(self) -> Vault: ...


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for. ``only``: one of `STEPS`; ``budget_s``: None = until everything is done."""

    who: retention.Who
    dry_run: bool = False
    only: str | None = None
    budget_s: float | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """One step: what it did (in Chinese), how long it took, and whether something is left or went wrong."""

    step: str
    text: str
    took_s: float = 0.0
    unfinished: bool = False
    failed: bool = False


@dataclass(slots=True)
class _Job:
    """One run of one step."""

    engine: AsyncEngine
    vault: Vault
    policy: Policy
    order: Order
    now: datetime
    until: float | None
    left: bool = False

    def in_time(self) -> bool:
        """Whether the budget is not used up."""
        if self.until is not None and time.monotonic() > self.until:
            self.left = True
        return not self.left

    @property
    def keep_months(self) -> dict[str, int]:
        policy = self.policy
        return {
            "messages": policy.messages_months,
            "bodies": policy.bodies_months,
            "events": policy.events_months,
            "attempts": policy.attempts_months,
        }

    @property
    def receipts(self) -> timedelta:
        return timedelta(days=self.policy.receipts_days)


async def maintain(
    yard: Yard, policy: Policy, order: Order, *, now: datetime | None = None
) -> AsyncIterator[Done]:
    """Run the steps in order, each told when it is done; one that fails does not keep the others.

    Nothing is dropped before both the gateway's clock and the database's say so, unless ``now`` is handed in.
    """
    async with engines.patient(yard.engine) as engine, _alone(engine) as alone:
        if not alone:
            yield Done("lock", "另一处正在维护，本次什么也不做")
            return
        until = None if order.budget_s is None else time.monotonic() + order.budget_s
        at = now or min(yard.clock.now(), await _database_now(engine))
        for step in STEPS if order.only is None else (order.only,):
            done = await _run(step, _Job(engine, yard.vault, policy, order, at, until))
            if not order.dry_run:
                await _note(engine, done)
            yield done


async def _run(step: str, job: _Job) -> Done:
    began = time.monotonic()
    failed = False
    try:
        said = await STEPS[step](job)
    except Exception as error:  # noqa: BLE001 - the other steps go on; the next run tries again
        busy = engines.is_away(error)
        said = "表正忙或数据库不可用，下次再试" if busy else f"出错（{type(error).__name__}），下次再试"
        job.left, failed = True, not busy
        _log.warning("maintenance_step_failed", step=step, cause=type(error).__name__)
    if job.left:
        said += "；尚未做完，下次继续"
    return Done(step, said, time.monotonic() - began, unfinished=job.left, failed=failed)


async def _note(engine: AsyncEngine, done: Done) -> None:
    """For the page that shows what runs; a note that cannot be written keeps no step from its work."""
    run = runs.Run(f"{runs.MAINTAIN}.{done.step}", done.took_s, failed=done.failed, said=done.text)
    try:
        await runs.note(engine, run)
    except Exception as error:  # noqa: BLE001 - the store is away: the step itself said so
        _log.warning("run_not_noted", step=done.step, cause=type(error).__name__)


@asynccontextmanager
async def _alone(engine: AsyncEngine) -> AsyncIterator[bool]:
    """True while no other process maintains; a process that dies lets go of the lock with its connection."""
    async with engines.single(engine) as connection:
        found = await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK})
        mine = bool(found.scalar_one())
        try:
            yield mine
        finally:
            if mine:
                await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})


async def _database_now(engine: AsyncEngine) -> datetime:
    async with engines.single(engine) as connection:
        at: datetime = (await connection.execute(text("SELECT now()"))).scalar_one()
    return at


# -- the steps -----------------------------------------------------------------------------------------


async def _ahead(job: _Job) -> str:
    async with job.engine.connect() as connection:
        today = (await connection.execute(text("SELECT current_date"))).scalar_one()
        days = sorted({job.now.astimezone(UTC).date(), max(today, job.now.astimezone(UTC).date())})
        if job.order.dry_run:
            lacking = await partitions.missing(connection, days, job.policy.months_ahead)
            names = [month.of_table(table) for table, month in lacking]
        else:
            names = await partitions.make_ahead(connection, days, job.policy.months_ahead)
    return f"新建月分区 {len(names)} 个{_listed(names)}"


async def _rest(job: _Job) -> str:
    async with engines.single(job.engine) as connection:
        if not job.order.dry_run:
            await rest.drop_leftovers(connection)
        lying = {table: await rest.count(connection, table) for table in PARTITIONED}
    if job.order.dry_run:
        return f"默认分区中有 {sum(lying.values())} 行待归位"
    rows, made = 0, list[str]()
    for table in (table for table in PARTITIONED if lying[table]):
        moved = await rest.rescue(job.engine, table, job.in_time)
        rows, job.left = rows + moved.rows, job.left or moved.unfinished
        made += moved.made
    return f"默认分区中的 {rows} 行移入月分区{_listed(made)}"


async def _retention(job: _Job) -> str:
    told: list[str] = []
    # what is looked up through messages goes before them
    for table in ("bodies", "events", "attempts", "messages"):
        async with engines.single(job.engine) as connection:
            over = await retention.droppable(connection, table, job.keep_months[table], job.now)
        for month in over:
            if job.order.dry_run:
                told.append(month.of_table(table))
                continue
            if not job.in_time():
                break
            gone = await retention.drop(
                job.engine, job.vault, table, month, job.order.who, at=job.now, in_time=job.in_time
            )
            job.left = job.left or gone.unfinished
            if not gone.unfinished:
                told.append(gone.partition + (f"（{gone.kept} 行因未结投递保留）" if gone.kept else ""))
    return f"到期月分区 {len(told)} 个{_listed(told)}"


async def _keys(job: _Job) -> str:
    async with engines.single(job.engine) as connection:
        useless = await retention.useless_keys(connection, job.policy.bodies_months, job.now)
    if not job.order.dry_run:
        for month in useless:
            await retention.destroy_key(job.engine, job.vault, month, job.order.who, at=job.now)
    return f"销毁报文密钥 {len(useless)} 个{_listed([month.key_month for month in useless])}"


async def _receipts(job: _Job) -> str:
    async with engines.single(job.engine) as connection:
        gone = await retention.prune_receipts(
            connection, job.receipts, job.now, dry_run=job.order.dry_run, in_time=job.in_time
        )
    return f"过期的流水号记录 {gone} 条"


async def _nonces(job: _Job) -> str:
    async with engines.single(job.engine) as connection:
        gone = await prune.nonces(connection, job.now, dry_run=job.order.dry_run, in_time=job.in_time)
    return f"过期的一次性随机数 {gone} 个"


async def _tallies(job: _Job) -> str:
    folded = 0 if job.order.dry_run else await tallies.fold(job.engine)
    gone = 0
    async with engines.single(job.engine) as connection:
        while job.in_time():
            some = await tallies.prune(connection, job.now, most=_STEP, dry_run=job.order.dry_run)
            gone += some
            if some < _STEP or job.order.dry_run:
                break
    return f"统计增量合并 {folded} 行，过期的分钟、小时统计 {gone} 行"


async def _counters(job: _Job) -> str:
    async with engines.single(job.engine) as connection:
        gone = await prune.counters(connection, beijing_day(job.now), dry_run=job.order.dry_run)
    return f"旧的编号计数 {gone} 行"


async def _vacuum(job: _Job) -> str:
    async with engines.single(job.engine) as connection:
        bloated = await growth.bloated(connection)
    if not bloated:
        return "没有需要留意的表"
    names = [f"{name}（死行 {dead}）" for name, dead in bloated]
    return f"死行过多{_listed(names)}：请检查是否有长时间未结束的事务，必要时执行 VACUUM"


async def _gauges(job: _Job) -> str:
    async with engines.single(job.engine) as connection:
        seen = await growth.look(connection, job.keep_months, job.receipts, job.now)
        if not job.order.dry_run:
            await runs.keep_sizes(connection, beijing_day(job.now), seen.sizes)
    if not job.order.dry_run:
        metrics.show_growth(seen, at=time.time())
    late = [kind for kind, seconds in seen.overdue_s.items() if seconds > 0]
    size = sum(each.bytes for each in seen.sizes.values()) / 1e9
    oldest = "无" if seen.oldest_body is None else f"{beijing_day(seen.oldest_body)}"
    return f"约 {size:.1f} GB，最早的报文 {oldest}，到期未清理{_listed(late) if late else '：无'}"


_STEP = 5_000

STEPS: dict[str, Callable[[_Job], Awaitable[str]]] = {
    "months": _ahead,
    "rest": _rest,
    "retention": _retention,
    "keys": _keys,
    "receipts": _receipts,
    "nonces": _nonces,
    "tallies": _tallies,
    "counters": _counters,
    "vacuum": _vacuum,
    "gauges": _gauges,
}


def _listed(names: list[str]) -> str:
    shown = "、".join(names[:12])
    return f"：{shown}{'等' if len(names) > 12 else ''}" if names else ""
