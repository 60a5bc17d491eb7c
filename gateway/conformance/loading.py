"""From a slug to a subject; what cannot be loaded is a broken law too, with file and line."""

from __future__ import annotations

import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.conformance.judge import below, judge
from gateway.conformance.law import Breach, Level, Result
from gateway.conformance.laws.catalogue import LOADS, RULES, TABLES_LOAD
from gateway.conformance.laws.rulebook import CannotTell
from gateway.conformance.published import Schema
from gateway.conformance.subject import BadFile, Subject, digest_of, folder_of, table_at, where_of
from gateway.errors import CannotStart
from gateway.exchange.translate import compile_maps
from gateway.mapping import load as tables_
from gateway.mapping.release import digest_of as tables_digest_of
from gateway.regions import PACKAGE, discover, sources, table_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from gateway.conformance.law import Law
    from gateway.mapping.sheet import Fault


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


class _Stopped(Exception):  # noqa: N818 - nothing can be looked at
    """One of the first two laws is broken: there is no subject."""

    def __init__(self, law: Law, *breaches: Breach, name: str = "") -> None:
        super().__init__(law.id)
        self.law, self.breaches, self.name = law, breaches, name


def check(asked: Asked, tell: Callable[[Law], None] = lambda _: None) -> Found:
    """Check a region. Errors: `NoSuchRegion`, `CannotStart` when the folder of tables cannot be read."""
    if asked.slug not in sources():
        raise NoSuchRegion(asked.slug)
    files = table_files(asked.tables, {asked.slug, *asked.named})
    digests = tables_digest_of(files), digest_of(folder_of(asked.slug))
    try:
        subject = _subject(asked, files, tell)
    except _Stopped as stopped:
        told = Result(stopped.law, stopped.breaches, 1)
        return Found(_in_order((told, *_unlooked(asked.level, stopped.law))), *digests, stopped.name)
    rules = [rule for rule in RULES if not asked.only or rule.law.id in asked.only]
    first = (Result(LOADS, tried=1), Result(TABLES_LOAD, tried=len(files)))
    results = (*first, *judge(subject, rules, asked.level, tell))
    return Found(_in_order(results), *digests, subject.region.name)


def _subject(asked: Asked, files: Mapping[str, bytes], tell: Callable[[Law], None]) -> Subject:
    """What the other laws look at. Errors: `_Stopped`."""
    slug = asked.slug
    tell(LOADS)
    try:
        regions = discover({slug, *asked.named})
    except CannotStart as error:
        place = f"{where_of(slug)}/__init__.py"
        raise _Stopped(LOADS, Breach(str(error), f"请按提示改正，多在 {place}", path=place)) from error
    except Exception as error:
        raise _Stopped(LOADS, _unloaded(error, slug)) from error
    name = regions[slug].name
    tell(TABLES_LOAD)
    _, faults = tables_.well_formed(files)
    if faults:
        raise _Stopped(TABLES_LOAD, *(_wrong_row(fault, slug) for fault in faults), name=name)
    tables = tables_.tables_of(files, asked.calendar_until, where=str(asked.tables))
    try:
        maps = compile_maps(regions, tables)
    except Exception as error:
        raise _Stopped(LOADS, _unloaded(error, slug), name=name) from error
    subject = Subject(regions[slug], regions, tables, maps, folder_of(slug), asked.seed, asked.rounds, files)
    unread = _unread(subject)
    if unread:
        raise _Stopped(LOADS, unread, name=name)
    return subject


def _wrong_row(fault: Fault, slug: str) -> Breach:
    where = where_of(slug) if fault.path.startswith(f"codes/{slug}/") else PACKAGE + "/"
    place = f"{table_at(where, fault.path)}:{fault.line}"
    return Breach(fault.text, f"请在 {place} 按说明改正", path=place)


def _unloaded(error: Exception, slug: str) -> Breach:
    where = where_of(slug)
    lines = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        lines.append((error.filename or "", error.lineno))
    # the adapter's own files first; another region's may be what fails
    found = [
        place for root in (f"{PACKAGE}/", f"{where}/") for line in lines if (place := below(root, *line))
    ]
    if isinstance(error, KeyError) and not any(place.startswith(f"{where}/") for place in found):
        return _unknown_list(error, slug)
    place = found[-1] if found else where
    return Breach(
        f"加载适配器时出错：{type(error).__name__}（{error}）",
        f"请改正 {place}：导入适配器只声明内容，不做任何事",
        path=place,
    )


def _unknown_list(error: KeyError, slug: str) -> Breach:
    """A map is compiled with the tables: what it asks of them and nobody knows is a code list."""
    name, place = str(error.args[0]), f"{where_of(slug)}/maps"
    maps = folder_of(slug) / "maps"
    for file in sorted(maps.iterdir(), key=lambda one: one.name) if maps.is_dir() else ():
        if not file.name.endswith(".py"):
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if f'("{name}"' in line:
                place = f"{where_of(slug)}/maps/{file.name}:{number}"
    return Breach(
        f"对应表用到的码表“{name}”不在公共码表之中",
        f"请在 {place} 改用 mappings/canonical 中已有的码表",
        path=place,
    )


def _unread(subject: Subject) -> Breach | None:
    """The first file of the adapter that cannot be read at all."""
    try:
        _ = subject.lines, subject.examples
        with suppress(CannotTell):
            Schema.of(subject)
    except BadFile as error:
        place = f"{subject.where}/{error.name}"
        return Breach(
            f"{error.name} 读不懂：{type(error.cause).__name__}（{error.cause}）",
            f"请改正 {place} 的格式（引号、逗号、列名或标签）",
            path=place,
        )
    return None


def _unlooked(level: Level, but: Law) -> tuple[Result, ...]:
    """All other laws, not checked."""
    laws = [LOADS, TABLES_LOAD, *(rule.law for rule in RULES)]
    reason = f"{but.id} 满足后才能检查"
    return tuple(Result(law, skipped=reason) for law in laws if level.includes(law.level) and law is not but)


def _in_order(results: tuple[Result, ...]) -> tuple[Result, ...]:
    return tuple(sorted(results, key=lambda result: (list(Level).index(result.law.level), result.law.id)))
