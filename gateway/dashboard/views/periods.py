"""The periods an assessment is made for: this month, last month, quarter, year, or any days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from gateway.dashboard.texts import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

#: By the word in addresses, in the order they are offered.
NAMES: Mapping[str, str] = {
    "month": N_("本月"),
    "last_month": N_("上月"),
    "quarter": N_("本季度"),
    "year": N_("本年"),
    "custom": N_("自定"),
}
#: Longer than any assessment, shorter than what would make a query slow.
_LONGEST = timedelta(days=1100)


@dataclass(frozen=True, slots=True)
class Period:
    """``first`` ≤ day ≤ ``last``."""

    name: str
    first: date
    last: date


def period(name: str, today: date, first: date | None = None, last: date | None = None) -> Period:
    """The period of this name; custom days in whatever order, cut to three years; anything else is this month."""
    month = today.replace(day=1)
    if name == "custom" and first and last:
        first, last = min(first, last), max(first, last)
        return Period("custom", max(first, last - _LONGEST), last)
    if name == "last_month":
        end = month - timedelta(days=1)
        return Period(name, end.replace(day=1), end)
    if name == "quarter":
        return Period(name, today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1), today)
    if name == "year":
        return Period(name, today.replace(month=1, day=1), today)
    return Period("month", month, today)


def month_of(written: str, today: date) -> date:
    """The first day of ``yyyy-mm``; this month for what is none."""
    try:
        return date.fromisoformat(f"{written}-01")
    except ValueError:
        return today.replace(day=1)


def shifted(month: date, by: int) -> date:
    """The first day of the month so many months later."""
    index = month.year * 12 + month.month - 1 + by
    return date(index // 12, index % 12 + 1, 1)
