"""Small tables as files: a workbook, or text that spreadsheets read. No person is in them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import xlsxwriter
from starlette.responses import Response

from gateway.canonical.kinds import State
from gateway.dashboard.texts import N_
from gateway.dashboard.views.indicators import INDICATORS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gateway.dashboard.views.indicators import Ranked
    from gateway.store.performance_cases import Listed

MEDIA: Mapping[str, str] = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
#: What a spreadsheet would take for a formula.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_WIDE, _NARROW, _WIDEST = 34, 13, 90

__all__ = ["MEDIA", "Sheet", "answer", "cases", "definitions", "head", "rows", "urlencode", "written"]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its name, one line above it, the head, the rows; a float below 1 … is a number, no percent sign."""

    name: str
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Any]]
    #: index of columns that are shares
    shares: frozenset[int] = frozenset()


def written(form: str, sheets: Sequence[Sheet]) -> bytes:
    """The bytes of a file: all sheets as ``xlsx``, the first as ``csv``."""
    return _workbook(sheets) if form == "xlsx" else _text(sheets[0])


def answer(form: str, content: bytes, name: str) -> Response:
    """A file to be kept, not shown."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"'}
    return Response(content, media_type=MEDIA[form], headers=headers)


def _workbook(sheets: Sequence[Sheet]) -> bytes:
    made = BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True, "bg_color": "#EAF0F7", "bottom": 1, "text_wrap": True})
        day, share, plain = (
            book.add_format({"num_format": each}) for each in ("yyyy-mm-dd", "0.0%", "#,##0.##")
        )
        for sheet in sheets:
            page = book.add_worksheet(sheet.name[:31])
            page.write_string(0, 0, sheet.title)
            page.write_row(1, 0, sheet.head, bold)
            page.freeze_panes(2, 1)
            page.set_column(0, 0, _WIDE)
            page.set_column(1, max(1, len(sheet.head) - 1), _NARROW if len(sheet.head) > 3 else _WIDEST)
            for at, row in enumerate(sheet.rows, start=2):
                for column, value in enumerate(row):
                    if isinstance(value, date):
                        page.write_datetime(at, column, value, day)
                    elif isinstance(value, int | float):
                        page.write_number(at, column, value, share if column in sheet.shares else plain)
                    elif value is not None:
                        page.write_string(at, column, str(value))
    return made.getvalue()


def _text(sheet: Sheet) -> bytes:
    made = StringIO()
    out = csv.writer(made, lineterminator="\r\n")
    out.writerow(sheet.head)
    out.writerows([_safe(value) for value in row] for row in sheet.rows)
    # with a mark, so that Excel reads it as UTF-8
    return made.getvalue().encode("utf-8-sig")


def _safe(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, str) and value.startswith(_FORMULAS):
        return f"'{value}"
    return value


# -- tables of this dashboard ---------------------------------------------------------------------------


def head(say: Callable[[str], str]) -> list[str]:
    """Columns of the indicators, each with its sample."""
    names: list[str] = [say("名次")]
    for each in INDICATORS:
        names += [say(each.name), f"{say(each.name)}·{say('样本')}"]
    return [*names, say("映射滞留平均小时"), say("差评整改平均天数")]


def rows(lines: Sequence[Ranked]) -> list[list[Any]]:
    """Lines of the ranking under `head`."""
    return [[line.name, line.place, *_figures(line)] for line in lines]


def _figures(line: Ranked) -> list[float | int | None]:
    counts = line.counts
    found: list[float | int | None] = []
    for each in INDICATORS:
        found += [each.value(counts), each.sample(counts)]
    waited = counts.parked_s / counts.reworked / 3600 if counts.reworked else None
    return [*found, waited, counts.closed_days / counts.closed if counts.closed else None]


#: Columns of `head` that are shares, behind the name and the place.
SHARES = frozenset(2 + 2 * index for index, each in enumerate(INDICATORS) if each.unit == "percent")


def definitions(say: Callable[[str], str]) -> Sheet:
    """What each indicator is."""
    return Sheet(
        say("指标定义"),
        say("指标定义"),
        [say("指标"), say("定义")],
        [[say(each.name), say(each.definition)] for each in INDICATORS],
    )


_CASE_HEAD = (
    *(N_("办件编号"), N_("当前状态"), N_("事项"), N_("收件地"), N_("办理地"), N_("收件日"), N_("到期日")),
    *(N_("办结日"), N_("工作日"), N_("补正次数"), N_("滞留次数"), N_("评价级别"), N_("评价日"), N_("整改日")),
)


def cases(
    say: Callable[[str], str],
    title: str,
    listed: Sequence[Listed],
    place: Callable[[str], str],
    items: Mapping[str, str],
) -> Sheet:
    """A list of cases."""
    return Sheet(
        say("办件"),
        title,
        [say(each) for each in _CASE_HEAD],
        [
            [
                *(each.case_no, say(State(each.state).label), items.get(each.item, each.item)),
                *(place(each.origin_division), place(each.target_division)),
                *(each.received_on, each.due_on, each.ended_on, each.workdays),
                *(each.supplements, each.parks, each.grade, each.rated_on, each.bad_closed_on),
            ]
            for each in listed
        ],
    )
