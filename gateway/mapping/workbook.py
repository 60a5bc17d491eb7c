"""A set of tables as one .xlsx workbook for people who live in spreadsheets, and back without loss."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.hyperlink import Hyperlink

from gateway.mapping.columns import Choice, choice, explanation
from gateway.mapping.layout import sort_out
from gateway.mapping.sheet import cells_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from openpyxl.worksheet.worksheet import Worksheet

    from gateway.mapping.layout import Sheets

#: The sheet that says which sheet is which table, and the one that holds the words to choose from.
CONTENTS, WORDS = "目录", "选项"
_CONTENTS_HEAD = ("工作表", "规则表文件", "行数")
#: Packed and unpacked; a workbook of all tables has 0.3 and 4 MB.
_MOST_BYTES, _MOST_UNPACKED = 32 * 1024 * 1024, 256 * 1024 * 1024
#: Rows below the last one that have drop-downs for new entries.
_SPARE_ROWS = 200
_LONGEST_TITLE = 31
_AS_TEXT = "@"
_HEAD_FONT, _HEAD_FILL = Font(bold=True), PatternFill("solid", fgColor="DDE6F0")


class BadWorkbook(ValueError):  # noqa: N818 - a word of the field
    """A workbook that is no set of tables; ``faults`` name sheet and cell."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


