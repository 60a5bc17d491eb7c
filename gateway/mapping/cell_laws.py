"""Laws that hold for every cell of every table: no stray signs, and nobody's personal data."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from gateway.canonical.identifiers import citizen_id_fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.mapping.sheet import Fault, Line

_CITIZEN_ID = re.compile(r"(?<![0-9A-Za-z])[0-9]{17}[0-9Xx](?![0-9A-Za-z])")
_OLD_CITIZEN_ID = re.compile(
    r"(?<![0-9A-Za-z])[1-9][0-9]{5}([0-9]{2})([0-9]{2})([0-9]{2})[0-9]{3}(?![0-9A-Za-z])"
)
_MOBILE = re.compile(r"(?<![0-9A-Za-z])1[3-9][0-9]{9}(?![0-9A-Za-z])")
_BANK_CARD = re.compile(r"(?<![0-9A-Za-z])[1-9][0-9]{15,18}(?![0-9A-Za-z])")
#: Control signs but for the line feed, and those that cannot be seen or turn the reading direction.
_UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\ufffd-\uffff]"
)
#: What spreadsheets read as another sign (ECMA-376 part 1, 22.9.2.19).
_ESCAPED = re.compile(r"_x[0-9A-Fa-f]{4}_")
#: Columns whose numbers are public: eighteen digits there are no bank card.
_PUBLIC = frozenset({"uscc"})


def cell_faults(line: Line) -> Iterator[Fault]:
    """What is wrong with the cells of a line, whatever its table."""
    for column, cell in line.cells.items():
        if not cell:
            continue
        if cell != cell.strip():
            yield line.fault(f"{column} 首尾有空白：请删去")
        if _UNSEEN.search(cell) or _ESCAPED.search(cell):
            yield line.fault(f"{column} 含有看不见的字符或控制字符：请重新输入这一格")
        if len(cell) > 10 and _personal(cell, column):
            yield line.fault(f"{column} 像是真实的身份证号、手机号或银行账号：规则表中不得有个人信息")


def _personal(cell: str, column: str) -> bool:
    if _MOBILE.search(cell):
        return True
    if any(citizen_id_fault(found.upper()) is None for found in _CITIZEN_ID.findall(cell)):
        return True
    if any(_is_day(*found) for found in _OLD_CITIZEN_ID.findall(cell)):
        return True
    return column not in _PUBLIC and any(_luhn(found) for found in _BANK_CARD.findall(cell))


def _is_day(year: str, month: str, day: str) -> bool:
    """Identity numbers of the first generation say the year of birth in two digits (GB 11643-1989)."""
    try:
        date(1900 + int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _luhn(number: str) -> bool:
    """The check digit of card numbers. Source: ISO/IEC 7812-1 annex B."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
