"""Composition root: reads settings, opens everything once, and hands clock, ids, keys and tables to the verbs."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import redis.asyncio
import uuid_utils.compat
from sqlalchemy import text

from gateway import regions as regions_
from gateway.canonical.worktime import beijing_day
from gateway.crypto.approval import Verifier, load_verifier
from gateway.errors import CannotStart
from gateway.exchange.translate import Maps, compile_maps
from gateway.mapping import load as tables_
from gateway.mapping.release import Consent
from gateway.settings import Settings, decode_key
from gateway.settings import load as load_settings
from gateway.shelf import Binder, InForce, Keeper, Shelf
from gateway.sources import regions_asked
from gateway.store import engine as engines
from gateway.store.audit import Audit
from gateway.store.cases import Cases
from gateway.store.deliveries import Deliveries
from gateway.store.intake import Intake
from gateway.store.peers import Peers
from gateway.store.reruns import Reruns
from gateway.store.serials import Serials
from gateway.store.sets import TableSets
from gateway.store.staff import Staff
from gateway.store.tokens import Tokens
from gateway.store.vault import Vault
from gateway.store.workers import Workers
from gateway.transport.bell import Bell
from gateway.transport.client import PeerClient
from gateway.transport.quota import Quota

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping
    from pathlib import Path
    from uuid import UUID

    from pydantic import BaseModel
    from sqlalchemy.ext.asyncio import AsyncEngine

    from gateway.mapping.tables import Tables
    from gateway.region import Region

#: Set by the supervisor so that all processes of one gateway show the same time (gateway §6 ``[clock]``).
CLOCK_OFFSET = "TONGBAN_CLOCK_OFFSET_S"

#: Whoever asks whether we are ready has an answer within so many seconds, also while the store hangs.
_READY_WITHIN_S = 2.0
# The tables must be there, and writing allowed: a standby, or a primary set read-only, takes no message.
_WRITABLE = text(
    "SELECT current_setting('transaction_read_only') = 'on' OR to_regclass('deliveries') IS NULL FROM alembic_version"
)

Role = Literal["web", "worker", "cli"]


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The gateway's clock: real time, moved by a constant in tests."""

    offset: timedelta = timedelta()

    def now(self) -> datetime:
        """Aware, UTC."""
        return datetime.now(UTC) + self.offset  # noqa: TID251 - the one clock


def configure(path: Path | None, environ: Mapping[str, str], *, offline: bool = False) -> Settings:
    """Settings, with the section of every region judged by the region itself.

    ``offline``: for work that calls nobody, region sections may be missing. Errors: `CannotStart`.
    """
    if offline:
        return load_settings(path, environ)
    folders, slugs = regions_asked(path, environ, Settings)
    regions_.look_in(folders)
    known = set(regions_.sources())
    found = regions_.discover([slug for slug in slugs if slug in known])
    return load_settings(path, environ, sections={slug: region.credentials for slug, region in found.items()})


def in_force(settings: Settings) -> Mapping[str, Region]:
    """The product's own regions, and the further ones that have a section; without any, those in its folders.

    Errors: `CannotStart`.
    """
    of_folders = regions_.in_folders(settings.regions_dirs)
    return regions_.discover(tuple(settings.regions) or of_folders)


def configured_tables(settings: Settings, regions: Iterable[str]) -> dict[str, bytes]:
    """The files of the configured folder, or the packaged one, with what these regions bring. Errors: `CannotStart`."""
    return regions_.table_files(settings.tables_dir or tables_.PACKAGED, regions)


def clock_offset_s(settings: Settings, environ: Mapping[str, str]) -> float:
    """Seconds the gateway's clock is ahead: the supervisor's word, else what ``[clock] now`` asks for."""
    if CLOCK_OFFSET in environ:
        return float(environ[CLOCK_OFFSET])
    start = settings.clock.now
    return 0.0 if start is None else (start - SystemClock().now()).total_seconds()