def canonical_csv(rows: Sequence[Sequence[str]]) -> bytes:
    """The one way a table is written: UTF-8, commas, LF, quotes only where needed (RFC 4180)."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def rewritten(files: Mapping[str, bytes]) -> list[str]:
    """The files whose bytes (never their cells) a workbook would not give back: unusual quotes or endings."""
    return [name for name, content in sorted(files.items()) if canonical_csv(cells_of(content)) != content]


# --- out -------------------------------------------------------------------------------------------


def to_workbook(files: Mapping[str, bytes]) -> bytes:
    """One sheet per table: header with comments, text cells, drop-downs. The set has no lint faults."""
    sheets, faults = sort_out(files)
    if sheets is None:
        raise BadWorkbook([str(fault) for fault in faults])
    book = Workbook()
    contents = book.active
    assert contents is not None  # noqa: S101 - a new workbook has one
    contents.title = CONTENTS
    words = _Words(book.create_sheet(WORDS))
    listed: list[tuple[str, ...]] = [_CONTENTS_HEAD]
    titles: set[str] = set()
    for name, content in sorted(files.items()):
        rows = cells_of(content)
        title = _title(name, titles)
        titles.add(title)
        _fill(book.create_sheet(title), name, rows, sheets=sheets, words=words)
        listed.append((title, name, str(len(rows) - 1)))
    _write(contents, listed)
    _widths(contents, listed)
    for row, (title, *_) in enumerate(listed[1:], start=2):
        contents.cell(row, 1).hyperlink = Hyperlink(ref="", location=f"{quote_sheetname(title)}!A1")
    words.sheet.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _title(name: str, taken: set[str]) -> str:
    """A sheet title: at most 31 characters, without ``/``, each once whatever the letter case."""
    whole = name.removesuffix(".csv").replace("/", ".")
    title, number = whole[:_LONGEST_TITLE], 1
    lowered = {each.casefold() for each in taken}
    while title.casefold() in lowered:
        number += 1
        title = f"{whole[: _LONGEST_TITLE - 4]}~{number}"
    return title


def _fill(
    sheet: Worksheet, name: str, rows: Sequence[Sequence[str]], *, sheets: Sheets, words: _Words
) -> None:
    _write(sheet, rows)
    _widths(sheet, rows)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(rows[0]))}{max(len(rows), 2)}"
    last = len(rows) + _SPARE_ROWS
    for number, column in enumerate(rows[0], start=1):
        head = sheet.cell(1, number)
        head.font, head.fill = _HEAD_FONT, _HEAD_FILL
        said = explanation(name, column)
        if said:
            head.comment = Comment(said, "通办", width=320, height=120)
        # Cells nobody has filled yet take the format of their column.
        sheet.column_dimensions[get_column_letter(number)].number_format = _AS_TEXT
        chosen = choice(name, column, sheets)
        if chosen:
            _offer(sheet, words.range_of(chosen.words), chosen, where=(number, last))


def _write(sheet: Worksheet, rows: Sequence[Sequence[str]]) -> None:
    for number, cells in enumerate(rows, start=1):
        for column, text in enumerate(cells, start=1):
            if not text:
                continue
            cell = sheet.cell(number, column)
            cell.value = text
            # Always text: codes keep their zeros, and a note that begins with = is no formula.
            cell.data_type = "s"
            cell.number_format = _AS_TEXT
            if "\n" in text:
                cell.alignment = Alignment(wrap_text=True)


def _widths(sheet: Worksheet, rows: Sequence[Sequence[str]]) -> None:
    for number, column in enumerate(zip(*rows, strict=True), start=1):
        longest = max(sum(1 + (ord(sign) > 0x2E80) for sign in text) for text in column[:200])
        sheet.column_dimensions[get_column_letter(number)].width = min(max(longest + 2, 8), 60)


def _offer(sheet: Worksheet, words: str, chosen: Choice, *, where: tuple[int, int]) -> None:
    column, last = where
    offered = DataValidation(type="list", formula1=words, allow_blank=True)
    offered.showErrorMessage = not chosen.several
    offered.errorTitle = "不在可选范围内"
    offered.error = "请从下拉列表中选择；新的取值先在公共代码、事项清单中登记"
    if chosen.several:
        offered.showInputMessage = True
        offered.promptTitle, offered.prompt = "可多选", "多个值用 | 连接"
    letter = get_column_letter(column)
    offered.add(f"{letter}2:{letter}{last}")
    sheet.add_data_validation(offered)


class _Words:
    """The hidden sheet of words to choose from: a column for each different list."""

    def __init__(self, sheet: Worksheet) -> None:
        self.sheet = sheet
        self._columns: dict[tuple[str, ...], int] = {}

    def range_of(self, words: tuple[str, ...]) -> str:
        column = self._columns.get(words)
        if column is None:
            column = self._columns[words] = len(self._columns) + 1
            for row, word in enumerate(words, start=1):
                cell = self.sheet.cell(row, column)
                cell.value, cell.data_type, cell.number_format = word, "s", _AS_TEXT
        letter = get_column_letter(column)
        return f"{quote_sheetname(WORDS)}!${letter}$1:${letter}${len(words)}"


# --- back ------------------------------------------------------------------------------------------


def from_workbook(content: bytes) -> dict[str, bytes]:
    """The tables of a workbook, not linted yet. Errors: `BadWorkbook` with every cell that is no text."""
    if len(content) > _MOST_BYTES:
        raise BadWorkbook([f"文件超过 {_MOST_BYTES // 1024 // 1024} MB"])
    try:
        _within_measure(content)
        book = load_workbook(io.BytesIO(content))
    except BadWorkbook:
        raise
    except (InvalidFileException, BadZipFile, KeyError, ValueError, TypeError, OSError, EOFError) as error:
        raise BadWorkbook(["不是可读取的 .xlsx 工作簿：请用电子表格软件另存为 .xlsx"]) from error
    faults: list[str] = []
    files: dict[str, bytes] = {}
    for title, name in _listed(book, faults):
        if name in files:
            faults.append(f"{CONTENTS}: 文件 {name} 出现两次")
        files[name] = canonical_csv(_rows(book[title], faults))
    if faults:
        raise BadWorkbook(faults)
    return files


def _within_measure(content: bytes) -> None:
    with ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > _MOST_UNPACKED:
            raise BadWorkbook([f"展开后超过 {_MOST_UNPACKED // 1024 // 1024} MB"])


def _listed(book: Workbook, faults: list[str]) -> Iterator[tuple[str, str]]:
    """Sheet title and file name of every table the contents name; strangers are faults."""
    if CONTENTS not in book.sheetnames:
        faults.append(f"缺少工作表 {CONTENTS}：请从导出的工作簿修改，不要删除它")
        return
    known = {CONTENTS, WORDS}
    for number, cells in enumerate(book[CONTENTS].iter_rows(min_row=2, values_only=True), start=2):
        title, name = (*map(_plain, cells[:2]), "", "")[:2]
        if not title and not name:
            continue
        known.add(title)
        if title not in book.sheetnames:
            faults.append(f"{CONTENTS}!A{number}: 没有名为 {title} 的工作表")
        elif not name:
            faults.append(f"{CONTENTS}!B{number}: 缺少规则表文件名")
        else:
            yield title, name
    strangers = [title for title in book.sheetnames if title not in known]
    faults.extend(f"{title}: 这个工作表不在 {CONTENTS} 中：请登记，或移走" for title in strangers)


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def _rows(sheet: Worksheet, faults: list[str]) -> list[list[str]]:
    """The cells as text, as wide as the header; rows without any text are left out."""
    rows = [[_text(cell, faults) for cell in row] for row in sheet.iter_rows()]
    head = rows[0] if rows else []
    while head and not head[-1]:
        head.pop()
    kept = [head]
    for number, row in enumerate(rows[1:], start=2):
        if any(row[len(head) :]):
            faults.append(f"{sheet.title}!{number}: 列名以外的列中有内容")
        if any(row):
            kept.append(row[: len(head)])
    return kept


def _text(cell: Any, faults: list[str]) -> str:
    """A cell's text. A day is written as ours; numbers and formulas are refused: they may have lost zeros."""
    value, where = cell.value, f"{cell.parent.title}!{cell.coordinate}"
    if value is None:
        return ""
    if cell.data_type == "f":
        faults.append(f"{where}: 是公式：请改为文本")
        return ""
    if isinstance(value, str):
        # Spreadsheets end lines within a cell by CR LF or LF; a table knows LF only.
        return value.replace("\r\n", "\n")
    if isinstance(value, datetime) and value.time() == datetime.min.time():
        return value.date().isoformat()
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    faults.append(f"{where}: 不是文本：请把单元格格式设为“文本”后重新输入（否则会丢失开头的 0）")
    return ""
