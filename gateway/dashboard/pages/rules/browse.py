"""``/ops/rules/tables``: every table of a release, row by row; a code list as side, shared meaning, other side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from gateway.dashboard.desk import Desk, Refused, needs
from gateway.dashboard.rendering import region_name
from gateway.dashboard.texts import N_
from gateway.dashboard.views.rulebook import COLUMNS, SHOWN, list_names, registry, volume
from gateway.mapping.columns import explanation, part_of
from gateway.mapping.layout import brought

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from gateway.dashboard.views.rulebook import Volume
    from gateway.mapping.sheet import Line, Sheet

router = APIRouter(prefix="/rules")

_PAGE = 100
CALENDAR = "calendar"
#: Parts of the layout in the order of the menu; their tables follow.
PARTS: Mapping[str, str] = {
    "codes": N_("代码表"),
    "recognition": N_("互认规则"),
    "items": N_("事项与时限"),
    "guides": N_("办事指南"),
    "places": N_("区划与机构"),
    CALENDAR: N_("工作日历"),
}
#: Single tables by their name.
TABLES: Mapping[str, str] = {
    "items/catalogue.csv": N_("事项清单（承诺时限、材料）"),
    "items/legs.csv": N_("分段时限"),
    "guides/equivalences.csv": N_("等效声明"),
    "places/divisions.csv": N_("行政区划"),
    "places/agencies.csv": N_("经办机构"),
    "recognition/materials.csv": N_("材料互认"),
    "recognition/results.csv": N_("结果互认"),
    "recognition/settlement.csv": N_("基金结算"),
}
#: Long texts stand behind what is looked for, in this order.
LAST = (
    "kind",
    "mode",
    "materials",
    "schemes",
    "applicants",
    "flow",
    "conditions",
    "fee",
    "result",
    "basis",
    "note",
    "mark",
)
KINDS: Mapping[str, str] = {"material": N_("材料"), "result": N_("互认结果"), "settlement": N_("基金结算")}


@dataclass(frozen=True, slots=True)
class WordRow:
    """One shared meaning with both sides' rows for it."""

    key: str
    meaning: str
    note: str
    sides: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A table in the menu."""

    word: str
    name: str
    rows: int


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked at: a table of a set, the words looked for, and from which row on."""

    set_: str
    table: str
    q: str
    pair: str
    after: int


@router.get("/tables")
async def tables(
    desk: Annotated[Desk, needs("look")],
    set_: Annotated[str, Query(alias="set", max_length=64)] = "active",
    table: Annotated[str, Query(max_length=80)] = "codes/material",
    q: Annotated[str, Query(max_length=60)] = "",
    after: Annotated[int, Query(ge=0)] = 0,
    pair: Annotated[str, Query(max_length=32)] = "",
) -> Response:
    """One table: its rows after a place, those that hold the words looked for."""
    found = await volume(desk, set_)
    if found is None:
        raise Refused(404, desk.say("没有这个版本，请从版本列表进入"))
    asked = Asked(set_, table, q.strip(), pair, after)
    shared = await _shared(desk, found, asked)
    if table == CALENDAR:
        return desk.page(
            "rules/calendar.html", years=_years(desk), calendar=desk.rt.tables.calendar, **shared
        )
    folder, _, name = table.partition("/")
    if folder == "codes" and name in found.sheets.hubs:
        rows = [row for row in _words(found, name, tuple(desk.rt.regions)) if _holds_word(row, asked.q)]
        return desk.page("rules/words.html", **_paged(rows, after), **shared)
    sheet = _sheet(found, table)
    if sheet is None:
        raise Refused(404, desk.say("这个版本没有这张表，请从左侧列表选择"))
    return desk.page("rules/table.html", **_plain(found, sheet, asked), **shared)


def _plain(found: Volume, sheet: Sheet, asked: Asked) -> dict[str, Any]:
    """A table as it is written, with names for its keys."""
    lines = [
        line
        for line in sheet
        if _holds(line, asked.q) and asked.pair in {"", line.cells.get("issued_by", asked.pair)}
    ]
    columns = [(each, COLUMNS.get(each, each), explanation(sheet.path, each)) for each in _columns(sheet)]
    return {
        "columns": columns,
        "meanings": _meanings(found),
        "kinds": KINDS,
        "is_pairwise": part_of(sheet.path) == "recognition",
        **_paged(lines, asked.after),
    }


async def _shared(desk: Desk, found: Volume, asked: Asked) -> dict[str, Any]:
    """What every table's page shows around it."""
    menu, table = _menu(desk, found), asked.table
    return {
        "menu": menu,
        "part_names": PARTS,
        "table": table,
        "table_name": next(
            (each.name for part in menu.values() for each in part if each.word == table), table
        ),
        "q": asked.q,
        "pair": asked.pair,
        "set": asked.set_,
        "volume": found,
        "heads": await registry(desk).sets.heads(SHOWN),
        "address": _addresses(asked),
        "today": registry(desk).today,
        "sides": tuple(desk.rt.regions),
    }


