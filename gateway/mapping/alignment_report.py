"""The alignment report as the three forms people ask for: rows of a table, JSON, a workbook."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook
from openpyxl.styles import Alignment as CellAlignment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from gateway.mapping.alignment import VERDICTS, Verdict
from gateway.mapping.guides import ELEMENTS, LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from openpyxl.worksheet.worksheet import Worksheet

    from gateway.mapping.alignment import Alignment, Comparison, Deviation, ItemAlignment

_HEAD_FONT, _HEAD_FILL = Font(bold=True), PatternFill("solid", fgColor="DDE6F0")
_FILLS = {
    Verdict.EQUIVALENT: PatternFill("solid", fgColor="FFF4CC"),
    Verdict.CONFLICT: PatternFill("solid", fgColor="F8D7DA"),
}
_WIDEST = 60


def as_json(report: Alignment) -> dict[str, Any]:
    """Shape: ``{on, regions, clean, items: [{item, name, open, lacking, elements}], deviations}``."""
    return {
        "on": report.on.isoformat(),
        "regions": list(report.regions),
        "clean": report.clean,
        "items": [_item(each) for each in report.items],
        "deviations": [_deviation(each) for each in report.deviations],
    }


def item_rows(report: Alignment) -> Iterator[tuple[str, ...]]:
    """One line an item: slug, name, open, counts of the verdicts, what is wrong."""
    for each in report.items:
        counts = [sum(c.verdict is verdict for c in each.comparisons) for verdict in Verdict]
        yield (each.item, each.name, "是" if each.open else "否", *map(str, counts), _troubles(each))


ITEM_HEAD = ("事项", "名称", "已开通", *VERDICTS.values(), "问题")


def element_rows(report: Alignment) -> Iterator[tuple[str, ...]]:
    """One line an element of an item, under `element_head`."""
    for item in report.items:
        for each in item.comparisons:
            yield _element_row(report, item, each)


def element_head(report: Alignment) -> tuple[str, ...]:
    """The columns of `element_rows`: one for every region's guide."""
    return ("事项", "名称", "要素", *report.regions, "结论", "规则", "依据")


def deviation_rows(report: Alignment) -> Iterator[tuple[str, ...]]:
    """One line an element of an agency's version that differs from its region's."""
    for each in report.deviations:
        level = LEVELS[each.level]
        yield (each.agency_name, level, each.item, ELEMENTS[each.element], each.expected, each.found)


DEVIATION_HEAD = ("机构", "层级", "事项", "要素", "本地区指南", "该机构版本")


def workbook(report: Alignment) -> bytes:
    """An .xlsx of three sheets: items, all elements with their grounds, and the agencies that differ."""
    book = Workbook()
    first = book.active
    assert first is not None  # noqa: S101 - a new workbook has one
    first.title = "事项"
    _fill(first, ITEM_HEAD, list(item_rows(report)))
    elements = book.create_sheet("要素对照")
    _fill(elements, element_head(report), list(element_rows(report)))
    compared = [each for item in report.items for each in item.comparisons]
    for number, each in enumerate(compared, start=2):
        if each.verdict in _FILLS:
            elements.cell(number, len(report.regions) + 4).fill = _FILLS[each.verdict]
    _fill(book.create_sheet("四级四同"), DEVIATION_HEAD, list(deviation_rows(report)))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _fill(sheet: Worksheet, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    for number, row in enumerate((head, *rows), start=1):
        for column, text in enumerate(row, start=1):
            cell = sheet.cell(number, column, text)
            cell.data_type = "s"  # never a formula, whatever a guide says
            cell.alignment = CellAlignment(vertical="top", wrap_text=True)
            if number == 1:
                cell.font, cell.fill = _HEAD_FONT, _HEAD_FILL
    for column, name in enumerate(head, start=1):
        longest = max((len(row[column - 1]) for row in rows), default=0)
        sheet.column_dimensions[get_column_letter(column)].width = min(
            _WIDEST, 2 * max(longest, len(name)) + 2
        )
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions


def _element_row(report: Alignment, item: ItemAlignment, each: Comparison) -> tuple[str, ...]:
    return (
        item.item,
        item.name,
        ELEMENTS[each.element],
        *(each.values.get(region, "") for region in report.regions),
        VERDICTS[each.verdict],
        " ".join(ground.rule for ground in each.grounds),
        "；".join(dict.fromkeys(ground.basis for ground in each.grounds)),
    )


def _troubles(each: ItemAlignment) -> str:
    if each.lacking:
        return f"{'、'.join(each.lacking)} 没有对应的指南"
    return "；".join(
        f"{ELEMENTS[c.element]}：{' ≠ '.join(f'{region} {value}' for region, value in c.values.items())}"
        for c in each.conflicts
    )


def _item(each: ItemAlignment) -> dict[str, Any]:
    return {
        "item": each.item,
        "name": each.name,
        "open": each.open,
        "lacking": list(each.lacking),
        "elements": [
            {
                "element": c.element,
                "name": ELEMENTS[c.element],
                "verdict": c.verdict.value,
                "values": dict(c.values),
                "grounds": [{"rule": ground.rule, "basis": ground.basis} for ground in c.grounds],
            }
            for c in each.comparisons
        ],
    }


def _deviation(each: Deviation) -> dict[str, str]:
    return {
        "region": each.region,
        "item": each.item,
        "level": each.level,
        "division": each.agency,
        "agency": each.agency_name,
        "element": each.element,
        "expected": each.expected,
        "found": each.found,
    }
