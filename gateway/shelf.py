"""The tables in force, swapped as one immutable value when a release both sides signed comes into force."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from gateway.errors import CannotStart
from gateway.exchange.library import usable
from gateway.mapping.release import Release, faults_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from gateway.crypto.approval import Verifier
    from gateway.exchange.translate import Maps
    from gateway.mapping.tables import Tables
    from gateway.region import Region
    from gateway.store.sets import TableSets

log = structlog.get_logger(__name__)

#: Seconds between two looks at what is in force; so long may processes differ.
LOOK_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class InForce:
    """One set of tables with the maps bound to it. ``release``: its digest, None for the configured folder."""

    tables: Tables = field(repr=False)
    maps: Maps = field(repr=False)
    release: str | None = None


@dataclass(slots=True)
class Shelf:
    """Holds the set in force. Whoever works takes ``current`` once and stays with it."""

    current: InForce


@dataclass(frozen=True, slots=True)
class Binder:
    """Makes a release runnable, after proving that it is what every side signed.

    ``approvers``: the public key of every region; ``calendar_until`` as in the settings.
    """

    regions: Mapping[str, Region]
    approvers: Mapping[str, Verifier] = field(repr=False)
    calendar_until: int | None

    def bind(self, release: Release) -> InForce:
        """Verify, lint and compile. Errors: `CannotStart` with every reason why it may not be used."""
        faults = list(faults_of(release, self.approvers))
        if faults:
            raise CannotStart(f"规则表版本 {release.digest[:12]} 不能使用：{'；'.join(faults)}")
        return bound(release.files(), self.regions, self.calendar_until, release=release.digest)


def bound(
    files: Mapping[str, bytes],
    regions: Mapping[str, Region],
    calendar_until: int | None,
    *,
    release: str,
) -> InForce:
    """Lint and compile the tables of a release. Errors: `CannotStart` with every fault."""
    tables, maps = usable(files, regions, calendar_until, release=release)
    return InForce(tables, maps, release)


@dataclass(slots=True)
class Keeper:
    """Keeps the shelf up to date with the store. ``today``: the day in Beijing."""

    shelf: Shelf
    sets: TableSets
    binder: Binder
    today: Callable[[], date]
    _refused: str = ""

    async def take(self) -> bool:
        """Put the release in force on the shelf; True when that changed it.

        Errors: `CannotStart` when it may not be used, or when releases were in force and all are gone: the
        configured folder serves only before the first release's day.
        """
        standing = await self.sets.standing(self.today())
        if standing.digest is None and standing.begun:
            raise CannotStart("已有规则表版本生效过，但现在没有可用的版本：请批准并启用一个版本")
        if standing.digest is None or standing.digest == self.shelf.current.release:
            return False
        release = await self.sets.one(standing.digest)
        assert release is not None  # noqa: S101 - releases are never removed
        # Compiling takes a good part of a second: requests go on meanwhile.
        self.shelf.current = await asyncio.to_thread(self.binder.bind, release)
        log.info("tables_swapped", release=release.digest, effective_from=release.effective_from.isoformat())
        return True

    async def keep(self) -> None:
        """Look again and again, until cancelled. What may not be used is told and not used."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.take()
            except CannotStart as error:
                self._tell(str(error))
            except Exception as error:  # noqa: BLE001 - the store is away; the next look comes soon
                log.warning("tables_not_looked_up", cause=type(error).__name__)
            else:
                self._refused = ""

    def _tell(self, reason: str) -> None:
        """Once for each reason, not once a second."""
        if reason != self._refused:
            log.error("tables_refused", reason=reason)
        self._refused = reason
