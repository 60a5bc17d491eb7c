"""Spellings only CQ-N has."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from gateway.canonical.kinds import TraceKind
from gateway.mapping.converters import Converter, remembered
from gateway.mapping.fieldmap import Fault, Lossy, Sight
from gateway.mapping.times import iso_month

_YEAR = re.compile("(19|20)[0-9]{2}|2100")
_LAST_YEAR = 2099


def _first_day(month: str, sight: Sight) -> date:
    year, number = iso_month.read(month, sight).split("-")
    return date(int(year), int(number), 1)


def _last_day(month: str, sight: Sight) -> date:
    first = _first_day(month, sight)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return date.fromordinal(following.toordinal() - 1)


def _said_start(day: date, _: Sight) -> Any:
    written = day.strftime("%Y-%m")
    return written if day.day == 1 else Lossy(written)


def _said_end(day: date, sight: Sight) -> Any:
    written = day.strftime("%Y-%m")
    return written if day == _last_day(written, sight) else Lossy(written)


#: first month of a period ↔ its first day (crossing M7b)
period_start = remembered(
    Converter("period start", "M7b", iso_month.ok, iso_month.hint, _first_day, _said_start)
)
#: last month of a period ↔ its last day (crossing M7b)
period_end = remembered(Converter("period end", "M7b", iso_month.ok, iso_month.hint, _last_day, _said_end))


def _year(written: str, _: Sight) -> int:
    if int(written) > _LAST_YEAR:
        raise Fault("年度应在 1900 至 2099 之间")
    return int(written)


#: ND, four digits ↔ the year as a number; 2100 is a value fault (crossing §7 "years")
year_text = remembered(
    Converter(
        "year",
        "M7",
        lambda v: isinstance(v, str) and _YEAR.fullmatch(v) is not None,
        "应为 1900 至 2099 的四位年度",
        read=_year,
        write=lambda y, _: str(y),
        kind=TraceKind.EXACT,
    )
)
