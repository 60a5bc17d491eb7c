"""Numbers, moments and spans as people of each language read them; moments are Beijing's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_compact_decimal, format_decimal, format_percent

from gateway.canonical.worktime import BEIJING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

    from gateway.dashboard.texts import Language

_LOCALES: Mapping[Language, str] = {"zh": "zh_Hans_CN", "en": "en_GB"}
_DAYS: Mapping[Language, str] = {"zh": "y年M月d日", "en": "d MMM y"}
_SHORT: Mapping[Language, str] = {"zh": "M月d日 HH:mm", "en": "d MMM HH:mm"}
_UNITS: Mapping[Language, tuple[str, str, str, str]] = {
    "zh": (" 天", " 小时", " 分", " 秒"),
    "en": (" d", " h", " min", " s"),
}
#: What stands where there is nothing to say.
NONE = "—"


class Figures:
    """The filters of one language. None is ``—`` everywhere."""

    def __init__(self, language: Language) -> None:
        self._language, self._locale = language, _LOCALES[language]

    def filters(self) -> dict[str, Callable[..., str]]:
        """By the name templates use."""
        return {
            "number": self.number,
            "compact": self.compact,
            "percent": self.percent,
            "day": self.day,
            "moment": self.moment,
            "short_moment": self.short_moment,
            "clock": self.clock,
            "span": self.span,
        }

    def number(self, value: float | None, digits: int | None = None) -> str:
        """``1,234``; with ``digits`` so many after the point."""
        if value is None:
            return NONE
        if digits is None:
            return format_decimal(value, locale=self._locale)
        return format_decimal(round(value, digits), format=f"#,##0.{'0' * digits}", locale=self._locale)

    def compact(self, value: float | None) -> str:
        """``1.2万`` or ``12K``."""
        if value is None:
            return NONE
        return format_compact_decimal(
            value, locale=self._locale, fraction_digits=0 if abs(value) < 10_000 else 1
        )

    def percent(self, share: float | None, digits: int = 1) -> str:
        """``98.5%`` of 0.985."""
        if share is None:
            return NONE
        return format_percent(share, format=f"#,##0.{'#' * digits}%", locale=self._locale)

    def day(self, on: date | None) -> str:
        """``2026年11月26日``."""
        return NONE if on is None else format_date(on, _DAYS[self._language], locale=self._locale)

    def moment(self, at: datetime | None) -> str:
        """``2026年11月26日 15:42``."""
        return self._written(at, f"{_DAYS[self._language]} HH:mm")

    def short_moment(self, at: datetime | None) -> str:
        """``11月26日 15:42``."""
        return self._written(at, _SHORT[self._language])

    def clock(self, at: datetime | None) -> str:
        """``15:42:07``."""
        return self._written(at, "HH:mm:ss")

    def _written(self, at: datetime | None, pattern: str) -> str:
        if at is None:
            return NONE
        return format_datetime(at.astimezone(BEIJING).replace(tzinfo=None), pattern, locale=self._locale)

    def ago(self, at: datetime | None, now: datetime) -> str:
        """``3 分钟前``."""
        if at is None:
            return NONE
        return format_timedelta(at - now, add_direction=True, locale=self._locale)

    def span(self, seconds: float | None) -> str:
        """``1 小时 20 分``: the two largest units; below ten seconds with one decimal, below one in ms."""
        if seconds is None:
            return NONE
        if seconds < 1:
            return f"{seconds * 1000:.0f} {'毫秒' if self._language == 'zh' else 'ms'}"
        units = _UNITS[self._language]
        if seconds < 10:
            return f"{seconds:.1f}{units[3]}"
        left = round(seconds)
        parts: list[tuple[int, str]] = []
        for length, unit in zip((86400, 3600, 60, 1), units, strict=True):
            count, left = divmod(left, length)
            if count or parts:
                parts.append((count, unit))
        return " ".join(f"{count}{unit}" for count, unit in parts[:2] if count)
