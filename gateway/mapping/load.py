"""Reads the tables folder once at start-up: the one file reader of the rules."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from chinese_calendar.constants import holidays, workdays

from gateway.canonical.worktime import WorkCalendar
from gateway.errors import CannotStart
from gateway.mapping.codelist import code_list, hub_list
from gateway.mapping.items import items
from gateway.mapping.layout import Sheets, sort_out
from gateway.mapping.lint import faults_of
from gateway.mapping.places import agencies, divisions
from gateway.mapping.recognition import rules
from gateway.mapping.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.mapping.sheet import Fault

#: The tables that come with the product.
PACKAGED = Path(__file__).resolve().parents[2] / "mappings"


def load_tables(directory: Path, calendar_until: int | None) -> Tables:
    """All tables of a folder, linted, with the working calendar.

    ``calendar_until`` is the last year whose calendar counts as published; None = that of the
    packaged calendar. Errors: `CannotStart` with every fault as ``file:line: sentence``.
    """
    calendar = work_calendar(calendar_until)
    files = _files(directory)
    sheets, faults = inspect(files)
    if faults or sheets is None:
        listed = "\n".join(f"  {directory / fault.path}:{fault.line}: {fault.text}" for fault in faults)
        raise CannotStart(f"规则表有 {len(faults)} 处错误，改正后再启动：\n{listed}")
    return _tables(sheets, digest=digest_of(files), calendar=calendar)


def inspect(files: Mapping[str, bytes]) -> tuple[Sheets | None, list[Fault]]:
    """The sheets and every fault of them, by file and line."""
    sheets, faults = sort_out(files)
    if sheets is not None:
        faults += faults_of(sheets)
    return sheets, sorted(faults)


def digest_of(files: Mapping[str, bytes]) -> str:
    """Hex SHA-256 over name, length and bytes of every file, in the order of the names."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def work_calendar(until: int | None) -> WorkCalendar:
    """The packaged calendar of State Council notices, counted as published up to ``until``."""
    last = max(holidays).year
    if until is not None and until > last:
        raise CannotStart(
            f"calendar_until = {until}，但内置的工作日历只到 {last} 年：请改为 {last} 或升级日历"
        )
    return WorkCalendar(
        published_until=last if until is None else until,
        off=frozenset(holidays),
        makeup=frozenset(workdays),
    )


def _files(directory: Path) -> dict[str, bytes]:
    if not directory.is_dir():
        raise CannotStart(f"找不到规则表目录 {directory}：请检查 tables_dir")
    paths = sorted(directory.rglob("*.csv"))
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in paths}


def _tables(sheets: Sheets, *, digest: str, calendar: WorkCalendar) -> Tables:
    return Tables(
        digest=digest,
        regions=sheets.regions,
        hubs={name: hub_list(name, sheet) for name, sheet in sheets.hubs.items()},
        lists={
            (region, name): code_list(region, name, sheet) for (region, name), sheet in sheets.codes.items()
        },
        divisions=divisions(sheets.divisions),
        agencies=agencies(sheets.agencies),
        items=items(sheets.catalogue, sheets.item_words),
        rules=rules(sheets.recognition),
        calendar=calendar,
    )