def system_clock(settings: Settings, environ: Mapping[str, str]) -> SystemClock:
    """The clock all processes of one gateway share."""
    return SystemClock(timedelta(seconds=clock_offset_s(settings, environ)))


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What a translation needs and a database does not: regions, tables and the clock."""

    regions: Mapping[str, Region]
    tables: Tables = field(repr=False)
    maps: Maps = field(repr=False)
    clock: SystemClock


def rulebook(settings: Settings, environ: Mapping[str, str]) -> Rulebook:
    """Load the tables. Errors: `CannotStart` with every fault as ``file:line: sentence``."""
    regions = in_force(settings)
    where = str(settings.tables_dir or tables_.PACKAGED)
    files = configured_tables(settings, regions)
    tables = tables_.tables_of(files, settings.calendar_until, where=where)
    clock = system_clock(settings, environ)
    return Rulebook(regions, tables, compile_maps(regions, tables), clock)


def credentials_of(settings: Settings, regions: Mapping[str, Region]) -> Mapping[str, BaseModel]:
    """Each region's section as its own model (judged before, by `configure`)."""
    return MappingProxyType(
        {slug: region.credentials.model_validate(settings.regions[slug]) for slug, region in regions.items()}
    )


def master_key(settings: Settings) -> bytes:
    """The configured key, else the one made at the first start and kept under ``data_dir`` (mode 0600)."""
    if settings.keys.master_key is not None:
        return decode_key(settings.keys.master_key)
    file = settings.data_dir / "master.key"
    if not file.exists():
        _make_key(file)
    key = decode_key(file.read_text(encoding="ascii").strip())
    if len(key) != 32:
        raise CannotStart(f"keys.master_key: {file.name} 不是 32 字节的主密钥，请恢复该文件的备份")
    return key


