"""Writes a list of cases to a file while its person does something else: masked, step by step, in constant memory."""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import xlsxwriter

from gateway import log
from gateway.canonical.kinds import State
from gateway.canonical.worktime import BEIJING
from gateway.dashboard.texts import N_
from gateway.dashboard.views.case_lines import Lines, names_of
from gateway.store.case_list import CaseList
from gateway.store.exports import Exports

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gateway.dashboard.desk import Desk
    from gateway.dashboard.views.case_lines import Line
    from gateway.store.case_list import CaseLine, Wanted
    from gateway.store.exports import Export

#: Lines of a file: a person who needs more needs a report, not a list.
MOST = 100_000
#: Lines at a time: short enough that the door of the same process is not kept waiting.
STEP = 100
_REST_S = 0.01
#: Lines after which the progress is told, and bytes of a part.
_TOLD = 500
_PART = 256 * 1024

_HEADINGS = (
    (N_("通办编号"), 28),
    (N_("来源方编号"), 26),
    (N_("目的方编号"), 26),
    (N_("事项"), 34),
    (N_("申请人"), 8),
    (N_("来源方"), 10),
    (N_("来源区划"), 18),
    (N_("目的方"), 10),
    (N_("目的区划"), 18),
    (N_("状态"), 12),
    (N_("现在何处"), 16),
    (N_("收件时间"), 17),
    (N_("到期日"), 11),
    (N_("期限"), 20),
    (N_("滞留"), 16),
    (N_("滞留原因"), 40),
)

_log = log.get(__name__)
#: Under way in this process; kept here so that none is lost to the collector.
_running: set[asyncio.Task[None]] = set()


class _Writer(Protocol):
    """Takes rows, gives bytes as they come to be."""

    def add(self, rows: Iterable[Sequence[str]]) -> Iterator[bytes]: ...

    async def end(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


def start(desk: Desk, export: Export, wanted: Wanted) -> None:
    """Begin to write; the file is fetched from the store when it is done."""
    task = asyncio.create_task(_write(desk, export, wanted))
    _running.add(task)
    task.add_done_callback(_running.discard)


async def finished() -> None:
    """Wait for what is under way in this process."""
    await asyncio.gather(*_running, return_exceptions=True)


async def _write(desk: Desk, export: Export, wanted: Wanted) -> None:
    exports, clock = Exports(desk.rt.engine), desk.rt.clock
    state = "failed"
    try:
        state = "done" if await _write_parts(desk, export, wanted, exports) else "cancelled"
    except Exception as error:  # noqa: BLE001 - the person is told, and the log
        _log.warning("export_failed", export=str(export.id), cause=type(error).__name__)
    finally:
        await exports.end(export.id, state, clock.now())


async def _write_parts(desk: Desk, export: Export, wanted: Wanted, exports: Exports) -> bool:
    """False when it was given up on the way."""
    cases = CaseList(desk.rt.engine, desk.rt.vault, desk.rt.regions)
    expected = await cases.count(wanted, MOST)
    if expected is not None:
        await exports.expect(export.id, expected)
    maker, parts = Lines(desk, names_of(desk)), _Parts(exports, export)
    headings = [(desk.say(text), width) for text, width in _HEADINGS]
    writer: _Writer = _Csv(headings) if export.format == "csv" else _Workbook(headings, desk.say(N_("办件")))
    try:
        written = 0
        async for found in cases.walk(wanted, MOST, STEP):
            await parts.take(writer.add([_row(desk, maker, each) for each in found]))
            written += len(found)
            if written % _TOLD < STEP and not await exports.beat(export.id, written, desk.rt.clock.now()):
                return False
            await asyncio.sleep(_REST_S)
        if not await exports.beat(export.id, written, desk.rt.clock.now()):
            return False
        await parts.take(await writer.end(), last=True)
    finally:
        writer.close()
    return True


def _row(desk: Desk, maker: Lines, found: CaseLine) -> list[str]:
    line: Line = maker.line(found)
    cause = line.cause
    return [
        line.case_no,
        line.origin_no,
        line.target_no,
        line.item,
        line.applicant,
        line.origin,
        line.origin_place,
        line.target,
        line.target_place,
        desk.say(State(line.state).label),
        line.holder,
        line.received_at.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S"),
        line.due.on.isoformat() if line.due.on else "",
        line.due.words,
        cause.words if cause else "",
        f"{cause.code} {cause.text}".strip() if cause else "",
    ]


class _Parts:
    """Gathers bytes into parts of a size and puts them away."""

    def __init__(self, exports: Exports, export: Export) -> None:
        self._exports, self._id = exports, export.id
        self._held, self._n = bytearray(), 0

    async def take(self, pieces: Iterable[bytes], *, last: bool = False) -> None:
        for piece in pieces:
            self._held += piece
            if len(self._held) >= _PART:
                await self._put()
        if last and self._held:
            await self._put()

    async def _put(self) -> None:
        await self._exports.put(self._id, self._n, bytes(self._held))
        self._held.clear()
        self._n += 1


class _Csv:
    """UTF-8 with the mark by which Excel knows it; nothing in it is a formula."""

    def __init__(self, headings: Sequence[tuple[str, int]]) -> None:
        self._text = io.StringIO()
        self._text.write("\N{ZERO WIDTH NO-BREAK SPACE}")
        self._csv = csv.writer(self._text, lineterminator="\r\n")
        self._csv.writerow([text for text, _ in headings])

    def add(self, rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
        for row in rows:
            self._csv.writerow([harmless(value) for value in row])
        yield self._taken()

    async def end(self) -> Iterator[bytes]:
        return iter([self._taken()])

    def close(self) -> None:
        self._text.close()

    def _taken(self) -> bytes:
        written = self._text.getvalue().encode()
        self._text.seek(0)
        self._text.truncate()
        return written


def harmless(value: str) -> str:
    """A value no spreadsheet takes for a formula. Source: OWASP, CSV injection."""
    return f"'{value}" if value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


class _Workbook:
    """A workbook whose rows go to disk as they are written; every cell is text."""

    def __init__(self, headings: Sequence[tuple[str, int]], title: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tongban-export-")
        self._file = Path(self._folder.name) / "list.xlsx"
        self._book = xlsxwriter.Workbook(
            self._file, {"constant_memory": True, "tmpdir": self._folder.name, "in_memory": False}
        )
        self._sheet = self._book.add_worksheet(title)
        self._sheet.freeze_panes(1, 1)
        bold = self._book.add_format({"bold": True, "bg_color": "#EAF1FA", "bottom": 1})
        for column, (text, width) in enumerate(headings):
            self._sheet.set_column(column, column, width)
            self._sheet.write_string(0, column, text, bold)
        self._columns, self._rows = len(headings), 0
        self._closed = False

    def add(self, rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
        for row in rows:
            self._rows += 1
            for column, value in enumerate(row):
                if value:
                    self._sheet.write_string(self._rows, column, value)
        return iter(())

    async def end(self) -> Iterator[bytes]:
        self._sheet.autofilter(0, 0, max(self._rows, 1), self._columns - 1)
        self._closed = True
        await asyncio.to_thread(self._book.close)
        return self._pieces()

    def close(self) -> None:
        if not self._closed:
            self._book.close()
        self._folder.cleanup()

    def _pieces(self) -> Iterator[bytes]:
        with self._file.open("rb") as file:
            while piece := file.read(_PART):
                yield piece
