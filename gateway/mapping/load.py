"""Reads the tables folder once at start-up: the one file reader of the rules."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chinese_calendar.constants import holidays, workdays

from gateway.canonical.worktime import WorkCalendar
from gateway.errors import CannotStart
from gateway.mapping.alignment import opening_faults
from gateway.mapping.codelist import code_list, hub_list
from gateway.mapping.guides import guides
from gateway.mapping.items import items
from gateway.mapping.layout import Sheets, sort_out
from gateway.mapping.legs import legs
from gateway.mapping.lint import faults_of
from gateway.mapping.places import agencies, divisions
from gateway.mapping.recognition import rules
from gateway.mapping.release import digest_of
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
    return tables_of(files_of(directory), calendar_until, where=str(directory))


def tables_of(files: Mapping[str, bytes], calendar_until: int | None, *, where: str) -> Tables:
    """The same from files already read; ``where`` stands before their names in the faults."""
    calendar = work_calendar(calendar_until)
    sheets, faults = well_formed(files)
    if faults or sheets is None:
        listed = "\n".join(f"  {where.rstrip('/')}/{fault}" for fault in faults)
        raise CannotStart(f"规则表有 {len(faults)} 处错误，改正后再启动：\n{listed}")
    return _tables(sheets, digest=digest_of(files), calendar=calendar)


def inspect(files: Mapping[str, bytes]) -> tuple[Sheets | None, list[Fault]]:
    """The sheets and every fault of them, by file and line."""
    sheets, faults = well_formed(files)
    if sheets is not None and not faults:
        faults += opening_faults(sheets)
    return sheets, sorted(faults)


def well_formed(files: Mapping[str, bytes]) -> tuple[Sheets | None, list[Fault]]:
    """The same but for the law that no item is open while its guides disagree.

    That law is for those who release tables. A gateway that meets such a set keeps running: what may
    cross is said by the column ``open``, and an ended rule must not stop all the other items.
    """
    sheets, faults = sort_out(files)
    if sheets is not None:
        faults += faults_of(sheets)
    return sheets, sorted(faults)


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


def files_of(directory: Path) -> dict[str, bytes]:
    """Every table of a folder by its name below it, with ``/``. Errors: `CannotStart`."""
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
        guides=guides(sheets.guides, sheets.agency_guides, sheets.equivalences),
        legs=legs(sheets.legs),
    )