def _meanings(found: Volume) -> dict[str, str]:
    """Keys of the shared lists that other tables name, with what they mean."""
    return {
        line["key"]: line["meaning"]
        for hub in ("material", "result", "settlement", "scheme", "applicant_type")
        if hub in found.sheets.hubs
        for line in found.sheets.hubs[hub]
    }


def _menu(desk: Desk, found: Volume) -> dict[str, list[Entry]]:
    sheets, names = found.sheets, list_names()
    code_lists = [
        Entry(f"codes/{hub}", desk.say(names.get(hub, hub)), len(sheet.lines))
        for hub, sheet in sheets.hubs.items()
    ]
    menu = {part: list[Entry]() for part in PARTS} | {"codes": code_lists}
    for sheet in _others(found):
        part = brought(sheet.path) or sheet.path.partition("/")[0]
        if part in menu and sheet.lines:
            menu[part].append(Entry(sheet.path, _name(desk, sheet.path), len(sheet.lines)))
    menu[CALENDAR] = [Entry(CALENDAR, desk.say("法定节假日与调休"), len(_years(desk)))]
    return menu


def _name(desk: Desk, path: str) -> str:
    if path in TABLES:
        return desk.say(TABLES[path])
    part, _, rest = path.removesuffix(".csv").partition("/")
    slug = rest.rpartition("/")[2]
    if brought(path):
        part, slug = brought(path), rest.partition("/")[0]
    region = region_name(desk.rt, desk.language, slug)
    if part == "recognition":
        return desk.say("%(region)s的互认规则", region=region)
    if rest.startswith("agencies/"):
        return desk.say("%(region)s各级机构的版本", region=region)
    if part == "items":
        return desk.say("%(region)s事项编码与名称", region=region)
    return desk.say("%(region)s办事指南", region=region) if part == "guides" else region


def _others(found: Volume) -> Iterable[Sheet]:
    sheets = found.sheets
    yield from sheets.recognition
    yield from (sheets.catalogue, sheets.legs, *sheets.item_words.values())
    yield from (*sheets.guides.values(), *sheets.agency_guides.values(), sheets.equivalences)
    yield from (sheets.divisions, sheets.agencies)


def _sheet(found: Volume, path: str) -> Sheet | None:
    return next((sheet for sheet in _others(found) if sheet.path == path), None)


def _columns(sheet: Sheet) -> Sequence[str]:
    """Those that hold anything at all; what the column before shows too is left out."""
    if not sheet.lines:
        return ()
    there = {column: {line[column] for line in sheet} for column in sheet.lines[0].cells}
    shown = {"accepted_by"} if "issued_by" in there else set()
    shown |= {column for column in there if column.endswith("_unit")}
    if part_of(sheet.path) in {"catalogue", "guides"}:
        shown |= {"name", "no", "provenance", "form"}
    if len(there.get("subject_kind", ())) == 1:
        shown.add("subject_kind")
    held = [column for column, words in there.items() if words != {""} and column not in shown]
    return sorted(held, key=lambda column: LAST.index(column) if column in LAST else -1)


def _words(found: Volume, name: str, regions: tuple[str, ...]) -> Iterable[WordRow]:
    codes = [found.sheets.codes.get((region, name)) for region in regions]
    for line in found.sheets.hubs[name]:
        of_side = tuple(
            tuple(row for row in sheet if row["key"] == line["key"]) if sheet else () for sheet in codes
        )
        yield WordRow(line["key"], line["meaning"], line["note"], of_side)


def _holds(line: Line, q: str) -> bool:
    return not q or any(q.casefold() in cell.casefold() for cell in line.cells.values())


def _holds_word(row: WordRow, q: str) -> bool:
    own = (row.key, row.meaning, row.note)
    said = any(q.casefold() in cell.casefold() for cell in own)
    return not q or said or any(_holds(line, q) for side in row.sides for line in side)


def _paged(rows: Sequence[object], after: int) -> dict[str, Any]:
    return {
        "rows": rows[after : after + _PAGE],
        "total": len(rows),
        "first": after + 1,
        "previous": max(0, after - _PAGE) if after else None,
        "next": after + _PAGE if after + _PAGE < len(rows) else None,
    }


def _addresses(asked: Asked) -> str:
    """The page's own address without a place, for its links."""
    known = {"set": asked.set_, "table": asked.table, "q": asked.q, "pair": asked.pair}
    return "/ops/rules/tables?" + urlencode({name: value for name, value in known.items() if value})


def _years(desk: Desk) -> Mapping[int, tuple[list[date], list[date]]]:
    """Year → days off that would be working days, working days that would be off; newest first."""
    calendar = desk.rt.tables.calendar
    years = sorted({day.year for day in calendar.off if day.year <= calendar.published_until}, reverse=True)
    return {
        year: (
            sorted(day for day in calendar.off if day.year == year and day.weekday() < 5),
            sorted(day for day in calendar.makeup if day.year == year),
        )
        for year in years[:6]
    }
