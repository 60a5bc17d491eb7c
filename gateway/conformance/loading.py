"""From a slug to a subject; what cannot be loaded is a broken law too, with file and line."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.conformance.judge import judge
from gateway.conformance.law import Breach, Level, Result
from gateway.conformance.laws.catalogue import LOADS, RULES, TABLES_LOAD
from gateway.conformance.subject import Subject, digest_of, folder_of
from gateway.errors import CannotStart
from gateway.exchange.translate import compile_maps
from gateway.mapping import load as tables_
from gateway.mapping.release import digest_of as tables_digest_of
from gateway.regions import discover, sources, table_files

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from gateway.conformance.law import Law
    from gateway.region import Region


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be checked: which region, how hard, with which tables. ``calendar_until`` as in the settings.

    ``only``: ids of the laws to check, empty for all.
    """

    slug: str
    level: Level = Level.FULL
    tables: Path = tables_.PACKAGED
    calendar_until: int | None = None
    seed: int = 1
    rounds: int = 1
    only: frozenset[str] = frozenset()
    #: regions in force beside the product's own
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """The results with what they are about: digests of tables and adapter, the region's name."""

    results: tuple[Result, ...] = field(repr=False)
    tables_digest: str
    subject_digest: str
    name: str = ""


class NoSuchRegion(LookupError):  # noqa: N818 - a word of the field
    """No adapter of that name; ``str`` names those there are."""


def check(asked: Asked, tell: Callable[[Law], None] = lambda _: None) -> Found:
    """Check a region. Errors: `NoSuchRegion`, `CannotStart` when the folder of tables cannot be read."""
    if asked.slug not in sources():
        raise NoSuchRegion(asked.slug)
    named = {asked.slug, *asked.named}
    files = table_files(asked.tables, named)
    tables_digest, subject_digest = tables_digest_of(files), digest_of(folder_of(asked.slug))
    tell(LOADS)
    regions, broken = _regions(asked.slug, named)
    if regions is None:
        results = (Result(LOADS, (broken,), 1), *_unlooked(asked.level, "适配器加载后才能检查"))
        return Found(results, tables_digest, subject_digest)
    region = regions[asked.slug]
    loads = Result(LOADS, tried=1)
    tell(TABLES_LOAD)
    _, faults = tables_.well_formed(files)
    if faults:
        breaches = tuple(
            Breach(
                fault.text,
                "请在这一行改正；每处错误的说明写明了改法",
                path=f"mappings/{fault.path}:{fault.line}",
            )
            for fault in faults
        )
        left = _unlooked(asked.level, "规则表改正后才能检查", but=TABLES_LOAD)
        results = (loads, Result(TABLES_LOAD, breaches, len(files)), *left)
        return Found(results, tables_digest, subject_digest, region.name)
    tables = tables_.tables_of(files, asked.calendar_until, where=str(asked.tables))
    try:
        maps = compile_maps(regions, tables)
    except Exception as error:  # noqa: BLE001 - whatever a map asks for that is not there
        results = (
            Result(LOADS, (_unloaded(error, asked.slug),), 1),
            *_unlooked(asked.level, "适配器加载后才能检查"),
        )
        return Found(results, tables_digest, subject_digest, region.name)
    subject = Subject(region, regions, tables, maps, folder_of(asked.slug), asked.seed, asked.rounds, files)
    rules = [rule for rule in RULES if not asked.only or rule.law.id in asked.only]
    results = (loads, Result(TABLES_LOAD, tried=len(files)), *judge(subject, rules, asked.level, tell))
    return Found(_in_order(results), tables_digest, subject_digest, region.name)


def _regions(slug: str, named: Collection[str]) -> tuple[Mapping[str, Region] | None, Breach]:
    nothing = Breach("", "")
    try:
        return discover(named), nothing
    except CannotStart as error:
        return None, Breach(str(error), "请按提示补上", path=f"adapters/{slug}/__init__.py")
    except Exception as error:  # noqa: BLE001 - an adapter may fail in any way while it is imported
        return None, _unloaded(error, slug)


def _unloaded(error: Exception, slug: str) -> Breach:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "adapters/" in f.filename]
    place = f"adapters/{slug}"
    if isinstance(error, SyntaxError) and error.filename and "adapters/" in error.filename:
        place = f"adapters/{error.filename.rpartition('adapters/')[2]}:{error.lineno}"
    elif frames:
        place = f"adapters/{frames[-1].filename.rpartition('adapters/')[2]}:{frames[-1].lineno}"
    return Breach(
        f"加载适配器时出错：{type(error).__name__}（{error}）",
        f"请改正 {place}：导入适配器只声明内容，不做任何事",
        path=place,
    )


def _unlooked(level: Level, reason: str, but: Law = LOADS) -> tuple[Result, ...]:
    """All other laws, not checked."""
    laws = [TABLES_LOAD, *(rule.law for rule in RULES)]
    return tuple(Result(law, skipped=reason) for law in laws if level.includes(law.level) and law is not but)


def _in_order(results: tuple[Result, ...]) -> tuple[Result, ...]:
    return tuple(sorted(results, key=lambda result: (list(Level).index(result.law.level), result.law.id)))
