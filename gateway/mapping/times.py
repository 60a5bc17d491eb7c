"""Dates, months and times in either spelling; both sides mean Beijing time (crossing M7)."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from gateway.mapping.amounts import whole
from gateway.mapping.converters import Converter, remembered, spelt
from gateway.mapping.fieldmap import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

#: Beijing time; both interfaces write it without a zone (SC-N §5, CQ-N §5).
CHINA = timezone(timedelta(hours=8), "+08:00")

#: SC-N writes dates of these years only, so no others cross.
_FIRST_YEAR, _LAST_YEAR = 1800, 2199


def _date(digits: str) -> date:
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        raise Fault("不是真实存在的日期，请核对后重新提交") from None
    _within_years(day.year)
    return day


def _month(digits: str) -> str:
    if not ("01" <= digits[4:6] <= "12"):
        raise Fault("不是真实存在的年月，请核对后重新提交")
    _within_years(int(digits[:4]))
    return f"{digits[:4]}-{digits[4:6]}"


def _instant(digits: str) -> datetime:
    try:
        moment = datetime.fromisoformat(f"{digits[:8]}T{digits[8:]}+08:00").replace(tzinfo=CHINA)
    except ValueError:
        raise Fault("不是真实存在的时间，请核对后重新提交") from None
    _within_years(moment.year)
    return moment


def _within_years(year: int) -> None:
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        raise Fault(f"年份应在 {_FIRST_YEAR} 至 {_LAST_YEAR} 之间，请核对后重新提交")


def _number_or_digits(length: int, low: int, high: int) -> Callable[[Any], bool]:
    digits = re.compile(f"[0-9]{{{length}}}")

    def ok(value: Any) -> bool:
        if isinstance(value, str):
            return digits.fullmatch(value) is not None
        number = whole(value)
        return number is not None and low <= number <= high

    return ok


def _digits(value: Any) -> str:
    return value if isinstance(value, str) else str(whole(value))


def _usual_date8(value: Any) -> date | None:
    """An integer of a real day, as SC-N nearly always writes dates."""
    if type(value) is not int or not 18000101 <= value <= 21991231:
        return None
    try:
        return date(value // 10000, value // 100 % 100, value % 100)
    except ValueError:
        return None


#: SC-N date: integer ``20261123`` (written) or 8 digits ↔ a plain date.
date8 = Converter(
    "date yyyyMMdd",
    "M7",
    _number_or_digits(8, 18000101, 21991231),
    "应为 yyyyMMdd 形式的日期",
    read=lambda v, _: _date(_digits(v)),
    write=lambda d, _: d.year * 10000 + d.month * 100 + d.day,
    quick=_usual_date8,
)
#: SC-N month: integer ``202611`` (written) or 6 digits ↔ ``2026-11``.
month6 = remembered(
    Converter(
        "month yyyyMM",
        "M7",
        _number_or_digits(6, 180001, 219912),
        "应为 yyyyMM 形式的年月",
        read=lambda v, _: _month(_digits(v)),
        write=lambda m, _: int(m.replace("-", "")),
    )
)
#: SC-N time: 14 digits, Beijing ↔ aware time.
time14 = Converter(
    "time yyyyMMddHHmmss",
    "M7",
    lambda v: isinstance(v, str) and len(v) == 14 and v.isascii() and v.isdigit(),
    "应为 14 位数字的时间 yyyyMMddHHmmss",
    read=lambda v, _: _instant(v),
    write=lambda t, _: t.astimezone(CHINA).strftime("%Y%m%d%H%M%S"),
)

_ISO_DATE = re.compile("[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])")
_ISO_MONTH = re.compile("[0-9]{4}-(0[1-9]|1[0-2])")
_ISO_TIME = re.compile(_ISO_DATE.pattern + " ([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]")


def beijing(moment: datetime) -> str:
    """A time as CQ-N writes it: ``2026-11-23 15:42:10``."""
    return moment.astimezone(CHINA).isoformat(" ", "seconds")[:19]


#: CQ-N date ``2026-11-23`` ↔ a plain date.
iso_date = Converter(
    "date yyyy-MM-dd",
    "M7",
    spelt(_ISO_DATE),
    "应为 yyyy-MM-dd 形式的日期",
    read=lambda v, _: _date(v.replace("-", "")),
    write=lambda d, _: d.isoformat(),
)
#: CQ-N month ``2026-11`` ↔ the same.
iso_month = remembered(
    Converter(
        "month yyyy-MM",
        "M7",
        spelt(_ISO_MONTH),
        "应为 yyyy-MM 形式的年月",
        read=lambda v, _: _month(v.replace("-", "")),
    )
)
#: CQ-N time ``2026-11-23 15:42:10``, Beijing ↔ aware time.
iso_time = Converter(
    "time yyyy-MM-dd HH:mm:ss",
    "M7",
    spelt(_ISO_TIME),
    "应为 yyyy-MM-dd HH:mm:ss 形式的时间",
    read=lambda v, _: _instant(v.replace("-", "").replace(":", "").replace(" ", "")),
    write=lambda t, _: beijing(t),
)
