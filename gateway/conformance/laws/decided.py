"""The law over what a scaffold leaves open: nothing is still to be decided, in tables or in files."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from gateway.conformance.law import Breach
from gateway.conformance.laws.rulebook import holds
from gateway.conformance.subject import folder_of
from gateway.regions import package_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

    from gateway.conformance.laws.rulebook import Tally
    from gateway.conformance.subject import Subject

#: What stands in a cell, or before a sentence, that waits for a decision.
MARK = "待定"
#: The law's id, for those who show its breaches one by one.
UNDECIDED = "R-B21"
_SPOKEN = (".py", ".md", ".csv")
_REMEDIES = {
    "items": "逐行核对 base_code 与 name，改为本省的基本编码和事项名称，并删去 mark 中的“待定”",
    "divisions": "改为本省的行政区划（GB/T 2260），有起止的写上日期",
    "agencies": "改为本省的经办机构、统一社会信用代码和级别，并删去 mark 中的“待定”",
    "recognition": "只留下有依据的互认规则，basis 写文号；没有依据的删去整行",
}
_CODES = "逐行核对 native，改为接口文件中的代码（没有的代码删去整行），并删去 note 中的“待定”"


@holds(
    "B21",
    "没有待定的内容：规则表逐行核对过，文件中的待定事项都已决定",
    "Nothing is left undecided in tables and files",
    "ADR 0009",
)
def nothing_is_open(subject: Subject, tally: Tally) -> Iterator[Breach]:
    """A scaffold marks what nobody can know but the region; a guess must not go into force."""
    tally(1 + len(subject.files))
    yield from undecided(subject.slug, subject.files)


def undecided(slug: str, files: Mapping[str, bytes]) -> Iterator[Breach]:
    """Every open decision of a region, one a table and one a marked line. ``files``: the tables, by name.

    Errors: `CannotStart` for a region that cannot be found.
    """
    where = package_of(slug).replace(".", "/")
    shelf = "mappings" if where.startswith("adapters/") else where
    for name, text in sorted(_texts(folder_of(slug), "")):
        for number, line in enumerate(text.splitlines(), 1):
            _, marked, sentence = line.partition(f"{MARK}：")
            if marked:
                yield Breach(
                    f"待定：{sentence.strip()}",
                    "请决定并改好，然后删去这一行",
                    path=f"{where}/{name}:{number}",
                )
    for name, content in sorted(files.items()):
        if name.startswith(f"codes/{slug}/") or name.endswith(f"/{slug}.csv"):
            part = name.rpartition("/")[2].removesuffix(".csv")
            place = f"{shelf}/{name}" if shelf == "mappings" else f"{where}/codes/{part}.csv"
            yield from _of_table(place, part if part != slug else name.partition("/")[0], content)


def _of_table(place: str, part: str, content: bytes) -> Iterator[Breach]:
    rows = csv.reader(io.StringIO(content.decode("utf-8", "replace")))
    open_rows = [number for number, row in enumerate(rows, 1) if any(MARK in cell for cell in row)]
    if open_rows:
        yield Breach(
            f"有 {len(open_rows)} 行待定（第 {open_rows[0]} 行起），现为脚手架填的写法",
            f"请在 {place} {_REMEDIES.get(part, _CODES)}",
            path=f"{place}:{open_rows[0]}",
        )


def _texts(folder: Traversable, base: str) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            if entry.name not in {"__pycache__", "codes", "tests", "examples"}:
                yield from _texts(entry, f"{base}{entry.name}/")
        elif entry.name.endswith(_SPOKEN):
            yield base + entry.name, entry.read_text(encoding="utf-8")
