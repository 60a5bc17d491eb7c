"""What the commands about tables share: sets by name, and the store without the rest of the gateway."""

from __future__ import annotations

import os
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.canonical.worktime import beijing_day
from gateway.cli.shared import embedded_postgres, run
from gateway.errors import CannotStart
from gateway.exchange.releasing import Registry
from gateway.mapping import sets
from gateway.mapping.release import Consent
from gateway.regions import table_files
from gateway.runtime import (
    SystemClock,
    approvers,
    configure,
    configured_tables,
    consent,
    in_force,
    master_key,
    system_clock,
)
from gateway.store import engine as engines
from gateway.store.archive import Archive
from gateway.store.audit import Audit
from gateway.store.sets import TableSets
from gateway.store.vault import Vault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from gateway.crypto.approval import Verifier
    from gateway.mapping.release import Release
    from gateway.mapping.sets import TableSet
    from gateway.settings import Settings

#: How a command names a set of tables.
SetWord = Annotated[
    str,
    typer.Argument(
        help="规则表：目录、.xlsx 工作簿、packaged（内置）、active（现用）或版本摘要", metavar="SET"
    ),
]


@dataclass(frozen=True, slots=True)
class Bureau:
    """The part of the gateway that releases need: no peers, no queue, no tables in force."""

    settings: Settings
    clock: SystemClock
    sets: TableSets = field(repr=False)
    audit: Audit = field(repr=False)
    archive: Archive = field(repr=False)
    approvers: Mapping[str, Verifier] = field(repr=False)

    @property
    def registry(self) -> Registry:
        """What the verbs on releases ask for."""
        return Registry(
            sets=self.sets,
            audit=self.audit,
            regions=in_force(self.settings),
            approvers=self.approvers,
            consent=consent(self.settings),
            calendar_until=self.settings.calendar_until,
            now=self.clock.now,
        )

    async def release(self, prefix: str) -> Release:
        """The one release whose digest begins so. Errors: `CannotStart` when none or several do."""
        found = await self.sets.starting_with(prefix.lower()) if len(prefix) >= 8 else ()
        if len(found) == 1:
            return found[0]
        if len(prefix) < 8:
            raise CannotStart(f"{prefix}: 摘要至少写 8 位")
        remedy = (
            "有多个版本以此开头，请多写几位" if found else "没有这个版本，请用 tongban mappings list 查看"
        )
        raise CannotStart(f"{prefix}: {remedy}")

    async def table_set(self, word: str) -> TableSet:
        """A set by any of its names. Errors: `CannotStart`."""
        if not sets.is_stored(word):
            return _local_set(word, self.settings)
        if word != sets.ACTIVE:
            release = await self.release(word)
            return sets.of_content(release.digest[:12], release.content)
        standing = await self.sets.standing(beijing_day(self.clock.now()))
        if consent(self.settings) is not Consent.NEVER and standing.digest:
            return await self.table_set(standing.digest)
        return configured(self.settings)


def configured(settings: Settings) -> TableSet:
    """The set of the configured folder, or the packaged one: what is used before any release."""
    return sets.table_set(sets.ACTIVE, configured_tables(settings, in_force(settings)))


def _local_set(word: str, settings: Settings) -> TableSet:
    regions = tuple(in_force(settings))
    return sets.local(word, lambda folder: table_files(folder, regions))


@asynccontextmanager
async def bureau(config: Path | None) -> AsyncIterator[Bureau]:
    """Opened over the configured PostgreSQL, or the embedded one, running or started for the moment."""
    settings = configure(config, os.environ)
    with ExitStack() as servers:
        url = settings.database_url or embedded_postgres(settings.data_dir, servers)
        await engines.migrate(url)
        engine = engines.create(url, name="tongban-mappings", pool_size=2)
        try:
            vault = Vault(master_key(settings), engine, algorithm=settings.keys.algorithm)
            await vault.open()
            yield Bureau(
                settings=settings,
                clock=system_clock(settings, os.environ),
                sets=TableSets(engine, consent(settings)),
                audit=Audit(engine, vault),
                archive=Archive(engine, vault),
                approvers=approvers(settings),
            )
        finally:
            await engine.dispose()


def named(word: str, config: Path | None) -> TableSet:
    """A set by any of its names; the store is opened only for those it alone knows. Ends with 2 if it cannot."""
    if sets.is_stored(word) and (word != sets.ACTIVE or config is not None):
        return run(_stored(word, config))
    return run(_local(word, config))


async def _stored(word: str, config: Path | None) -> TableSet:
    async with bureau(config) as desk:
        return await desk.table_set(word)


async def _local(word: str, config: Path | None) -> TableSet:
    settings = configure(config, os.environ, offline=True)
    return configured(settings) if word == sets.ACTIVE else _local_set(word, settings)