def _make_key(file: Path) -> None:
    """Written aside and linked into place: of several processes one wins, and none reads half a key."""
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(secrets.token_hex(32))
    with suppress(FileExistsError):
        os.link(aside, file)
    aside.unlink()


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything a verb may ask for. Opened once per process; nothing but the set on the shelf is replaced."""

    settings: Settings
    clock: SystemClock
    new_id: Callable[[], UUID]
    regions: Mapping[str, Region]
    credentials: Mapping[str, BaseModel] = field(repr=False)
    shelf: Shelf = field(repr=False)
    engine: AsyncEngine = field(repr=False)
    vault: Vault = field(repr=False)
    intake: Intake = field(repr=False)
    serials: Serials = field(repr=False)
    deliveries: Deliveries = field(repr=False)
    peers: Peers = field(repr=False)
    reruns: Reruns = field(repr=False)
    cases: Cases = field(repr=False)
    audit: Audit = field(repr=False)
    tokens: Tokens = field(repr=False)
    staff: Staff = field(repr=False)
    workers: Workers = field(repr=False)
    bell: Bell = field(repr=False)
    clients: Mapping[str, PeerClient] = field(repr=False)
    limiter: Quota = field(repr=False)
    #: of the channels that have one, by name
    quotas: Mapping[str, Quota] = field(repr=False)

    @classmethod
    @asynccontextmanager
    async def served(cls, settings: Settings, *, role: Role) -> AsyncIterator[Runtime]:
        """`open` for a process that will do nothing else: its memory is arranged for a long life."""
        async with cls.open(settings, role=role) as opened:
            # Tables, maps and modules stay for good: looked through again and again by the collector, as the
            # thousands of small objects of each message make it, they took a tenth to a fifth of all time.
            gc.collect()
            gc.freeze()
            gc.set_threshold(50_000, 20, 50)
            yield opened

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: Settings, *, role: Role = "web", environ: Mapping[str, str] | None = None
    ) -> AsyncIterator[Runtime]:
        """Open a process's runtime; a worker has clients for the peers too.

        The database is migrated already. Errors: `CannotStart` for settings, tables or keys.
        """
        if settings.database_url is None or settings.redis_url is None:
            raise CannotStart(
                "database_url, redis_url: 该进程需要这两个地址，请在配置中填写或由 tongban serve 启动"
            )
        book = rulebook(settings, os.environ if environ is None else environ)
        async with AsyncExitStack() as stack:
            engine = engines.create(settings.database_url, name=f"tongban-{role}")
            stack.push_async_callback(engine.dispose)
            vault = Vault(master_key(settings), engine, algorithm=settings.keys.algorithm)
            await vault.open()
            intake = Intake(engine, vault)
            stack.push_async_callback(intake.close)
            bell = Bell(settings.redis_url)
            stack.push_async_callback(bell.close)
            credentials = credentials_of(settings, book.regions)
            clients = _clients(settings, credentials) if role == "worker" else {}
            for client in clients.values():
                stack.push_async_callback(client.close)
            yield cls(
                settings=settings,
                clock=book.clock,
                new_id=uuid_utils.compat.uuid7,
                regions=book.regions,
                credentials=credentials,
                shelf=await _shelf(settings, book, TableSets(engine, consent(settings)), role, stack),
                engine=engine,
                vault=vault,
                intake=intake,
                serials=Serials(engine),
                deliveries=Deliveries(engine, vault, clock=book.clock.now),
                peers=Peers(engine),
                reruns=Reruns(engine, vault),
                cases=Cases(engine, vault),
                audit=Audit(engine, vault),
                tokens=Tokens(engine),
                staff=Staff(engine),
                workers=Workers(engine),
                bell=bell,
                clients=clients,
                limiter=_quota(settings.limits.per_minute, settings.redis_url, stack),
                quotas=_quotas(settings, stack),
            )

    @property
    def tables(self) -> Tables:
        """The tables in force now; a piece of work pins the runtime first, and stays with one set."""
        return self.shelf.current.tables

    @property
    def maps(self) -> Maps:
        """The maps bound to these tables."""
        return self.shelf.current.maps

    def pinned(self) -> Runtime:
        """The same runtime with the tables of this moment, whatever comes into force later."""
        return replace(self, shelf=Shelf(self.shelf.current))

    async def unusable(self) -> list[str]:
        """What is missing to serve, as one Chinese sentence each; empty when ready. Reads no case."""
        faults = await self.door_faults()
        if not await queue_usable(self.settings.redis_url or ""):
            faults.append("消息队列不可用：请检查 redis_url 和 Redis")
        return faults

    async def door_faults(self) -> list[str]:
        """What keeps the doors from taking messages: a store that cannot be written, tables without a region."""
        faults = []
        try:
            async with asyncio.timeout(_READY_WITHIN_S), engines.single(self.engine) as connection:
                found = await connection.execute(_WRITABLE)
                if found.scalar_one():
                    faults.append("数据库只读（可能刚切换到备库）：请让 database_url 指向主库")
        except Exception as error:  # noqa: BLE001 - whatever it is, the store is not usable
            faults.append(f"数据库不可用（{type(error).__name__}）：请检查 database_url、PostgreSQL 及其迁移")
        if not set(self.regions) <= set(self.tables.regions):
            faults.append("规则表缺少地区：请检查 tables_dir")
        return faults


def approvers(settings: Settings) -> Mapping[str, Verifier]:
    """The key of every side that approves releases; empty when none is configured."""
    return {slug: load_verifier(each.public_key) for slug, each in settings.approval.items()}


def consent(settings: Settings) -> Consent:
    """What brings a stored release into force in this gateway."""
    return Consent.SIGNED if settings.approval else Consent(settings.rules.without_keys)


def _quota(per_minute: int | None, redis_url: str, stack: AsyncExitStack) -> Quota:
    made = Quota(per_minute, redis_url)
    stack.push_async_callback(made.close)
    return made


def _quotas(settings: Settings, stack: AsyncExitStack) -> Mapping[str, Quota]:
    """By channel, of those that have one."""
    url = settings.redis_url or ""
    return {each.name: _quota(each.per_minute, url, stack) for each in settings.channels if each.per_minute}


async def _shelf(
    settings: Settings, book: Rulebook, sets: TableSets, role: Role, stack: AsyncExitStack
) -> Shelf:
    """The set in force; processes that stay look for newer ones until the stack is left."""
    shelf = Shelf(InForce(book.tables, book.maps))
    if consent(settings) is Consent.NEVER:
        return shelf
    binder = Binder(book.regions, approvers(settings), settings.calendar_until)
    keeper = Keeper(shelf, sets, binder, lambda: beijing_day(book.clock.now()))
    await keeper.take()
    if role != "cli":
        looking = asyncio.create_task(keeper.keep())
        stack.push_async_callback(_ended, looking)
    return shelf


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def queue_usable(redis_url: str) -> bool:
    """True when Redis answers within a second."""
    client = redis.asyncio.Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(await client.ping())
    except (redis.RedisError, OSError):
        return False
    finally:
        await client.aclose()


def _clients(settings: Settings, credentials: Mapping[str, Any]) -> dict[str, PeerClient]:
    return {
        slug: PeerClient(
            section.base_url,
            timeout_s=settings.delivery.timeout_s,
            connections=settings.delivery.window_of(slug),
        )
        for slug, section in credentials.items()
    }
